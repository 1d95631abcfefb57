"""The consoles' sockets: the board pushed, commands answered, strangers turned away."""

import asyncio
import itertools
import time
from threading import Barrier, Event

import pytest
from asgiref.sync import sync_to_async
from channels.db import database_sync_to_async
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.db import connections
from django.test import Client

from centres.consumers import BOARD_THREAD, DATABASE_THREADS, LATE, MUTE, BoardReader
from centres.protocol import NO_ANSWER
from centres.routing import websocket_urlpatterns
from ecni.accounts.enums import Role
from ecni.accounts.models import User
from exams.actions.journal import own_centre_sitting
from exams.enums import CentreSittingState, SheetState
from tests.factories.centres import make_centre, make_hosting, make_staff
from tests.holding import held_elsewhere, lock_table


def socket(hosting, user, path=None):
    communicator = WebsocketCommunicator(URLRouter(websocket_urlpatterns), path or f"/ws/salle/{hosting.pk}/")
    communicator.scope["headers"] = [(b"cookie", f"sessionid={session_of(user)}".encode())] if user else []
    return communicator


def session_of(user):
    client = Client()
    client.force_login(user)
    return client.cookies["sessionid"].value


@pytest.fixture
def watched(transactional_db):
    hosting = make_hosting(state="LOBBY")
    agency = User.objects.get()
    stranger = make_staff(Role.INVIGILATOR, make_centre("lille"))
    return hosting, agency, stranger


@pytest.fixture(autouse=True)
async def _closed_connections():
    """Close what Channels' communicator, which turns the closing of connections off, leaves open in threads."""
    yield
    await sync_to_async(connections.close_all)()
    for pool in filter(lambda pool: pool._threads, (DATABASE_THREADS, BOARD_THREAD)):
        together = Barrier(len(pool._threads))
        for closing in [pool.submit(_close_at, together) for _ in pool._threads]:
            closing.result()


def _close_at(barrier):
    barrier.wait()
    connections.close_all()


async def log_in(hosting, user, path=None):
    return await database_sync_to_async(socket)(hosting, user, path)


async def answer_of(communicator, **message):
    await communicator.send_json_to(message)
    while True:
        received = await communicator.receive_json_from(timeout=5)
        if received["type"] == "answer":
            return received


async def test_socket_pushes_the_board_then_what_changed(watched):
    hosting, agency, _ = watched
    communicator = await log_in(hosting, agency)
    assert (await communicator.connect())[0]
    first = await communicator.receive_json_from(timeout=5)
    assert (first["type"], first["state"]["code"], len(first["rows"])) == ("board", CentreSittingState.LOBBY, 3)
    seat = first["rows"][0]["seat"]
    answer = await answer_of(communicator, id=7, verb="admettre", seats=[seat])
    assert answer == {"type": "answer", "id": 7, "ok": True, "text": "1 admis."}
    later = await communicator.receive_json_from(timeout=5)
    while not later["rows"]:
        later = await communicator.receive_json_from(timeout=5)
    assert [(row["seat"], row["code"]) for row in later["rows"]] == [(seat, SheetState.ADMITTED)]
    assert "state" not in later
    await communicator.disconnect()


async def test_socket_answers_refusals_in_words(watched):
    hosting, agency, _ = watched
    communicator = await log_in(hosting, agency)
    await communicator.connect()
    assert (await answer_of(communicator, id=1, verb="reprendre"))["code"] == "wrong-state"
    assert (await answer_of(communicator, id=2, verb="danser"))["code"] == "malformed"
    assert (await answer_of(communicator, id=3, verb="admettre", seats=[999_999]))["code"] == "unknown-seat"
    await communicator.disconnect()


