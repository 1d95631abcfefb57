"""Many tablets in one process: `python -m ecni.bench.generator`. Raw sockets and epoll, so that it disturbs little.

Real TCP, real frames, each acknowledgement matched with its op, latency from the instant at which the op was due.
Written from `docs/protocol.md`; standard library only. Orders come on the standard input, one JSON object a line, and
each is answered by one line; between orders pings are answered.
"""

import json
import resource
import select
import socket
import sys
import time
from base64 import b64encode
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from math import inf
from os import urandom
from typing import Any

TEXT, CLOSE, PING, PONG = 0x1, 0x8, 0x9, 0xA
SHORT, LONG = 126, 127
IDLE_SECONDS = 0.5
TICK_SECONDS = 0.001
READ_BYTES = 65_536
SOURCES = 8
"""Source addresses on the loopback: one address has some 28,000 ports."""

DRAIN_SECONDS = 5.0
ERRORS_TOLD = 3


class Tablet:
    """One socket and what it knows of its sheet."""

    __slots__ = ("buffer", "cookie", "digest", "due", "greets", "opened", "pending", "seq", "sheet", "socket", "state")

    def __init__(self, connection: socket.socket, cookie: str, *, greets: bool) -> None:
        self.socket = connection
        self.cookie = cookie
        self.greets = greets
        self.buffer = b""
        self.state = "connecting"
        self.opened = 0.0
        self.seq = 0
        self.digest = b""
        self.sheet = ""
        self.pending: int | None = None
        self.due = 0.0


