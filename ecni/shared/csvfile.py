"""Tables in files: read with the number of each line, written so that no spreadsheet runs a cell."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import StringIO

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
DELIMITERS = ";,\t"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


class UnreadableFile(Exception):
    """The bytes are not a table that can be read for sure; the text, in French, says why and where."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: the line of the file where it starts, from 1, and its cells."""

    line: int
    cells: tuple[str, ...]


def read_table(data: bytes) -> list[Row]:
    """Return the rows of a CSV file in UTF-8, heading included, empty lines left out.

    The delimiter is the one of `;`, `,` and tabulation that the first line holds most.

    Raises:
        UnreadableFile: another encoding, a zero byte, a quote never closed, or nothing.
    """
    text = _decoded(data)
    heading = text.split("\n", 1)[0]
    delimiter = max(DELIMITERS, key=heading.count)
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows, line = [], 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append(Row(line, tuple(cells)))
            line = reader.line_num + 1
    except csv.Error as error:
        raise UnreadableFile(f"Ligne {line} : guillemets mal fermés ou cellule démesurée.") from error
    if not rows:
        raise UnreadableFile("Le fichier est vide.")
    return rows


def write_table(heading: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """Return a CSV file: UTF-8 with its mark, semicolons, RFC 4180 quotes, no cell that starts as a formula."""
    output = StringIO(newline="")
    writer = csv.writer(output, delimiter=";", lineterminator="\r\n")
    writer.writerow(heading)
    writer.writerows([guarded(cell) for cell in row] for row in rows)
    return output.getvalue().encode("utf-8-sig")


def guarded(cell: object) -> str:
    """Return the text of a cell, behind an apostrophe when a spreadsheet would run it."""
    text = "" if cell is None else str(cell)
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA_STARTS) else text


def _decoded(data: bytes) -> str:
    if data.startswith(_UTF16_MARKS):
        raise UnreadableFile("Le fichier est en UTF-16 : enregistrez-le en « CSV UTF-8 ».")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UnreadableFile(
            f"Ligne {line} : l’octet {data[error.start]:#04x} n’est pas de l’UTF-8. "
            "Le fichier est sans doute en Windows-1252 : dans le tableur, « Enregistrer sous », « CSV UTF-8 »."
        ) from error
    if "\x00" in text:
        raise UnreadableFile(
            f"Ligne {text.count(chr(10), 0, text.index(chr(0))) + 1} : octet nul, ce n’est pas un CSV."
        )
    return text
