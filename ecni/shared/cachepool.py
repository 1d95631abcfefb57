"""One pool of Redis connections for each process: Django makes a cache, and its pool, for each thread."""

from functools import cache
from typing import Any

from redis import ConnectionPool


class SharedPool(ConnectionPool):
    """A pool by address, the same for every thread."""

    @classmethod
    @cache
    def from_url(cls, url: str, **options: Any) -> "SharedPool":
        """Return the pool of an address, made by the first who asks."""
        return super().from_url(url, **options)
