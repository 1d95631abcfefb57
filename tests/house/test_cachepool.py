"""The connections of the web role: kept from one request to the next, counted, replaced when they are dead."""

import gc
import threading

import psycopg2
import pytest
from django.core.cache import caches
from django.db import connection

from ecni.pooled import base, pool
from ecni.pooled.base import DatabaseWrapper
from ecni.pooled.cache import SharedPool
from ecni.pooled.pool import Pool, PoolFull

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def request_connection(monkeypatch):
    """Make what Django makes for the thread of each request; two at most may be connected at once."""
    pools = {connection.settings_dict["NAME"]: Pool(2)}
    monkeypatch.setattr(base, "_POOLS", pools)
    monkeypatch.setattr(pool, "PATIENCE_SECONDS", 0.05)
    made = []

    def make():
        made.append(DatabaseWrapper(connection.settings_dict | {"CONN_MAX_AGE": 0}, "default"))
        made[-1].inc_thread_sharing()
        return made[-1]

    yield make
    for one in made:
        one.close()
    while (idle := pools[connection.settings_dict["NAME"]].take()) is not None:
        idle.close()


def backend(request):
    with request.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return cursor.fetchone()[0]


def kill(pid):
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 2000)", [pid])


def test_the_next_request_takes_the_connection_of_the_last_one(request_connection):
    first, found = request_connection(), []
    pid = backend(first)
    first.close()

    def other_thread():
        request = request_connection()
        found.append(backend(request))
        request.close()

    thread = threading.Thread(target=other_thread)
    thread.start()
    thread.join()
    assert found == [pid]


def test_a_connection_left_in_a_transaction_is_not_given_to_another(request_connection):
    first = request_connection()
    first.set_autocommit(False)
    pid = backend(first)
    first.close()
    assert backend(request_connection()) != pid


def test_a_dead_connection_is_replaced(request_connection, monkeypatch):
    monkeypatch.setattr(pool, "TRUSTED_SECONDS", 0.0)
    first = request_connection()
    pid = backend(first)
    first.close()
    kill(pid)
    assert backend(request_connection()) != pid


def test_a_connection_that_died_takes_those_that_wait_with_it(request_connection):
    first, second = request_connection(), request_connection()
    pids = {backend(first), backend(second)}
    first.close()
    for pid in pids:
        kill(pid)
    with pytest.raises(psycopg2.OperationalError), second.connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    second.close()
    assert backend(request_connection()) not in pids


def test_no_more_are_opened_than_allowed_and_waiting_ends_with_an_error(request_connection):
    first, second = request_connection(), request_connection()
    backend(first)
    backend(second)
    with pytest.raises(PoolFull):
        request_connection().get_new_connection({})
    first.close()
    assert backend(request_connection())


def test_a_thread_that_forgot_its_connection_keeps_no_place(request_connection):
    second = request_connection()
    backend(second)
    forgotten = DatabaseWrapper(connection.settings_dict | {"CONN_MAX_AGE": 0}, "default")
    backend(forgotten)
    del forgotten
    gc.collect()
    assert backend(request_connection())


def test_every_thread_shares_the_pool_of_the_cache():
    found = []
    thread = threading.Thread(target=lambda: found.append(caches["default"]._cache._get_connection_pool(write=True)))
    thread.start()
    thread.join()
    assert found[0] is caches["default"]._cache._get_connection_pool(write=True)
    assert isinstance(found[0], SharedPool)
