"""Hints through Redis: "something changed, read it again". The only module that touches the channel layer.

Everything sent here may be lost without harm: processes read the state of PostgreSQL again each second.
"""

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from functools import cache
from typing import TypeVar

import redis
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction

from exams.enums import GuardMode, GuardName, Lack
from exams.rules.heartbeat import SOONEST_SECONDS

T = TypeVar("T")

CHANGES_CHANNEL = f"{settings.REDIS_PREFIX}:changes"
NATIONAL_GROUP = "national"
PRESENCE_SECONDS = 6 * 3600
MUTE_SECONDS = 5
DOORS_KEY = "ecni:doors"
DOOR_SECONDS = 10
LINE_KEY = "ecni:line"
LINE_SECONDS = 60
PASSED_KEY = "ecni:passed"
PASSED_SECONDS = 10
GUARDED_KEY = "ecni:guarded"
GUARDED_SECONDS = 24 * 3600


@dataclass(slots=True)
class Presence:
    """What a server process last saw of a tablet. A hint: absent when Redis is away.

    Not frozen: its session notes every frame in it.

    Attributes:
        seen_at: last sign of life, milliseconds since 1970 on the server's clock.
        saved_at: last durable op, likewise; None before the first.
        answered: questions with an answer that is not blank.
        question: number of the question on the screen, 0 for none.
        called: whether a hand is raised.
        online: False once the socket has closed.
        by_http: whether the tablet speaks by HTTP, for want of a websocket.
        beat: seconds in which its next sign of life is awaited.
    """

    seen_at: int
    saved_at: int | None
    answered: int
    question: int
    called: bool
    online: bool
    by_http: bool
    beat: int = SOONEST_SECONDS


@cache
def _redis() -> redis.Redis:
    return redis.Redis.from_url(
        settings.REDIS_HINTS_URL,
        decode_responses=True,
        socket_timeout=2,
        socket_connect_timeout=1,
        health_check_interval=15,
    )


def room_group(centre_sitting_id: int) -> str:
    """Return the name of the channel group of one centre sitting's consoles."""
    return f"room.{centre_sitting_id}"


def announce_change(centre_sitting_id: int) -> None:
    """Tell server processes and consoles, after commit, that a centre sitting or one of its sheets changed."""

    def send() -> None:
        _send(centre_sitting_id)

    transaction.on_commit(send, robust=True)


def _send(centre_sitting_id: int) -> None:
    _redis().publish(CHANGES_CHANNEL, str(centre_sitting_id))
    layer = get_channel_layer()
    if layer is None:
        raise ImproperlyConfigured("CHANNEL_LAYERS names no default layer.")
    for group in (room_group(centre_sitting_id), NATIONAL_GROUP):
        async_to_sync(layer.group_send)(group, {"type": "room.changed", "centre_sitting": centre_sitting_id})


def presence_key(centre_sitting_id: int) -> str:
    """Return the Redis key of the hash that holds the presence of one centre sitting's tablets."""
    return f"ecni:presence:{centre_sitting_id}"


def publish_presence(seen: Mapping[int, Mapping[int, Presence]]) -> None:
    """Write what a process saw: presences by sheet, by centre sitting."""
    pipe = _redis().pipeline(transaction=False)
    for centre_sitting_id, sheets in seen.items():
        key = presence_key(centre_sitting_id)
        pipe.hset(key, mapping={str(sheet): _encode(presence) for sheet, presence in sheets.items()})
        pipe.expire(key, PRESENCE_SECONDS)
    pipe.execute()


def presence(centre_sitting_id: int) -> dict[int, Presence] | None:
    """Return the last presence of each tablet of a centre sitting, by sheet; None, not known, when Redis is away."""
    found = presences([centre_sitting_id])
    return None if found is None else found[centre_sitting_id]


def presences(centre_sitting_ids: Sequence[int]) -> dict[int, dict[int, Presence]] | None:
    """Return the same of several centre sittings, in one exchange."""
    pipe = _redis().pipeline(transaction=False)
    for centre_sitting_id in centre_sitting_ids:
        pipe.hgetall(presence_key(centre_sitting_id))
    found = _asked(pipe.execute)
    if found is None:
        return None
    return {pk: _decode(rows) for pk, rows in zip(centre_sitting_ids, found, strict=True)}


class _Asking:
    """How boards, which are read in turn, ask Redis: once it has let one wait in vain, none asks for a while."""

    def __init__(self) -> None:
        self._again_at = 0.0

    def __call__(self, question: Callable[[], T]) -> T | None:
        """Return what Redis answers; None when it is away."""
        if time.monotonic() < self._again_at:
            return None
        try:
            return question()
        except redis.TimeoutError:
            self._again_at = time.monotonic() + MUTE_SECONDS
        except redis.RedisError:
            pass
        return None


