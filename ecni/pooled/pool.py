"""Connections that wait for their next request, and the permits without which none is opened."""

import threading
import time
from collections import deque
from collections.abc import Callable

import psycopg2
from django.db import OperationalError
from psycopg2.extensions import TRANSACTION_STATUS_IDLE, connection

PATIENCE_SECONDS = 10.0
"""How long a request waits for a permit."""

TRUSTED_SECONDS = 1.0
"""How long a connection may have waited without being asked whether it still works."""


class PoolFull(OperationalError):
    """Every permit was in use for `PATIENCE_SECONDS`."""


class Pool:
    """At most `size` connections to one database, in use or waiting."""

    def __init__(self, size: int) -> None:
        self._permits = threading.BoundedSemaphore(size)
        self._waiting: deque[tuple[connection, float]] = deque()

    def permit(self) -> Callable[[], None]:
        """Take one permit; return what gives it back, once, however often it is called.

        Raises:
            PoolFull: none was given back in time.
        """
        if not self._permits.acquire(timeout=PATIENCE_SECONDS):
            raise PoolFull(f"no connection was given back within {PATIENCE_SECONDS:.0f} s")
        held = [None]

        def give_back() -> None:
            try:
                held.pop()
            except IndexError:
                return
            self._permits.release()

        return give_back

    def take(self) -> connection | None:
        """Return a connection that works, the last one used, or None when none waits."""
        while True:
            try:
                found, since = self._waiting.pop()
            except IndexError:
                return None
            if time.monotonic() - since < TRUSTED_SECONDS or works(found):
                return found

    def keep(self, used: connection) -> None:
        """Let a connection wait for its next request; close it, and those that wait, if it is broken."""
        if not used.closed and used.info.transaction_status == TRANSACTION_STATUS_IDLE:
            self._waiting.append((used, time.monotonic()))
            return
        broken = bool(used.closed)
        used.close()
        while broken and self._waiting:
            self._waiting.pop()[0].close()


def works(idle: connection) -> bool:
    """Whether PostgreSQL answers on a connection; it is closed if not."""
    try:
        with idle.cursor() as cursor:
            cursor.execute("SELECT 1")
    except psycopg2.Error:
        idle.close()
        return False
    return True
