"""Reading PostgreSQL and Redis by connections of one's own: who is inside keeps a seat when the room is full."""

import re
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

import redis
from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

from ecni.vitals.hints import client
from ecni.watch.rules import CALM_SHARE, Reading, several

CONNECT_SECONDS = 2
LAG_SECONDS = 30
"""Of a standby: what its host's loss would take, were it not synchronous."""

TOO_MANY = ("too many clients", "remaining connection slots")
TOO_MANY_FOR = re.compile(r'too many connections for (role|database) "(.*?)"')

_ACCOUNTS = """
WITH clients AS (
  SELECT usesysid, datid FROM pg_stat_activity WHERE coalesce(backend_type, 'client backend') = 'client backend'
)
SELECT 'postgresql-role', rolname, rolconnlimit, (SELECT count(*) FROM clients WHERE usesysid = pg_roles.oid)
FROM pg_roles WHERE rolname = session_user AND NOT rolsuper AND rolconnlimit >= 0
UNION ALL
SELECT 'postgresql-database', datname, datconnlimit, (SELECT count(*) FROM clients WHERE datid = pg_database.oid)
FROM pg_database, pg_roles
WHERE datname = current_database() AND rolname = session_user AND NOT rolsuper AND datconnlimit >= 0
"""
"""Limits of this account alone: a superuser passes by both. Of others' sessions the kind is not told."""

_CONNECTIONS = """
SELECT (
    SELECT count(*) FROM pg_stat_activity
    WHERE datid IS NOT NULL AND coalesce(backend_type, 'client backend') = 'client backend'
  ),
  current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
    - coalesce(current_setting('reserved_connections', true)::int, 0),
  CASE WHEN pg_has_role(current_user, 'pg_read_all_stats', 'USAGE')
    THEN current_setting('synchronous_standby_names') ELSE '' END,
  (SELECT setting FROM pg_settings WHERE name = 'data_directory')
"""
"""Who may not see the standbys is asked about none; of others' sessions only the database is told."""

_STANDBYS = """
SELECT coalesce(application_name, ''), sync_state, coalesce(extract(epoch FROM replay_lag), 0)::float
FROM pg_stat_replication WHERE state = 'streaming'
"""


class Database:
    """PostgreSQL, as the watcher sees it."""

    def __init__(self) -> None:
        self._connection = own_connection()

    def read(self) -> list[Reading]:
        """Read connections, of the server and of this account, standbys and disk.

        Call again after an error: the connection is made anew.

        Raises:
            django.db.Error: PostgreSQL does not answer.
        """
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(_CONNECTIONS)
                ((used, most, standby_names, folder),) = cursor.fetchall()
                cursor.execute(_STANDBYS)
                standbys = cursor.fetchall()
                cursor.execute(_ACCOUNTS)
                accounts = [Reading(layer, name, held, limit) for layer, name, limit, held in cursor.fetchall()]
        except Exception as error:
            self._connection.close()
            if is_full(error):
                return [full()]
            if reading := _account_refused(error):
                return [reading]
            raise
        return [self._connections(used, most), *accounts, *_standbys(standby_names, standbys), *_disk(folder)]

    def _connections(self, used: int, most: int) -> Reading:
        reading = Reading("postgresql-connections", "", used, most)
        return reading if reading.share < CALM_SHARE or self._lets_in() else full(used, most)

    def _lets_in(self) -> bool:
        """Knock as a newcomer would."""
        knocking = own_connection()
        try:
            knocking.connect()
        except Exception as error:
            if is_full(error):
                return False
            if not _account_refused(error):  # a limit of its own, read beside this one
                raise
        finally:
            knocking.close()
        return True

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()


def own_connection() -> BaseDatabaseWrapper:
    """Return a connection to the database of the house that any thread may use and that waits for nothing long."""
    own: BaseDatabaseWrapper = connection.copy()
    settings: dict[str, Any] = own.settings_dict
    options = {"connect_timeout": CONNECT_SECONDS, "application_name": "ecni-watch"}
    own.settings_dict = settings | {
        "OPTIONS": settings["OPTIONS"] | options | {"options": "-c statement_timeout=1s -c lock_timeout=1s"},
        "CONN_MAX_AGE": None,
    }
    own.inc_thread_sharing()
    return own


def is_full(error: BaseException) -> bool:
    """Whether PostgreSQL refused a connection for want of room."""
    return any(words in str(error) for words in TOO_MANY)


def _account_refused(error: BaseException) -> Reading | None:
    """What it means that a role, or the database, has no connection left; None when that is not what was said."""
    found = TOO_MANY_FOR.search(str(error))
    if found is None:
        return None
    layer, name = f"postgresql-{found[1]}", found[2]
    words = f"PostgreSQL refuse les nouvelles connexions de {name} (CONNECTION LIMIT)"
    return Reading(layer, name, 0, 0, refused=1, words=words)


def full(used: int = 0, most: int = 0) -> Reading:
    """PostgreSQL turns newcomers away."""
    count = f" : {used} sur {most}" if most else ""
    words = f"PostgreSQL refuse les nouvelles connexions{count}"
    return Reading("postgresql-connections", "", used, most, refused=1, words=words)


def _standbys(names: str, standbys: list[tuple[str, str, float]]) -> list[Reading]:
    readings = [
        Reading("postgresql-standby", name, lag, LAG_SECONDS, words=f"le secours {name} a {lag:.1f} s de retard")
        for name, _, lag in standbys
    ]
    if names and not any(state in {"sync", "quorum"} for _, state, _ in standbys):
        words = "aucun secours synchrone de PostgreSQL : chaque réponse attend le sien"
        readings.append(Reading("postgresql-standby", "", 0, 0, refused=1, words=words))
    return readings


def _disk(folder: str | None) -> list[Reading]:
    """The disk of the logs; nothing where PostgreSQL runs elsewhere, or keeps its folder to itself."""
    for place in (Path(folder, "pg_wal"), Path(folder)) if folder is not None else ():
        with suppress(OSError):
            usage = shutil.disk_usage(place)
            return [Reading("postgresql-disk", "", usage.used, usage.used + usage.free)]
    return []


class Hints:
    """Redis, as the watcher sees it."""

    def __init__(self) -> None:
        self._client = client()
        self._before: dict[str, int] = {}

    def read(self) -> list[Reading]:
        """Read clients, memory and what was forgotten.

        Raises:
            redis.RedisError: Redis does not answer.
        """
        try:
            told: dict[str, Any] = self._client.info()
        except redis.ConnectionError as error:
            if "max number of clients" in str(error):
                return [_crowded(0, 0)]
            raise
        most = int(told.get("maxclients", 0))
        clients = Reading("redis-clients", "", told["connected_clients"], most)
        if self._grew("rejected_connections", told):
            clients = _crowded(told["connected_clients"], most)
        readings = [clients]
        if told["maxmemory"]:
            readings.append(Reading("redis-memory", "", told["used_memory"], told["maxmemory"]))
        forgotten = self._grew("evicted_keys", told)
        if forgotten:
            words = f"Redis oublie faute de mémoire : {several(forgotten, 'clé', 'clés')}"
            readings.append(Reading("redis-eviction", "", forgotten, 0, refused=forgotten, words=words))
        return readings

    def _grew(self, name: str, told: dict[str, Any]) -> int:
        count = int(told[name])
        before, self._before[name] = self._before.get(name, count), count
        return max(0, count - before)


def _crowded(used: int, most: int) -> Reading:
    count = f" : {used} sur {most}" if most else ""
    return Reading("redis-clients", "", used, most, refused=1, words=f"Redis refuse de nouveaux clients{count}")
