"""What the jury looks at: how hard a question was, how well it sorts candidates, how sure the totals are.

These figures describe and decide nothing, so floats are allowed here, and only here. What can be exact is: means and
frequencies are fractions. Nothing depends on the order of the candidates: those of equal totals who straddle two
groups are shared between them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from statistics import median

import numpy as np
from numpy.typing import NDArray

from exams.rules.states import Refused
from grading.rules.columns import Masks, Numerators

Floats = NDArray[np.float64]

FEWEST_CANDIDATES = 2
FEWEST_QUESTIONS = 2
FIFTHS = 5
TAIL = Fraction(27, 100)
"""Share of the candidates in the upper and in the lower group of the upper-lower index (Kelley, 1939)."""


class TooFew(Refused):
    """Too few candidates or questions for a spread to mean anything."""

    code = "too-few"
    text = "Il faut au moins deux candidats et deux questions pour établir des statistiques."


@dataclass(frozen=True, slots=True)
class QuestionStatistics:
    """One question.

    Attributes:
        difficulty: mean score, from 0 (nobody) to 1 (everybody); the higher, the easier.
        deviation: standard deviation of the score (n - 1).
        item_total, item_rest: correlation of the question's points with the total, and with the total without the
            question, from -1 to 1; None when one of them never varies. A negative item-rest deserves a look.
        upper_lower: mean score of the best 27 % less that of the last 27 %, from -1 to 1.
        fifths: mean score of each fifth of the candidates, last fifth first.
    """

    difficulty: Fraction
    deviation: float
    item_total: float | None
    item_rest: float | None
    upper_lower: float
    fifths: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class ChoiceFrequencies:
    """How often each proposition was ticked, A first, and how often nothing was; each from 0 to 1."""

    ticked: tuple[Fraction, ...]
    blank: Fraction


@dataclass(frozen=True, slots=True)
class ExamStatistics:
    """The whole exam, in points.

    Attributes:
        candidates: how many.
        mean, median, least, most: of the totals, exact.
        deviation: standard deviation of the totals (n - 1).
        skewness: third standardised moment (n); None when all totals are equal.
        alpha: Cronbach's alpha, at most 1; for questions marked 0 or all it is KR-20. None when all totals are equal.
        error: standard error of measurement, `deviation * sqrt(1 - alpha)`.
        alpha_without: alpha of the exam without each question.
    """

    candidates: int
    mean: Fraction
    median: Fraction
    least: Fraction
    most: Fraction
    deviation: float
    skewness: float | None
    alpha: float | None
    error: float | None
    alpha_without: Mapping[int, float | None]


def question_statistics(marks: Numerators, full: int, totals: Numerators) -> QuestionStatistics:
    """Describe one question.

    Args:
        marks: points of each candidate, as numerators.
        full: numerator of a perfect answer, above 0.
        totals: totals of the same candidates, over the same denominator, the question included.

    Raises:
        TooFew: fewer than two candidates.
    """
    if len(marks) < FEWEST_CANDIDATES:
        raise TooFew
    scores = marks / full
    tail = TAIL * len(marks)
    return QuestionStatistics(
        difficulty=Fraction(sum(marks.tolist()), full * len(marks)),
        deviation=float(scores.std(ddof=1)),
        item_total=_correlation(marks, totals),
        item_rest=_correlation(marks, totals - marks),
        upper_lower=_slice_mean(scores, totals, len(marks) - tail, tail) - _slice_mean(scores, totals, 0, tail),
        fifths=by_fifths(scores, totals),
    )


def by_fifths(values: NDArray[np.generic], totals: Numerators) -> tuple[float, ...]:
    """Return the mean of a value of the candidates in each fifth of the totals, last fifth first."""
    fifth = Fraction(len(totals), FIFTHS)
    return tuple(_slice_mean(values.astype(np.float64), totals, i * fifth, fifth) for i in range(FIFTHS))


def _slice_mean(values: Floats, totals: Numerators, start: Fraction | int, width: Fraction) -> float:
    """Mean of `width` candidates from place `start`, worst total first; equal totals share a cut in proportion."""
    _, group, sizes = np.unique(totals, return_inverse=True, return_counts=True)
    ends = np.cumsum(sizes)
    low, high = float(start), float(start + width)
    inside = np.clip(np.minimum(ends, high) - np.maximum(ends - sizes, low), 0, None)
    sums = np.bincount(group, weights=values)
    return float((sums * (inside / sizes)).sum() / float(width))


def _correlation(one: Numerators, two: Numerators) -> float | None:
    if _is_constant(one) or _is_constant(two):
        return None
    first, second = one - one.mean(), two - two.mean()
    return float((first * second).sum() / np.sqrt((first**2).sum() * (second**2).sum()))


def _is_constant(values: Numerators) -> bool:
    return bool((values == values[0]).all())


def choice_frequencies(masks: Masks, propositions: int) -> ChoiceFrequencies:
    """Count the ticks of a choice question; `masks` holds one answer per candidate, at least one, bit 0 for A."""
    count = len(masks)
    ticked = (int(np.count_nonzero(masks >> np.uint32(bit) & np.uint32(1))) for bit in range(propositions))
    return ChoiceFrequencies(
        ticked=tuple(Fraction(times, count) for times in ticked),
        blank=Fraction(int(np.count_nonzero(masks == 0)), count),
    )


def choices_by_fifths(masks: Masks, propositions: int, totals: Numerators) -> tuple[tuple[float, ...], ...]:
    """Return, for each proposition, how often each fifth of the candidates ticked it, last fifth first."""
    bits = (masks >> np.uint32(bit) & np.uint32(1) for bit in range(propositions))
    return tuple(by_fifths(ticked, totals) for ticked in bits)


def exam_statistics(marks: Mapping[int, Numerators], denominator: int) -> ExamStatistics:
    """Describe an exam from the marks of each question, by question, as numerators over `denominator`.

    Raises:
        TooFew: fewer than two candidates or two questions.
    """
    columns = list(marks.values())
    if len(columns) < FEWEST_QUESTIONS or len(columns[0]) < FEWEST_CANDIDATES:
        raise TooFew
    totals: Numerators = np.sum(columns, axis=0, dtype=np.int64)
    exact: list[int] = totals.tolist()
    spreads = {question: _variance(column) for question, column in marks.items()}
    alone = sum(spreads.values())
    alpha = _alpha(len(columns), alone, totals)
    deviation = float(np.sqrt(_variance(totals))) / denominator
    return ExamStatistics(
        candidates=len(exact),
        mean=Fraction(sum(exact), len(exact) * denominator),
        median=median(Fraction(total, denominator) for total in exact),
        least=Fraction(min(exact), denominator),
        most=Fraction(max(exact), denominator),
        deviation=deviation,
        skewness=_skewness(totals),
        alpha=alpha,
        error=None if alpha is None else deviation * float(np.sqrt(1 - alpha)),
        alpha_without={
            question: _alpha(len(columns) - 1, alone - spreads[question], totals - column)
            for question, column in marks.items()
        },
    )


def _variance(values: Numerators) -> float:
    return float(values.var(ddof=1))


def _skewness(totals: Numerators) -> float | None:
    if _is_constant(totals):
        return None
    return float(((totals - totals.mean()) ** 3).mean() / totals.std() ** 3)


def _alpha(count: int, alone: float, totals: Numerators) -> float | None:
    """Cronbach's alpha: k / (k - 1) times the share of the variance that the questions have in common."""
    if count < FEWEST_QUESTIONS or _is_constant(totals):
        return None
    return count / (count - 1) * (1 - alone / _variance(totals))
