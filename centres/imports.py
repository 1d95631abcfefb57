"""Candidates from a file, CSV or XLSX: read whole, or refused with every error. Nothing is written here."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from io import BytesIO
from zipfile import BadZipFile, ZipFile

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from centres.queries.candidates import KnownCandidate, centre_capacities, known_candidates
from centres.rules.intake import CandidateLine, Problem, check_header, person_key, read_line, repeated_lines
from ecni.shared.csvfile import Row, UnreadableFile, read_table

MOST_BYTES = 20_000_000
MOST_UNZIPPED = 200_000_000
MOST_ROWS = 100_000
ZIP_MARK = b"PK\x03\x04"


class CandidatesRefused(Exception):
    """The file is wrong: nothing was written. `problems` holds every error, in the order of the lines."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)


def read_candidates(data: bytes, *, exam_id: int, today: date) -> list[CandidateLine]:
    """Return the candidates of a file, ready for `register_candidates`.

    Args:
        data: the file, CSV in UTF-8 or XLSX (told apart by their first bytes).
        exam_id: the exam they register for.
        today: to judge ages.

    Raises:
        CandidatesRefused: something is wrong; every error is in it.
    """
    heading, *rows = _rows(data)
    problems = check_header(heading.cells)
    if problems:
        raise CandidatesRefused(problems)
    columns = [name.strip().lower() for name in heading.cells]
    lines: list[CandidateLine] = []
    for row in rows:
        line, found = _read_row(row, columns, today)
        problems += found
        if line is not None:
            lines.append(line)
    problems += repeated_lines(lines)
    problems += _conflicts(lines, exam_id)
    if problems:
        raise CandidatesRefused(sorted(problems, key=lambda problem: problem.line))
    return lines


def _rows(data: bytes) -> list[Row]:
    if len(data) > MOST_BYTES:
        raise CandidatesRefused([Problem(0, "", "", "Le fichier dépasse 20 Mo.")])
    try:
        rows = _sheet_rows(data) if data.startswith(ZIP_MARK) else read_table(data)
    except UnreadableFile as error:
        raise CandidatesRefused([Problem(0, "", "", str(error))]) from error
    if len(rows) > MOST_ROWS:
        raise CandidatesRefused([Problem(0, "", "", "Le fichier dépasse 100 000 lignes.")])
    return rows


def _sheet_rows(data: bytes) -> list[Row]:
    """Read the first sheet; formulas come as their text, so that they are refused as such."""
    try:
        with ZipFile(BytesIO(data)) as archive:
            if sum(member.file_size for member in archive.infolist()) > MOST_UNZIPPED:
                raise UnreadableFile("Le classeur décompressé dépasse 200 Mo.")
        book = load_workbook(BytesIO(data), read_only=True, data_only=False, keep_links=False)
        rows = book.worksheets[0].iter_rows(values_only=True)
        found = [Row(line, tuple(map(_cell_text, cells))) for line, cells in enumerate(rows, start=1)]
    except (BadZipFile, InvalidFileException, KeyError, ValueError, IndexError, SyntaxError) as error:
        raise UnreadableFile(
            "Le classeur est illisible : enregistrez-le de nouveau en XLSX ou en CSV UTF-8."
        ) from error
    rows_with_text = [row for row in found if any(cell.strip() for cell in row.cells)]
    if not rows_with_text:
        raise UnreadableFile("Le fichier est vide.")
    return rows_with_text


def _cell_text(value: object) -> str:
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value)


def _read_row(row: Row, columns: Sequence[str], today: date) -> tuple[CandidateLine | None, list[Problem]]:
    extra = [cell for cell in row.cells[len(columns) :] if cell.strip()]
    if extra:
        reason = f"cellule en trop : {len(columns)} colonnes attendues."
        return None, [Problem(row.line, "", extra[0], reason)]
    return read_line(row.line, dict(zip(columns, row.cells, strict=False)), today)


def _conflicts(lines: Sequence[CandidateLine], exam_id: int) -> list[Problem]:
    known = known_candidates(exam_id)
    capacities = centre_capacities()
    return [
        *_unknown_centres(lines, capacities),
        *_known_people(lines, known),
        *_moved_after_seating(lines, known),
        *_over_capacity(lines, known, capacities),
    ]


def _unknown_centres(lines: Sequence[CandidateLine], capacities: Mapping[str, int]) -> list[Problem]:
    return [
        Problem(line.line, "centre", line.centre, "centre inconnu : créez-le d’abord ou corrigez le code.")
        for line in lines
        if line.centre not in capacities
    ]


def _known_people(lines: Sequence[CandidateLine], known: Mapping[str, KnownCandidate]) -> list[Problem]:
    people = {
        person_key(candidate.last_name, candidate.first_name, candidate.born_on): number
        for number, candidate in known.items()
    }
    problems = []
    for line in lines:
        number = people.get(person_key(line.last_name, line.first_name, line.born_on))
        if number is not None and number != line.official_number and line.official_number not in known:
            problems.append(
                Problem(line.line, "nom", line.last_name, f"personne déjà inscrite sous le numéro {number}.")
            )
    return problems


def _moved_after_seating(lines: Sequence[CandidateLine], known: Mapping[str, KnownCandidate]) -> list[Problem]:
    seated = {number: candidate for number, candidate in known.items() if candidate.is_seated}
    return [
        Problem(line.line, "centre", line.centre, f"déjà placé au centre {seated[line.official_number].centre}.")
        for line in lines
        if line.official_number in seated and seated[line.official_number].centre != line.centre
    ]


def _over_capacity(
    lines: Sequence[CandidateLine], known: Mapping[str, KnownCandidate], capacities: Mapping[str, int]
) -> list[Problem]:
    places = {number: candidate.centre for number, candidate in known.items()}
    places |= {line.official_number: line.centre for line in lines}
    wanted = Counter(places.values())
    touched = {line.centre for line in lines} & capacities.keys()
    return [
        Problem(0, "", "", f"Centre « {centre} » : {wanted[centre]} candidats pour {capacities[centre]} places.")
        for centre in sorted(touched)
        if wanted[centre] > capacities[centre]
    ]
