"""How much of a limit is used, as the watcher judged it."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How near a limit is."""

    CALM = "CALM"
    NEAR = "NEAR"
    REACHED = "REACHED"


@dataclass(frozen=True, slots=True)
class Pressure:
    """One limit of one part of the house, now.

    Attributes:
        layer: stable name of the limit, that of `ecni.preflight.limits` where both know it.
        where: which part, such as `sockets 4012@centre-1` or `port 8000`; empty when there is only one.
        used, limit: in the unit of the layer; a limit of 0 is one that cannot be counted.
        share: of the limit that is used; 1 when newcomers are turned away, whatever the count.
        severity: after hysteresis.
        sentence: what is so, in French.
        remedy: what to do about it, in French; empty while it is calm.
        since: when this severity began, seconds since 1970.
        refuses: whether newcomers are turned away.
    """

    layer: str
    where: str
    used: float
    limit: float
    share: float
    severity: Severity
    sentence: str
    remedy: str
    since: float
    refuses: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """What tells this limit from every other one."""
        return self.layer, self.where


def encode(pressures: Iterable[Pressure]) -> str:
    """Return pressures as JSON."""
    return json.dumps([asdict(pressure) for pressure in pressures], ensure_ascii=False, separators=(",", ":"))


def decode(text: str) -> list[Pressure]:
    """Read pressures.

    Raises:
        ValueError, TypeError, KeyError: they are not pressures of this version.
    """
    return [Pressure(**row | {"severity": Severity(row["severity"])}) for row in json.loads(text)]


def in_order(pressures: Iterable[Pressure]) -> list[Pressure]:
    """Return pressures as they are read: reached, near, calm, then by whether they turn somebody away and by share.

    Each limit is there once, with the gravest word.
    """
    rank = {Severity.REACHED: 0, Severity.NEAR: 1, Severity.CALM: 2}
    ordered = sorted(pressures, key=lambda one: (rank[one.severity], not one.refuses, -one.share, one.layer, one.where))
    found: dict[tuple[str, str], Pressure] = {}
    for pressure in ordered:
        found.setdefault(pressure.key, pressure)
    return list(found.values())
