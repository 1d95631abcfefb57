"""Group commit: the database work of many sockets, gathered for a few milliseconds and done at once in one thread."""

import asyncio
import logging
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from django.db import connection

from ecni.vitals import Pulse

logger = logging.getLogger(__name__)

LINGER_SECONDS = 0.004
RETRY_SECONDS = 0.25

Item = TypeVar("Item")
Result = TypeVar("Result")


class Batch(Generic[Item, Result]):
    """One thread with one database connection, fed by the event loop and answering on it.

    Args:
        name: of the thread.
        work: called in the thread with all that was gathered; returns one result per item, in order.
        settle: called on the event loop with each item and its result; None when the work failed.
        capacity: how many items may wait; beyond, `submit` refuses.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[Sequence[Item]], Sequence[Result]],
        settle: Callable[[Item, Result | None], Awaitable[None]],
        capacity: int,
    ) -> None:
        self._work = work
        self._settle = settle
        self.capacity = capacity
        self.pulse = Pulse()
        self._waiting: list[Item] = []
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._loop = asyncio.get_running_loop()
        self._settled: asyncio.Queue[tuple[Sequence[Item], Sequence[Result] | None]] = asyncio.Queue()
        self._pump = self._loop.create_task(self._settle_batches(), name=f"{name}-pump")
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(self, item: Item) -> bool:
        """Hand over one item; return False when too many are waiting."""
        with self._lock:
            if len(self._waiting) >= self.capacity:
                return False
            self._waiting.append(item)
        self._wake.set()
        return True

    @property
    def waiting(self) -> int:
        """How many items wait for their turn."""
        return len(self._waiting)

    def stop(self) -> None:
        """End the thread and its connection; what still waits is not done, and nobody is told it was."""
        self._stopping = True
        self._wake.set()
        self._thread.join()
        self._pump.cancel()

    def _run(self) -> None:
        while not self._stopping:
            self._wake.wait()
            time.sleep(LINGER_SECONDS)
            with self._lock:
                self._wake.clear()
                items, self._waiting = self._waiting, []
            results = self._attempt(items) if items else []
            if not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self._settled.put_nowait, (items, results))
        connection.close()

    def _attempt(self, items: Sequence[Item]) -> Sequence[Result] | None:
        self.pulse.begin()
        try:
            return self._work(items)
        except Exception:
            logger.exception("a batch of %d failed", len(items))
            connection.close()
            time.sleep(RETRY_SECONDS)
            return None
        finally:
            self.pulse.end(len(items))

    async def _settle_batches(self) -> None:
        while True:
            items, results = await self._settled.get()
            for position, item in enumerate(items):
                try:
                    await self._settle(item, None if results is None else results[position])
                except Exception:
                    logger.exception("a result could not be delivered")
