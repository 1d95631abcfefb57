"""Every websocket and every command, by everybody: strangers are turned away, roles do what the table says."""

from threading import Barrier

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from channels.testing import WebsocketCommunicator
from django.db import connections

from centres.actions.room import NotAllowed
from centres.consumers import BOARD_THREAD, DATABASE_THREADS
from centres.protocol import VERBS
from ecni.accounts.enums import Role
from ecni.accounts.models import User
from ecni.asgi import application
from exams.consumers.frames import PATH as FRAMES_PATH
from exams.enums import CentreSittingState
from exams.routing import _hub
from tests.journeys.addresses import ACTORS, build_house, fingerprint

pytestmark = pytest.mark.django_db(transaction=True)

HEAD_ACTS = frozenset({"accueillir", "ouvrir", "pause", "reprendre", "temps", "temps-tous", "clore"})
ROOM_ACTS = VERBS - HEAD_ACTS
COMMANDS = {"invigilator": ROOM_ACTS, "head": VERBS, "ops": frozenset(), "agency": VERBS}
"""Who may enter the console of centre A, and what each may do there; the others find nothing."""

NATION = frozenset({"ops", "agency"})
NOT_FOUND = {"type": "websocket.close", "code": 4404}
NO_TICKET = {"type": "websocket.close", "code": 4401}


@pytest.fixture
async def house(transactional_db, settings, tmp_path):
    settings.PAPERS_ROOT = tmp_path
    yield await sync_to_async(build_house)(with_results=False)
    _hub.stop()
    _hub._hub = None
    await sync_to_async(connections.close_all)()
    for pool in filter(lambda pool: pool._threads, (DATABASE_THREADS, BOARD_THREAD)):
        together = Barrier(len(pool._threads))
        for closing in [pool.submit(close_at, together) for _ in pool._threads]:
            closing.result()


def close_at(barrier):
    barrier.wait()
    connections.close_all()


def socket(house, actor, path, origin="http://testserver"):
    """Knock as a browser does, cookies and origin included, at the door that production opens."""
    cookie = "; ".join(f"{name}={value}" for name, value in house.cookies.get(actor, {}).items())
    headers = [(b"host", b"testserver"), (b"origin", origin.encode()), (b"cookie", cookie.encode())]
    return WebsocketCommunicator(application, path, headers=headers)


async def first_event(communicator):
    await communicator.send_input({"type": "websocket.connect"})
    assert (await communicator.receive_output(5))["type"] == "websocket.accept"
    return await communicator.receive_output(5)


async def answer_of(communicator, **message):
    await communicator.send_json_to(message)
    while True:
        received = await communicator.receive_json_from(timeout=10)
        if received["type"] == "answer":
            return received


async def test_consoles_open_to_the_staff_of_the_centre_only(house):
    before = await sync_to_async(fingerprint)()
    for path, insiders in ((f"/ws/salle/{house.hosting.pk}/", COMMANDS), ("/ws/national/", NATION)):
        for actor in ACTORS:
            communicator = socket(house, actor, path)
            event = await first_event(communicator)
            assert (actor, path, event == NOT_FOUND) == (actor, path, actor not in insiders)
            await communicator.disconnect()
    assert await sync_to_async(fingerprint)() == before


