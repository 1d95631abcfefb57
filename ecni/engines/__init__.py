"""PostgreSQL and Redis of one's own: found on the machine or taken from wheels, started on private addresses, stopped.

For the demonstration, the rehearsal and the tests; production has its own servers. Standard library only.
PostgreSQL listens on a Unix socket in a private folder, Redis on 127.0.0.1 behind a random password; both are as
durable as in production. `python -m ecni.engines FOLDER COMMAND…` runs a command beside them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ecni.engines.account import EnginesError, plain_account, reachable_folder
from ecni.engines.postgresql import PostgreSQL
from ecni.engines.redis import Redis

__all__ = ["Engines", "EnginesError", "engines", "plain_account", "reachable_folder"]


@dataclass(frozen=True)
class Engines:
    """The two engines of one data folder, running."""

    postgresql: PostgreSQL
    redis: Redis

    @property
    def database_url(self) -> str:
        """The address for DATABASE_URL."""
        return self.postgresql.url

    @property
    def redis_url(self) -> str:
        """The address for REDIS_URL."""
        return self.redis.url

    @property
    def environment(self) -> dict[str, str]:
        """The variables that Django's settings read."""
        return {"DATABASE_URL": self.database_url, "REDIS_URL": self.redis_url}


@contextmanager
def engines(data_dir: Path) -> Iterator[Engines]:
    """Run PostgreSQL and Redis on `data_dir` for the time of a block; engines found running are used and left running.

    Call it from the main thread: the kernel stops the engines when the thread that started them ends.

    Raises:
        EnginesError: an engine is missing or does not start.
    """
    account = plain_account()
    folder = reachable_folder(data_dir, account)
    pair = Engines(PostgreSQL(folder / "postgresql", account), Redis(folder / "redis", account))
    try:
        pair.postgresql.start()
        pair.redis.start()
        yield pair
    finally:
        pair.redis.stop()
        pair.postgresql.stop()
