"""The watch of one host: every layer read at the same time, judged, published, and logged when something changes."""

import logging
import socket
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import redis

from ecni.shared.clock import now
from ecni.vitals import Pressure, Severity, Turn
from ecni.vitals.hints import client, publish_pressures, read_vitals
from ecni.vitals.pressure import in_order
from ecni.watch import kernel, rules, signs
from ecni.watch.engines import Database, Hints
from ecni.watch.firewall import Firewall
from ecni.watch.newcomer import Address, knock
from ecni.watch.proxy import Proxy
from ecni.watch.rules import HOLD_SECONDS, Queue, Reading, Verdict, judge_all, silent
from ecni.watch.silence import Silence
from exams.broadcast import doors

logger = logging.getLogger(__name__)

PERIOD_SECONDS = 1.5
DEADLINE_SECONDS = 1.2
"""With the two seconds of the pages that ask again, a limit is named within five."""

_EVENTS = {Severity.REACHED: "limit-reached", Severity.NEAR: "limit-near", Severity.CALM: "limit-lifted"}


@dataclass(frozen=True, slots=True)
class Scene:
    """What this watcher looks at besides its own machine.

    Attributes:
        doors: public addresses at which a newcomer knocks.
        upstreams: addresses to which the proxy of this machine calls.
        nginx_status, nginx_log: its status page and error log.
        nginx_file: its configuration, read again each time: what it may hold is raised while it runs.
    """

    doors: Sequence[Address] = ()
    upstreams: Sequence[tuple[str, int]] = ()
    nginx_status: str | None = None
    nginx_log: Path | None = None
    nginx_file: Path | None = None


@dataclass(slots=True)
class Sampler:
    """One thing that is read, apart from the others: one that hangs delays none.

    Attributes:
        read: returns what it found.
        layer: what is said to be silent when it fails or hangs; empty when that means nothing.
        pending: the reading under way.
        began: when that one began, monotonic seconds.
        last: what the last one found.
    """

    read: Callable[[], list[Reading]]
    layer: str = ""
    pending: "Future[list[Reading]] | None" = None
    began: float = 0.0
    last: list[Reading] = field(default_factory=list)


class Watcher:
    """Reads, judges, publishes."""

    def __init__(self, scene: Scene) -> None:
        self.host = socket.gethostname()
        self._scene = scene
        self._database = Database()
        self._overflows = kernel.overflows()
        proxy = Proxy(scene.nginx_status, scene.nginx_log, scene.nginx_file)
        silence = Silence(self.host)
        self._samplers = [
            Sampler(lambda: signs.readings(read_vitals())),
            Sampler(lambda: silence.read(now().timestamp())),
            Sampler(lambda: signs.entries(doors(int(now().timestamp() * 1000)))),
            Sampler(lambda: kernel.descriptors(self.host)),
            Sampler(self._queues),
            Sampler(kernel.EphemeralPorts(port for _, port in scene.upstreams).read),
            Sampler(kernel.conntrack),
            Sampler(Firewall().read),
            Sampler(proxy.read, "nginx-process" if scene.nginx_status else ""),
            Sampler(self._database.read, "postgresql"),
            Sampler(Hints().read, "redis"),
            *(Sampler(partial(_newcomer, door)) for door in scene.doors),
        ]
        self._pool = ThreadPoolExecutor(len(self._samplers), "watch")
        self._verdicts: dict[tuple[str, str], Verdict] = {}
        self._to = client()
        self._redis = Turn(logger, "Redis", "redis")

    def run(self) -> None:
        """Watch until the process ends."""
        while True:
            due = time.monotonic() + PERIOD_SECONDS
            self.look()
            time.sleep(max(0.0, due - time.monotonic()))

    def look(self) -> list[Pressure]:
        """Read everything once, publish and return what it means, the gravest first."""
        at = now().timestamp()
        before, self._verdicts = self._verdicts, judge_all(self._readings(), self._verdicts, at)
        log_changes(before, self._verdicts)
        pressures = in_order(verdict.pressure for verdict in self._verdicts.values())
        try:
            publish_pressures(self._to, self.host, pressures, at)
        except redis.RedisError as error:
            self._redis.away(error)
        else:
            self._redis.back()
        return pressures

    def stop(self) -> None:
        """Give everything back."""
        self._pool.shutdown()
        self._database.close()

    def _readings(self) -> Iterable[Reading]:
        began = time.monotonic()
        for sampler in self._samplers:
            if sampler.pending is None:
                sampler.pending, sampler.began = self._pool.submit(sampler.read), began
        wait([sampler.pending for sampler in self._samplers if sampler.pending], DEADLINE_SECONDS)
        for sampler in self._samplers:
            yield from self._collected(sampler)

    @staticmethod
    def _collected(sampler: Sampler) -> list[Reading]:
        pending = sampler.pending
        if pending is None:
            return []
        if pending.done():
            sampler.pending = None
            try:
                sampler.last = pending.result()
            except Exception as error:  # noqa: BLE001 -- whatever fails to be read is silent, and said so
                logger.debug("not read: %s", error)
                sampler.last = []
            else:
                return sampler.last
        silence = time.monotonic() - sampler.began
        if sampler.layer:
            return [silent(sampler.layer, "", silence)]
        return [replace(one, refused=0) for one in sampler.last] if silence < HOLD_SECONDS else []

    def _queues(self) -> list[Reading]:
        queues, before = kernel.queues(), self._overflows
        self._overflows = kernel.overflows()
        return rules.backlog(queues, self._overflows - before)


def _newcomer(address: Address) -> list[Reading]:
    attempt = knock(address)
    return [rules.newcomer(attempt, _queue_of(attempt.port) if attempt.stage and attempt.is_local else None)]


def log_changes(before: dict[tuple[str, str], Verdict], after: dict[tuple[str, str], Verdict]) -> None:
    """Log each limit whose severity changed, once."""
    for key, verdict in after.items():
        was = before[key].pressure.severity if key in before else Severity.CALM
        if verdict.pressure.severity is not was:
            _log(verdict.pressure, verdict.pressure.severity)
    for key, verdict in before.items():
        if key not in after and verdict.pressure.severity is not Severity.CALM:
            _log(verdict.pressure, Severity.CALM)


def _log(pressure: Pressure, severity: Severity) -> None:
    level = logging.ERROR if severity is Severity.REACHED else logging.WARNING
    extra = {"event": _EVENTS[severity], "layer": pressure.layer, "where": pressure.where, "share": pressure.share}
    logger.log(level, "%s", pressure.sentence, extra=extra)


def _queue_of(port: int) -> Reading | None:
    try:
        found: Queue | None = next((queue for queue in kernel.queues() if queue.port == port), None)
    except kernel.Unreadable:
        return None
    return None if found is None else Reading("backlog", f"port {port}", found.waiting, found.most)
