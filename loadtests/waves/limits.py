"""What would give first: every limit that was approached, how much of it was used, and how many candidates it allows.

Pure: from samples to sentences. A limit of the generator or of the machine it shares is told apart: it says something
of the test, not of the platform.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from loadtests.waves.vitals import Component, Sample

AVERAGED_SECONDS = 10
GENERATOR = "generator"
MACHINE = "machine"
OF_THE_TEST = frozenset({GENERATOR, MACHINE})


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit.

    Attributes:
        name: such as `processor daphne-1`.
        layer: of the component that it limits.
        words: what it is, in French.
        used: the most that was used.
        allowed: how much there is; 0 when there should have been none.
    """

    name: str
    layer: str
    words: str
    used: float
    allowed: float

    @property
    def headroom(self) -> float:
        """The share that was left, from 1 to 0, in thousandths; below 0 when more was wanted than there is."""
        return round(1 - self.used / self.allowed, 3) + 0.0 if self.allowed else 0.0  # no "-0.0"

    @property
    def left(self) -> str:
        """The same in French."""
        return f"il en restait {self.headroom:z.0%}" if self.allowed else f"il y en a eu {self.used:g}"

    def candidates(self, present: int) -> int | None:
        """Return how many candidates it would allow if its use grew with them; None when it was not used."""
        return int(present * self.allowed / self.used) if self.used > 0 and self.allowed else None


def nearest(limits: Iterable[Limit]) -> Limit | None:
    """Return the limit of the platform that has the least left."""
    return min(
        (limit for limit in limits if limit.layer not in OF_THE_TEST), key=lambda one: one.headroom, default=None
    )


def find_limits(
    components: Sequence[Component],
    samples: Sequence[Sample],
    allowed: dict[str, float],
    descriptors: dict[str, int],
) -> list[Limit]:
    """Return every limit, the one with least headroom first."""
    found = [limit for component in components for limit in _of_component(component, samples, descriptors, allowed)]
    found += _of_machine(samples, allowed)
    return sorted(found, key=lambda limit: limit.headroom)


def as_lines(limits: Sequence[Limit], candidates: int) -> list[dict[str, Any]]:
    """Return limits as the report's JSON has them."""
    return [
        {
            "name": limit.name,
            "layer": limit.layer,
            "words": limit.words,
            "used": round(limit.used, 3),
            "allowed": round(limit.allowed, 3),
            "headroom": limit.headroom,
            "candidates": limit.candidates(candidates),
        }
        for limit in limits
    ]


def _of_component(
    component: Component, samples: Sequence[Sample], descriptors: dict[str, int], allowed: dict[str, float]
) -> list[Limit]:
    name, layer = component.name, component.layer
    used = [sample.used[name] for sample in samples if name in sample.used]
    if not used:
        return []
    busiest = averaged([usage.busiest for usage in used])
    together = averaged([usage.processor for usage in used])
    found = [Limit(f"processor {name}", layer, f"processeur de {name}, sur un cœur", busiest, 1.0)]
    if layer == "postgresql":
        words = "processeur de PostgreSQL, tous ses processus"
        found = [Limit(f"processor {name}", layer, words, together, allowed.get("cores", 1.0))]
    sockets = max((usage.told.get("sockets", 0) for usage in used), default=0)
    budget = max((usage.told.get("sockets_budget", 0) for usage in used), default=0)
    if budget:
        found.append(Limit(f"sockets {name}", layer, f"liaisons de candidats de {name}", sockets, budget))
    most = max((usage.descriptors for usage in used if usage.descriptors is not None), default=0)
    if descriptors.get(name):
        found.append(Limit(f"descriptors {name}", layer, f"descripteurs de {name}", most, descriptors[name]))
    return found


def _of_machine(samples: Sequence[Sample], allowed: dict[str, float]) -> list[Limit]:
    def most(name: str) -> float:
        return max((sample.machine[name] for sample in samples if name in sample.machine), default=0.0)

    least_memory = min((sample.machine["available"] for sample in samples), default=allowed.get("memory", 1.0))
    used_memory = allowed["memory"] - least_memory
    busy = averaged([sample.machine["processor"] for sample in samples])
    tcp_words = "mémoire TCP du noyau, en pages, générateur compris"
    found = [
        Limit("processor machine", MACHINE, "processeurs de la machine, générateur compris", busy, allowed["cores"]),
        Limit("memory", MACHINE, "mémoire de la machine, générateur compris", used_memory, allowed["memory"]),
        Limit(
            "connections postgresql", "postgresql", "connexions à PostgreSQL", most("postgresql"), allowed["postgresql"]
        ),
        Limit("clients redis", "redis", "clients de Redis", most("redis"), allowed["redis"]),
        Limit("tcp memory", MACHINE, tcp_words, most("tcp_pages"), allowed["tcp_pages"]),
    ]
    queues = [(s.machine["backlog"], s.machine["backlog_allowed"]) for s in samples if s.machine.get("backlog_allowed")]
    if queues:
        words = "connexions qui attendent d’être acceptées"
        found.append(Limit("backlog", "kernel", words, *max(queues, key=lambda queue: queue[0] / queue[1])))
    if allowed.get("conntrack"):
        words = "connexions suivies par le pare-feu"
        found.append(Limit("conntrack", "kernel", words, most("conntrack"), allowed["conntrack"]))
    if most("refused"):
        found.append(Limit("refused connections", "kernel", "appels perdus, file d’attente pleine", most("refused"), 0))
    return found


def averaged(values: Sequence[float]) -> float:
    """Return the highest mean over ten samples in a row; of all of them when there are fewer."""
    width = min(AVERAGED_SECONDS, len(values))
    if not width:
        return 0.0
    window = sum(values[:width])
    best = window
    for entering, leaving in zip(values[width:], values, strict=False):
        window += entering - leaving
        best = max(best, window)
    return best / width
