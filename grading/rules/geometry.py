"""Which zones of an image the candidate's points hit, in exact arithmetic: no screen, no rounding, no floats."""

from collections.abc import Iterator, Sequence
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from itertools import pairwise

from exams.rules.content import Circle, Point, Polygon, Zone

FULL_SCALE = 100


def points_of(value: str) -> tuple[Point, ...]:
    """Read `"57.5,50.0;10,20"`: points as `x,y` in per cent of the image, separated by `;`.

    Raises:
        ValueError: not that form, or a coordinate out of 0 to 100.
    """
    return tuple(_point(text) for text in value.split(";")) if value else ()


def _point(text: str) -> Point:
    try:
        x, y = (Decimal(number) for number in text.split(","))
    except InvalidOperation as error:
        raise ValueError(f"not a point: {text!r}") from error
    if not (x.is_finite() and y.is_finite() and 0 <= x <= FULL_SCALE and 0 <= y <= FULL_SCALE):
        raise ValueError(f"out of the image: {text!r}")
    return Point(x, y)


def contains(zone: Zone, point: Point, image_size: tuple[int, int]) -> bool:
    """Whether a point is in a zone, its edge included."""
    match zone:
        case Circle(centre, radius):
            return _in_circle(centre, radius, point, image_size)
        case Polygon(corners):
            return _in_polygon(corners, point)


def _in_circle(centre: Point, radius: Decimal, point: Point, image_size: tuple[int, int]) -> bool:
    width, height = image_size
    across = (Fraction(point.x) - Fraction(centre.x)) * width
    down = (Fraction(point.y) - Fraction(centre.y)) * height
    return across**2 + down**2 <= (Fraction(radius) * width) ** 2


def _in_polygon(corners: Sequence[Point], point: Point) -> bool:
    """Even-odd rule: count the sides crossed by the half-line that leaves the point to the right."""
    inside = False
    for one, two in _sides(corners, point):
        if _on_side(one, two):
            return True
        (x1, y1), (x2, y2) = one, two
        crosses_the_line = (y1 > 0) != (y2 > 0)
        if crosses_the_line and (x1 * y2 > x2 * y1) == (y2 > y1):
            inside = not inside
    return inside


Vector = tuple[Fraction, Fraction]


def _sides(corners: Sequence[Point], origin: Point) -> Iterator[tuple[Vector, Vector]]:
    """Yield the sides as seen from `origin`."""
    seen = [(Fraction(c.x) - Fraction(origin.x), Fraction(c.y) - Fraction(origin.y)) for c in corners]
    return pairwise((*seen, seen[0]))


def _on_side(one: Vector, two: Vector) -> bool:
    """Whether the origin is on the segment: aligned with its ends, and between them."""
    (x1, y1), (x2, y2) = one, two
    return x1 * y2 == x2 * y1 and x1 * x2 + y1 * y2 <= 0


def hits(zones: Sequence[Zone], points: Sequence[Point], image_size: tuple[int, int]) -> int:
    """Return how many zones are hit when a point counts for one zone and a zone counts once.

    Where zones overlap, the pairing most favourable to the candidate is kept (a largest matching).
    """
    targets = [[i for i, zone in enumerate(zones) if contains(zone, point, image_size)] for point in points]
    owner: dict[int, int] = {}
    return sum(_assign(point, targets, owner, set()) for point in range(len(points)))


def _assign(point: int, targets: Sequence[Sequence[int]], owner: dict[int, int], tried: set[int]) -> bool:
    """Give the point a zone, moving other points to another of theirs if need be (augmenting path)."""
    for zone in targets[point]:
        if zone in tried:
            continue
        tried.add(zone)
        if zone not in owner or _assign(owner[zone], targets, owner, tried):
            owner[zone] = point
            return True
    return False
