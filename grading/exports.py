"""The files that a marked response matrix is written to, at published precision; the table of acts kept apart."""

import csv
import json
from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

from django.utils.timezone import localtime

from ecni.shared.csvfile import guarded, write_table
from grading.queries.quarantine import KeptAct, KeptSheet
from grading.rules.keys import ChoiceKey, TcsKey
from grading.rules.matrix import ItemResult, Matrix, MatrixResult

PLACES = Decimal("0.000001")
KEPT_HEADING = (
    *("epreuve", "numero", "acte", "nature", "question", "valeur"),
    *("fait_le", "horloge_mesuree", "fin_de_la_copie", "recu_le", "pourquoi"),
)


def write_matrix(folder: Path, matrix: Matrix, result: MatrixResult, items: Iterable[ItemResult]) -> None:
    """Write `marks.csv`, `persons.csv`, `items.csv` and `summary.json` in a folder, made when it does not exist.

    They are written beside it and moved into it once they are all complete: a failure leaves the folder as it was.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as name:
        beside = Path(name)
        _write(beside / "marks.csv", ("person", *map(guarded, matrix.items)), _marks(matrix, result))
        _write(beside / "persons.csv", ("person", "total", "rank"), _persons(matrix, result))
        _write(beside / "items.csv", _items_heading(matrix), _items(matrix, items))
        (beside / "summary.json").write_text(json.dumps(_summary(matrix, result), indent=1) + "\n", encoding="utf-8")
        folder.mkdir(exist_ok=True)
        for file in beside.iterdir():
            file.replace(folder / file.name)


def kept_csv(sheets: Iterable[KeptSheet]) -> bytes:
    """Return the acts that are in no sheet, sheet by sheet, for a spreadsheet."""
    return write_table(KEPT_HEADING, (_kept_cells(sheet, act) for sheet in sheets for act in sheet.acts))


def _kept_cells(sheet: KeptSheet, act: KeptAct) -> Sequence[object]:
    moments = [at and f"{localtime(at):%Y-%m-%d %H:%M:%S}" for at in (act.made_at, act.ends_at, act.received_at)]
    made_at, ends_at, received_at = moments
    why = "tablette remplacée" if act.is_of_old_tablet else "arrivé après le délai"
    measured = "oui" if act.is_clock_known else "non"
    facts = (sheet.sitting, sheet.number, act.seq, act.kind.label, act.question or "", act.value)
    return *facts, made_at, measured, ends_at, received_at, why


def decimal_text(value: Fraction | float | None) -> str:
    """Return a number with at most six decimals, without trailing zeros; the empty text when there is none."""
    if value is None:
        return ""
    exact = Fraction(value)
    rounded = (Decimal(exact.numerator) / Decimal(exact.denominator)).quantize(PLACES, ROUND_HALF_EVEN)
    return format(rounded.normalize() if rounded else Decimal(0), "f")


def _write(path: Path, heading: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(heading)
        writer.writerows(rows)


def _marks(matrix: Matrix, result: MatrixResult) -> Iterable[Sequence[str]]:
    distinct = {mark for marks in result.marks.values() for mark in set(marks.tolist())}
    texts = {mark: decimal_text(result.plan.points(mark)) for mark in distinct}
    columns = [[texts[mark] for mark in marks.tolist()] for marks in result.marks.values()]
    return zip(map(guarded, matrix.persons), *columns, strict=True)


def _persons(matrix: Matrix, result: MatrixResult) -> Iterable[Sequence[object]]:
    for person, total, rank in zip(matrix.persons, result.totals.tolist(), result.ranks, strict=True):
        yield guarded(person), decimal_text(result.plan.points(total)), rank


def _items_heading(matrix: Matrix) -> tuple[str, ...]:
    figures = ("item", "key", "difficulty", "sd", "r_item_total", "r_item_rest", "alpha_if_deleted")
    return (*figures, *(f"p_{option}" for option in matrix.options), "p_blank")


def _items(matrix: Matrix, items: Iterable[ItemResult]) -> Iterable[Sequence[str]]:
    for name, key, item in zip(matrix.items, matrix.keys, items, strict=True):
        found = item.statistics
        figures = (found.difficulty, found.deviation, found.item_total, found.item_rest, item.alpha_without)
        yield guarded(name), _key_text(key), *map(decimal_text, (*figures, *item.options, item.blank))


def _key_text(key: ChoiceKey | TcsKey) -> str:
    if isinstance(key, TcsKey):
        return " ".join(map(str, key.votes))
    return "".join(chr(ord("A") + bit) for bit in range(len(key.statuses)) if key.right >> bit & 1)


def _summary(matrix: Matrix, result: MatrixResult) -> dict[str, object]:
    exam = result.exam
    figures: dict[str, Fraction | float | None] = {
        "mean": exam.mean,
        "sd": exam.deviation,
        "min": exam.least,
        "max": exam.most,
        "alpha": exam.alpha,
        "sem": exam.error,
    }
    return {
        "persons": exam.candidates,
        "items": len(matrix.items),
        **{name: None if value is None else float(decimal_text(value)) for name, value in figures.items()},
        "parameters": result.plan.parameters.published(),
    }
