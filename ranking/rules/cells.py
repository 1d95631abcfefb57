"""Statistics of small groups: a cell of few people is hidden, and another one when a subtraction would tell it."""

from collections.abc import Hashable, Mapping
from typing import TypeVar

Cell = TypeVar("Cell", bound=Hashable)


def shown_cells(counts: Mapping[Cell, int], smallest: int) -> dict[Cell, int | None]:
    """Return the counts that may be shown beside their total; None for a hidden one, 0 is shown.

    When the hidden ones together are fewer than `smallest`, the next smallest count is hidden as well.
    """
    hidden = {cell for cell, count in counts.items() if 0 < count < smallest}
    others = sorted((count, index, cell) for index, (cell, count) in enumerate(counts.items()) if count >= smallest)
    if hidden and sum(counts[cell] for cell in hidden) < smallest and others:
        hidden.add(others[0][2])
    if len(hidden) == 1 and others and (extra := [cell for _, _, cell in others if cell not in hidden]):
        hidden.add(extra[0])
    return {cell: None if cell in hidden else count for cell, count in counts.items()}
