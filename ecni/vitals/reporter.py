"""One thread per process that looks at it and says every two seconds how it is.

It asks the event loop for a sign five times a second: what the loop keeps waiting is its lag.
"""

import asyncio
import errno
import gc
import logging
import os
import resource
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import redis
from django.conf import settings

from ecni.shared.clock import now
from ecni.vitals.descriptors import count_descriptors
from ecni.vitals.hints import client, publish_vitals
from ecni.vitals.record import Gauges, Vitals
from ecni.vitals.tally import TALLY
from ecni.vitals.turn import Turn

logger = logging.getLogger(__name__)

PERIOD_SECONDS = 2.0
CPU_PERIODS = 5
"""Processor time is told over ten seconds: a burst of one is no trouble."""

SIGN_SECONDS = 0.2
STALLED_SECONDS = 2.0
PAGE_BYTES = resource.getpagesize()


class LoopLag:
    """Longest that an event loop keeps a call waiting."""

    def __init__(self) -> None:
        self._asked: float | None = None
        self._max_ms = 0.0

    def ask(self, loop: asyncio.AbstractEventLoop) -> None:
        """Ask the loop for a sign, unless one is awaited already."""
        if self._asked is not None or loop.is_closed():
            return
        self._asked = time.monotonic()
        try:
            loop.call_soon_threadsafe(self._sign)
        except RuntimeError:  # the loop has just closed
            self._asked = None

    def _sign(self) -> None:
        asked, self._asked = self._asked, None
        if asked is not None:
            self._max_ms = max(self._max_ms, (time.monotonic() - asked) * 1000)

    def take_ms(self) -> float:
        """Return the longest wait since the last call, the one under way included."""
        asked = self._asked
        under_way = 0.0 if asked is None else (time.monotonic() - asked) * 1000
        longest, self._max_ms = max(self._max_ms, under_way), 0.0
        return longest


class CollectorPauses:
    """Longest pause of the garbage collector, by its own callbacks."""

    def __init__(self) -> None:
        self._began = 0.0
        self._max_ms = 0.0
        gc.callbacks.append(self._note)

    def _note(self, phase: str, _info: dict[str, int]) -> None:
        if phase == "start":
            self._began = time.perf_counter()
        else:
            self._max_ms = max(self._max_ms, (time.perf_counter() - self._began) * 1000)

    def take_ms(self) -> float:
        """Return the longest pause since the last call."""
        longest, self._max_ms = self._max_ms, 0.0
        return longest


class Reporter:
    """Started by the first request of a server, or when a worker is ready; it never ends by itself and breaks nothing.

    Attributes:
        source: what the candidates' part tells; set by whoever holds the sockets.
    """

    def __init__(self) -> None:
        self.source: Callable[[], Gauges] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._host = socket.gethostname()
        self._started_at = 0.0
        self._lag = LoopLag()
        self._before = (0.0, 0, 0)
        self._spent: deque[tuple[float, float]] = deque(maxlen=CPU_PERIODS + 1)
        self._redis = Turn(logger, "Redis", "redis")
        self._is_stalled = False
        self._stopping = threading.Event()

    def start(self, loop: asyncio.AbstractEventLoop | None = None) -> None:
        """Start, once; a later call only changes the loop that is watched."""
        self._loop = loop
        if self._thread is None:
            self._started_at = now().timestamp()
            self._pauses = CollectorPauses()
            self._before = self._counts()
            self._thread = threading.Thread(target=self._run, name="vitals", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End, for a process that goes on without serving."""
        if self._thread is not None:
            self._stopping.set()
            self._thread.join()

    def vitals(self) -> Vitals:
        """Return how this process is, over the time since the last call."""
        counts = self._counts()
        acks, logins = (
            (new - old) / max(counts[0] - self._before[0], 1e-3)
            for new, old in zip(counts[1:], self._before[1:], strict=True)
        )
        self._before = counts
        source = self.source
        gauges = source() if source else Gauges()
        self._say_stalled(gauges)
        limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        return Vitals(
            role=settings.ROLE,
            host=self._host,
            pid=os.getpid(),
            started_at=self._started_at,
            at=now().timestamp(),
            gauges=gauges,
            acks=TALLY.acks,
            refusals=dict(TALLY.refusals),
            logins=TALLY.logins,
            http_exchanges=TALLY.http_exchanges,
            acks_per_second=acks,
            logins_per_second=logins,
            loop_lag_ms=self._lag.take_ms(),
            gc_pause_ms=self._pauses.take_ms(),
            descriptors=open_descriptors(limit),
            descriptors_limit=limit,
            resident_bytes=resident_bytes(),
            cpu_share=self._cpu_share(),
        )

    @staticmethod
    def _counts() -> tuple[float, int, int]:
        return time.monotonic(), TALLY.acks, TALLY.logins

    def _cpu_share(self) -> float:
        self._spent.append((time.monotonic(), time.process_time()))
        (began, before), (ended, after) = self._spent[0], self._spent[-1]
        return (after - before) / (ended - began) if ended > began else 0.0

    def _run(self) -> None:
        to = client()
        due = time.monotonic() + PERIOD_SECONDS
        self._publish(to)
        while not self._stopping.wait(SIGN_SECONDS):
            if self._loop is not None:
                self._lag.ask(self._loop)
            if time.monotonic() >= due:
                due = time.monotonic() + PERIOD_SECONDS
                self._publish(to)

    def _publish(self, to: Any) -> None:
        try:
            publish_vitals(to, self.vitals())
        except (redis.RedisError, OSError) as error:
            self._redis.away(error)
        except Exception:
            logger.exception("vitals could not be taken")
        else:
            self._redis.back()

    def _say_stalled(self, gauges: Gauges) -> None:
        is_stalled = gauges.stalled_seconds >= STALLED_SECONDS
        if is_stalled and not self._is_stalled:
            extra = {"event": "writer-stalled", "count": gauges.writer_waiting}
            logger.warning("the writer has not committed for %.1f s", gauges.stalled_seconds, extra=extra)
        elif self._is_stalled and not is_stalled:
            logger.warning("the writer commits again", extra={"event": "writer-recovered"})
        self._is_stalled = is_stalled


def open_descriptors(limit: int) -> int:
    """Return how many descriptors this process has open; all of them, `limit`, when there is none left to look with."""
    try:
        return count_descriptors()
    except OSError as error:
        return limit if error.errno in {errno.EMFILE, errno.ENFILE} else 0


def resident_bytes() -> int:
    """Return the memory in use, 0 where the kernel does not tell it."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE_BYTES
    except OSError:
        return 0


REPORTER = Reporter()
"""The one of this process."""
