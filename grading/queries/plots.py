"""Drawings of the jury's pages, as coordinates: templates write the SVG."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from grading.queries.questions import OptionRow

LEFT, RIGHT, TOP, BOTTOM = 52, 530, 16, 286
APART = 18
"""Least distance between two labels, in units of the drawing."""


@dataclass(frozen=True, slots=True)
class Curve:
    """Who ticks one proposition, from the last fifth to the best: points, tone, dashes, and its label's place."""

    letter: str
    label: str
    tone: str
    is_right: bool
    dashes: str
    points: tuple[tuple[int, int], ...]
    label_y: int

    @property
    def path(self) -> str:
        """The points as SVG writes them."""
        return " ".join(f"{x},{y}" for x, y in self.points)


@dataclass(frozen=True, slots=True)
class OptionPlot:
    """The curves, and the horizontal lines with their shares in per cent."""

    curves: tuple[Curve, ...]
    grid: tuple[tuple[int, int], ...]
    fifths: tuple[tuple[int, int], ...]


def option_plot(options: Sequence[OptionRow]) -> OptionPlot:
    """Draw how each fifth of the candidates ticked each proposition."""
    columns = [LEFT + (RIGHT - LEFT) * fifth // 4 for fifth in range(5)]
    ends = _spread([_height(option.fifths[-1]) for option in options])
    return OptionPlot(
        curves=tuple(
            Curve(
                letter=option.letter,
                label=f"{option.letter} · {option.status.lower()} · {round(100 * option.fifths[-1])} %",
                tone="danger" if option.is_lure else "ok" if option.is_right else "quiet",
                is_right=option.is_right,
                dashes="" if option.is_right else "9 4" if option.is_lure else "3 4",
                points=tuple((x, _height(share)) for x, share in zip(columns, option.fifths, strict=True)),
                label_y=ends[index] + 4,
            )
            for index, option in enumerate(options)
        ),
        grid=tuple((_height(share / 100), share) for share in (0, 25, 50, 75, 100)),
        fifths=tuple((x, fifth) for fifth, x in enumerate(columns, start=1)),
    )


def _height(share: float) -> int:
    return round(BOTTOM - (BOTTOM - TOP) * share)


def _spread(heights: Sequence[int]) -> list[int]:
    """Move labels apart, from the top down, then back up from the bottom."""
    order = sorted(range(len(heights)), key=lambda index: heights[index])
    placed = list(heights)
    for above, below in pairwise(order):
        placed[below] = max(placed[below], placed[above] + APART)
    limit = BOTTOM
    for index in reversed(order):
        placed[index] = min(placed[index], limit)
        limit = placed[index] - APART
    return placed
