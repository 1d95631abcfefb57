"""Connections that an account, or a database, may have: a limit of its own below that of PostgreSQL."""

import os
from contextlib import ExitStack, closing, contextmanager

import psycopg2
import pytest
from django.db import connection

from ecni.vitals import Severity
from ecni.watch.engines import Database
from ecni.watch.rules import judge

ACCOUNT = f"watched_{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"
"""Workers share one cluster."""


@pytest.fixture
def watched(transactional_db):
    """Give the watch of an account that may have four connections, and a cursor of who may raise that."""
    with account(f"IN ROLE {connection.settings_dict['USER']} CONNECTION LIMIT 4") as found:
        yield found


@contextmanager
def account(options):
    """Give the watch of an account of its own, and a cursor of the owner's."""
    place = connection.settings_dict
    owner = place["USER"]
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE ROLE {ACCOUNT} LOGIN {options}")
        try:
            place["USER"] = ACCOUNT
            with closing(Database()) as found:
                place["USER"] = owner
                yield found, cursor
        finally:
            place["USER"] = owner
            cursor.execute(f'ALTER DATABASE "{place["NAME"]}" CONNECTION LIMIT -1')
            cursor.execute(f"DROP ROLE {ACCOUNT}")


def told(database, layer):
    return [one for one in database.read() if one.layer == layer]


def test_connections_of_an_account_are_watched_and_may_be_raised_live(watched):
    database, cursor = watched
    place = connection.settings_dict
    (calm,) = told(database, "postgresql-role")
    assert (calm.where, calm.used, calm.limit) == (ACCOUNT, 1, 4)
    with ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(closing(psycopg2.connect(host=place["HOST"], dbname=place["NAME"], user=ACCOUNT)))
        (full,) = told(database, "postgresql-role")
        owner, place["USER"] = place["USER"], ACCOUNT
        newcomer = Database()
        place["USER"] = owner
        with closing(newcomer):
            (refusing,) = newcomer.read()
        assert (refusing.layer, refusing.where, refusing.refused) == ("postgresql-role", ACCOUNT, 1)
        assert judge(full, None, 0.0).pressure.severity is Severity.REACHED
        cursor.execute(f"ALTER ROLE {ACCOUNT} CONNECTION LIMIT 40")
        (raised,) = told(database, "postgresql-role")
        assert (raised.used, raised.limit, raised.share < 0.2) == (4, 40, True)


def test_connections_of_a_database_are_watched(watched):
    database, cursor = watched
    name = connection.settings_dict["NAME"]
    assert told(database, "postgresql-database") == []
    cursor.execute(f'ALTER DATABASE "{name}" CONNECTION LIMIT 30')
    (found,) = told(database, "postgresql-database")
    assert (found.where, found.limit, found.used >= 2) == (name, 30, True)


def test_connections_of_others_are_counted_by_an_account_that_may_not_look_at_them(transactional_db):
    with account("") as (poor, _cursor):
        (reading,) = told(poor, "postgresql-connections")
    assert reading.used >= 2


def test_who_passes_by_both_limits_is_told_of_none(transactional_db):
    with closing(Database()) as database:
        assert told(database, "postgresql-role") == told(database, "postgresql-database") == []
