"""Who told how they are and tells nothing any more: a process of this host that is frozen, the watcher of another."""

import time
from dataclasses import dataclass, field

import redis

from ecni.preflight.kernel import PROC
from ecni.vitals import Vitals
from ecni.vitals.hints import read_vitals, read_watchers
from ecni.watch.rules import Reading, mute

MUTE_SECONDS = 6.0
"""Three times the period at which a process says how it is."""

GONE_SECONDS = 600.0
"""A watcher that has been away for so long was stopped on purpose."""


@dataclass(slots=True)
class Silence:
    """Remembers who spoke.

    Attributes:
        host: the one of this watcher.
        spoke: last record of each process of this host that lives.
        watched: when each host was last watched, monotonic seconds.
    """

    host: str
    spoke: dict[str, Vitals] = field(default_factory=dict)
    watched: dict[str, float] = field(default_factory=dict)

    def read(self, now: float) -> list[Reading]:
        """Return who is mute at `now`, seconds since 1970.

        Raises:
            redis.RedisError: Redis is away; nobody could be heard, what was known is forgotten.
        """
        try:
            heard, watchers = read_vitals(), read_watchers()
        except redis.RedisError:
            self.spoke, self.watched = {}, {}
            raise
        return [*self._processes(heard, now), *self._watchers(watchers)]

    def _processes(self, heard: list[Vitals], now: float) -> list[Reading]:
        """A process that has ended is not mute: it was stopped, or replaced."""
        self.spoke |= {one.name: one for one in heard if one.host == self.host}
        self.spoke = {name: one for name, one in self.spoke.items() if (PROC / str(one.pid)).exists()}
        return [
            mute(name, now - one.at, f"le processus {name} vit, mais ne dit plus rien depuis {now - one.at:.0f} s")
            for name, one in self.spoke.items()
            if now - one.at > MUTE_SECONDS
        ]

    def _watchers(self, hosts: list[str]) -> list[Reading]:
        at = time.monotonic()
        self.watched |= dict.fromkeys(hosts, at)
        self.watched = {host: last for host, last in self.watched.items() if at - last < GONE_SECONDS}
        return [
            mute(host, at - last, f"plus personne ne surveille {host} depuis {at - last:.0f} s")
            for host, last in self.watched.items()
            if last < at and host != self.host
        ]
