"""What the jury looks at: how hard a question was, how well it sorts candidates, how sure the totals are.

These figures describe and decide nothing. Every sum behind them is a whole number, added exactly; floats appear only
in the last step (a square root, a share between tied candidates), here and nowhere else. So nothing depends on the
order of the candidates, to the last bit: those of equal totals who straddle two groups are shared between them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import sqrt
from statistics import median
from typing import Self

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
LARGEST_EXACT = 2**63 - 1


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


@dataclass(frozen=True, slots=True)
class Standing:
    """The totals of the candidates, prepared once for the statistics of every question.

    Attributes:
        totals: of each candidate.
        total, squares: their exact sum, and that of their squares.
        group: which group of equal totals each candidate is in, worst first.
        shares: for each fifth, last first, then the lower and the upper 27 %, the part that each group has in its mean.
    """

    totals: Numerators
    total: int
    squares: int
    group: NDArray[np.intp]
    shares: Floats

    @classmethod
    def of(cls, totals: Numerators) -> Self:
        """Prepare totals, at least one."""
        distinct, group, sizes = np.unique(totals, return_inverse=True, return_counts=True)
        values, counts = distinct.tolist(), sizes.tolist()
        fifth, tail = Fraction(len(totals), FIFTHS), TAIL * len(totals)
        cuts = [(place * fifth, fifth) for place in range(FIFTHS)] + [(Fraction(0), tail), (len(totals) - tail, tail)]
        return cls(
            totals=totals,
            total=sum(value * count for value, count in zip(values, counts, strict=True)),
            squares=sum(value * value * count for value, count in zip(values, counts, strict=True)),
            group=group.astype(np.intp),
            shares=np.array([_shares(sizes, start, width) for start, width in cuts]),
        )

    @property
    def candidates(self) -> int:
        """How many candidates."""
        return len(self.totals)

    def means(self, values: NDArray[np.generic]) -> Floats:
        """Return the mean of a value of the candidates in each fifth, then in the lower and the upper 27 %."""
        sums = np.bincount(self.group, weights=values.astype(np.float64), minlength=self.shares.shape[1])
        return (self.shares * sums).sum(axis=1)  # type: ignore[no-any-return]


def _shares(sizes: NDArray[np.intp], start: Fraction, width: Fraction) -> Floats:
    """Weight of each group in the mean of `width` candidates from place `start`, worst first; a cut is shared."""
    ends = np.cumsum(sizes)
    inside = np.clip(np.minimum(ends, float(start + width)) - np.maximum(ends - sizes, float(start)), 0, None)
    return inside / sizes / float(width)  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class _Moments:
    """Exact sums over the candidates: of a question's points x, of x squared, and of x times the total."""

    points: int
    squares: int
    products: int

    @classmethod
    def of(cls, marks: Numerators, standing: Standing) -> Self:
        values, places, counts = np.unique(marks, return_inverse=True, return_counts=True)
        order = np.argsort(places, kind="stable")
        starts = np.concatenate(([0], np.cumsum(counts)[:-1]))
        worth, numbers = values.tolist(), counts.tolist()
        along = _exact_sums(standing.totals[order], starts)
        return cls(
            points=sum(x * n for x, n in zip(worth, numbers, strict=True)),
            squares=sum(x * x * n for x, n in zip(worth, numbers, strict=True)),
            products=sum(x * t for x, t in zip(worth, along, strict=True)),
        )


def _exact_sums(values: Numerators, starts: NDArray[np.intp]) -> list[int]:
    """Sum each stretch of values; in Python's integers when 64 bits might not hold a sum."""
    largest = int(np.abs(values).max()) * len(values)
    summed: list[int] = np.add.reduceat(values if largest <= LARGEST_EXACT else values.astype(object), starts).tolist()
    return summed


