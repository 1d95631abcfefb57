"""Which socket process nginx chooses for each centre: its own `hash … consistent`, computed before the day."""

import zlib
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ecni.preflight.limits import Spread

POINTS = 160
"""Points of one server on the ring of nginx, for a weight of 1."""


@dataclass(frozen=True, slots=True)
class Ring:
    """The points of some servers, in order; `points[i]` belongs to `servers[i]`."""

    points: tuple[int, ...]
    servers: tuple[str, ...]

    def server_of(self, key: str) -> str:
        """Return the server of a key, as nginx does while none has been declared dead."""
        at = bisect_left(self.points, zlib.crc32(key.encode()))
        return self.servers[at % len(self.servers)]


def ring(servers: Sequence[str]) -> Ring:
    """Return the ring of some servers, written as in nginx's configuration: `host:port`, or `host`.

    Source: `ngx_http_upstream_init_chash` of nginx: each point is the CRC of host, zero byte, port and last point.
    """
    found: dict[int, str] = {}
    for server in servers:
        host, colon, port = server.rpartition(":")
        base = zlib.crc32(f"{host if colon else server}\0{port if colon else ''}".encode())
        point = 0
        for _ in range(POINTS):
            point = zlib.crc32(point.to_bytes(4, "little"), base)
            found.setdefault(point, server)
    points = tuple(sorted(found))
    return Ring(points, tuple(found[point] for point in points))


def spread(candidates: Mapping[int, int], servers: Sequence[str]) -> Spread:
    """Return how candidates will be spread.

    Args:
        candidates: how many of them, one at least, by centre sitting.
        servers: socket processes as nginx's configuration names them, one at least.
    """
    total = sum(candidates.values())
    lefts = [[other for other in servers if other != dead] for dead in servers]
    return Spread(
        fullest=_fullest(candidates, servers) / total,
        after_a_death=max(_fullest(candidates, left) for left in lefts) / total if len(servers) > 1 else 1.0,
        largest_centre=max(candidates.values()) / total,
    )


def _fullest(candidates: Mapping[int, int], servers: Sequence[str]) -> int:
    chosen, of = ring(servers), Counter[str]()
    for centre, count in candidates.items():
        of[chosen.server_of(str(centre))] += count
    return max(of.values())