class Generator:
    """The tablets of this process."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._epoll = select.epoll()
        self._tablets: dict[int, Tablet] = {}
        self._open: list[Tablet] = []
        self._errors: Counter[str] = Counter()
        self._delays: list[float] = []
        self._refused: Counter[str] = Counter()
        self._exchanged = 0
        self._seen: Counter[str] = Counter()
        self._bytes: Counter[str] = Counter()
        self._last: dict[str, float] = {}
        self._on_ack: Callable[[Tablet], None] = lambda _tablet: None

    # Orders

    def do_connect(self, order: dict[str, Any]) -> dict[str, Any]:
        """Open a socket per cookie, so many at once, to the `state` when they greet, else to the handshake."""
        waiting = deque(order["cookies"])
        asked, total = time.monotonic(), len(waiting)
        ready_before, flying = len(self._open), order["at_once"]
        self._errors.clear()
        deadline = asked + order["seconds"]
        started = 0
        while time.monotonic() < deadline:
            settled = len(self._open) - ready_before + self._errors.total()
            if settled == total:
                break
            while waiting and started - settled < flying:
                self._connect(waiting.popleft(), order)
                started += 1
            self._turn(IDLE_SECONDS)
        opened = sorted(tablet.opened - asked for tablet in self._open[ready_before:])
        return {
            "connected": len(opened),
            "errors": dict(self._errors.most_common(ERRORS_TOLD)),
            "last_s": opened[-1] if opened else inf,
            "middle_s": opened[len(opened) // 2] if opened else inf,
        }

    def do_answer(self, order: dict[str, Any]) -> dict[str, Any]:
        """Answer at a rate, whatever the server does: what is late to leave counts from when it was due."""
        rate, seconds, questions = order["rate"], order["seconds"], order["questions"]
        self._begin()
        free, started, sent = deque(self._open), time.monotonic(), 0
        self._on_ack = free.append
        total = int(rate * seconds)
        until = started + seconds + DRAIN_SECONDS
        while sent < total and (now := time.monotonic()) < until:
            while sent < total and free and (due := started + sent / rate) <= now:
                self._send_op(free.popleft(), questions[sent % len(questions)], due)
                sent += 1
            self._turn(max(TICK_SECONDS, started + sent / rate - now) if free else IDLE_SECONDS)
        return self._settled(total, started)

    def do_rush(self, order: dict[str, Any]) -> dict[str, Any]:
        """Answer as fast as acknowledgements come, so many in flight; `each` stops after one answer of each tablet."""
        questions = order["questions"]
        self._begin()
        free, started, sent = deque(self._open), time.monotonic(), 0
        if not order.get("each"):
            self._on_ack = free.append
        until = started + order["seconds"]
        while free and time.monotonic() < until:
            while free and sent - len(self._delays) - self._refused.total() < order["in_flight"]:
                self._send_op(free.popleft(), questions[sent % len(questions)], time.monotonic())
                sent += 1
            self._turn(IDLE_SECONDS)
        return self._settled(sent, started)

    def do_beat(self, order: dict[str, Any]) -> dict[str, Any]:
        """Ping at a rate, each tablet in turn, until every ping has its answer."""
        rate, total = order["rate"], int(order["rate"] * order["seconds"])
        self._seen.clear()
        started, sent = time.monotonic(), 0
        deadline = started + order["seconds"] + DRAIN_SECONDS
        while self._seen.total() < total and (now := time.monotonic()) < deadline:
            while sent < total and started + sent / rate <= now:
                self._say(self._open[sent % len(self._open)], f'{{"t":"ping","at":{int(time.time() * 1000)},"q":1}}')
                sent += 1
            self._turn(TICK_SECONDS)
        return {"sent": sent, "seen": self._seen.total()}

    def do_arm(self, _order: dict[str, Any]) -> dict[str, Any]:
        """Forget the frames seen so far."""
        for seen in (self._seen, self._bytes, self._last):
            seen.clear()
        return {}

    def do_collect(self, order: dict[str, Any]) -> dict[str, Any]:
        """Wait until every tablet has had a frame of one kind since `arm`; `last` is in monotonic seconds."""
        kind, deadline = order["kind"], time.monotonic() + order["seconds"]
        while self._seen[kind] < len(self._open) and time.monotonic() < deadline:
            self._turn(IDLE_SECONDS)
        return {"seen": self._seen[kind], "bytes": self._bytes[kind], "last": self._last.get(kind, inf)}

    def do_drop(self, _order: dict[str, Any]) -> dict[str, Any]:
        """Drop every socket."""
        for tablet in self._tablets.values():
            tablet.socket.close()
        self._tablets.clear()
        self._open.clear()
        return {}

    # Sockets

    def serve(self) -> None:
        """Carry out orders until the input closes."""
        orders = sys.stdin.buffer
        self._epoll.register(orders, select.EPOLLIN)
        while True:
            if not self._turn(IDLE_SECONDS, orders.fileno()):
                continue
            line = orders.readline()
            if not line:
                return
            order = json.loads(line)
            act: Callable[[dict[str, Any]], dict[str, Any]] = getattr(self, f"do_{order['do']}")
            self._epoll.unregister(orders)
            sys.stdout.write(json.dumps(act(order)) + "\n")
            sys.stdout.flush()
            self._epoll.register(orders, select.EPOLLIN)

    def _turn(self, seconds: float, orders: int = -1) -> bool:
        """Serve what is there, waiting so long at most; return whether an order is."""
        is_ordered = False
        for number, event in self._epoll.poll(seconds, 1024):
            if number == orders:
                is_ordered = True
            elif (tablet := self._tablets.get(number)) is not None:
                try:
                    self._serve(tablet, event)
                except (OSError, EOFError, ValueError) as error:
                    self._errors[f"{type(error).__name__}: {error}"] += 1
                    self._forget(tablet)
        return is_ordered

    def _serve(self, tablet: Tablet, event: int) -> None:
        if tablet.state == "connecting" and event & select.EPOLLOUT:
            error = tablet.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if error:
                raise OSError(error, "connect")
            tablet.socket.send(self._handshake(tablet))
            tablet.state = "handshake"
            self._epoll.modify(tablet.socket, select.EPOLLIN)
        if event & (select.EPOLLIN | select.EPOLLHUP | select.EPOLLERR):
            self._read(tablet)

    def _connect(self, cookie: str, order: dict[str, Any]) -> None:
        connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setsockopt(socket.IPPROTO_IP, getattr(socket, "IP_BIND_ADDRESS_NO_PORT", 24), 1)
        connection.bind((f"127.0.{1 + len(self._tablets) % SOURCES}.1", 0))
        self._tablets[connection.fileno()] = Tablet(connection, cookie, greets=order["greet"])
        connection.connect_ex(("127.0.0.1", self._port))
        self._epoll.register(connection, select.EPOLLIN | select.EPOLLOUT)

    def _handshake(self, tablet: Tablet) -> bytes:
        lines = [
            "GET /ws/copie/ HTTP/1.1",
            f"Host: 127.0.0.1:{self._port}",
            f"Origin: http://127.0.0.1:{self._port}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Key: {b64encode(urandom(16)).decode()}",
            "Sec-WebSocket-Version: 13",
            f"Cookie: {tablet.cookie}",
        ]
        return "\r\n".join([*lines, "", ""]).encode()

    def _read(self, tablet: Tablet) -> None:
        try:
            data = tablet.socket.recv(READ_BYTES)
        except BlockingIOError:
            return
        if not data:
            raise EOFError("closed by the server")
        tablet.buffer += data
        if tablet.state == "handshake":
            self._read_handshake(tablet)
        if tablet.state != "handshake":
            self._read_frames(tablet)

    def _read_handshake(self, tablet: Tablet) -> None:
        head, separator, rest = tablet.buffer.partition(b"\r\n\r\n")
        if not separator:
            return
        if b" 101 " not in head[:20]:
            raise ValueError(head.split(b"\r\n")[0].decode("latin-1"))
        tablet.buffer = rest
        if tablet.greets:
            tablet.state = "greeting"
            self._say(tablet, '{"t":"hello","v":1}')
        else:
            self._ready(tablet)

    def _read_frames(self, tablet: Tablet) -> None:
        buffer, at = tablet.buffer, 0
        while len(buffer) - at >= 2:  # noqa: PLR2004 -- the two bytes before the length
            length, start = buffer[at + 1], at + 2
            if length == SHORT:
                length, start = int.from_bytes(buffer[at + 2 : at + 4], "big"), at + 4
            elif length == LONG:
                length, start = int.from_bytes(buffer[at + 2 : at + 10], "big"), at + 10
            if len(buffer) < start + length:
                break
            self._take(tablet, buffer[at] & 0xF, buffer[start : start + length])
            at = start + length
        tablet.buffer = buffer[at:]

    def _take(self, tablet: Tablet, opcode: int, payload: bytes) -> None:
        if opcode == PING:
            tablet.socket.send(bytes((0x80 | PONG, 0x80 | len(payload), 0, 0, 0, 0)) + payload)
        elif opcode == CLOSE:
            raise EOFError(f"close {int.from_bytes(payload[:2], 'big')}")
        elif opcode == TEXT:
            self._take_frame(tablet, json.loads(payload), len(payload))

    def _take_frame(self, tablet: Tablet, frame: dict[str, Any], size: int) -> None:
        kind = frame["t"]
        self._seen[kind] += 1
        self._bytes[kind] += size
        self._last[kind] = time.monotonic()
        if kind == "ack" and frame["seq"] == tablet.pending:
            self._delays.append(self._last[kind] - tablet.due)
            self._exchanged += size
            tablet.pending = None
            self._on_ack(tablet)
        elif kind == "state":
            tablet.seq, tablet.digest, tablet.sheet = frame["seq"], bytes.fromhex(frame["digest"]), frame["sheet"]
            if tablet.state == "greeting":
                self._ready(tablet)
        elif kind in {"refused", "bye", "ack"}:
            self._refused[frame.get("code", kind)] += 1

    def _ready(self, tablet: Tablet) -> None:
        tablet.state, tablet.opened = "open", time.monotonic()
        self._open.append(tablet)

    def _say(self, tablet: Tablet, text: str) -> None:
        data = text.encode()
        size = bytes((0x80 | len(data),)) if len(data) < SHORT else bytes((0x80 | SHORT, *len(data).to_bytes(2, "big")))
        tablet.socket.send(b"\x81" + size + b"\0\0\0\0" + data)
        self._exchanged += len(data) + len(size) + 5

    def _send_op(self, tablet: Tablet, question: int, due: float) -> None:
        tablet.seq += 1
        at, value = int(time.time() * 1000), "AB"[tablet.seq % 2]
        line = f"{tablet.seq}|answer|{question}|{at}|{value}"
        tablet.digest = sha256(tablet.digest + line.encode()).digest()
        tablet.pending, tablet.due = tablet.seq, due
        self._say(
            tablet,
            f'{{"t":"op","seq":{tablet.seq},"kind":"answer","q":{question},"value":"{value}","at":{at},'
            f'"digest":"{tablet.digest.hex()}"}}',
        )

    def _begin(self) -> None:
        self._delays.clear()
        self._exchanged = 0
        self._refused.clear()
        self._errors.clear()
        self._on_ack = lambda _tablet: None

    def _settled(self, sent: int, started: float) -> dict[str, Any]:
        lasted = time.monotonic() - started
        deadline = time.monotonic() + DRAIN_SECONDS
        while len(self._delays) < sent and time.monotonic() < deadline:
            self._turn(IDLE_SECONDS)
        delays = sorted(1000 * delay for delay in self._delays)
        return {
            "sent": sent,
            "acked": len(delays),
            "seconds": lasted,
            "bytes": self._exchanged,
            "refused": dict(self._refused),
            "errors": dict(self._errors.most_common(ERRORS_TOLD)),
            "p50_ms": quantile(delays, 0.5),
            "p99_ms": quantile(delays, 0.99),
        }

    def _forget(self, tablet: Tablet) -> None:
        self._tablets.pop(tablet.socket.fileno(), None)
        if tablet.state == "open":
            self._open.remove(tablet)
        tablet.socket.close()


def quantile(ordered: Sequence[float], share: float) -> float:
    """Return the value below which a share of an ordered sequence lies; infinite for an empty one."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else inf


def main(arguments: Iterable[str]) -> None:
    """Serve orders for the server on one port of the loopback."""
    (port,) = arguments
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    Generator(int(port)).serve()


if __name__ == "__main__":
    main(sys.argv[1:])
