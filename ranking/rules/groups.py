"""Weighted rankings by group of specialties (EDN): one mark out of 20 and one rank per group, among those who pass.

Sources: weights, arrêté of 19 April 2022, article 6 [APP6]: every question counts 1, rank B questions on the items of
the group 2; minimum of 14/20 on rank A [QMATCH]. Between equal marks the arrêté goes on with other exams [APP8],
unknown here: the keys of the group, in its order, then a shared rank. Items of the groups were not readable: data.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from math import lcm

from exams.rules.states import Refused
from grading.rules.edn import RANK_A_PASS, TWENTY, passes_rank_a

DEFAULT_GROUP_KEYS = ("RANK_A", "ALL")
IN_GROUP_WEIGHT = 2


class InvalidGroup(Refused):
    """A group that cannot be ranked; the text says why, in French."""

    code = "invalid-group"


@dataclass(frozen=True, slots=True)
class Asked:
    """One question as its weight depends on it: rank A or B, and its item of the programme, 0 for none."""

    rank: str
    item: int


@dataclass(frozen=True, slots=True)
class Group:
    """A group of specialties: its number, its items, and the words of its tie-break keys, in order."""

    number: int
    name: str
    items: frozenset[int]
    tie_keys: tuple[str, ...] = DEFAULT_GROUP_KEYS


@dataclass(frozen=True, slots=True)
class Scores:
    """One candidate's scores, one per question: whole numerators over the denominator common to all candidates."""

    number: str
    values: tuple[int, ...]
    born_on: date


@dataclass(frozen=True, slots=True)
class GroupPlace:
    """A place in a group: shared by those who are equal on every key. Marks are out of 20."""

    rank: int
    number: str
    mark: Fraction
    rank_a: Fraction


def weights(questions: Sequence[Asked], group: Group) -> tuple[int, ...]:
    """Return the weight of each question in a group: 2 for rank B on its items, else 1."""
    return tuple(
        IN_GROUP_WEIGHT if question.rank == "B" and question.item in group.items else 1 for question in questions
    )


def mark(values: Sequence[int], weight: Sequence[int], denominator: int) -> Fraction:
    """Return a weighted mean out of 20."""
    if not any(weight):
        raise InvalidGroup("Aucune question ne compte : la note ne se calcule pas.")
    total = sum(value * times for value, times in zip(values, weight, strict=True))
    return Fraction(TWENTY * total, sum(weight) * denominator)


def rank_group(
    rows: Sequence[Scores],
    questions: Sequence[Asked],
    group: Group,
    denominator: int,
    minimum: Fraction | None = RANK_A_PASS,
) -> tuple[GroupPlace, ...]:
    """Return the candidates who have the published minimum on rank A, by their mark in the group, then by its keys.

    The result depends on the rows only, not on their order: those equal on every key are listed by number.

    Raises:
        InvalidGroup: an unknown key, or no rank A question.
    """
    weight, only_a = weights(questions, group), tuple(int(question.rank == "A") for question in questions)
    even = (1,) * len(questions)
    marks = {row.number: tuple(mark(row.values, one, denominator) for one in (weight, only_a, even)) for row in rows}
    passing = [row for row in rows if passes_rank_a(marks[row.number][1], minimum)]
    orders = {row.number: _order(row, marks[row.number], group) for row in passing}
    places: list[GroupPlace] = []
    for position, row in enumerate(sorted(passing, key=lambda one: (orders[one.number], one.number)), start=1):
        shares = places and orders[places[-1].number] == orders[row.number]
        rank = places[-1].rank if shares else position
        places.append(GroupPlace(rank, row.number, marks[row.number][0], marks[row.number][1]))
    return tuple(places)


def common_scores(numerators: Sequence[int], worths: Sequence[int], denominator: int) -> tuple[int, ...]:
    """Return scores over `denominator`, a multiple of every worth; a question worth nothing is left out."""
    return tuple(value * (denominator // worth) for value, worth in zip(numerators, worths, strict=True) if worth)


def common_denominator(worths: Sequence[int]) -> int:
    """Return what every score can be written over, from the numerators that the questions are worth."""
    return lcm(*(worth for worth in worths if worth))


_Marks = tuple[Fraction, ...]
_KEYS: Mapping[str, Callable[[Scores, _Marks], Fraction | int]] = {
    "RANK_A": lambda _row, marks: -marks[1],
    "ALL": lambda _row, marks: -marks[2],
    "OLDER": lambda row, _marks: row.born_on.toordinal(),
    "YOUNGER": lambda row, _marks: -row.born_on.toordinal(),
}


def check_keys(words: Sequence[str]) -> None:
    """Refuse words that name no key of a group.

    Raises:
        InvalidGroup: which ones.
    """
    unknown = [word for word in words if word not in _KEYS]
    if unknown:
        raise InvalidGroup(f"Clés inconnues : {', '.join(unknown)}. Clés connues : {', '.join(_KEYS)}.")


def _order(row: Scores, marks: _Marks, group: Group) -> tuple[Fraction | int, ...]:
    check_keys(group.tie_keys)
    return (-marks[0], *(_KEYS[word](row, marks) for word in group.tie_keys))
