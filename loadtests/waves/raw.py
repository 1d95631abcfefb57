"""The raw generator: tablets on one epoll and one heap of instants, for the top end. `python -m loadtests.waves.raw 0`.

The same tablets as under locust, at a fraction of the cost: no greenlet, no stack, a few kilobytes for each.
"""

import errno
import gc
import heapq
import math
import select
import signal
import socket
import ssl
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from types import FrameType

from loadtests.encryption import encryption
from loadtests.waves.lines import Line
from loadtests.waves.orders import Orders
from loadtests.waves.sockets import CHUNK, address_of, close, connecting
from loadtests.waves.tablet import Tablet, Trip

READ, WRITE = select.EPOLLIN | select.EPOLLRDHUP, select.EPOLLIN | select.EPOLLRDHUP | select.EPOLLOUT
TICK_SECONDS, WRITE_SECONDS = 0.1, 1.0


class Wire:
    """One socket of one line of one tablet; its number stays when it is encrypted."""

    __slots__ = ("is_made", "line", "number", "position", "serial", "socket", "waits_to_write")

    def __init__(self, made: socket.socket, line: Line, position: int) -> None:
        self.socket, self.number, self.line, self.position = made, made.fileno(), line, position
        self.serial = line.serial
        self.is_made = False
        self.waits_to_write = True


