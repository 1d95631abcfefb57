"""Wrong codes: a pause that grows for the one tablet that types them, and touches nobody else.

A code holds 60 bits: guessing is hopeless, so that nothing is ever locked. Counters live in the cache and may be lost.
"""

from hashlib import sha256

import redis
from django.core.cache import cache

FREE_ATTEMPTS = 3
LONGEST_SECONDS = 30
MEMORY_SECONDS = 600


def note_wrong_code(*, device: str, address: str) -> None:
    """Count a wrong code of this device at this address, and start its pause once the free attempts are spent."""
    try:
        count = _count(device, address)
        if count > FREE_ATTEMPTS:
            cache.set(_key("pause", device, address), 1, min(2 ** (count - FREE_ATTEMPTS), LONGEST_SECONDS))
    except redis.RedisError:
        return


def must_wait(*, device: str, address: str) -> bool:
    """Whether this device is in its pause; never while the cache is away."""
    try:
        return bool(cache.get(_key("pause", device, address)))
    except redis.RedisError:
        return False


def _count(device: str, address: str) -> int:
    key = _key("count", device, address)
    cache.add(key, 0, MEMORY_SECONDS)
    return cache.incr(key)


def _key(kind: str, device: str, address: str) -> str:
    return f"wrong-code:{kind}:{sha256(f'{device}|{address}'.encode()).hexdigest()}"
