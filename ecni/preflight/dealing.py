"""How candidates will be spread over socket processes: centres are dealt out by nginx, computed before the day."""

from collections import Counter
from collections.abc import Mapping

from ecni.preflight.limits import Spread
from ecni.supervisor.nginx import process_of


def spread(candidates: Mapping[int, int], processes: int) -> Spread:
    """Return how candidates will be spread.

    Args:
        candidates: how many of them, one at least, by centre sitting.
        processes: of the wire, one at least.
    """
    total, held = sum(candidates.values()), Counter(dict.fromkeys(range(processes), 0))
    for centre, count in candidates.items():
        held[process_of(centre, processes)] += count
    others = processes - 1
    after = (
        max(max(held[left] + held[dead] / others for left in held if left != dead) for dead in held)
        if others
        else total
    )
    return Spread(
        fullest=max(held.values()) / total,
        after_a_death=after / total,
        largest_centre=max(candidates.values()) / total,
    )
