"""The generator under locust: one user is one tablet, with a greenlet that lives and one per connection that reads.

The shape lets users in as the file of codes says; `locust -f loadtests/waves/locustfile.py --headless`. No ORM here, no
product: `WAVES_ORDERS` names the file of orders.
"""

import gc
import os
import time
from bisect import bisect_right
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

import gevent
from gevent import socket as green
from gevent.event import Event
from locust import LoadTestShape, User, constant, events, task

from loadtests.encryption import encryption
from loadtests.waves.lines import Line, Link
from loadtests.waves.orders import Orders
from loadtests.waves.sockets import BIND_NO_PORT, CHUNK, address_of, close
from loadtests.waves.tablet import Slip, Tablet, Trip

LEAD_SECONDS = 2.0
"""Users are there this long before they arrive: making one takes time, arriving late would be the generator's fault."""
SPAWN_RATE = 100
TICK_SECONDS, WRITE_SECONDS = 0.1, 1.0
PATIENCE_SECONDS = 20.0
FREEZE_EVERY = 2000


class Desk:
    """What the users of one worker share: orders, slips not taken yet, tally."""

    def __init__(self) -> None:
        self.orders = Orders.read()
        self.slips = self.orders.read_slips()
        self._taken: int | None = None
        self._trip: Trip | None = None

    @property
    def trip(self) -> Trip:
        """The trip, made after the workers have parted."""
        if self._trip is None:
            self._trip = self.orders.trip(f"locust-{os.getpid()}")
            gevent.spawn(self._beat, self._trip)
        return self._trip

    def take(self) -> Slip | None:
        """Take the next slip; each is taken once, whichever worker asks."""
        if self._taken is None:  # after the workers have parted: each has a place of its own in the file
            self._taken = os.open(Path(self.orders.folder) / "taken", os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
        os.write(self._taken, b".")
        position = os.lseek(self._taken, 0, os.SEEK_CUR) - 1
        return self.slips[position] if position < len(self.slips) else None

    def write(self) -> None:
        """Write what is left."""
        if self._trip is not None:
            self._trip.tally.write()

    def _beat(self, trip: Trip) -> None:
        """Measure how late this loop is, write what was seen, and keep the collector off what is there to stay."""
        frozen, written = 0, time.monotonic()
        while True:
            due = time.monotonic() + TICK_SECONDS
            gevent.sleep(TICK_SECONDS)
            now = time.monotonic()
            trip.tally.delay("loop", 0, max(0.0, 1000 * (now - due)))
            if now - written >= WRITE_SECONDS:
                written = now
                trip.tally.write()
            if Candidate.living >= frozen + FREEZE_EVERY:
                frozen = Candidate.living
                gc.freeze()


desk = Desk()


class Candidate(User):
    """One candidate with one tablet."""

    wait_time = constant(0)
    living: ClassVar[int] = 0

    @task
    def live(self) -> None:
        """Live until the end of the test."""
        slip = desk.take()
        if slip is not None:
            Candidate.living += 1
            Holder(Tablet(slip, desk.trip), desk.orders.base).live(desk.orders.start + desk.orders.until)
        Event().wait()  # others end the test


class Holder:
    """Gives one tablet its sockets and its time."""

    __slots__ = ("_address", "_encryption", "_sending", "_sockets", "_stirred", "_tablet")

    def __init__(self, tablet: Tablet, base: str) -> None:
        self._tablet, self._address, self._encryption = tablet, address_of(base), encryption(base)
        self._sockets: dict[Line, tuple[Any, int]] = {}
        self._sending: set[Any] = set()
        self._stirred = Event()

    def live(self, until: float) -> None:
        """Wake the tablet whenever it is due, until an instant or until the user is stopped."""
        tablet = self._tablet
        try:
            while (now := time.monotonic()) < until:
                if tablet.due > now:
                    self._stirred.clear()
                    self._stirred.wait(min(tablet.due, until) - now)
                if tablet.due <= time.monotonic():
                    tablet.wake(time.monotonic())
                    self._settle()
        finally:
            tablet.finish(time.monotonic())
            self._settle()

    def _settle(self) -> None:
        for line in self._tablet.lines:
            held = self._sockets.get(line)
            if held is not None and held[1] != line.serial:
                close(self._sockets.pop(line)[0], abort=True)
                held = None
            if held is not None and line.outgoing and line.is_open:
                self._send(held[0], line)
                held = self._sockets.get(line)  # others had their turn meanwhile
            if held is not None and not line.wanted:
                close(self._sockets.pop(line)[0])
                self._tablet.lost(line, time.monotonic())
            elif held is None and line.wanted and not self._tablet.is_over:
                made = green.socket()
                self._sockets[line] = (made, line.serial)
                gevent.spawn(self._read, made, line, line.serial)
        self._stirred.set()

    def _send(self, made: Any, line: Line) -> None:
        """Send all that a line has; others have their turn meanwhile, and leave what they add to whoever is sending."""
        if made in self._sending:
            return
        self._sending.add(made)
        try:
            while line.outgoing and self._sockets.get(line) == (made, line.serial):
                data, line.outgoing = line.outgoing, b""
                made.sendall(data)
        except OSError:
            pass  # its end is read next
        finally:
            self._sending.discard(made)

    def _read(self, made: Any, line: Line, serial: int) -> None:
        """Connect, then pass on what comes until the end."""
        with suppress(OSError):
            made.setsockopt(green.IPPROTO_IP, BIND_NO_PORT, 1)
            made.setsockopt(green.IPPROTO_TCP, green.TCP_NODELAY, 1)
            made.bind((line.visitor.source, 0))
            made.settimeout(PATIENCE_SECONDS)
            made.connect(self._address)
            if self._encryption is not None:
                plain, made = made, self._encryption.wrap_socket(made, server_hostname=self._address[0])
                if self._sockets.get(line, (None,))[0] is not plain:
                    made.close()
                    return
                self._sockets[line] = (made, serial)
            made.settimeout(None)
            if line.serial == serial:
                self._tablet.opened(line, time.monotonic())
                self._settle()
            while line.serial == serial and (data := made.recv(CHUNK if not isinstance(line, Link) else 4096)):
                if line.serial == serial:
                    self._tablet.received(line, data, time.monotonic())
                    self._settle()
        if line.serial == serial and self._sockets.get(line, (None,))[0] is made:
            close(self._sockets.pop(line)[0])
            self._tablet.lost(line, time.monotonic())
            self._settle()


class Shape(LoadTestShape):
    """As many users as have arrived, a little before they do."""

    def __init__(self) -> None:
        super().__init__()
        self._arrivals = [slip.arrives for slip in desk.slips]

    def tick(self) -> tuple[int, float] | None:
        """Return how many users there must be now, and how fast they come; None at the end."""
        now = time.monotonic()
        if now > desk.orders.start + desk.orders.until:
            return None
        return users_at(self._arrivals, now), SPAWN_RATE


def users_at(arrivals: list[float], now: float) -> int:
    """Return how many of these have arrived or soon will; one at least, since a test without users ends."""
    return max(1, min(len(arrivals), bisect_right(arrivals, now + LEAD_SECONDS)))


@events.quit.add_listener
def write_what_is_left(**_: Any) -> None:
    """Write the last second, once every tablet has been let go of."""
    desk.write()