class Engine:
    """Gives tablets their sockets and their time, until an instant.

    Attributes:
        closing: seconds within which everybody must hand in, from the next tick; None until somebody asks for it.
    """

    def __init__(self, tablets: Sequence[Tablet], trip: Trip, until: float) -> None:
        self._tablets, self._trip, self._until = tablets, trip, until
        self._address, self._encryption = address_of(trip.base), encryption(trip.base)
        self._epoll = select.epoll()
        self._wires: dict[int, Wire] = {}
        self._by_line: dict[Line, Wire] = {}
        self._heap = [(tablet.due, position) for position, tablet in enumerate(tablets)]
        self._planned = [tablet.due for tablet in tablets]
        heapq.heapify(self._heap)
        self.closing: float | None = None

    def run(self) -> None:
        """Live until the end, or until somebody interrupts."""
        tick = written = time.monotonic()
        while (now := time.monotonic()) < self._until:
            self._trip.tally.delay("loop", 0, max(0.0, 1000 * (now - tick)))
            if now - written >= WRITE_SECONDS:
                written = now
                self._trip.tally.write()
            if self.closing is not None:
                self._have_all_hand_in(now, self.closing)
                self.closing = None
            tick = now + TICK_SECONDS
            self._turn(tick)

    def finish(self) -> None:
        """Let go of everything."""
        now = time.monotonic()
        for tablet in self._tablets:
            tablet.finish(now)
        for wire in list(self._wires.values()):
            self._drop(wire)
        self._trip.tally.close()

    def _have_all_hand_in(self, now: float, within: float) -> None:
        for position, tablet in enumerate(self._tablets):
            tablet.hand_in(now + within * self._trip.rng.random())
            self._settle(position)

    def _turn(self, until: float) -> None:
        """Serve sockets and wake tablets until an instant."""
        while (now := time.monotonic()) < until:
            first = min(until, self._heap[0][0] if self._heap else until)
            for number, _ in self._epoll.poll(max(0.0, first - now), 1024):
                if (wire := self._wires.get(number)) is not None:
                    self._serve(wire)
            self._wake()

    def _wake(self) -> None:
        now = time.monotonic()
        while self._heap and self._heap[0][0] <= now:
            due, position = heapq.heappop(self._heap)
            if due == self._planned[position]:
                self._planned[position] = math.inf  # it may be due at the same instant again
                self._tablets[position].wake(time.monotonic())
                self._settle(position)

    def _serve(self, wire: Wire) -> None:
        tablet = self._tablets[wire.position]
        now = time.monotonic()
        if not wire.is_made:
            try:
                wire.is_made = self._go_on_making(wire)
            except OSError:
                self._drop(wire)
                tablet.lost(wire.line, now)
                self._settle(wire.position)
                return
            if not wire.is_made:
                return
            tablet.opened(wire.line, now)
        try:
            data = wire.socket.recv(CHUNK)
        except (BlockingIOError, ssl.SSLWantReadError):
            data = None
        except OSError:
            data = b""
        if data:
            tablet.received(wire.line, data, now)
        elif data is not None:
            self._drop(wire)
            tablet.lost(wire.line, now)
        self._settle(wire.position)

    def _go_on_making(self, wire: Wire) -> bool:
        """Do the next step of a connection; whether it can be used now.

        Raises:
            OSError: it failed.
        """
        if not isinstance(wire.socket, ssl.SSLSocket):
            if error := wire.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                raise OSError(error, "not connected")
            if self._encryption is None:
                return True
            wire.socket = self._encryption.wrap_socket(
                wire.socket, server_hostname=self._address[0], do_handshake_on_connect=False
            )
        try:
            wire.socket.do_handshake()
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError) as more:
            self._watch(wire, writing=isinstance(more, ssl.SSLWantWriteError))
            return False
        return True

    def _settle(self, position: int) -> None:
        """Do what the lines of a tablet want, and note when it is due."""
        tablet = self._tablets[position]
        for line in tablet.lines:
            wire = self._by_line.get(line)
            if wire is not None and wire.serial != line.serial:
                self._drop(wire, abort=True)
                wire = None
            if wire is not None and line.outgoing and wire.is_made:
                self._send(wire)
            if wire is not None and not line.wanted:
                self._drop(wire)
                tablet.lost(line, time.monotonic())
            elif wire is None and line.wanted:
                self._connect(line, position)
        if tablet.due != self._planned[position]:
            self._planned[position] = tablet.due
            if tablet.due < math.inf:
                heapq.heappush(self._heap, (tablet.due, position))

    def _connect(self, line: Line, position: int) -> None:
        try:
            made = connecting(line.visitor.source, self._address)
        except OSError:
            self._tablets[position].lost(line, time.monotonic())
            return
        wire = Wire(made, line, position)
        self._wires[wire.number] = self._by_line[line] = wire
        self._epoll.register(wire.number, WRITE)

    def _send(self, wire: Wire) -> None:
        line = wire.line
        try:
            line.outgoing = line.outgoing[wire.socket.send(line.outgoing) :]
        except (BlockingIOError, ssl.SSLWantWriteError):
            pass
        except OSError as error:
            if not isinstance(error, ssl.SSLError) and error.errno not in {errno.EPIPE, errno.ECONNRESET}:
                raise
            return  # its end is read next
        self._watch(wire, writing=bool(line.outgoing))

    def _watch(self, wire: Wire, *, writing: bool) -> None:
        if writing != wire.waits_to_write:
            wire.waits_to_write = writing
            self._epoll.modify(wire.number, WRITE if writing else READ)

    def _drop(self, wire: Wire, *, abort: bool = False) -> None:
        with suppress(OSError):  # closed by the encryption that it never had
            self._epoll.unregister(wire.number)
        del self._wires[wire.number]
        del self._by_line[wire.line]
        close(wire.socket, abort=abort)


def main(worker: int) -> None:
    """Live the lives of one worker's share of the candidates."""
    orders = Orders.read()
    trip = orders.trip(f"{orders.name}-{worker}")
    tablets = [Tablet(slip, trip) for slip in orders.read_slips()[worker :: orders.workers]]
    gc.freeze()
    gc.disable()  # nothing here makes cycles that matter
    engine = Engine(tablets, trip, orders.start + orders.until)

    def hand_in(_signal: int, _frame: FrameType | None) -> None:
        engine.closing = orders.closing

    signal.signal(signal.SIGUSR1, hand_in)
    try:
        engine.run()
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
    finally:
        engine.finish()


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _interrupt)
    main(int(sys.argv[1]))
