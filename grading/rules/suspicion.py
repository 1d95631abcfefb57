"""The first thing to suspect of a key: a wrong proposition that draws the best candidates more than a right one."""

from collections.abc import Sequence
from dataclasses import dataclass

from grading.rules.keys import ChoiceKey


@dataclass(frozen=True, slots=True)
class Lure:
    """A wrong proposition, from 0 for A, and by how much it beats the right one that draws least, above 0."""

    proposition: int
    margin: float


def lure(key: ChoiceKey, rises: Sequence[float]) -> Lure | None:
    """Return the wrong proposition that rises most, when it rises more than a right one; else None.

    `rises` says, for each proposition, how much more the best fifth of the candidates ticked it than the last fifth.
    """
    right = [rise for index, rise in enumerate(rises) if key.right >> index & 1]
    wrong = [(rise, -index) for index, rise in enumerate(rises) if not key.right >> index & 1]
    if not wrong:
        return None
    rise, place = max(wrong)
    margin = rise - min(right)
    return Lure(-place, margin) if margin > 0 and rise > 0 else None