_asked = _Asking()


def _decode(rows: Mapping[str, str]) -> dict[int, Presence]:
    known = len(Presence.__slots__)  # another version may say more, or less
    return {int(sheet): Presence(*json.loads(row)[:known]) for sheet, row in rows.items()}


def _encode(item: Presence) -> str:
    return json.dumps([getattr(item, name) for name in Presence.__slots__])


@dataclass(frozen=True, slots=True)
class DoorSight:
    """What one process says of one of its limits. A hint: absent when Redis is away.

    Attributes:
        process: which one, as `host:pid`.
        limit: name of the limit (`exams.enums.LimitName`).
        value: of the limit, as this process applies it.
        used: of it.
        waiting: how many wait.
        since: since when somebody has been waiting, milliseconds since 1970; None when nobody is.
        at: when it was said, likewise.
        rooms: how many wait, by centre sitting (text), where it is known.
        lack: for want of what fewer than the staff allows pass (`exams.enums.Lack`).
    """

    process: str
    limit: str
    value: int
    used: int
    waiting: int
    since: int | None
    at: int
    rooms: dict[str, int]
    lack: str = Lack.NOTHING.value


def publish_door(sight: DoorSight) -> None:
    """Write what a process says of one of its limits, over what it said before."""
    pipe = _redis().pipeline(transaction=False)
    pipe.hset(DOORS_KEY, f"{sight.limit}|{sight.process}", json.dumps(astuple(sight)))
    pipe.expire(DOORS_KEY, DOOR_SECONDS)
    pipe.execute()


def doors(now: int) -> list[DoorSight]:
    """Return what each process said of its limits in the last ten seconds; empty when Redis is away.

    Args:
        now: milliseconds since 1970.
    """
    rows = _asked(lambda: _redis().hgetall(DOORS_KEY)) or {}
    sights = [DoorSight(*json.loads(row)) for _, row in sorted(rows.items())]
    return [sight for sight in sights if now - sight.at <= DOOR_SECONDS * 1000]


def share_line(limit: str, firsts: Mapping[int, float], passed: Iterable[int], now: float) -> dict[int, float]:
    """Tell since when some have been waiting, and return since when all have, whatever process they knocked at.

    Args:
        limit: name of the limit before which they wait.
        firsts: seconds since 1970 of their first refusal by this process, by key.
        passed: keys of those who have passed.
        now: seconds since 1970.
    """
    line, knocks = f"{LINE_KEY}:{limit}", f"{LINE_KEY}:{limit}:knocks"
    gone = _redis().zrangebyscore(knocks, "-inf", now - LINE_SECONDS)
    pipe = _redis().pipeline(transaction=False)
    if leaving := [*map(str, passed), *gone]:
        pipe.zrem(line, *leaving)
        pipe.zrem(knocks, *leaving)
    if firsts:
        pipe.zadd(line, {str(key): since for key, since in firsts.items()}, nx=True)
        pipe.zadd(knocks, {str(key): now for key in firsts})
    for key in (line, knocks):
        pipe.expire(key, PRESENCE_SECONDS)
    pipe.zrange(line, 0, -1, withscores=True)
    return {int(key): since for key, since in pipe.execute()[-1]}


def share_passed(limit: str, passed: Iterable[int], now: float) -> list[int]:
    """Tell who waited and has passed, and return who has in the last ten seconds, at whatever process.

    Args:
        limit: name of the limit before which they waited.
        passed: their keys.
        now: seconds since 1970.
    """
    key = f"{PASSED_KEY}:{limit}"
    pipe = _redis().pipeline(transaction=False)
    if found := {str(one): now for one in passed}:
        pipe.zadd(key, found)
    pipe.zremrangebyscore(key, "-inf", now - PASSED_SECONDS)
    pipe.expire(key, PASSED_SECONDS)
    pipe.zrange(key, 0, -1)
    return [int(one) for one in pipe.execute()[-1]]


def publish_guarded(objections: Mapping[tuple[GuardName, GuardMode], int]) -> None:
    """Add to what the guards objected to today, by guard and mode."""
    pipe = _redis().pipeline(transaction=False)
    for (name, mode), count in objections.items():
        pipe.hincrby(GUARDED_KEY, f"{name.value}|{mode.value}", count)
    pipe.expire(GUARDED_KEY, GUARDED_SECONDS)
    pipe.execute()


def guarded() -> dict[tuple[GuardName, GuardMode], int]:
    """Return what the guards objected to in the last day, by guard and mode; empty when Redis is away."""
    try:
        rows = _redis().hgetall(GUARDED_KEY)
    except redis.RedisError:
        return {}
    found = {}
    for key, count in rows.items():
        name, mode = str(key).split("|")
        found[GuardName(name), GuardMode(mode)] = int(count)
    return found
