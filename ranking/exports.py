"""Rankings and official lists as CSV files that a spreadsheet opens without running anything."""

from collections.abc import Iterable, Sequence
from fractions import Fraction

from ecni.shared.csvfile import write_table
from exams.enums import PartCode
from ranking.models import RankingRun
from ranking.queries.official import OfficialRow
from ranking.queries.preview import place_row, places
from ranking.rules.words import THIN_SPACE


def ranking_csv(run: RankingRun, parts: Sequence[PartCode]) -> bytes:
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
    return write_table(heading, [*rows, *([number, "non classé"] for number in run.unranked)])


def official_csv(rows: Iterable[OfficialRow]) -> bytes:
    """Return the official list, in the order of the ranks."""
    heading = ["rang", "numero_candidat", "nom", "prenom", "total"]
    return write_table(
        heading,
        (
            [row.rank or "non classé", row.official_number, row.last_name, row.first_name, _figure(row.total)]
            for row in rows
        ),
    )


def _figure(points: str) -> str:
    """Points as a spreadsheet reads them: a decimal comma, no space between thousands."""
    return points.replace(THIN_SPACE, "")
