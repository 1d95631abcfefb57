"""A full process: who waits, who passes, and that those who are in feel nothing. Real sockets, PostgreSQL, Redis."""

import asyncio
import json
import resource

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.db import connections
from redis.exceptions import ConnectionError as RedisAway

from ecni.accounts.enums import Role
from ecni.accounts.models import Deed
from ecni.shared.clock import now
from exams import broadcast
from exams.actions.admission import confirm_guard, propose_guard, set_limit
from exams.actions.centre_sitting import open_centre_sitting, welcome
from exams.actions.sheet import admit_sheet
from exams.consumers import door
from exams.consumers.frames import PATH, CandidateFrames
from exams.consumers.hub import HubSource
from exams.consumers.origin import OriginGuard
from exams.consumers.socket import CandidateSocket
from exams.enums import GuardMode, GuardName, Lack, LimitName, SheetState
from exams.models import CentreSitting, Sheet
from exams.tickets import COOKIE, Ticket, mint_ticket
from tests.exams.sitting import make_centre_sitting, make_sitting, opened, staff
from tests.exams.test_socket import Tablet

pytestmark = pytest.mark.django_db(transaction=True)


def limit(name, value):
    actor = staff(Role.OPS, "exploitant")
    set_limit(name=name, value=value, reason="essai", actor=actor, now=now())


def switch(name, mode):
    proposal = propose_guard(name=name, mode=mode, reason="essai", actor=staff(Role.OPS, "exploitant"), now=now())
    confirm_guard(proposal_id=proposal.pk, actor=staff(Role.AGENCY, "agence"), now=now())


@pytest.fixture
def budget(transactional_db):
    limit(LimitName.SOCKETS, 3)
    limit(LimitName.RESERVE, 2)


@pytest.fixture
async def source(budget):
    hub = HubSource()
    yield hub
    hub.stop()
    await sync_to_async(connections.close_all)()


@pytest.fixture
async def application(source):
    return CandidateSocket(source)


def make_lobby(count):
    centre_sitting = make_centre_sitting(make_sitting(starts_at=now()), count)
    welcome(centre_sitting_id=centre_sitting.pk, actor=staff(), now=now())
    for sheet in centre_sitting.sheets.all():
        admit_sheet(sheet_id=sheet.pk, actor=staff(), now=now())
    return list(centre_sitting.sheets.order_by("pk"))


@pytest.fixture
async def lobby(application):
    """Seven sheets in the lobby; three tablets are in, so that the process is full."""
    sheets = await sync_to_async(make_lobby)(7)
    tablets = [Tablet(application, sheet) for sheet in sheets]
    for tablet in tablets[:3]:
        await tablet.hello()
    return tablets


async def knock(tablet):
    """Return what a tablet that waits is told: the frame, then the close code."""
    await tablet.connect()
    frame = json.loads((await tablet.event())["text"])
    closed = await tablet.event()
    return frame, closed["code"]


def again(tablet):
    sheet = tablet.chain.sheet
    return Tablet(tablet.communicator.application, sheet)


async def until(condition, seconds=5):
    for _ in range(seconds * 20):
        if await condition():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it does not come")


async def test_the_fourth_newcomer_waits_with_its_place(lobby, source):
    waits = [await knock(tablet) for tablet in lobby[3:5]]
    assert [(frame["t"], frame["place"], code) for frame, code in waits] == [("wait", 1, 4503), ("wait", 2, 4503)]
    assert all(1_500 <= frame["retry"] <= 2_500 for frame, _ in waits)
    assert (await knock(again(lobby[3])))[0]["place"] == 1


async def test_far_back_in_the_line_of_sockets_a_newcomer_knocks_less_often_than_at_the_pages(lobby, source):
    await knock(lobby[3])
    line = source().door.line
    for stranger in range(99):
        line.join(-1 - stranger, 0, 0.0)
    frame, _ = await knock(lobby[4])
    assert frame["place"] == 101
    assert 0.75 * 10_100 <= frame["retry"] <= 1.25 * 10_100
    assert len(source().sessions) == 3


async def test_the_waiting_cost_no_session_and_no_statement_after_the_first(lobby, source):
    await knock(lobby[3])
    hub = source()
    asked = hub.door._asked.copy()
    hub.door._questions.stop()
    hub.door._questions = None
    assert (await knock(again(lobby[3])))[0]["place"] == 1
    assert asked == {lobby[3].chain.sheet.pk}
    assert lobby[3].chain.sheet.pk not in hub._buckets


