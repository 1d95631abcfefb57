"""Reading this machine: descriptors of the house's processes, listening queues, ports, followed connections."""

import time
from collections import Counter
from collections.abc import Iterable

from ecni.preflight.kernel import (
    BODY_PEER,
    BODY_PORTS,
    CONNECTED,
    PORTS,
    PROC,
    Unreadable,
    listening,
    processes,
    sockets,
)
from ecni.watch.rules import Queue, Reading

__all__ = ["EphemeralPorts", "Unreadable", "conntrack", "descriptors", "overflows", "queues"]

COUNTED_SECONDS = 10.0
"""For how long a count of ports is good while none is used; less as more are: each connection is looked at."""


def descriptors(host: str) -> list[Reading]:
    """Descriptors of each process of the house."""
    return [Reading("descriptors", f"{one.title} {one.pid}@{host}", one.descriptors, one.most) for one in processes()]


def queues() -> list[Queue]:
    """Return the queue of every port on which this machine listens; the fullest when several sockets share a port.

    Raises:
        Unreadable: the kernel does not tell.
    """
    found: dict[int, Queue] = {}
    for one in listening():
        known = found.get(one.port)
        if known is None or one.waiting > known.waiting:
            found[one.port] = Queue(one.port, one.waiting, one.most)
    return sorted(found.values(), key=lambda queue: queue.port)


def overflows() -> int:
    """Return how many calls this machine has lost since it started, for want of room in a listening queue."""
    lines = (PROC / "net" / "netstat").read_text().splitlines()
    for names, values in zip(lines[::2], lines[1::2], strict=False):
        if names.startswith("TcpExt:"):
            counts = dict(zip(names.split()[1:], map(int, values.split()[1:]), strict=True))
            return counts.get("ListenOverflows", 0)
    return 0


class EphemeralPorts:
    """Local ports in use towards some ports of other addresses, those that wait after their close included."""

    def __init__(self, ports: Iterable[int]) -> None:
        self._used = dict.fromkeys(ports, 0)
        self._range = (0, 0)
        self._counted_at = float("-inf")

    def read(self) -> list[Reading]:
        """Return how many are used, of how many, towards the address that has most, for each port.

        Raises:
            Unreadable: the kernel does not tell.
        """
        low, high = map(int, (PROC / "sys/net/ipv4/ip_local_port_range").read_text().split())
        most = high - low + 1
        left = 1 - max(self._used.values(), default=0) / most
        if self._range != (low, high) or time.monotonic() - self._counted_at > COUNTED_SECONDS * left:
            self._used = {port: _towards(port, low, high) for port in self._used}
            self._range, self._counted_at = (low, high), time.monotonic()
        return [Reading("ephemeral-ports", f"vers le port {port}", used, most) for port, used in self._used.items()]


def _towards(port: int, low: int, high: int) -> int:
    peers: Counter[bytes] = Counter(
        bytes(body[BODY_PEER : BODY_PEER + 16])
        for body in sockets(CONNECTED, port)
        if low <= PORTS.unpack_from(body, BODY_PORTS)[0] <= high
    )
    return max(peers.values(), default=0)


def conntrack() -> list[Reading]:
    """Connections that the firewall follows; nothing where it follows none."""
    folder = PROC / "sys/net/netfilter"
    try:
        used, most = (int((folder / f"nf_conntrack_{name}").read_text()) for name in ("count", "max"))
    except OSError:
        return []
    return [Reading("conntrack", "", used, most)]
