"""Django's PostgreSQL, with a pool for each process: `ecni.pooled`. Django's own pool needs another driver."""

import weakref
from collections import defaultdict
from typing import Any

from django.conf import settings
from django.db.backends.postgresql import base
from django.db.backends.postgresql.psycopg_any import IsolationLevel

from ecni.pooled.pool import Pool

_POOLS: defaultdict[str, Pool] = defaultdict(lambda: Pool(settings.CONNECTION_POOL))


class DatabaseWrapper(base.DatabaseWrapper):
    """Takes its connection from the pool of its database, and gives it back instead of closing it."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Return a connection that waited, or a new one, under a permit that a forgotten thread cannot keep.

        Raises:
            PoolFull: too many are in use.
        """
        pool = self._pool
        permit = pool.permit()
        self._give_back = weakref.finalize(self, permit)
        self.isolation_level = IsolationLevel.READ_COMMITTED
        try:
            return pool.take() or super().get_new_connection(conn_params)
        except BaseException:
            self._give_back()
            raise

    def _close(self) -> None:
        if self.connection is not None:
            self._pool.keep(self.connection)
            self._give_back()

    @property
    def _pool(self) -> Pool:
        return _POOLS[str(self.settings_dict["NAME"])]
