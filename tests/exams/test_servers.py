"""A candidate sees no difference between ASGI servers: real processes, real sockets, the same wire and limits."""

import json
import os
import signal
import time
from contextlib import suppress
from http.client import HTTPConnection
from urllib.error import HTTPError
from urllib.parse import quote, urlsplit

import pytest
from django.db import connection
from django.test import Client
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from ecni.accounts.enums import Role
from ecni.accounts.models import User
from ecni.shared.clock import now
from ecni.supervisor import SERVERS, Supervisor, listening_socket
from ecni.supervisor.servers import LARGEST_MESSAGE, LARGEST_SENT
from exams.actions.journal import PendingOp, append_ops
from exams.models import JournalEntry
from exams.protocol import MAX_FRAME_BYTES, MAX_VALUE_CHARACTERS
from tests.exams.sitting import opened
from tests.exams.tablet import PATIENCE, Tablet, holds
from tests.factories.centres import make_centre, make_hosting

pytestmark = [pytest.mark.parametrize("server_name", SERVERS), pytest.mark.slow]


@pytest.fixture
def sheets(transactional_db):
    return list(opened(count=2, now=now()).sheets.order_by("pk"))


@pytest.fixture
def tablet(sheets, asgi_server):
    tablet = Tablet(asgi_server, sheets[0])
    yield tablet
    tablet.close()


def test_an_acknowledged_answer_is_in_the_journal(tablet, sheets):
    assert tablet.hello()["status"] == "COMPOSING"
    for value in "ABC":
        tablet.socket.send(json.dumps(tablet.frame(value)))
    assert [tablet.receive("ack")["seq"] for _ in "ABC"] == [1, 2, 3]
    stored = JournalEntry.objects.filter(sheet_id=sheets[0].pk).order_by("seq")
    assert list(stored.values_list("value", flat=True)) == ["A", "B", "C"]


def test_no_compression_is_agreed_even_when_the_tablet_offers_it(tablet):
    socket = tablet.open(compression="deflate")
    assert "Sec-WebSocket-Extensions" not in socket.response.headers


def test_a_socket_without_ticket_is_told_to_go_back_to_the_slip(tablet):
    tablet.open(additional_headers={})
    assert tablet.close_code() == 4401


def test_a_page_of_another_site_opens_no_socket(tablet):
    with pytest.raises(InvalidStatus) as refused:
        tablet.open(origin="https://ailleurs.example")
    assert refused.value.response.status_code == 403


def test_a_frame_too_long_is_refused_and_one_beyond_the_limit_closes(tablet):
    tablet.hello()
    tablet.socket.send("x" * (MAX_FRAME_BYTES + 1))
    assert tablet.receive("refused")["code"] == "too-big"
    tablet.socket.send("x" * 70_000)
    assert tablet.close_code() in {1009, None}  # Daphne hangs up without a word


def test_a_message_in_many_frames_is_bounded_too(tablet):
    tablet.hello()
    with suppress(ConnectionClosed):
        tablet.socket.send("x" * (LARGEST_MESSAGE - 1) for _ in range(2 * LARGEST_SENT // LARGEST_MESSAGE))
    assert tablet.close_code() in {1009, None}


def test_a_sheet_of_more_than_a_browser_may_send_comes_back_whole(tablet, sheets):
    for question in range(1, 181):
        head, op = tablet.chain.head, tablet.chain.op(question=question, value="é" * MAX_VALUE_CHARACTERS)
        pending = PendingOp(sheets[0].pk, sheets[0].centre_sitting_id, 1, head, 0, op)
        append_ops(sitting_id=sheets[0].sitting_id, grace_seconds=30, pending=[pending], now=now())
    answers = tablet.hello()["answers"]
    assert (len(answers), set(answers.values())) == (180, {"é" * MAX_VALUE_CHARACTERS})
    assert len(json.dumps(answers, ensure_ascii=False).encode()) > LARGEST_MESSAGE


def test_the_board_of_a_large_room_is_shown(transactional_db, asgi_server):
    hosting = make_hosting(count=300, centre=make_centre("rennes", 300))
    staff = Client()
    staff.force_login(User.objects.get(role=Role.AGENCY))
    address = f"ws://{urlsplit(asgi_server).netloc}/ws/salle/{hosting.pk}/"
    cookie = {"Cookie": f"sessionid={staff.cookies['sessionid'].value}"}
    with connect(address, additional_headers=cookie, origin=asgi_server, proxy=None) as socket:
        text = socket.recv(PATIENCE)
    assert len(json.loads(text)["rows"]) == 300
    assert len(text) > LARGEST_MESSAGE


def test_a_tablet_that_says_nothing_is_kept(tablet):
    tablet.hello()
    assert tablet.socket.ping().wait(PATIENCE)
    tablet.socket.send(json.dumps({"t": "ping", "at": 1_782_307_800_000, "q": 1}))
    assert tablet.receive("pong")["at"] == 1_782_307_800_000


def test_a_newer_socket_of_the_sheet_takes_its_place(tablet, sheets):
    tablet.hello()
    other = Tablet(tablet.base, sheets[0])
    other.hello()
    assert tablet.close_code() == 4409
    other.close()


def test_the_same_frames_travel_by_http(tablet):
    assert [frame["t"] for frame in tablet.post([{"t": "hello", "v": 1}, tablet.frame("A")])] == ["state", "ack"]
    with pytest.raises(HTTPError, match="401"):
        tablet.post([], Cookie="")


def test_a_connection_is_kept_for_the_next_request(asgi_server):
    place = urlsplit(asgi_server)
    caller = HTTPConnection(place.hostname, place.port, timeout=PATIENCE)
    ports = []
    for _ in range(2):
        caller.request("GET", "/entrer/")
        assert caller.getresponse().read()
        ports.append(caller.sock.getsockname())
    caller.close()
    assert ports[0] == ports[1]


@pytest.fixture
def pair(transactional_db, tmp_path, server_name):
    """Two servers on one listening socket, on the test database."""
    place = connection.settings_dict
    env = {"DATABASE_URL": f"postgresql://ecni@/{place['NAME']}?host={quote(place['HOST'])}", "ROLE": "sockets"}
    with listening_socket(0) as listener, Supervisor(tmp_path) as supervisor:
        for name in ("one", "two"):
            supervisor.start(name, SERVERS[server_name](listener), env, sockets=[listener], keep=True)
        supervisor.wait_until_serving(listener)
        supervisor.base = f"http://127.0.0.1:{listener.getsockname()[1]}"
        yield supervisor


def test_a_server_told_to_stop_lets_its_tablets_go_and_ends_and_another_takes_them(pair, sheets):
    tablet = Tablet(pair.base, sheets[0])
    tablet.hello()
    assert tablet.answer("A") == {"t": "ack", "seq": 1}
    began = time.monotonic()
    pids = {name: pair.pid(name) for name in ("one", "two")}
    held = next(name for name, pid in pids.items() if holds(pid, tablet.socket.local_address[1]))
    os.kill(pids[held], signal.SIGTERM)
    assert tablet.close_code() in {1001, 1006, 1012, None}
    while pair.is_running(held):
        assert time.monotonic() - began < 14, "the supervisor would have killed it"
        time.sleep(0.05)
    assert tablet.hello()["answers"] == {"1": "A"}
    tablet.close()
