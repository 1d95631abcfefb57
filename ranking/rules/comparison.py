"""Two rankings of the same exam side by side: who moves, how alike they are, what is shared, who crosses a limit."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt


@dataclass(frozen=True, slots=True)
class Place:
    """A candidate's place in one of the rankings; `total` is over any denominator, the same for the whole ranking."""

    number: str
    rank: int
    total: int


@dataclass(frozen=True, slots=True)
class Move:
    """A candidate in both rankings."""

    number: str
    before: int
    after: int

    @property
    def gain(self) -> int:
        """Ranks won; negative when lost."""
        return self.before - self.after


@dataclass(frozen=True, slots=True)
class Kendall:
    """Every pair of candidates, counted exactly once.

    Attributes:
        concordant, discordant: pairs that both rankings order, in the same way or not.
        tied_before, tied_after: pairs that share a rank in one ranking and not in the other.
        tied_twice: pairs that share a rank in both.
    """

    concordant: int
    discordant: int
    tied_before: int
    tied_after: int
    tied_twice: int

    @property
    def tau(self) -> float:
        """Kendall's tau-b, from -1 to 1; 1 when nothing is ordered in either ranking, so that nothing differs."""
        ordered = self.concordant + self.discordant
        before, after = ordered + self.tied_after, ordered + self.tied_before
        if not before or not after:
            return 1.0 if before == after else 0.0
        return (self.concordant - self.discordant) / sqrt(before * after)


@dataclass(frozen=True, slots=True)
class Ties:
    """Pairs that become equal, and pairs that are equal no more."""

    created: int
    broken: int


@dataclass(frozen=True, slots=True)
class Crossing:
    """Who crosses a number of places: those who come within it, and those who leave it, by number."""

    limit: int
    entering: tuple[str, ...]
    leaving: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """How one ranking differs from another.

    Attributes:
        moves: the candidates of both, the farthest moved first, then by number.
        kendall: their pairs.
        shared_ranks: pairs of them who share a rank.
        equal_totals: pairs of them who have the same total, whatever separates them.
        crossings: by limit, in increasing order.
        appearing, disappearing: numbers that only one of the rankings has, sorted.
    """

    moves: tuple[Move, ...]
    kendall: Kendall
    shared_ranks: Ties
    equal_totals: Ties
    crossings: tuple[Crossing, ...]
    appearing: tuple[str, ...]
    disappearing: tuple[str, ...]

    @property
    def moved(self) -> tuple[Move, ...]:
        """Those whose rank changes."""
        return tuple(move for move in self.moves if move.gain)


def compare(before: Iterable[Place], after: Iterable[Place], limits: Iterable[int] = ()) -> Comparison:
    """Compare two rankings; `limits` are numbers of places, each from 1. O(n log n) for n candidates."""
    old, new = ({place.number: place for place in places} for places in (before, after))
    both = sorted(old.keys() & new.keys())
    moves = [Move(number, old[number].rank, new[number].rank) for number in both]
    return Comparison(
        moves=tuple(sorted(moves, key=lambda move: (-abs(move.gain), move.number))),
        kendall=kendall([(move.before, move.after) for move in moves]),
        shared_ranks=_ties([(move.before, move.after) for move in moves]),
        equal_totals=_ties([(old[number].total, new[number].total) for number in both]),
        crossings=tuple(_crossing(limit, old, new) for limit in sorted(set(limits))),
        appearing=tuple(sorted(new.keys() - old.keys())),
        disappearing=tuple(sorted(old.keys() - new.keys())),
    )


def kendall(pairs: Sequence[tuple[int, int]]) -> Kendall:
    """Count the pairs of candidates given by their two ranks (Knight's method: sort, then count inversions)."""
    every = _couples(len(pairs))
    before = sum(_couples(size) for size in Counter(rank for rank, _ in pairs).values())
    after = sum(_couples(size) for size in Counter(rank for _, rank in pairs).values())
    twice = sum(_couples(size) for size in Counter(pairs).values())
    discordant = _inversions([rank for _, rank in sorted(pairs)])
    ordered = every - before - after + twice
    return Kendall(ordered - discordant, discordant, before - twice, after - twice, twice)


def _couples(size: int) -> int:
    return size * (size - 1) // 2


def _inversions(values: Sequence[int]) -> int:
    """Count the pairs out of order, with a Fenwick tree over the distinct values."""
    steps = sorted(set(values))
    tree = [0] * (len(steps) + 1)
    found = 0
    for seen, value in enumerate(values):
        place = bisect_left(steps, value) + 1
        found += seen - _sum_up_to(tree, place)
        while place <= len(steps):
            tree[place] += 1
            place += place & -place
    return found


def _sum_up_to(tree: Sequence[int], place: int) -> int:
    total = 0
    while place:
        total += tree[place]
        place -= place & -place
    return total


def _ties(pairs: Sequence[tuple[int, int]]) -> Ties:
    before, after = Counter(one for one, _ in pairs), Counter(two for _, two in pairs)
    twice = sum(_couples(size) for size in Counter(pairs).values())
    return Ties(
        created=sum(_couples(size) for size in after.values()) - twice,
        broken=sum(_couples(size) for size in before.values()) - twice,
    )


def _crossing(limit: int, before: Mapping[str, Place], after: Mapping[str, Place]) -> Crossing:
    inside_before = {number for number, place in before.items() if place.rank <= limit}
    inside_after = {number for number, place in after.items() if place.rank <= limit}
    return Crossing(limit, tuple(sorted(inside_after - inside_before)), tuple(sorted(inside_before - inside_after)))


STEPS = (1, 2, 6, 11, 51, 101, 501)
"""Where the classes of ranks won or lost begin: 1, 2 to 5, 6 to 10, 11 to 50, 51 to 100, 101 to 500, 501 and more."""


@dataclass(frozen=True, slots=True)
class GainClass:
    """How many candidates win from `least` to `most` ranks, negative when they lose them; None for no bound."""

    least: int | None
    most: int | None
    candidates: int


def gain_classes(moves: Iterable[Move]) -> tuple[GainClass, ...]:
    """Return the distribution of ranks won, from the most lost to the most won, those who stay in the middle."""
    counts = Counter(_class_of(move.gain) for move in moves)
    last = len(STEPS)
    found = []
    for step in range(-last, last + 1):
        low, high = _bounds(abs(step))
        least, most = (low, high) if step >= 0 else (None if high is None else -high, -low)
        found.append(GainClass(least, most, counts[step]))
    return tuple(found)


def _class_of(gain: int) -> int:
    place = sum(abs(gain) >= start for start in STEPS)
    return place if gain > 0 else -place


def _bounds(step: int) -> tuple[int, int | None]:
    if step == 0:
        return 0, 0
    return STEPS[step - 1], STEPS[step] - 1 if step < len(STEPS) else None