async def test_those_who_are_in_go_on_while_others_wait(lobby):
    for tablet in lobby[3:]:
        await knock(tablet)
    await lobby[0].send({"t": "ping", "at": 5, "q": 0})
    assert (await lobby[0].receive("pong"))["at"] == 5


async def test_raising_the_limit_lets_the_waiting_in_within_two_seconds(lobby, source):
    for tablet in lobby[3:]:
        await knock(tablet)
    await sync_to_async(limit)(LimitName.SOCKETS, 5)

    async def raised():
        return source().door.policy.limits[LimitName.SOCKETS] == 5

    await until(raised, seconds=2)
    back = [again(tablet) for tablet in lobby[3:]]
    assert (await knock(back[2]))[0]["place"] == 3  # the last ones do not take the places of the first
    assert [(await tablet.hello())["t"] for tablet in back[:2]] == ["state", "state"]
    deed = await Deed.objects.filter(verb="set_limit").alatest("pk")
    assert (deed.target, deed.data, deed.reason) == ("limit:SOCKETS", {"before": 3, "after": 5}, "essai")


@pytest.fixture
def files():
    """Let a test say how many files this process may open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield lambda count=soft: resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def strangers(application, count):
    """Tablets that only take places."""
    tickets = [Ticket(10_000_000 + number, 1, 10_000_000, 10_000_000, "x") for number in range(count)]
    headers = [[(b"cookie", f"{COOKIE}={mint_ticket(ticket)}".encode())] for ticket in tickets]
    scope = {"type": "websocket", "path": "/ws/copie/"}
    return [ApplicationCommunicator(application, scope | {"headers": one}) for one in headers]


async def test_a_process_short_of_descriptors_makes_wait_before_it_has_none(application, source, files):
    await sync_to_async(limit)(LimitName.SOCKETS, 10_000)
    files(300)  # half are kept, and two for those who return
    (sheet,) = await sync_to_async(make_lobby)(1)
    inside = strangers(application, 148)
    for stranger in inside:
        await stranger.send_input({"type": "websocket.connect"})
        await stranger.receive_output(5)
    frame, _ = await knock(Tablet(application, sheet))
    assert (frame["t"], frame["place"], len(source().sessions)) == ("wait", 1, 148)

    async def told():
        found = await sync_to_async(broadcast.doors)(int(now().timestamp() * 1000))
        return any(sight.waiting == 1 and sight.value == 148 and sight.lack == Lack.DESCRIPTORS for sight in found)

    await until(told)
    assert (source().gauges().budget, source().gauges().lacks_descriptors) == (148, True)
    composing = await sync_to_async(opened)(count=1, now=now())
    assert (await Tablet(application, await composing.sheets.aget()).hello())["status"] == "COMPOSING"
    files()

    async def raised():
        return not source().door.places.lacks_descriptors

    await until(raised, seconds=2)
    assert (await Tablet(application, sheet).hello())["t"] == "state"


async def test_lowering_the_limit_disconnects_nobody(lobby, source):
    await sync_to_async(limit)(LimitName.SOCKETS, 1)

    async def lowered():
        return source().door.policy.limits[LimitName.SOCKETS] == 1

    await until(lowered, seconds=2)
    await lobby[2].send({"t": "ping", "at": 5, "q": 0})
    assert (await lobby[2].receive("pong"))["at"] == 5
    assert len(source().sessions) == 3


async def test_a_sheet_that_this_process_has_served_comes_back_though_it_is_full(lobby):
    await lobby[0].close()
    assert (await lobby[3].hello())["t"] == "state"  # took the place
    assert (await again(lobby[0]).hello())["t"] == "state"


async def test_a_socket_that_takes_the_place_of_its_own_always_passes(lobby, source):
    assert (await again(lobby[0]).hello())["t"] == "state"
    assert len(source().sessions) == 3


async def test_who_composes_passes_before_newcomers_up_to_the_reserve(application, lobby, source):
    centre_sitting = await sync_to_async(opened)(count=4, now=now())
    sheets = [sheet async for sheet in centre_sitting.sheets.order_by("pk")]
    await knock(lobby[3])
    composing = [Tablet(application, sheet) for sheet in sheets]
    assert [(await tablet.hello())["status"] for tablet in composing[:2]] == ["COMPOSING", "COMPOSING"]
    assert (await knock(composing[2]))[0]["place"] == 2  # budget 3, reserve 2: five are in
    assert len(source().sessions) == 5


async def test_who_waits_when_the_centre_opens_passes_by_the_reserve(lobby, source):
    await knock(lobby[3])
    sheet = lobby[3].chain.sheet
    await sync_to_async(open_centre_sitting)(
        centre_sitting_id=sheet.centre_sitting_id, actor=await sync_to_async(staff)(), now=now()
    )

    async def known():
        return sheet.pk in source().door._returning

    await until(known)
    assert (await again(lobby[3]).hello())["status"] == "COMPOSING"


async def test_a_process_without_redis_makes_wait_all_the_same(lobby, source, monkeypatch):
    def away(*_args):
        raise RedisAway

    monkeypatch.setattr(broadcast, "_redis", away)
    assert (await knock(lobby[3]))[0]["place"] == 1
    await asyncio.sleep(2.2)
    assert (await knock(again(lobby[3])))[0]["place"] == 1


async def test_boards_know_the_limit_and_who_waits(lobby, source):
    await knock(lobby[3])
    await knock(lobby[4])

    async def told():
        found = await sync_to_async(broadcast.doors)(int(now().timestamp() * 1000))
        return any(sight.waiting == 2 and sight.value == 3 and sight.since for sight in found)

    await until(told)
    room = str(lobby[3].chain.sheet.centre_sitting_id)
    (sight,) = [one for one in broadcast.doors(int(now().timestamp() * 1000)) if one.waiting]
    assert (sight.limit, sight.used, sight.rooms) == ("SOCKETS", 3, {room: 2})


async def test_two_processes_share_who_came_first(lobby, source):
    await knock(lobby[3])
    await knock(lobby[4])
    other = HubSource()
    try:
        door = other().door
        report = door.report()
        shared = await sync_to_async(broadcast.share_line)("SOCKETS", source().door.line.firsts, [], report.at)
        door.take_turns(shared)
        later = Ticket(lobby[4].chain.sheet.pk, 1, lobby[4].chain.sheet.centre_sitting_id, 1, "x")
        first = Ticket(lobby[3].chain.sheet.pk, 1, lobby[3].chain.sheet.centre_sitting_id, 1, "x")
        assert door._wait(later).place == 1
        assert [door._wait(first).place, door._wait(later).place] == [1, 2]
    finally:
        other.stop()


async def post(source, sheet, frames=(), client=("127.0.0.1", 1)):
    ticket = Ticket(sheet.pk, sheet.epoch, sheet.centre_sitting_id, sheet.sitting_id, sheet.number)
    headers = [(b"cookie", f"{COOKIE}={mint_ticket(ticket)}".encode()), (b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": PATH, "headers": headers, "client": client}
    communicator = ApplicationCommunicator(CandidateFrames(source), scope)
    await communicator.send_input({"type": "http.request", "body": json.dumps(list(frames)).encode()})
    start = await communicator.receive_output(10)
    return start["status"], json.loads((await communicator.receive_output(10))["body"])


async def test_frames_by_http_wait_too_unless_their_sheet_composes(lobby, source):
    status, (frame,) = await post(source, lobby[3].chain.sheet)
    assert (status, frame["t"], frame["place"]) == (200, "wait", 1)
    centre_sitting = await sync_to_async(opened)(count=1, now=now())
    _, frames = await post(source, await centre_sitting.sheets.aget())
    assert [frame["t"] for frame in frames] == ["state"]
    gauges = source().gauges()
    assert (gauges.by_http, gauges.sockets) == (1, 3)
    door = source().door
    door._exchanged = dict.fromkeys(door._exchanged, door._seconds() - 11)
    assert source().gauges().by_http == 0


async def test_a_guard_that_observes_lets_through_and_counts(lobby, source):
    await sync_to_async(switch)(GuardName.FRAME_RATE, GuardMode.OBSERVE)

    async def observing():
        return source().door.policy.modes[GuardName.FRAME_RATE] is GuardMode.OBSERVE

    await until(observing, seconds=2)
    before = broadcast.guarded().get((GuardName.FRAME_RATE, GuardMode.OBSERVE), 0)
    for at in range(130):
        await lobby[0].send({"t": "ping", "at": at, "q": 0})
    frames = [await lobby[0].receive("pong", "refused") for _ in range(130)]
    assert {frame["t"] for frame in frames} == {"pong"}

    async def counted():
        found = await sync_to_async(broadcast.guarded)()
        return found.get((GuardName.FRAME_RATE, GuardMode.OBSERVE), 0) > before

    await until(counted)


class Placed(Tablet):
    """A tablet that comes from an address."""

    def __init__(self, application, sheet, address):
        super().__init__(application, sheet)
        self.communicator.scope["client"] = (address, 5_000)


async def test_a_tablet_from_another_network_is_refused_unless_the_guard_observes(application, source):
    (sheet,) = await sync_to_async(make_lobby)(1)
    await CentreSitting.objects.filter(pk=sheet.centre_sitting_id).aupdate(networks=["193.52.10.0/24", "2001:db8::/32"])
    frame, code = await knock(Placed(application, sheet, "10.0.0.1"))
    assert (frame["t"], frame["code"], code) == ("bye", "network", 4403)
    assert (await post(source, sheet, client=("10.0.0.1", 1)))[1][0]["code"] == "network"
    inside = Placed(application, sheet, "193.52.10.7")
    assert (await inside.hello())["t"] == "state"
    await inside.close()
    assert (await Placed(application, sheet, "10.0.0.1").hello())["t"] == "state"  # already served: never touched


async def test_who_composes_passes_before_a_process_that_never_saw_them_whatever_their_network(application, source):
    centre_sitting = await sync_to_async(opened)(count=1, now=now())
    sheet = await centre_sitting.sheets.aget()
    await CentreSitting.objects.filter(pk=centre_sitting.pk).aupdate(networks=["193.52.10.0/24"])
    assert (await Placed(application, sheet, "10.0.0.1").hello())["status"] == "COMPOSING"


async def test_while_the_database_says_nothing_a_tablet_from_elsewhere_waits_and_is_called_no_stranger(
    application, monkeypatch
):
    monkeypatch.setattr(door, "QUESTIONS_CAPACITY", 0)  # as when too many ask at once
    (sheet,) = await sync_to_async(make_lobby)(1)
    await CentreSitting.objects.filter(pk=sheet.centre_sitting_id).aupdate(networks=["193.52.10.0/24"])
    assert (await knock(Placed(application, sheet, "10.0.0.1")))[0]["t"] == "wait"


async def test_a_network_that_only_observes_lets_through_and_counts(application):
    (sheet,) = await sync_to_async(make_lobby)(1)
    await CentreSitting.objects.filter(pk=sheet.centre_sitting_id).aupdate(networks=["193.52.10.0/24"])
    await sync_to_async(switch)(GuardName.ADDRESS, GuardMode.OBSERVE)
    before = broadcast.guarded().get((GuardName.ADDRESS, GuardMode.OBSERVE), 0)
    assert (await Placed(application, sheet, "10.0.0.1").hello())["t"] == "state"

    async def counted():
        found = await sync_to_async(broadcast.guarded)()
        return found.get((GuardName.ADDRESS, GuardMode.OBSERVE), 0) > before

    await until(counted)


async def test_a_closed_sheet_gets_no_reserve(application, lobby):
    centre_sitting = await sync_to_async(opened)(count=1, now=now())
    sheet = await centre_sitting.sheets.aget()
    await Sheet.objects.filter(pk=sheet.pk).aupdate(state=SheetState.SUBMITTED)
    assert (await knock(Tablet(application, sheet)))[0]["t"] == "wait"


async def greet(scope, receive, send):
    await receive()
    await send({"type": "websocket.accept"})


async def opens(guard, origin):
    headers = [(b"origin", origin)] if origin else []
    communicator = ApplicationCommunicator(guard, {"type": "websocket", "path": "/", "headers": headers})
    await communicator.send_input({"type": "websocket.connect"})
    return (await communicator.receive_output(5))["type"] == "websocket.accept"


@pytest.mark.parametrize("origin", [b"https://ailleurs.example", b"", b"null", b"\xff"])
async def test_a_foreign_origin_is_refused_until_two_people_say_to_observe(origin, transactional_db):
    guard = OriginGuard(greet)
    assert await opens(guard, b"http://testserver")
    assert not await opens(guard, origin)
    await sync_to_async(propose_guard)(
        name=GuardName.ORIGIN,
        mode=GuardMode.OBSERVE,
        reason="essai",
        actor=await sync_to_async(staff)(Role.OPS, "exploitant"),
        now=now(),
    )
    await asyncio.sleep(1.1)
    assert not await opens(guard, origin)
    await sync_to_async(switch)(GuardName.ORIGIN, GuardMode.OBSERVE)
    await asyncio.sleep(1.1)
    assert await opens(guard, origin)
    await sync_to_async(switch)(GuardName.ORIGIN, GuardMode.ENFORCE)
    await asyncio.sleep(1.1)
    assert not await opens(guard, origin)
    assert await opens(guard, b"http://testserver")
    await sync_to_async(connections.close_all)()
