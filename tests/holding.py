"""Something held meanwhile by somebody else: a lock, on a connection of another thread."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

from django.db import connection, connections, transaction

PATIENCE = 20


@contextmanager
def held_elsewhere(hold: Callable[[], object]) -> Iterator[None]:
    """Call `hold` in a transaction of another thread, which stays open until the block ends."""
    holding, let_go = Event(), Event()

    def keep():
        try:
            with transaction.atomic():
                hold()
                holding.set()
                let_go.wait(PATIENCE)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as threads:
        keeper = threads.submit(keep)
        try:
            assert holding.wait(PATIENCE)
            yield
        finally:
            let_go.set()
            keeper.result(PATIENCE)


def lock_table(name: str) -> None:
    """Keep everybody else from reading a table until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {name} IN ACCESS EXCLUSIVE MODE")
