"""What a process says of itself every two seconds."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Gauges:
    """What only the part that holds candidates can tell, at one instant.

    Attributes:
        sockets: candidates' sockets open.
        composing: of these, those whose sheet composes.
        budget: most sockets that the process lets in; 0 when nothing bounds it.
        waiting: newcomers whom it has wait for want of a place.
        writer_waiting, writer_capacity: acts that wait for their commit, and how many may.
        commit_ms, commit_max_ms: last commit, and the longest of the period, in milliseconds.
        batch_size: acts of the last commit.
        stalled_seconds: for how long the commit under way has lasted; 0 when there is none.
        lacks_descriptors: whether `budget` is less than what the staff allows, for want of file descriptors.
        by_http: tablets that speak by HTTP, for want of a websocket: they hold no socket and count in no budget.
    """

    sockets: int = 0
    composing: int = 0
    budget: int = 0
    waiting: int = 0
    writer_waiting: int = 0
    writer_capacity: int = 0
    commit_ms: float = 0.0
    commit_max_ms: float = 0.0
    batch_size: int = 0
    stalled_seconds: float = 0.0
    lacks_descriptors: bool = False
    by_http: int = 0


@dataclass(frozen=True, slots=True)
class Vitals:
    """The record of one process. A hint: absent when Redis is away.

    Attributes:
        role, host, pid: which process.
        started_at, at: its start and this record, seconds since 1970.
        gauges: what the candidates' part tells; all zero in other roles.
        acks, refusals, logins, http_exchanges: totals since the start, refusals by code.
        acks_per_second, logins_per_second: over the last period.
        loop_lag_ms: longest that the event loop kept a call waiting in the period; 0 without a loop.
        gc_pause_ms: longest pause of the garbage collector in the period.
        descriptors, descriptors_limit: open, and how many may be.
        resident_bytes: memory in use.
        cpu_share: processor time over the last ten seconds, 1 for a whole core.
    """

    role: str
    host: str
    pid: int
    started_at: float
    at: float
    gauges: Gauges
    acks: int
    refusals: Mapping[str, int]
    logins: int
    http_exchanges: int
    acks_per_second: float
    logins_per_second: float
    loop_lag_ms: float
    gc_pause_ms: float
    descriptors: int
    descriptors_limit: int
    resident_bytes: int
    cpu_share: float

    @property
    def name(self) -> str:
        """What tells this process from every other one, as in `sockets 4012@centre-1`."""
        return f"{self.role} {self.pid}@{self.host}"

    def encode(self) -> str:
        """Return the record as JSON."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def decode(cls, text: str) -> Self:
        """Read a record; what another version added is left out, the gauges that it lacks are zero.

        Raises:
            KeyError, ValueError, TypeError: it is not a record.
        """
        data: dict[str, Any] = json.loads(text)
        known = {field.name for field in fields(Gauges)}
        gauges = Gauges(**{name: value for name, value in data["gauges"].items() if name in known})
        return cls(**{field.name: data[field.name] for field in fields(cls)} | {"gauges": gauges})
