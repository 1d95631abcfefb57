"""Vitals and pressures in Redis: short-lived keys, read by whoever shows or scrapes them."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import redis
from django.conf import settings

from ecni.vitals.pressure import Pressure, Severity, decode, encode, in_order
from ecni.vitals.record import Vitals

INDEX = "ecni:vitals"
WATCHERS = "ecni:pressures"
FRESH_SECONDS = 10
"""What a process has not said again since is forgotten."""

PAST_LENGTH = 60


@dataclass(frozen=True, slots=True)
class Past:
    """One point of the small drawings.

    Attributes:
        sockets: open then.
        acks: answers acknowledged per second.
        lag_ms: of the event loop.
    """

    sockets: int
    acks: float
    lag_ms: float


def client() -> redis.Redis:
    """Return a client of its own, that gives up soon: nobody waits for a hint."""
    return redis.Redis.from_url(
        settings.REDIS_HINTS_URL,
        decode_responses=True,
        socket_timeout=1,
        socket_connect_timeout=1,
        max_connections=32,
    )


@cache
def _shared() -> redis.Redis:
    return client()


def publish_vitals(to: redis.Redis, vitals: Vitals) -> None:
    """Write the record of this process and one point of its past.

    Raises:
        redis.RedisError: Redis is away.
    """
    key = f"{INDEX}:{vitals.name}"
    point = [vitals.gauges.sockets, round(vitals.acks_per_second, 1), round(vitals.loop_lag_ms)]
    pipe = to.pipeline(transaction=False)
    pipe.set(key, vitals.encode(), ex=FRESH_SECONDS)
    pipe.lpush(f"{key}:past", json.dumps(point))
    pipe.ltrim(f"{key}:past", 0, PAST_LENGTH - 1)
    pipe.expire(f"{key}:past", FRESH_SECONDS)
    pipe.zadd(INDEX, {vitals.name: vitals.at})
    pipe.zremrangebyscore(INDEX, "-inf", vitals.at - 3 * FRESH_SECONDS)
    pipe.execute()


def read_vitals() -> list[Vitals]:
    """Return the last record of each process that gave one lately, by role then process.

    Raises:
        redis.RedisError: Redis is away.
    """
    names = _names(INDEX)
    rows = _texts([f"{INDEX}:{name}" for name in names])
    return sorted((Vitals.decode(row) for row in rows), key=lambda one: (one.role, one.host, one.pid))


def read_past(names: Sequence[str]) -> dict[str, list[Past]]:
    """Return the last two minutes of each of these processes, oldest first.

    Raises:
        redis.RedisError: Redis is away.
    """
    pipe = _shared().pipeline(transaction=False)
    for name in names:
        pipe.lrange(f"{INDEX}:{name}:past", 0, -1)
    return {
        name: [Past(*json.loads(point)) for point in reversed(points)]
        for name, points in zip(names, pipe.execute(), strict=True)
    }


def publish_pressures(to: redis.Redis, host: str, pressures: Sequence[Pressure], at: float) -> None:
    """Write what the watcher of one host found.

    Raises:
        redis.RedisError: Redis is away.
    """
    pipe = to.pipeline(transaction=False)
    pipe.set(f"{WATCHERS}:{host}", encode(pressures), ex=FRESH_SECONDS)
    pipe.zadd(WATCHERS, {host: at})
    pipe.zremrangebyscore(WATCHERS, "-inf", at - 3 * FRESH_SECONDS)
    pipe.execute()


def read_pressures() -> list[Pressure] | None:
    """Return what every watcher found, the gravest first; None when no watcher is at work.

    Raises:
        redis.RedisError: Redis is away.
    """
    hosts = _names(WATCHERS)
    rows = _texts([f"{WATCHERS}:{host}" for host in hosts])
    if not rows:
        return None
    return in_order(pressure for row in rows for pressure in decode(row))


def read_watchers() -> list[str]:
    """Return the hosts whose watcher gave what it found lately.

    Raises:
        redis.RedisError: Redis is away.
    """
    hosts = _names(WATCHERS)
    found: Any = _shared().mget([f"{WATCHERS}:{host}" for host in hosts]) if hosts else []
    return [host for host, text in zip(hosts, found, strict=True) if text]


def reached_limit(told: Collection[str] = ()) -> str:
    """Return the gravest limit reached, as one French sentence; empty when there is none, or when Redis is away.

    Args:
        told: layers that the page names already, with what to do.
    """
    try:
        pressures = read_pressures() or []
    except redis.RedisError:
        return ""
    reached = [one for one in pressures if one.severity is Severity.REACHED and one.layer not in told]
    return f"Limite atteinte : {reached[0].sentence}" if reached else ""


def _names(index: str) -> list[str]:
    # Clocks of hosts differ: keys expire by themselves, the index is only where to look.
    names: Any = _shared().zrange(index, 0, -1)
    return list(names)


def _texts(keys: Sequence[str]) -> list[str]:
    found: Any = _shared().mget(keys) if keys else []
    return [text for text in found if text]
