"""What the vitals of processes say of their limits: pure."""

from collections.abc import Iterable

from ecni.preflight.limits import SOCKETS_PER_PROCESS
from ecni.vitals import Vitals
from ecni.watch.rules import Reading

LONGEST_LAG_MS = 1000
WHOLE_CORE = 100


def readings(processes: Iterable[Vitals]) -> list[Reading]:
    """Return every limit that a process tells of itself."""
    return [reading for one in processes for reading in _of(one)]


def _of(one: Vitals) -> list[Reading]:
    gauges = one.gauges
    found = [
        Reading("descriptors", one.name, one.descriptors, one.descriptors_limit),
        Reading("cpu", one.name, round(one.cpu_share * WHOLE_CORE), WHOLE_CORE),
    ]
    if one.loop_lag_ms:
        found.append(Reading("event-loop", one.name, round(one.loop_lag_ms), LONGEST_LAG_MS))
    if gauges.writer_capacity:
        found.append(Reading("processes", one.name, gauges.sockets, gauges.budget or SOCKETS_PER_PROCESS))
        found.append(Reading("writer", one.name, gauges.writer_waiting, gauges.writer_capacity))
    return found
