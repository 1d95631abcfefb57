"""The arithmetic of the exam that followed the ECNi, out of 20: weighted means, the pass mark, the global mark.

Source: arrêté of 19 April 2022, articles 6 and 8 [APP6][APP8]; pass mark of 14/20 on rank A questions [QMATCH].
"""

from collections.abc import Iterable
from fractions import Fraction

TWENTY = 20
RANK_A_PASS = Fraction(14)
EDN_SHARE, ECOS_SHARE, PATH_SHARE = Fraction(6, 10), Fraction(3, 10), Fraction(1, 10)
PATH_POINTS = 60


def mark_out_of_twenty(scores: Iterable[tuple[Fraction, int]]) -> Fraction:
    """Return the weighted mean of scores from 0 to 1, each with its weight from 1, as a mark out of 20."""
    weighted = [(score * weight, weight) for score, weight in scores]
    return TWENTY * sum(points for points, _ in weighted) / Fraction(sum(weight for _, weight in weighted))


def passes_rank_a(mark: Fraction, minimum: Fraction | None = RANK_A_PASS) -> bool:
    """Whether a mark on rank A questions, out of 20, allows a candidate into the matching; the limit does.

    `minimum` is what the exam has published; None when it asks for none.
    """
    return minimum is None or mark >= minimum


def global_mark(edn: Fraction, ecos: Fraction, path_points: Fraction) -> Fraction:
    """Return the global mark out of 20: 60 % of the EDN, 30 % of the ECOS, 10 % of the path (out of 60 points)."""
    return EDN_SHARE * edn + ECOS_SHARE * ecos + PATH_SHARE * path_points * TWENTY / PATH_POINTS
