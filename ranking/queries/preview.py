"""The ranking as the jury looks at it: numbers, exact points and ties explained; no name."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from django.db.models import BooleanField, ExpressionWrapper, Max, Min, Q, QuerySet
from django.db.models.expressions import Combinable

from exams.enums import PartCode
from exams.models import ExamPart
from grading.queries import exam_units
from ranking.models import RankedSheet, RankingRun
from ranking.rules import points_text

ORDERS: Mapping[str, tuple[str | Combinable, ...]] = {
    "rang": ("position",),
    "numero": ("number",),
    "departage": (ExpressionWrapper(Q(tie__isnull=True), BooleanField()), "position"),
}
"""Ways to sort the ranking, by the name they have in the address."""
BARS = 28
PLOT_HEIGHT = 150


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """One place as it is shown: points in French, and why it comes after the one above when totals are equal."""

    rank: int
    number: str
    total: str
    parts: tuple[str, ...]
    tie: str
    is_shared: bool


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of the distribution of the totals, in units of the drawing."""

    x: int
    y: int
    height: int


@dataclass(frozen=True, slots=True)
class Distribution:
    """How totals spread: bars of equal width between the lowest and the highest."""

    bars: tuple[Bar, ...]
    lowest: str
    highest: str


def exam_parts(exam_id: int) -> list[PartCode]:
    """Return the parts that have questions in an exam, in the order of the exam."""
    present = {unit.part for unit in exam_units(exam_id)}
    codes = ExamPart.objects.filter(exam_id=exam_id).order_by("pk").values_list("code", flat=True)
    return [PartCode(code) for code in codes if code in present]


def places(run: RankingRun, search: str = "", order: str = "rang") -> QuerySet[RankedSheet]:
    """Return the places of a ranking whose number contains `search`, sorted by one of `ORDERS`."""
    return run.places.filter(number__icontains=search).order_by(*ORDERS.get(order, ORDERS["rang"]))


def place_row(place: RankedSheet, run: RankingRun, parts: list[PartCode]) -> PlaceRow:
    """Return a place as it is shown."""
    tie: dict[str, Any] = place.tie or {}
    return PlaceRow(
        rank=place.rank,
        number=place.number,
        total=shown_points(place.total, run),
        parts=tuple(shown_points(place.parts[code], run) for code in parts),
        tie=tie.get("sentence", ""),
        is_shared=bool(tie) and tie["key"] is None,
    )


def shown_points(numerator: int, run: RankingRun) -> str:
    """Return a numerator of a ranking as points in French."""
    return points_text(Fraction(numerator, run.denominator))


def distribution(run: RankingRun) -> Distribution | None:
    """Return how the totals of a ranking spread, or None when nobody is ranked."""
    bounds = run.places.aggregate(Min("total"), Max("total"))
    low, high = bounds["total__min"], bounds["total__max"]
    if low is None:
        return None
    counts = [0] * BARS
    for total in run.places.values_list("total", flat=True):
        counts[min(BARS - 1, (total - low) * BARS // max(high - low, 1))] += 1
    tallest = max(counts)
    heights = [-(-count * PLOT_HEIGHT // tallest) for count in counts]
    bars = tuple(Bar(8 + 36 * place, 10 + PLOT_HEIGHT - height, height) for place, height in enumerate(heights))
    return Distribution(bars, shown_points(low, run), shown_points(high, run))
