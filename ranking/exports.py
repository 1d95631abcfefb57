"""Rankings and official lists as CSV files that a spreadsheet opens without running anything."""

import csv
import io
from collections.abc import Iterable, Sequence
from fractions import Fraction

from exams.enums import PartCode
from ranking.models import RankingRun
from ranking.queries.official import OfficialRow
from ranking.queries.preview import place_row, places
from ranking.rules.words import THIN_SPACE

BYTE_ORDER_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def ranking_csv(run: RankingRun, parts: Sequence[PartCode]) -> str:
    """Return a ranking sorted by anonymous number: exact points as fractions beside the rounded ones."""
    heading = [
        "numero",
        "rang",
        "total",
        "total_exact",
        *(f"points_{part.value.lower()}" for part in parts),
        "departage",
    ]
    rows = []
    for place in places(run, order="numero"):
        shown = place_row(place, run, list(parts))
        exact = str(Fraction(place.total, run.denominator))
        rows.append([shown.number, shown.rank, _figure(shown.total), exact, *map(_figure, shown.parts), shown.tie])
    return _csv(heading, [*rows, *([number, "non classé"] for number in run.unranked)])


def official_csv(rows: Iterable[OfficialRow]) -> str:
    """Return the official list, in the order of the ranks."""
    heading = ["rang", "numero_candidat", "nom", "prenom", "total"]
    return _csv(
        heading,
        (
            [row.rank or "non classé", row.official_number, row.last_name, row.first_name, _figure(row.total)]
            for row in rows
        ),
    )


def _csv(heading: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow(heading)
    writer.writerows([_inert(value) for value in row] for row in rows)
    return BYTE_ORDER_MARK + out.getvalue()


def _figure(points: str) -> str:
    """Points as a spreadsheet reads them: a decimal comma, no space between thousands."""
    return points.replace(THIN_SPACE, "")


def _inert(value: object) -> object:
    """A text that a spreadsheet would take for a formula gets an apostrophe in front."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value
