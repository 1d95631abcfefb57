"""What the kernel of this machine tells: processes of the house, their limits, listening sockets, connected ones."""

import os
import re
import socket
import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ecni.vitals.descriptors import count_descriptors

PROC = Path("/proc")
OURS = re.compile(r"\becni\.asgi\b|-A\0ecni\b|\bnginx: (?:master|worker)|manage\.py\0(?:watch|serve)\b")
"""Command lines of the processes of a house."""

NETLINK_SOCK_DIAG, SOCK_DIAG_BY_FAMILY = 4, 20
DUMP = 0x301
DONE, ERROR = 3, 2
LISTENING = 1 << 10
CONNECTED = 0xFFF & ~LISTENING
HEADER = struct.Struct("=IHHII")
REQUEST = struct.Struct("=BBBBI")
PORTS = struct.Struct("!HH")
QUEUES = struct.Struct("=II")
INODE = struct.Struct("=I")
BODY_PORTS, BODY_PEER, BODY_QUEUES, BODY_INODE = 4, 24, 56, 68
"""Places in an inet_diag_msg: source and destination port, destination address, receive and send queue, inode."""


class Unreadable(Exception):
    """This kernel, or this account, does not tell."""


@dataclass(frozen=True, slots=True)
class Process:
    """A process of a house on this machine.

    Attributes:
        pid, title: `title` is its role, or `nginx`.
        command: its command line, words separated by spaces.
        descriptors, most: open, and how many may be; 0 for no limit.
    """

    pid: int
    title: str
    command: str
    descriptors: int
    most: int


@dataclass(frozen=True, slots=True)
class Listening:
    """A listening TCP socket: connections that wait to be accepted, and how many may."""

    port: int
    waiting: int
    most: int
    inode: int


def processes() -> list[Process]:
    """Return every process of a house that this account may look into."""
    found = []
    for folder in PROC.iterdir():
        if folder.name.isdigit():
            try:
                command = (folder / "cmdline").read_bytes().decode(errors="replace")
                if OURS.search(command):
                    found.append(_process(folder, command))
            except OSError:  # gone since, or somebody else's
                continue
    return found


def socket_inodes(pid: int) -> frozenset[int]:
    """Return the inodes of every socket of a process; one look at each descriptor. Empty when it has ended."""
    found = set()
    with suppress(OSError):
        for place in (PROC / str(pid) / "fd").iterdir():
            with suppress(FileNotFoundError):  # closed since
                if inode := re.fullmatch(r"socket:\[(\d+)\]", str(place.readlink())):
                    found.add(int(inode[1]))
    return frozenset(found)


def environment(pid: int) -> dict[str, str]:
    """Return the environment with which a process was started; empty when this account may not look."""
    try:
        text = (PROC / str(pid) / "environ").read_bytes().decode(errors="replace")
    except OSError:
        return {}
    return dict(line.split("=", 1) for line in text.split("\0") if "=" in line)


def parent(pid: int) -> int:
    """Return the process that started another one; 0 when it has ended."""
    try:
        return int((PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def started_at(pid: int) -> float:
    """Return when a process started, seconds since 1970.

    Raises:
        OSError: it has ended.
    """
    ticks = int((PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[19])
    boot = re.search(r"^btime (\d+)$", (PROC / "stat").read_text(), re.MULTILINE)
    return (int(boot[1]) if boot else 0) + ticks / os.sysconf("SC_CLK_TCK")


def listening() -> list[Listening]:
    """Return every listening TCP socket of this machine.

    Raises:
        Unreadable: the kernel does not tell.
    """
    return [_listening(body) for body in sockets(LISTENING)]


def _listening(body: memoryview) -> Listening:
    waiting, most = QUEUES.unpack_from(body, BODY_QUEUES)
    return Listening(
        port=PORTS.unpack_from(body, BODY_PORTS)[0],
        waiting=waiting,
        most=most,
        inode=INODE.unpack_from(body, BODY_INODE)[0],
    )


def sockets(states: int, peer_port: int = 0) -> Iterator[memoryview]:
    """Ask the kernel for TCP sockets in some states, and of one peer's port, without reading all of /proc/net/tcp.

    Raises:
        Unreadable: the kernel does not tell.
    """
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


def _process(folder: Path, command: str) -> Process:
    return Process(
        pid=int(folder.name),
        title=_title(folder, command),
        command=" ".join(command.split("\0")).strip(),
        descriptors=count_descriptors(folder.name),
        most=_most(folder),
    )


def _title(folder: Path, command: str) -> str:
    if command.startswith("nginx:"):
        return "nginx"
    role = re.search(rb"(?:^|\0)ROLE=(\w+)", (folder / "environ").read_bytes())
    return role[1].decode() if role else "web"


def _most(folder: Path) -> int:
    (line,) = [row for row in (folder / "limits").read_text().splitlines() if row.startswith("Max open files")]
    soft = line.split()[3]
    return int(soft) if soft.isdigit() else 0
