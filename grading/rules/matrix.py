"""Anybody's response matrix through the engine: one point per item, both scorers, ranks and item statistics.

No paper, no candidate and no database: a matrix is what another platform or a scanner gives.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

import numpy as np

from exams.enums import PropositionStatus, QuestionKind
from exams.rules.states import Refused
from grading.rules.agreement import differences
from grading.rules.columns import Numerators
from grading.rules.engine import Keys, Plan, Responses, mark_responses, plan_run
from grading.rules.keys import LETTERS, TCS_SCALE, ChoiceKey, TcsKey
from grading.rules.parameters import PUBLISHED, MarkingParameters
from grading.rules.statistics import (
    ExamStatistics,
    QuestionStatistics,
    Standing,
    choice_frequencies,
    exam_statistics,
    question_statistics,
    totals_of,
)
from grading.rules.units import Part, Structure, Unit

BLOCK = 50
"""Items marked between two reports of progress."""


class MatrixRule(StrEnum):
    """How the items of a matrix are scored."""

    DISCORDANCE = "discordance"
    EXACT = "exact"
    TCS = "tcs"


class ScorersDisagree(Refused):
    """The two scorers differ: a fault of the software, nothing may be written."""

    code = "scorers-disagree"


@dataclass(frozen=True, slots=True)
class Matrix:
    """Answers of persons to items, which go by their numbers from 1.

    Attributes:
        items, persons: their names, in the order of the file; at least one of each.
        keys: the key of each item: `ChoiceKey` by letters, or `TcsKey` by votes.
        responses: masks or texts by item number, one per person.
        options: names of the answers that are counted, in order: letters, or the scale.
    """

    items: tuple[str, ...]
    persons: tuple[str, ...]
    keys: tuple[ChoiceKey | TcsKey, ...]
    responses: Responses
    options: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ItemResult:
    """One item: its statistics, and how often each option and no answer at all was given, each from 0 to 1."""

    statistics: QuestionStatistics
    alpha_without: float | None
    options: tuple[Fraction, ...]
    blank: Fraction


@dataclass(frozen=True, slots=True)
class MatrixResult:
    """What marking a matrix gives.

    Attributes:
        plan: how it was marked.
        marks: numerators over the plan's denominator, by item number, one per person.
        totals: numerators of each person.
        ranks: from 1; equal totals share the best rank.
        exam: statistics of the totals.
    """

    plan: Plan
    marks: Mapping[int, Numerators]
    totals: Numerators
    ranks: tuple[int, ...]
    exam: ExamStatistics


def matrix_parameters(rule: MatrixRule, *, blank_is_zero: bool) -> MarkingParameters:
    """Return the parameters that a rule stands for: `exact` is a table of discordances with one step."""
    table = (Fraction(1),) if rule is MatrixRule.EXACT else PUBLISHED.discordances
    return MarkingParameters(blank_is_zero=blank_is_zero, discordances=table)


def letters_key(right: str, propositions: int) -> ChoiceKey:
    """Return the key whose right answers are these letters, among that many propositions."""
    return ChoiceKey(
        tuple(PropositionStatus.TRUE if letter in right else PropositionStatus.FALSE for letter in LETTERS)[
            :propositions
        ]
    )


def matrix_plan(matrix: Matrix, parameters: MarkingParameters) -> Plan:
    """Return how a matrix is marked: each item is worth one point.

    Raises:
        DenominatorTooLarge: the exact points do not fit in 64 bits.
    """
    numbers = range(1, len(matrix.items) + 1)
    units = tuple(Unit(str(number), (number,)) for number in numbers)
    keys: Keys = {
        number: (QuestionKind.TCS if isinstance(key, TcsKey) else QuestionKind.QRM, key)
        for number, key in zip(numbers, matrix.keys, strict=True)
    }
    return plan_run(Structure((Part("QI", Fraction(len(units)), units),)), keys, parameters)


def mark_blocks(matrix: Matrix, plan: Plan) -> Iterator[dict[int, Numerators]]:
    """Yield the marks of the items, some at a time, each mark held against the second scorer's.

    Raises:
        ScorersDisagree: they differ on a mark.
    """
    numbers = list(plan.columns)
    for start in range(0, len(numbers), BLOCK):
        block = numbers[start : start + BLOCK]
        responses = Responses(
            masks={number: matrix.responses.masks[number] for number in block if number in matrix.responses.masks},
            texts={number: matrix.responses.texts[number] for number in block if number in matrix.responses.texts},
        )
        marks = mark_responses(plan, responses)
        for found in differences(plan, responses, marks):
            raise ScorersDisagree(
                f"Les deux correcteurs divergent : personne {matrix.persons[found.candidate]}, "
                f"question {matrix.items[found.question - 1]}, {found.first} et {found.second}."
            )
        yield marks


def matrix_result(plan: Plan, marks: Mapping[int, Numerators]) -> MatrixResult:
    """Add up, rank and describe a marked matrix.

    Raises:
        TooFew: fewer than two persons or two items.
    """
    totals = totals_of(list(marks.values()))
    _, places, counts = np.unique(-totals, return_inverse=True, return_counts=True)
    first = np.cumsum(counts) - counts + 1
    exam = exam_statistics(marks, plan.denominator)
    return MatrixResult(plan, marks, totals, tuple(first[places].tolist()), exam)


def item_results(matrix: Matrix, result: MatrixResult) -> Iterator[ItemResult]:
    """Yield the statistics of each item, in order."""
    standing = Standing.of(result.totals)
    for number, marks in result.marks.items():
        statistics = question_statistics(marks, result.plan.denominator, result.totals, standing)
        options, blank = _frequencies(matrix, number)
        yield ItemResult(statistics, result.exam.alpha_without[number], options, blank)


def _frequencies(matrix: Matrix, number: int) -> tuple[tuple[Fraction, ...], Fraction]:
    if number in matrix.responses.masks:
        found = choice_frequencies(matrix.responses.masks[number], len(matrix.options))
        return found.ticked, found.blank
    texts = matrix.responses.texts[number]
    return tuple(Fraction(texts.count(option), len(texts)) for option in TCS_SCALE), Fraction(
        texts.count(""), len(texts)
    )
