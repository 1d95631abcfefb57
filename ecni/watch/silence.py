"""Who told how they are and tells nothing any more: a process of this host that is frozen, the watcher of another."""

from dataclasses import dataclass, field

import redis

from ecni.preflight.kernel import PROC
from ecni.vitals import Vitals
from ecni.vitals.hints import read_vitals, read_watchers
from ecni.watch.rules import Reading, silent

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
        watched: when each host was last watched, seconds since 1970.
        back: when Redis answered again, likewise: nobody could be heard before.
        is_away: whether it did not answer the last time.
    """

    host: str
    spoke: dict[str, Vitals] = field(default_factory=dict)
    watched: dict[str, float] = field(default_factory=dict)
    back: float = 0.0
    is_away: bool = False

    def read(self, now: float) -> list[Reading]:
        """Return who is mute at `now`, seconds since 1970.

        Raises:
            redis.RedisError: Redis is away.
        """
        try:
            heard, watchers = read_vitals(), read_watchers()
        except redis.RedisError:
            self.is_away = True
            raise
        if self.is_away:
            self.is_away, self.back = False, now
        return [*self._processes(heard, now), *self._watchers(watchers, now)]

    def _processes(self, heard: list[Vitals], now: float) -> list[Reading]:
        """A process that has ended is not mute: it was stopped, or replaced."""
        self.spoke |= {one.name: one for one in heard if one.host == self.host}
        self.spoke = {name: one for name, one in self.spoke.items() if (PROC / str(one.pid)).exists()}
        last = {name: max(one.at, self.back) for name, one in self.spoke.items()}
        return [
            silent("silence", name, now - at, f"le processus {name} vit, mais ne dit plus rien")
            for name, at in last.items()
            if now - at > MUTE_SECONDS
        ]

    def _watchers(self, hosts: list[str], now: float) -> list[Reading]:
        self.watched |= dict.fromkeys(hosts, now)
        self.watched = {host: at for host, at in self.watched.items() if now - at < GONE_SECONDS}
        last = {host: max(at, self.back) for host, at in self.watched.items()}
        return [
            silent("silence", host, now - at, f"plus personne ne surveille {host}")
            for host, at in last.items()
            if now - at > MUTE_SECONDS and host != self.host
        ]
