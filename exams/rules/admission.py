"""Who passes a door and who waits before it: a limit reached never touches who is already in."""

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum, auto

KNOCK_MS_PER_PLACE = 50
"""At the pages, which give way to who composes."""
SOCKET_KNOCK_MS_PER_PLACE = 100
"""At the sockets: a knock takes some 1.7 ms of the very process in which others compose."""
SOONEST_MS = 2_000
LATEST_MS = 15_000
SPARE_DESCRIPTORS = 256
"""What a process opens besides its candidates: logs, database, Redis, modules, those who are being told to wait."""

RETURNING_SHARE = 5
"""One place in so many, of those that descriptors leave, is kept for those who return."""

PATIENCE_SECONDS = 45.0
"""Who has not knocked for so long has gone: more than twice the longest wait told at the door of sockets."""


class Standing(Enum):
    """What a sheet has to do with a process before which it stands."""

    HOLDING = auto()
    """It has a socket there, which the new one replaces: nothing is added."""

    RETURNING = auto()
    """It was served there before, or it composes: PostgreSQL says so."""

    NEW = auto()
    """Neither."""


@dataclass(frozen=True, slots=True)
class Wait:
    """What is told to whoever waits: a place from 1, and after how many milliseconds to knock again."""

    place: int
    retry_ms: int


@dataclass(frozen=True, slots=True)
class Places:
    """How many sockets a process may hold.

    Attributes:
        budget: for everybody.
        reserve: beyond the budget, for those who return.
        lacks_descriptors: whether the budget is less than what the staff allows, for want of file descriptors.
    """

    budget: int
    reserve: int
    lacks_descriptors: bool = False


def places(*, budget: int, reserve: int, descriptors: int) -> Places:
    """Return what the staff allows, within what the system allows: nobody is left to meet a process out of descriptors.

    Args:
        budget: sockets for everybody, as the staff set it.
        reserve: sockets beyond the budget, likewise.
        descriptors: files that the process may open.
    """
    most = descriptors - min(SPARE_DESCRIPTORS, descriptors // 2)
    within = min(budget, most - min(reserve, most // RETURNING_SHARE))
    return Places(within, min(reserve, most - within), within < budget)


def descriptors_for(budget: int, reserve: int) -> int:
    """Return the fewest descriptors with which `places` leaves so many sockets, one at least, for everybody."""
    most = min(budget + reserve, RETURNING_SHARE * (budget - 1) // (RETURNING_SHARE - 1) + 1)
    return min(most + SPARE_DESCRIPTORS, 2 * most - 1)


def may_pass(standing: Standing, *, inside: int, budget: int, reserve: int, ahead: int) -> bool:
    """Whether a sheet may have a socket.

    Args:
        standing: of the sheet.
        inside: sockets of the process.
        budget: sockets for everybody.
        reserve: sockets beyond the budget, for those who return.
        ahead: newcomers who wait and came before.
    """
    match standing:
        case Standing.HOLDING:
            return True
        case Standing.RETURNING:
            return inside < budget + reserve
        case Standing.NEW:
            return ahead < budget - inside


def retry_ms(place: int, draw: float, per_place_ms: float = KNOCK_MS_PER_PLACE, latest_ms: float = LATEST_MS) -> int:
    """Return after how long to knock again: later for those further back, never in step, so that a crowd costs little.

    Args:
        place: from 1.
        draw: drawn uniformly in [0, 1).
        per_place_ms: what one place takes.
        latest_ms: what nobody is told much more than.
    """
    longest = min(max(place * per_place_ms, SOONEST_MS), latest_ms)
    return round(longest * (0.75 + draw / 2))


@dataclass(slots=True)
class _Waiter:
    since: float
    until: float
    room: int


class Line:
    """Who waits before one process, in the order of their first refusal. Instants are seconds of one same clock.

    `room` groups those who wait: the centre sitting of a sheet, 0 while it is not known.
    """

    __slots__ = ("_order", "_waiters")

    def __init__(self) -> None:
        self._order: list[tuple[float, int]] = []
        self._waiters: dict[int, _Waiter] = {}

    def __len__(self) -> int:
        return len(self._waiters)

    def __contains__(self, key: int) -> bool:
        return key in self._waiters

    def ahead(self, key: int, since: float | None = None) -> int:
        """Return how many came before; for who does not wait here, `since` tells the first refusal elsewhere."""
        waiter = self._waiters.get(key)
        first = since if waiter is None else waiter.since
        return len(self._order) if first is None else bisect_left(self._order, (first, key))

    def join(self, key: int, room: int, now: float, since: float | None = None) -> int:
        """Note a knock and return the place, from 1; `since` tells that somebody has been waiting elsewhere."""
        waiter = self._waiters.get(key)
        if waiter is None:
            waiter = self._waiters[key] = _Waiter(now if since is None else min(now, since), now, room)
            insort(self._order, (waiter.since, key))
        waiter.until, waiter.room = now + PATIENCE_SECONDS, room or waiter.room
        return self.ahead(key) + 1

    def leave(self, key: int) -> None:
        """Forget somebody, who may not have been waiting."""
        waiter = self._waiters.pop(key, None)
        if waiter is not None:
            del self._order[bisect_left(self._order, (waiter.since, key))]

    def learn(self, firsts: Mapping[int, float]) -> None:
        """Take in since when some of those who wait have been waiting elsewhere, when that is longer."""
        for key in firsts.keys() & self._waiters.keys():
            waiter = self._waiters[key]
            if firsts[key] < waiter.since:
                self.leave(key)
                self._waiters[key] = _Waiter(firsts[key], waiter.until, waiter.room)
                insort(self._order, (firsts[key], key))

    def expect(self, key: int, until: float) -> None:
        """Say by when somebody who waits is to knock again here."""
        self._waiters[key].until = until

    def expire(self, now: float) -> None:
        """Forget those who have stopped knocking."""
        gone = [key for key, waiter in self._waiters.items() if now > waiter.until]
        for key in gone:
            self.leave(key)

    @property
    def firsts(self) -> dict[int, float]:
        """Since when each of them has been waiting."""
        return {key: waiter.since for key, waiter in self._waiters.items()}

    @property
    def rooms(self) -> dict[int, int]:
        """How many wait, by room."""
        return dict(Counter(waiter.room for waiter in self._waiters.values()))

    @property
    def keys(self) -> Iterable[int]:
        """Those who wait, in no order."""
        return self._waiters.keys()
