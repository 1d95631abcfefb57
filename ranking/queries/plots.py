"""The distribution of ranks won and lost, as coordinates: templates write the SVG."""

from collections.abc import Iterable
from dataclasses import dataclass

from ranking.rules.comparison import GainClass, Move, gain_classes

WIDTH, STEP, TALLEST, GROUND = 52, 66, 150, 190
LEFT = 24


@dataclass(frozen=True, slots=True)
class GainBar:
    """One class of ranks won: its bar in units of the drawing, its label, how many candidates."""

    x: int
    middle: int
    y: int
    height: int
    label: str
    candidates: int
    tone: str


def gain_plot(moves: Iterable[Move]) -> tuple[GainBar, ...]:
    """Draw how many candidates lose and win how many ranks, those who stay left out: they would dwarf the others."""
    classes = gain_classes(moves)
    highest = max((one.candidates for one in classes if one.least != 0), default=0) or 1
    return tuple(_bar(place, one, highest) for place, one in enumerate(classes))


def _bar(place: int, one: GainClass, highest: int) -> GainBar:
    stays = one.least == 0
    height = 0 if stays else -(-one.candidates * TALLEST // highest)
    x = LEFT + STEP * place
    tone = "quiet" if stays else "ok" if one.most is None or one.most > 0 else "danger"
    return GainBar(x, x + WIDTH // 2, GROUND - height, height, _label(one), one.candidates, tone)


def _label(one: GainClass) -> str:
    """Return how many ranks, whichever way: the side of the drawing says it."""
    if one.least is None or one.most is None:
        return f"≥ {abs(one.least or one.most or 0)}"
    near, far = sorted((abs(one.least), abs(one.most)))
    return str(near) if near == far else f"{near}–{far}"