async def test_a_command_that_the_database_does_not_answer_is_said_and_the_socket_lives(watched):
    hosting, agency, _ = watched
    communicator = await log_in(hosting, agency)
    await communicator.connect()
    with held_elsewhere(lambda: own_centre_sitting(hosting.centre_sitting_id)):
        await communicator.send_json_to({"id": 1, "verb": "admettre-tous"})
        received = {}
        while received.get("type") != "answer":
            received = await communicator.receive_json_from(timeout=8)
    assert (received["ok"], received["code"], received["text"]) == (False, "busy", NO_ANSWER)
    assert (await answer_of(communicator, id=2, verb="admettre-tous"))["ok"]
    await communicator.disconnect()


async def test_what_is_no_message_ends_nothing(watched):
    hosting, agency, _ = watched
    communicator = await log_in(hosting, agency)
    await communicator.connect()
    for text in ("x", "[]", "3", "[" * 30_000):
        await communicator.send_to(text_data=text)
    assert (await answer_of(communicator, id=1, verb="admettre-tous"))["ok"]
    await communicator.disconnect()


async def test_a_socket_that_fails_stops_reading_the_board(watched):
    hosting, agency, _ = watched
    communicator = await log_in(hosting, agency)
    await communicator.connect()
    await communicator.receive_json_from(timeout=5)
    await communicator.send_input({"type": "websocket.receive", "bytes": b"x"})
    with pytest.raises(ValueError, match="No text section"):
        await communicator.wait(5)
    assert not [task for task in asyncio.all_tasks() if "_push_for_ever" in repr(task)]


async def test_a_board_that_is_slow_to_read_is_said_to_be_dated(watched):
    hosting, agency, _ = watched
    communicator = await log_in(hosting, agency)
    await communicator.connect()
    await communicator.receive_json_from(timeout=5)
    with held_elsewhere(lambda: lock_table("centres_seat")):
        while (said := await communicator.receive_json_from(timeout=5))["type"] == "board":
            pass
        assert said == {"type": "alive"}
        assert await communicator.receive_json_from(timeout=5) == {"type": "stale", "text": LATE}
        while (said := await communicator.receive_json_from(timeout=5))["text"] == LATE:
            pass
        assert said == {"type": "stale", "text": MUTE}  # PostgreSQL does not let a reading wait for a lock any longer
    while (await communicator.receive_json_from(timeout=5))["type"] != "board":
        pass
    await communicator.disconnect()


async def test_socket_is_closed_to_strangers(watched):
    hosting, _, stranger = watched
    for user in (stranger, None):
        communicator = await log_in(hosting, user)
        await communicator.connect()
        assert await communicator.receive_output(timeout=5) == {"type": "websocket.close", "code": 4404}


async def test_national_socket_pushes_the_tiles_to_the_agency_alone(watched):
    hosting, agency, stranger = watched
    communicator = await log_in(hosting, agency, "/ws/national/")
    await communicator.connect()
    board = await communicator.receive_json_from(timeout=5)
    assert board["sums"]["expected"] == 3
    assert [tile["centre"] for tile in board["tiles"]] == ["Rennes"]
    await communicator.disconnect()
    other = await log_in(hosting, stranger, "/ws/national/")
    await other.connect()
    assert (await other.receive_output(timeout=5))["code"] == 4404


async def test_a_command_does_not_wait_for_the_boards(watched):
    hosting, agency, _ = watched
    communicator = await log_in(hosting, agency)
    await communicator.connect()
    held = Event()
    BOARD_THREAD.submit(held.wait)
    try:
        await communicator.send_json_to({"id": 1, "verb": "admettre-tous"})
        while (answer := await communicator.receive_json_from(timeout=5))["type"] != "answer":
            pass
    finally:
        held.set()
    assert answer["ok"]
    await communicator.disconnect()


async def test_boards_are_read_one_at_a_time_and_leave_as_much_time_as_each_took():
    reader, spans = BoardReader(), []

    def board():
        began = time.monotonic()
        time.sleep(0.05)
        spans.append((began, time.monotonic()))

    await asyncio.gather(*(reader.read(board) for _ in range(3)))
    assert all(later >= ended + (ended - began) for (began, ended), (later, _) in itertools.pairwise(spans))
