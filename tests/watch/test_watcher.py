"""What the watcher believes while a part of it hangs, and what it meets at the door."""

import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from urllib.request import Request, urlopen

import psycopg2
import pytest
from django.db import connection

from ecni.pages import THREADS
from ecni.watch.newcomer import knock, read_address
from ecni.watch.rules import HOLD_SECONDS, Reading
from ecni.watch.watcher import Sampler, Watcher

FOUND = Reading("newcomers", "http://127.0.0.1", 3, 0, refused=1, words="un nouveau venu n’entre pas")


def sampler(seconds):
    """Return one that has found something, and has been reading for so long."""
    return Sampler(list, last=[FOUND], pending=Future(), began=time.monotonic() - seconds)


def test_what_is_being_read_stays_as_it_was_for_a_while_and_refuses_nobody_anew():
    (kept,) = Watcher._collected(sampler(1.0))
    assert (kept.layer, kept.words, kept.refused) == (FOUND.layer, FOUND.words, 0)
    assert Watcher._collected(sampler(HOLD_SECONDS + 1)) == []


def test_what_fails_to_be_read_is_forgotten():
    failing = sampler(1.0)
    failing.pending.set_exception(OSError("no"))
    assert Watcher._collected(failing) == []
    failing.pending = Future()
    assert Watcher._collected(failing) == []


@pytest.fixture
def locked_sessions(transactional_db):
    """Keep whoever is logged in waiting: sessions are locked."""
    settings = connection.settings_dict
    holder = psycopg2.connect(host=settings["HOST"], dbname=settings["NAME"], user=settings["USER"])
    with closing(holder), holder.cursor() as cursor:
        cursor.execute("LOCK TABLE django_session IN ACCESS EXCLUSIVE MODE")
        yield


def ask_as_somebody(address):
    with suppress(OSError), urlopen(Request(address, headers={"Cookie": f"sessionid={'x' * 32}"}), timeout=20) as page:
        page.read()


@pytest.mark.slow
def test_a_newcomer_is_stopped_when_every_thread_of_pages_waits(asgi_server, locked_sessions):
    door = read_address(asgi_server)
    assert knock(door).stage == ""
    with ThreadPoolExecutor(2 * THREADS) as crowd:
        asked = [crowd.submit(ask_as_somebody, f"{asgi_server}/connexion/") for _ in range(2 * THREADS)]
        time.sleep(1)
        attempt = knock(door)
        assert (attempt.stage, attempt.is_silent, sum(one.done() for one in asked)) == ("la page", True, 0)
    assert knock(door).stage == ""
