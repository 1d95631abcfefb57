"""Reading this machine: descriptors of the house's processes, listening queues, ports, followed connections."""

from collections import Counter
from collections.abc import Sequence

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

__all__ = ["Unreadable", "conntrack", "descriptors", "ephemeral_ports", "overflows", "queues"]


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
            for body in sockets(CONNECTED, port)
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
