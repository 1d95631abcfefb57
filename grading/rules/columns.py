"""Marking by columns: every candidate's answers to a question at once, in exact integers over one denominator.

The choice kinds are marked on masks with bit operations, apart from `grading.rules.kinds`, which a property test holds
them equal to. The other kinds are few and their answers repeat: each distinct text goes once through its scorer.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import cast

import numpy as np
from numpy.typing import NDArray

from exams.enums import QuestionKind
from exams.rules.states import Refused
from grading.rules.keys import ChoiceKey, Key, TcsKey, ZapKey, ensure_key
from grading.rules.kinds import score
from grading.rules.parameters import MarkingParameters
from grading.rules.scores import UnmarkableValue

Masks = NDArray[np.uint32]
Numerators = NDArray[np.int64]

LARGEST_TOTAL = 2**63 - 1
ZERO, HALF, ONE = Fraction(0), Fraction(1, 2), Fraction(1)


class DenominatorTooLarge(Refused):
    """The exact points of this run do not fit in 64 bits."""

    code = "denominator-too-large"
    text = "Les points exacts de cet examen dépassent l’arithmétique entière sur 64 bits."


@dataclass(frozen=True, slots=True)
class Column:
    """One question of a run.

    Attributes:
        kind, key: how it is marked.
        points: what a perfect answer is worth, from 0.
        is_given: neutralised in favour of all: every candidate has all the points, whatever the answer.
    """

    kind: QuestionKind
    key: Key
    points: Fraction
    is_given: bool = False

    def __post_init__(self) -> None:
        ensure_key(self.kind, self.key)

    @property
    def is_choice(self) -> bool:
        """Whether its answers are masks; else they are texts."""
        return isinstance(self.key, ChoiceKey)


def possible_scores(column: Column, parameters: MarkingParameters) -> frozenset[Fraction]:
    """Return every score that an answer to the question may have."""
    if column.is_given:
        return frozenset({ONE})
    return _POSSIBLE[column.kind](column.key, parameters)


def _expected(key: Key) -> int:
    return cast(int, cast(ChoiceKey | ZapKey, key).expected_count)


def _votes(key: TcsKey) -> frozenset[Fraction]:
    return frozenset(Fraction(count, max(key.votes)) for count in (0, *key.votes))


def _steps(count: int) -> frozenset[Fraction]:
    return frozenset(Fraction(right, count) for right in range(count + 1))


_POSSIBLE: Mapping[QuestionKind, Callable[[Key, MarkingParameters], frozenset[Fraction]]] = {
    QuestionKind.QRU: lambda _key, _parameters: frozenset({ZERO, ONE}),
    QuestionKind.QRM: lambda _key, parameters: frozenset({ZERO, *parameters.discordances}),
    QuestionKind.QRP: lambda key, _parameters: _steps(_expected(key)),
    QuestionKind.QRPL: lambda key, _parameters: _steps(_expected(key)),
    QuestionKind.QROC: lambda _key, _parameters: frozenset({ZERO, HALF, ONE}),
    QuestionKind.TCS: lambda key, _parameters: _votes(cast(TcsKey, key)),
    QuestionKind.ZAP: lambda key, _parameters: _steps(_expected(key)),
}


def common_denominator(columns: Iterable[Column], parameters: MarkingParameters) -> int:
    """Return the least denominator over which every possible mark of the run is a whole number.

    Raises:
        DenominatorTooLarge: over it, a perfect copy would not fit in 64 bits.
    """
    columns = tuple(columns)
    marks = (column.points * worth for column in columns for worth in possible_scores(column, parameters))
    denominator = lcm(*{mark.denominator for mark in marks}, 1)
    perfect = denominator * sum(column.points for column in columns)
    if perfect > LARGEST_TOTAL:
        raise DenominatorTooLarge(f"Le dénominateur commun {denominator} dépasse l’arithmétique entière sur 64 bits.")
    return denominator


def mark_choices(masks: Masks, column: Column, denominator: int, parameters: MarkingParameters) -> Numerators:
    """Return the marks of one question from its answers as masks, bit 0 for A.

    Args:
        masks: one answer per candidate; 0 is a blank.
        column: a choice question.
        denominator: that of the run (`common_denominator`).
        parameters: those of the run.

    Raises:
        UnmarkableValue: a bit beyond the question's propositions.
    """
    key = cast(ChoiceKey, column.key)
    if len(masks) and int(masks.max()) >> len(key.statuses):
        raise UnmarkableValue(f"Une réponse coche au-delà des {len(key.statuses)} propositions.")
    if column.is_given:
        return np.full(len(masks), _whole(column.points, denominator), dtype=np.int64)
    return _CHOICES[column.kind](masks, key, column.points * denominator, parameters)


def _whole(points: Fraction, denominator: int) -> int:
    numerator = points * denominator
    if numerator.denominator != 1:
        raise ValueError(f"{points} is not a whole number over {denominator}")
    return numerator.numerator


def _table(scores: Sequence[Fraction], full: Fraction) -> Numerators:
    """Numerators by index: number of discordances, or of right answers."""
    return np.array([_whole(worth, 1) for worth in (score * full for score in scores)], dtype=np.int64)


def _one(masks: Masks, key: ChoiceKey, full: Fraction, _parameters: MarkingParameters) -> Numerators:
    right = (np.bitwise_count(masks) == 1) & ((masks & np.uint32(key.right)) != 0)
    return np.where(right, _whole(full, 1), 0).astype(np.int64)


def _discordances(masks: Masks, key: ChoiceKey, full: Fraction, parameters: MarkingParameters) -> Numerators:
    worst = len(key.statuses) + 1
    table = _table([*parameters.discordances, *[ZERO] * worst], full)
    marks: Numerators = table[np.bitwise_count(masks ^ np.uint32(key.right))]
    marks[_broken(masks, key)] = 0
    if parameters.blank_is_zero:
        marks[masks == 0] = 0
    return marks


def _share(masks: Masks, key: ChoiceKey, full: Fraction, _parameters: MarkingParameters) -> Numerators:
    expected = _expected(key)
    ticked = np.bitwise_count(masks)
    right = np.bitwise_count(masks & np.uint32(key.right))
    table = _table([Fraction(x, expected) if x <= expected else ZERO for x in range(len(key.statuses) + 1)], full)
    marks: Numerators = table[right]
    marks[(ticked > expected) | _broken(masks, key)] = 0
    return marks


def _broken(masks: Masks, key: ChoiceKey) -> NDArray[np.bool_]:
    """Whether a zero rule applies: a required proposition not ticked, or a forbidden one ticked."""
    judged = masks & np.uint32(key.required | key.forbidden)
    broken: NDArray[np.bool_] = judged != np.uint32(key.required)
    return broken


_CHOICES: Mapping[QuestionKind, Callable[[Masks, ChoiceKey, Fraction, MarkingParameters], Numerators]] = {
    QuestionKind.QRU: _one,
    QuestionKind.QRM: _discordances,
    QuestionKind.QRP: _share,
    QuestionKind.QRPL: _share,
}


def mark_texts(values: Sequence[str], column: Column, denominator: int, parameters: MarkingParameters) -> Numerators:
    """Return the marks of one question from its answers as texts; each distinct text is scored once.

    Raises:
        UnmarkableValue: a text is not an answer to that question.
    """
    scores = {value: score(column.kind, column.key, value, parameters).value for value in set(values)}
    if column.is_given:
        scores = dict.fromkeys(scores, ONE)
    marks = {value: _whole(column.points * worth, denominator) for value, worth in scores.items()}
    return np.fromiter((marks[value] for value in values), dtype=np.int64, count=len(values))
