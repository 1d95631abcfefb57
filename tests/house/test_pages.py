"""Pages are answered in one go by a few threads that last: what decisions 21 and 23 rest on."""

import asyncio
import threading
from inspect import iscoroutinefunction

import pytest
from asgiref.testing import ApplicationCommunicator
from django.db import connection
from django.http import HttpResponse
from django.urls import get_resolver, path, resolve

from centres.consumers import BOARD_THREAD, DATABASE_THREADS
from ecni.pages import CANDIDATE_PATHS, CANDIDATE_THREADS, THREADS, WAITED, PagesHandler
from ecni.preflight.limits import CONNECTIONS_PER_WEB_PROCESS


def views(patterns):
    for one in patterns:
        if hasattr(one, "url_patterns"):
            yield from views(one.url_patterns)
        else:
            yield one.callback


def test_no_view_is_asynchronous():
    found = list(views(get_resolver().url_patterns))
    assert len(found) > 50
    assert [view for view in found if iscoroutinefunction(view)] == []


def test_preflight_counts_a_connection_for_each_thread_the_one_of_sessions_and_that_of_readiness():
    consoles = DATABASE_THREADS._max_workers + BOARD_THREAD._max_workers
    assert THREADS + consoles + 2 == CONNECTIONS_PER_WEB_PROCESS


together = threading.Barrier(THREADS)


def tell_backend(_request):
    """Answer with the connection of this thread, once as many requests are here as there are threads."""
    together.wait(10)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return HttpResponse(str(cursor.fetchone()[0]))


def tell_thread(_request):
    return HttpResponse(threading.current_thread().name)


opened = threading.Event()


def wait_for_the_door(request):
    """Answer, once the door is open, whether this request had to wait for a thread."""
    opened.wait(10)
    return HttpResponse(str(request.META[WAITED] > 0.1))


urlpatterns = [path("", tell_thread), path("connexion", tell_backend), path("entrer/", wait_for_the_door)]


@pytest.fixture
def handler(settings):
    settings.ROOT_URLCONF = __name__
    made = PagesHandler()
    yield made
    made._threads.shutdown()


async def answer(handler, where="/"):
    headers = [(b"host", b"testserver")]
    scope = {"type": "http", "method": "GET", "path": where, "headers": headers, "query_string": b""}
    caller = ApplicationCommunicator(handler, scope)
    await caller.send_input({"type": "http.request", "body": b""})
    status = (await caller.receive_output(20))["status"]
    body = (await caller.receive_output(20))["body"].decode()
    await caller.wait(10)
    return status, body


async def hang_up(handler, where):
    """Ask for a page, and leave once it is being made."""
    headers = [(b"host", b"testserver")]
    scope = {"type": "http", "method": "GET", "path": where, "headers": headers, "query_string": b""}
    caller = ApplicationCommunicator(handler, scope)
    await caller.send_input({"type": "http.request", "body": b""})
    await asyncio.sleep(0.3)
    await caller.send_input({"type": "http.disconnect"})
    await caller.wait(5)


def test_each_door_of_candidates_is_a_page():
    assert all(resolve(one, "ecni.urls") for one in CANDIDATE_PATHS)


async def test_a_page_is_answered_by_a_thread_of_pages(handler):
    assert await answer(handler) == (200, "page_0")


@pytest.fixture
def _closed():
    opened.clear()
    yield
    opened.set()


@pytest.mark.usefixtures("_closed")
async def test_a_crowd_at_the_door_leaves_threads_to_the_others_and_knows_that_it_has_waited(handler):
    crowd = [asyncio.create_task(answer(handler, "/entrer/")) for _ in range(2 * CANDIDATE_THREADS)]
    await asyncio.sleep(0.2)
    assert (await answer(handler))[0] == 200
    assert not any(task.done() for task in crowd)
    opened.set()
    found = [body for _status, body in await asyncio.gather(*crowd)]
    assert sorted(found) == ["False"] * CANDIDATE_THREADS + ["True"] * CANDIDATE_THREADS


@pytest.mark.usefixtures("_closed")
async def test_who_hangs_up_does_not_free_a_thread_that_works(handler):
    crowd = [asyncio.create_task(hang_up(handler, "/entrer/")) for _ in range(CANDIDATE_THREADS)]
    await asyncio.gather(*crowd)
    others = [asyncio.create_task(answer(handler, "/entrer/")) for _ in range(CANDIDATE_THREADS)]
    await asyncio.sleep(0.2)
    assert (await asyncio.wait_for(answer(handler), 5))[0] == 200
    opened.set()
    assert {status for status, _body in await asyncio.gather(*others)} == {200}


async def rush(handler):
    """Have three requests for each thread answered at once; return the connections that they used."""
    found = await asyncio.gather(*(answer(handler, "/connexion") for _ in range(3 * THREADS)))
    assert {status for status, _body in found} == {200}
    return {body for _status, body in found}


@pytest.mark.django_db(transaction=True)
async def test_requests_above_the_threads_wait_and_connections_are_kept(handler):
    first = await rush(handler)
    assert len(first) == THREADS
    assert await rush(handler) == first


@pytest.mark.django_db(transaction=True)
async def test_connections_that_died_are_replaced(handler):
    first = await rush(handler)

    def kill():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pid::int, 2000) FROM unnest(%s) AS pid", [list(first)])
            assert cursor.rowcount == THREADS

    await asyncio.to_thread(kill)
    assert not await rush(handler) & first