def question_statistics(
    marks: Numerators, full: int, totals: Numerators, standing: Standing | None = None
) -> QuestionStatistics:
    """Describe one question.

    Args:
        marks: points of each candidate, as numerators.
        full: numerator of a perfect answer, above 0.
        totals: totals of the same candidates, over the same denominator, the question included.
        standing: `Standing.of(totals)`, to share it between the questions.

    Raises:
        TooFew: fewer than two candidates.
    """
    count = len(marks)
    if count < FEWEST_CANDIDATES:
        raise TooFew
    standing = standing or Standing.of(totals)
    x = _Moments.of(marks, standing)
    rest, rest_squares = standing.total - x.points, standing.squares - 2 * x.products + x.squares
    spread = count * x.squares - x.points**2
    *fifths, lower, upper = (standing.means(marks) / full).tolist()
    return QuestionStatistics(
        difficulty=Fraction(x.points, full * count),
        deviation=_deviation(count, spread) / full,
        item_total=_correlation(
            count * x.products - x.points * standing.total,
            spread,
            count * standing.squares - standing.total**2,
        ),
        item_rest=_correlation(
            count * (x.products - x.squares) - x.points * rest, spread, count * rest_squares - rest**2
        ),
        upper_lower=upper - lower,
        fifths=tuple(fifths),
    )


def _correlation(together: int, one: int, two: int) -> float | None:
    """Correlation from the exact `n * sum(xy) - sum(x) * sum(y)` of two values, and of each with itself."""
    return together / (sqrt(one) * sqrt(two)) if one and two else None


def _deviation(count: int, spread: int) -> float:
    """Standard deviation (n - 1) from the exact `n * sum(xx) - sum(x) ** 2`."""
    return sqrt(Fraction(spread, count * (count - 1)))


def choice_frequencies(masks: Masks, propositions: int) -> ChoiceFrequencies:
    """Count the ticks of a choice question; `masks` holds one answer per candidate, at least one, bit 0 for A."""
    count = len(masks)
    ticked = (int(np.count_nonzero(masks >> np.uint32(bit) & np.uint32(1))) for bit in range(propositions))
    return ChoiceFrequencies(
        ticked=tuple(Fraction(times, count) for times in ticked),
        blank=Fraction(int(np.count_nonzero(masks == 0)), count),
    )


def exam_statistics(
    marks: Mapping[int, Numerators], denominator: int, standing: Standing | None = None
) -> ExamStatistics:
    """Describe an exam from the marks of each question, by question, as numerators over `denominator`.

    Raises:
        TooFew: fewer than two candidates or two questions.
    """
    columns = list(marks.values())
    if len(columns) < FEWEST_QUESTIONS or len(columns[0]) < FEWEST_CANDIDATES:
        raise TooFew
    standing = standing or Standing.of(totals_of(columns))
    count, exact = standing.candidates, standing.totals.tolist()
    moments = {question: _Moments.of(column, standing) for question, column in marks.items()}
    spreads = {question: count * x.squares - x.points**2 for question, x in moments.items()}
    alone, together = sum(spreads.values()), count * standing.squares - standing.total**2
    alpha = _alpha(len(columns), alone, together)
    deviation = _deviation(count, together) / denominator
    return ExamStatistics(
        candidates=count,
        mean=Fraction(standing.total, count * denominator),
        median=Fraction(median(map(Fraction, exact))) / denominator,
        least=Fraction(min(exact), denominator),
        most=Fraction(max(exact), denominator),
        deviation=deviation,
        skewness=_skewness(exact, standing.total, together),
        alpha=alpha,
        error=None if alpha is None else deviation * sqrt(1 - alpha),
        alpha_without={
            question: _alpha(
                len(columns) - 1,
                alone - spreads[question],
                count * (standing.squares - 2 * x.products + x.squares) - (standing.total - x.points) ** 2,
            )
            for question, x in moments.items()
        },
    )


def totals_of(columns: Sequence[Numerators]) -> Numerators:
    """Return the total of each candidate from the marks of every question."""
    totals: Numerators = np.sum(columns, axis=0, dtype=np.int64)
    return totals


def _skewness(totals: Sequence[int], total: int, spread: int) -> float | None:
    if not spread:
        return None
    count = len(totals)
    cubes = sum((count * value - total) ** 3 for value in totals)
    return float(Fraction(cubes, count) / spread) / sqrt(spread)


def _alpha(count: int, alone: int, together: int) -> float | None:
    """Cronbach's alpha: k / (k - 1) times the share of the variance that the questions have in common.

    `alone` is the sum of the questions' spreads and `together` the totals' spread, both exact and at one scale.
    """
    if count < FEWEST_QUESTIONS or not together:
        return None
    return float(Fraction(count, count - 1) * (1 - Fraction(alone, together)))
