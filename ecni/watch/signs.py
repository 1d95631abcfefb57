"""What the vitals of processes, and the doors where entries wait, say of their limits: pure."""

from collections.abc import Iterable
from dataclasses import replace

from ecni.preflight.limits import SOCKETS_PER_PROCESS
from ecni.vitals import Vitals
from ecni.watch.rules import Reading, counted, said, several
from exams.broadcast import DoorSight
from exams.enums import Lack, LimitName

LONGEST_LAG_MS = 1000
WHOLE_CORE = 100


def readings(processes: Iterable[Vitals]) -> list[Reading]:
    """Return every limit that a process tells of itself."""
    return [reading for one in processes for reading in _of(one)]


def entries(doors: Iterable[DoorSight]) -> list[Reading]:
    """Return the entries per second of each process that has somebody wait, or the pages that cannot give them."""
    return [_entries(door) for door in doors if door.limit == LimitName.LOGINS and door.waiting]


def _entries(door: DoorSight) -> Reading:
    is_late = door.lack == Lack.PAGES
    layer, said_of = ("entry-pages", "pages d’entrée") if is_late else ("entries", "entrées par seconde")
    words = "trop lentes" if is_late else counted(door.value)
    waiting = several(door.waiting, "attend", "attendent")
    words = f"{said_of}, {door.process} : {words} ; {waiting}"
    return Reading(layer, door.process, door.used, door.value, refused=door.waiting, words=words)


def _of(one: Vitals) -> list[Reading]:
    gauges = one.gauges
    found = [
        _descriptors(one),
        Reading("cpu", one.name, round(one.cpu_share * WHOLE_CORE), WHOLE_CORE),
    ]
    if one.loop_lag_ms:
        found.append(Reading("event-loop", one.name, round(one.loop_lag_ms), LONGEST_LAG_MS))
    if gauges.writer_capacity:
        found.append(_places(one))
        found.append(Reading("writer", one.name, gauges.writer_waiting, gauges.writer_capacity))
    return found


def _places(one: Vitals) -> Reading:
    """Places of a process for tablets; whoever waits is a limit reached, though places be kept for those who return."""
    gauges = one.gauges
    reading = Reading("processes", one.name, gauges.sockets, gauges.budget or SOCKETS_PER_PROCESS)
    return reading if gauges.lacks_descriptors else _with_those_who_wait(reading, gauges.waiting)


def _descriptors(one: Vitals) -> Reading:
    """Descriptors of a process; it has newcomers wait before there is none left."""
    reading = Reading("descriptors", one.name, one.descriptors, one.descriptors_limit)
    return _with_those_who_wait(reading, one.gauges.waiting) if one.gauges.lacks_descriptors else reading


def _with_those_who_wait(reading: Reading, waiting: int) -> Reading:
    if not waiting:
        return reading
    words = f"{said(reading)} ; {several(waiting, 'nouveau venu attend', 'nouveaux venus attendent')}"
    return replace(reading, refused=waiting, words=words)
