"""Whether this process can serve: what it rests on, each looked at shortly, in words without addresses or secrets."""

import logging
import os
from collections.abc import Callable
from datetime import datetime

from django.conf import settings
from django.db import Error
from django.db.migrations.executor import MigrationExecutor

from ecni.vitals import Turn
from ecni.watch.engines import own_connection
from exams.rules.timing import do_clocks_agree

logger = logging.getLogger(__name__)

OK = "ok"


class Health:
    """The checks of one process, on a connection of its own."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._connection = own_connection()
        self._is_migrated = False
        self._database = Turn(logger, "PostgreSQL", "postgresql")

    def check(self) -> dict[str, str]:
        """Return what each thing that this process rests on says: `ok`, or what is wrong with it."""
        return self._of_database() | {"papers": _papers()}

    def _of_database(self) -> dict[str, str]:
        try:
            with self._connection.cursor() as cursor:
                cursor.execute("SELECT clock_timestamp()")
                ((instant,),) = cursor.fetchall()
            self._is_migrated = self._is_migrated or not self._missing_migrations()
        except Error as error:
            self._database.away(error)
            self._connection.close()
            return {"postgresql": "away", "migrations": "unknown", "clock": "unknown"}
        self._database.back()
        return {
            "postgresql": OK,
            "migrations": OK if self._is_migrated else "missing",
            "clock": OK if do_clocks_agree(instant, self._now()) else "apart",
        }

    def _missing_migrations(self) -> bool:
        executor = MigrationExecutor(self._connection)
        return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()


def _papers() -> str:
    return OK if os.access(settings.PAPERS_ROOT, os.R_OK | os.X_OK) else "unreadable"


def is_ready(checks: dict[str, str]) -> bool:
    """Whether all is well. Being full is not looked at: who composes goes on being served."""
    return set(checks.values()) == {OK}
