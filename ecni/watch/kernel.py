"""Reading this machine: descriptors of the house's processes, listening queues, ports, followed connections."""

import re
import socket
import struct
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ecni.watch.rules import Queue, Reading

PROC = Path("/proc")
OURS = re.compile(r"\becni\.asgi\b|-A\0ecni\b|\bnginx: (?:master|worker)|manage\.py\0(?:watch|serve)\b")
"""Command lines of the processes whose descriptors count."""

NETLINK_SOCK_DIAG, SOCK_DIAG_BY_FAMILY = 4, 20
DUMP = 0x301
DONE, ERROR = 3, 2
LISTENING = 1 << 10
CONNECTED = 0xFFF & ~LISTENING
HEADER = struct.Struct("=IHHII")
REQUEST = struct.Struct("=BBBBI")
PORTS = struct.Struct("!HH")
QUEUES = struct.Struct("=II")
BODY_PORTS, BODY_PEER, BODY_QUEUES = 4, 24, 56
"""Places in an inet_diag_msg: source and destination port, destination address, receive and send queue."""


class Unreadable(Exception):
    """This kernel, or this account, does not tell."""


@dataclass(frozen=True, slots=True)
class Process:
    """A process of the house on this machine, its descriptors open and allowed."""

    pid: int
    title: str
    descriptors: int
    most: int


def processes() -> list[Process]:
    """Return every process of the house that this account may look into."""
    found = []
    for folder in PROC.iterdir():
        if folder.name.isdigit():
            try:
                command = (folder / "cmdline").read_bytes().decode(errors="replace")
                if OURS.search(command):
                    found.append(
                        Process(
                            int(folder.name),
                            _title(folder, command),
                            sum(1 for _ in (folder / "fd").iterdir()),
                            _most(folder),
                        )
                    )
            except OSError:  # gone since, or somebody else's
                continue
    return found


def _title(folder: Path, command: str) -> str:
    if command.startswith("nginx:"):
        return "nginx"
    role = re.search(rb"(?:^|\0)ROLE=(\w+)", (folder / "environ").read_bytes())
    return role[1].decode() if role else "web"


def _most(folder: Path) -> int:
    (line,) = [row for row in (folder / "limits").read_text().splitlines() if row.startswith("Max open files")]
    soft = line.split()[3]
    return int(soft) if soft.isdigit() else 0


def descriptors(host: str) -> list[Reading]:
    """Descriptors of each process of the house."""
    return [Reading("descriptors", f"{one.title} {one.pid}@{host}", one.descriptors, one.most) for one in processes()]


def queues() -> list[Queue]:
    """Return every listening TCP socket of this machine.

    Raises:
        Unreadable: the kernel does not tell.
    """
    found: dict[int, Queue] = {}
    for body in _sockets(LISTENING):
        port = PORTS.unpack_from(body, BODY_PORTS)[0]
        waiting, most = QUEUES.unpack_from(body, BODY_QUEUES)
        known = found.get(port)
        if known is None or waiting > known.waiting:
            found[port] = Queue(port, waiting, most)
    return sorted(found.values(), key=lambda queue: queue.port)


def overflows() -> int:
    """Return how many calls this machine has lost since it started, for want of room in a listening queue."""
    lines = (PROC / "net" / "netstat").read_text().splitlines()
    for names, values in zip(lines[::2], lines[1::2], strict=False):
        if names.startswith("TcpExt:"):
            counts = dict(zip(names.split()[1:], map(int, values.split()[1:]), strict=True))
            return counts.get("ListenOverflows", 0)
    return 0


def ephemeral_ports(upstreams: Sequence[tuple[str, int]]) -> list[Reading]:
    """Ports in use towards each upstream, those that wait after their close included.

    Raises:
        Unreadable: the kernel does not tell.
    """
    low, high = map(int, (PROC / "sys/net/ipv4/ip_local_port_range").read_text().split())
    readings = []
    for address, port in upstreams:
        peers: Counter[bytes] = Counter(
            bytes(body[BODY_PEER : BODY_PEER + 16])
            for body in _sockets(CONNECTED, port)
            if low <= PORTS.unpack_from(body, BODY_PORTS)[0] <= high
        )
        used = max(peers.values(), default=0)
        readings.append(Reading("ephemeral-ports", f"vers {address}:{port}", used, high - low + 1))
    return readings


def conntrack() -> list[Reading]:
    """Connections that the firewall follows; nothing where it follows none."""
    folder = PROC / "sys/net/netfilter"
    try:
        used, most = (int((folder / f"nf_conntrack_{name}").read_text()) for name in ("count", "max"))
    except OSError:
        return []
    return [Reading("conntrack", "", used, most)]


def _sockets(states: int, peer_port: int = 0) -> Iterator[memoryview]:
    """Ask the kernel for TCP sockets in some states, and of one peer's port, without reading all of /proc/net/tcp."""
    for family in (socket.AF_INET, socket.AF_INET6):
        request = REQUEST.pack(family, socket.IPPROTO_TCP, 0, 0, states) + PORTS.pack(0, peer_port) + bytes(44)
        try:
            with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG) as asking:
                asking.settimeout(1)
                asking.send(HEADER.pack(HEADER.size + len(request), SOCK_DIAG_BY_FAMILY, DUMP, 1, 0) + request)
                yield from _answers(asking)
        except OSError as error:
            raise Unreadable from error


def _answers(asking: socket.socket) -> Iterator[memoryview]:
    while True:
        received = memoryview(asking.recv(1 << 20))
        position = 0
        while position < len(received):
            length, kind, *_ = HEADER.unpack_from(received, position)
            if kind == DONE:
                return
            if kind == ERROR:
                raise OSError("the kernel refused")
            yield received[position + HEADER.size : position + length]
            position += (length + 3) & ~3
