"""A response matrix from CSV files: a key or a panel of experts, and the answers. Read whole, or refused whole."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ecni.shared.csvfile import Row, UnreadableFile, read_table
from exams.rules.answers import mask_of
from grading.rules.engine import Responses
from grading.rules.keys import LETTERS, TCS_SCALE, TcsKey
from grading.rules.matrix import Matrix, MatrixRule, letters_key

KEY_HEADING = ("item", "key")
PERSON = "person"


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong at one place; `line` and `column` count from 1, 0 when the whole line or file is meant."""

    file: str
    line: int
    column: int
    reason: str

    def __str__(self) -> str:
        line = f", ligne {self.line}" if self.line else ""
        column = f", colonne {self.column}" if self.column else ""
        return f"{self.file}{line}{column} : {self.reason}"


class BrokenFiles(Exception):
    """Files that are no response matrix; `faults` are all of them, by file, line and column."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(sorted(faults, key=lambda fault: (fault.file, fault.line, fault.column)))
        super().__init__("\n".join(map(str, self.faults)))


_Place = tuple[int, int, str]
"""Line, column and name."""


class _BadCell(ValueError):
    """A cell that holds no answer; the text says why, in French."""


@dataclass(frozen=True, slots=True)
class _Answers:
    """A file of answers: who and what, and the canonical text of each cell, by person."""

    items: tuple[str, ...]
    persons: tuple[str, ...]
    cells: list[list[str]]

    def columns(self) -> list[tuple[str, ...]]:
        """Return the answers by item."""
        return list(zip(*self.cells, strict=True))


@dataclass(frozen=True, slots=True)
class _Key:
    """A file of keys: the right letters of each item, and the line and column where its name stands."""

    letters: dict[str, str]
    places: list[_Place]


def read_matrix(key: Path, responses: Path, rule: MatrixRule) -> Matrix:
    """Return the matrix of two files: a key by letters, or for `tcs` the answers of a panel, and the responses.

    Raises:
        BrokenFiles: a fault in either; both are read to their ends first.
        OSError: a file cannot be opened.
    """
    faults: list[Fault] = []
    if rule is MatrixRule.TCS:
        panel = _read_answers(key, _scale_step, faults)
        given = _read_answers(responses, _scale_step, faults)
        faults += _mute(key.name, panel)
        faults += _lonely((key.name, _headed(panel.items)), (responses.name, _headed(given.items)))
        _refuse(faults)
        return _script_matrix(given, dict(zip(panel.items, panel.columns(), strict=True)))
    right = _read_key(key, faults)
    given = _read_answers(responses, _letters, faults)
    faults += _lonely((key.name, right.places), (responses.name, _headed(given.items)))
    _refuse(faults)
    return _choice_matrix(given, right.letters)


def _choice_matrix(given: _Answers, right: dict[str, str]) -> Matrix:
    seen = {cell for cells in given.cells for cell in cells}
    propositions = LETTERS.index(max("".join(seen.union(right.values())))) + 1
    masks = {cell: mask_of(cell) for cell in seen}
    table = np.array([[masks[cell] for cell in cells] for cells in given.cells], dtype=np.uint32)
    columns = np.ascontiguousarray(table.T)
    return Matrix(
        items=given.items,
        persons=given.persons,
        keys=tuple(letters_key(right[item], propositions) for item in given.items),
        responses=Responses(dict(enumerate(columns, start=1)), {}),
        options=tuple(LETTERS[:propositions]),
    )


def _script_matrix(given: _Answers, panel: dict[str, tuple[str, ...]]) -> Matrix:
    def votes(item: str) -> TcsKey:
        least, less, same, more, most = (panel[item].count(step) for step in TCS_SCALE)
        return TcsKey((least, less, same, more, most))

    return Matrix(
        items=given.items,
        persons=given.persons,
        keys=tuple(votes(item) for item in given.items),
        responses=Responses({}, dict(enumerate(given.columns(), start=1))),
        options=TCS_SCALE,
    )


def _read_answers(path: Path, canonical: Callable[[str], str], faults: list[Fault]) -> _Answers:
    rows = _rows(path, faults)
    if not rows:
        return _Answers((), (), [])
    heading, *lines = rows
    names = tuple(cell.strip() for cell in heading.cells)
    faults += _heading_faults(path.name, heading.line, names)
    if not lines:
        faults.append(Fault(path.name, 0, 0, "aucune réponse sous l’en-tête."))
    known: dict[str, str] = {}
    cells: list[list[str]] = []
    for row in lines:
        if len(row.cells) != len(names):
            faults.append(Fault(path.name, row.line, 0, f"{len(row.cells)} cellules, {len(names)} attendues."))
            continue
        try:
            cells.append([known[cell] for cell in row.cells[1:]])
        except KeyError:
            cells.append(list(_canonical_cells(path.name, row, names, canonical, known, faults)))
    faults += _repeated(path.name, "personne", [(row.line, 1, row.cells[0].strip()) for row in lines])
    return _Answers(names[1:], tuple(row.cells[0].strip() for row in lines), cells)


def _canonical_cells(
    file: str,
    row: Row,
    names: Sequence[str],
    canonical: Callable[[str], str],
    known: dict[str, str],
    faults: list[Fault],
) -> Iterator[str]:
    """Yield the canonical text of each answer of a row; remember those that are good, note those that are not."""
    for at, cell in enumerate(row.cells[1:], start=2):
        if cell not in known:
            try:
                known[cell] = canonical(cell.strip())
            except _BadCell as bad:
                faults.append(Fault(file, row.line, at, f"question « {names[at - 1]} », {bad}"))
                yield ""
                continue
        yield known[cell]


def _letters(text: str) -> str:
    letters = sorted(text.upper())
    if not set(letters).issubset(LETTERS):
        raise _BadCell(f"« {text} » : des lettres de A à Z sont attendues.")
    if len(set(letters)) != len(letters):
        raise _BadCell(f"« {text} » : une lettre est répétée.")
    return "".join(letters)


def _scale_step(text: str) -> str:
    step = text.removeprefix("+")
    if step and step not in TCS_SCALE:
        raise _BadCell(f"« {text} » : un degré de -2 à +2 est attendu.")
    return step


def _read_key(path: Path, faults: list[Fault]) -> _Key:
    rows = _rows(path, faults)
    if not rows:
        return _Key({}, [])
    heading, *lines = rows
    if tuple(cell.strip() for cell in heading.cells) != KEY_HEADING:
        faults.append(Fault(path.name, heading.line, 0, "en-tête attendu : « item,key »."))
        return _Key({}, [])
    places: list[_Place] = [(row.line, 1, row.cells[0].strip()) for row in lines]
    faults += _repeated(path.name, "question", places)
    key: dict[str, str] = {}
    for row in lines:
        if len(row.cells) != len(KEY_HEADING):
            faults.append(Fault(path.name, row.line, 0, f"{len(row.cells)} cellules, {len(KEY_HEADING)} attendues."))
            continue
        item, right = (cell.strip() for cell in row.cells)
        try:
            key[item] = _letters(right)
        except _BadCell as bad:
            faults.append(Fault(path.name, row.line, 2, f"question « {item} », {bad}"))
        if not right:
            faults.append(Fault(path.name, row.line, 2, f"question « {item} », clé vide."))
    return _Key(key, places)


def _rows(path: Path, faults: list[Fault]) -> list[Row]:
    try:
        return read_table(path.read_bytes())
    except UnreadableFile as error:
        faults.append(Fault(path.name, 0, 0, str(error)))
        return []


def _heading_faults(file: str, line: int, names: Sequence[str]) -> Iterator[Fault]:
    if names[0] != PERSON:
        yield Fault(file, line, 1, f"la première colonne s’appelle « {PERSON} ».")
    if len(names) == 1:
        yield Fault(file, line, 0, "aucune question dans l’en-tête.")
    yield from _repeated(file, "question", [(line, at, name) for at, name in enumerate(names[1:], start=2)])


def _repeated(file: str, noun: str, names: Sequence[_Place]) -> Iterator[Fault]:
    """Yield a fault for each name that is empty or was met before."""
    seen: Counter[str] = Counter()
    for line, column, name in names:
        if not name:
            yield Fault(file, line, column, f"{noun} sans nom.")
        elif seen[name]:
            yield Fault(file, line, column, f"{noun} « {name} » en double.")
        seen[name] += 1


def _headed(items: Sequence[str]) -> list[_Place]:
    return [(1, at, item) for at, item in enumerate(items, start=2)]


def _mute(file: str, panel: _Answers) -> Iterator[Fault]:
    for (line, column, item), answers in zip(_headed(panel.items), panel.columns(), strict=False):
        if not any(answers):
            yield Fault(file, line, column, f"aucun expert n’a répondu à « {item} ».")


def _lonely(keyed: tuple[str, list[_Place]], answered: tuple[str, list[_Place]]) -> Iterator[Fault]:
    """Yield the questions that one file has and the other has not; nothing when a file has none at all."""
    (key_file, keys), (file, questions) = keyed, answered
    if not keys or not questions:
        return
    with_key, with_answers = {name for _, _, name in keys}, {name for _, _, name in questions}
    for line, column, name in keys:
        if name and name not in with_answers:
            yield Fault(key_file, line, column, f"la question « {name} » n’est pas dans les réponses.")
    for line, column, name in questions:
        if name and name not in with_key:
            yield Fault(file, line, column, f"la question « {name} » n’a pas de clé.")


def _refuse(faults: Sequence[Fault]) -> None:
    if faults:
        raise BrokenFiles(faults)
