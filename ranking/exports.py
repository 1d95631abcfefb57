"""Rankings, official lists, transcripts and complaints as tables that a spreadsheet opens without running anything."""

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from io import BytesIO

from django.utils.timezone import localtime
from openpyxl import Workbook

from ecni.shared.csvfile import guarded, write_table
from exams.enums import PartCode
from ranking.enums import Status
from ranking.models import RankingRun
from ranking.queries.complaints import ComplaintRow
from ranking.queries.groups import GroupRanking
from ranking.queries.official import OfficialRow
from ranking.queries.preview import place_row, places
from ranking.rules.words import THIN_SPACE

OFFICIAL_HEADING = ("rang", "liste", "numero_candidat", "nom", "prenom", "total", "motif")
TRANSCRIPT_HEADING = ("epreuve", "question", "type", "reponse", "points", "sur")
COMPLAINT_HEADING = ("numero", "numero_candidat", "epreuve", "question", "deposee_le", "etat", "reclamation", "reponse")

Rows = Iterable[Sequence[object]]


def ranking_csv(run: RankingRun, parts: Sequence[PartCode]) -> bytes:
    """Return a ranking sorted by anonymous number: exact points as fractions beside the rounded ones."""
    heading = [
        "numero",
        "rang",
        "liste",
        "total",
        "total_exact",
        *(f"points_{part.value.lower()}" for part in parts),
        "departage",
    ]
    rows: list[list[object]] = []
    for place in places(run, order="numero"):
        shown = place_row(place, run, list(parts))
        exact = str(Fraction(place.total, run.denominator))
        listed = "à part" if place.is_apart else ""
        points = [_figure(text) for text in shown.parts]
        rows.append([shown.number, shown.rank, listed, _figure(shown.total), exact, *points, shown.tie])
    others = [[number, "non classé", Status(run.statuses[number]).label] for number in run.unranked]
    return write_table(heading, [*rows, *others])


def official_csv(rows: Iterable[OfficialRow]) -> bytes:
    """Return the official list, in the order of the ranks."""
    return write_table(OFFICIAL_HEADING, map(_official_cells, rows))


def official_xlsx(rows: Iterable[OfficialRow]) -> bytes:
    """Return the official list as a workbook."""
    return _workbook("Liste officielle", OFFICIAL_HEADING, map(_official_cells, rows))


def transcript_csv(lines: Iterable[Mapping[str, str]]) -> bytes:
    """Return one candidate's marks, question by question."""
    return write_table(TRANSCRIPT_HEADING, map(_transcript_cells, lines))


def transcript_xlsx(lines: Iterable[Mapping[str, str]]) -> bytes:
    """Return the same as a workbook."""
    return _workbook("Relevé", TRANSCRIPT_HEADING, map(_transcript_cells, lines))


def groups_csv(rankings: Iterable[GroupRanking]) -> bytes:
    """Return the weighted rankings, group after group, sorted by anonymous number: exact marks out of 20."""
    return write_table(
        ("groupe", "nom", "numero", "rang", "note_sur_20", "rang_a_sur_20"),
        (
            [found.group.number, found.group.name, place.number, place.rank, str(place.mark), str(place.rank_a)]
            for found in rankings
            for place in sorted(found.places, key=lambda one: one.number)
        ),
    )


def complaints_csv(rows: Iterable[ComplaintRow]) -> bytes:
    """Return the complaints of an exam, by official number; neither name nor anonymous number."""
    return write_table(
        COMPLAINT_HEADING,
        (
            [
                row.complaint_id,
                row.official_number,
                row.sitting,
                row.question or "",
                f"{localtime(row.filed_at):%Y-%m-%d %H:%M}",
                row.state.label,
                row.text,
                row.answer,
            ]
            for row in rows
        ),
    )


def _official_cells(row: OfficialRow) -> Sequence[object]:
    listed = "à part" if row.is_apart else ""
    rank = row.rank or "non classé"
    return rank, listed, row.official_number, row.last_name, row.first_name, _figure(row.total), row.status


def _transcript_cells(line: Mapping[str, str]) -> Sequence[object]:
    marks = _figure(line["points"]), _figure(line["worth"])
    return line["sitting"], line["number"], line["kind"], line["answer"], *marks


def _workbook(title: str, heading: Sequence[str], rows: Rows) -> bytes:
    """Return a workbook of texts: no cell is a formula, and none would become one when copied elsewhere."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(title)
    sheet.append(list(heading))
    for row in rows:
        sheet.append([guarded(cell) for cell in row])
    output = BytesIO()
    book.save(output)
    return output.getvalue()


def _figure(points: str) -> str:
    """Points as a spreadsheet reads them: a decimal comma, no space between thousands."""
    return points.replace(THIN_SPACE, "")