@pytest.mark.parametrize("actor", COMMANDS)
async def test_commands_of_a_console_follow_the_role(house, actor):
    communicator = socket(house, actor, f"/ws/salle/{house.hosting.pk}/")
    await communicator.connect()
    seat = (await house.hosting.seats.order_by("pk").afirst()).pk
    sent = {"seats": [seat], "minutes": 5, "reason": "essai", "text": "essai"}
    before = await sync_to_async(fingerprint)()
    codes = {
        verb: (await answer_of(communicator, id=1, verb=verb, **sent)).get("code")
        for verb in sorted(VERBS - COMMANDS[actor])
    }
    assert set(codes.values()) <= {NotAllowed.code}
    assert await sync_to_async(fingerprint)() == before
    for verb in sorted(COMMANDS[actor]):
        answer = await answer_of(communicator, id=1, verb=verb, **sent)
        assert (verb, answer.get("code")) != (verb, NotAllowed.code)
    await communicator.disconnect()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"is_active": False}, "not-found"),
        ({"role": Role.JURY}, "not-found"),
        ({"role": Role.INVIGILATOR}, "not-allowed"),
    ],
)
async def test_a_console_left_open_follows_the_rights_of_its_person(house, change, code):
    communicator = socket(house, "head", f"/ws/salle/{house.hosting.pk}/")
    await communicator.connect()
    await communicator.receive_json_from(timeout=5)
    await User.objects.filter(pk=house.staff["head"].pk).aupdate(**change)
    assert (await answer_of(communicator, id=1, verb="ouvrir"))["code"] == code
    if code == "not-found":
        assert await communicator.receive_output(5) == NOT_FOUND
    await house.hosting.centre_sitting.arefresh_from_db()
    assert house.hosting.centre_sitting.state == CentreSittingState.LOBBY


async def test_the_national_board_closes_when_its_person_changes_role(house):
    communicator = socket(house, "ops", "/ws/national/")
    await communicator.connect()
    await communicator.receive_json_from(timeout=5)
    await User.objects.filter(pk=house.staff["ops"].pk).aupdate(role=Role.JURY)
    assert await communicator.receive_output(5) == NOT_FOUND


async def test_a_seat_of_another_centre_is_unknown(house):
    communicator = socket(house, "head", f"/ws/salle/{house.hosting.pk}/")
    await communicator.connect()
    theirs = await type(await house.hosting.seats.afirst()).objects.exclude(hosting=house.hosting).afirst()
    before = await sync_to_async(fingerprint)()
    for verb in ("admettre", "absents", "temps", "liberer", "appel", "incident"):
        sent = {"seats": [theirs.pk], "minutes": 5, "reason": "essai", "text": "essai"}
        assert (await answer_of(communicator, id=1, verb=verb, **sent))["code"] == "unknown-seat"
    assert await sync_to_async(fingerprint)() == before
    await communicator.disconnect()


async def test_the_candidate_socket_opens_to_a_ticket_only(house):
    for actor in ACTORS:
        communicator = socket(house, actor, "/ws/copie/")
        await communicator.send_input({"type": "websocket.connect"})
        assert (await communicator.receive_output(5))["type"] == "websocket.accept"
        if actor == "candidate":
            await communicator.send_json_to({"t": "hello", "v": 1})
            assert (await communicator.receive_json_from(timeout=5))["t"] == "state"
            await communicator.disconnect()
        else:
            assert await communicator.receive_output(5) == NO_TICKET


async def test_frames_by_http_open_to_a_ticket_only(house):
    for actor in ACTORS:
        cookie = "; ".join(f"{name}={value}" for name, value in house.cookies.get(actor, {}).items())
        headers = [(b"content-type", b"application/json"), (b"cookie", cookie.encode())]
        scope = {"type": "http", "method": "POST", "path": FRAMES_PATH, "headers": headers}
        communicator = ApplicationCommunicator(application, scope)
        await communicator.send_input({"type": "http.request", "body": b"[]"})
        status = (await communicator.receive_output(10))["status"]
        assert (actor, status) == (actor, 200 if actor == "candidate" else 401)
        await communicator.receive_output(5)


@pytest.mark.parametrize(("actor", "path"), [("candidate", "/ws/copie/"), ("agency", "/ws/national/")])
async def test_a_page_of_another_site_opens_no_socket(house, actor, path):
    communicator = socket(house, actor, path, origin="https://ailleurs.example")
    await communicator.send_input({"type": "websocket.connect"})
    assert (await communicator.receive_output(5))["type"] == "websocket.close"
