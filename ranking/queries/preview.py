"""The ranking as the jury looks at it: numbers, exact points and ties explained; no name."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from django.db.models import BooleanField, ExpressionWrapper, Max, Min, Q, QuerySet
from django.db.models.expressions import Combinable

from exams.enums import PartCode
from exams.models import ExamPart
from grading.queries import exam_units
from ranking.enums import Status
from ranking.models import RankedSheet, RankingRun
from ranking.queries.rows import candidate_statuses
from ranking.rules import Policy, key_text, points_text, policy_from_json
from ranking.rules.cells import shown_cells
from ranking.rules.policy import DEFAULT_TREATMENTS

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
    is_apart: bool


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
        is_apart=place.is_apart,
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


@dataclass(frozen=True, slots=True)
class CategoryCell:
    """One status of the candidates, how it is ranked, and how many are so; "" for a number that is hidden."""

    label: str
    treatment: str
    people: str
    is_hidden: bool


def category_cells(run: RankingRun) -> tuple[CategoryCell, ...]:
    """Return how many candidates of a ranking have each category; small cells are hidden, so that nobody is found."""
    policy = policy_from_json(run.policy) if run.policy else Policy()
    numbers = {*run.places.values_list("number", flat=True), *run.unranked}
    counts = Counter(statuses[0] for number, statuses in candidate_statuses(run.exam_id).items() if number in numbers)
    shown = shown_cells({status: counts[status] for status in Status if counts[status]}, policy.smallest_cell)
    return tuple(
        CategoryCell(
            label=str(status.label),
            treatment=str(policy.treatments[status].label),
            people="" if count is None else str(count),
            is_hidden=count is None,
        )
        for status, count in shown.items()
    )


def policy_lines(policy: Policy) -> list[tuple[str, str]]:
    """Return the published parameters in words, a name and a value each."""
    others = [
        f"{status.label} : {policy.treatments[status].label.lower()}"
        for status in Status
        if policy.treatments[status] is not DEFAULT_TREATMENTS[status]
    ]
    return [
        ("Clés de départage", ", puis ".join(key_text(key) for key in policy.keys)),
        ("Graine du tirage au sort", policy.seed or "aucune : le rang est partagé"),
        ("Catégories", " ; ".join(others) or "règles par défaut"),
        ("Case masquée au-dessous de", f"{policy.smallest_cell} personnes"),
        ("Réclamations", f"{policy.complaint_days} jours après la publication"),
    ]
