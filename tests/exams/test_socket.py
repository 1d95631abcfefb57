import asyncio
import json
from base64 import b64decode
from dataclasses import replace
from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.db import connections

from ecni.shared.clock import now
from exams.actions.centre_sitting import grant_time, open_centre_sitting, pause_centre_sitting
from exams.actions.journal import own_centre_sitting
from exams.actions.sheet import admit_sheet, release_sheet
from exams.broadcast import presence
from exams.consumers import collector
from exams.consumers.collector import FREEZE_EVERY
from exams.consumers.hub import HubSource
from exams.consumers.socket import CandidateSocket, to_whoever_is_there
from exams.enums import OfflineClock, OpKind, SheetState
from exams.models import CentreSitting, JournalEntry, RefusedOp, Sheet, Sitting
from exams.queries.live import live_sheets
from exams.queries.papers import main_paper, paper_keys
from exams.rules import heartbeat
from exams.tickets import COOKIE, Ticket, mint_ticket
from tests.exams.sitting import Chain, make_centre_sitting, make_sitting, open_all, opened, staff
from tests.exams.test_journal_actions import pending
from tests.holding import held_elsewhere

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
async def source(transactional_db):
    hub = HubSource()
    yield hub
    hub.stop()
    await sync_to_async(connections.close_all)()


@pytest.fixture
async def application(source):
    return CandidateSocket(source)


class Tablet:
    def __init__(self, application, sheet, epoch=1, cookie=None):
        ticket = Ticket(sheet.pk, epoch, sheet.centre_sitting_id, sheet.sitting_id, sheet.number)
        value = f"{COOKIE}={cookie or mint_ticket(ticket)}"
        scope = {"type": "websocket", "path": "/ws/copie/", "headers": [(b"cookie", value.encode())]}
        self.chain = Chain(sheet)
        self.communicator = ApplicationCommunicator(application, scope)

    async def connect(self):
        await self.communicator.send_input({"type": "websocket.connect"})
        assert (await self.communicator.receive_output(5))["type"] == "websocket.accept"

    async def hello(self):
        await self.connect()
        await self.send({"t": "hello", "v": 1})
        return await self.receive("state")

    async def send(self, frame):
        text = frame if isinstance(frame, str) else json.dumps(frame)
        await self.communicator.send_input({"type": "websocket.receive", "text": text})

    async def event(self):
        return await self.communicator.receive_output(5)

    async def receive(self, *kinds):
        while True:
            frame = json.loads((await self.event())["text"])
            if frame["t"] in kinds:
                return frame

    async def act(self, kind=OpKind.ANSWER, question=1, value="A"):
        await self.send_op(self.chain.op(kind, question, value))
        return await self.receive("ack", "refused")

    async def send_op(self, op):
        await self.send(
            {
                "t": "op",
                "seq": op.seq,
                "kind": op.kind.name.lower(),
                "q": op.question,
                "value": op.value,
                "at": op.made_at,
                "digest": op.digest.hex(),
            }
        )

    async def close(self):
        await self.communicator.send_input({"type": "websocket.disconnect", "code": 1001})
        await self.communicator.wait(5)


@pytest.fixture
async def sheet(application):
    return await sync_to_async(lambda: opened(count=2, now=now()).sheets.order_by("pk").first())()


@pytest.fixture
async def tablet(application, sheet):
    return Tablet(application, sheet)


async def test_socket_gives_the_state_and_the_opening_key(tablet, sheet):
    state = await tablet.hello()
    keys = await sync_to_async(lambda: paper_keys(main_paper(sheet.sitting_id).pk))()
    assert (state["status"], state["sheet"], state["seq"], state["answers"]) == ("COMPOSING", sheet.number, 0, {})
    assert {step: b64decode(key) for step, key in state["keys"].items()} == {"0": keys[0]}
    assert state["digest"] == tablet.chain.head.hex()


async def test_socket_says_when_the_next_heartbeat_is_awaited(tablet, sheet, monkeypatch):
    await tablet.hello()
    for signs, beat in [(500, 10), (1 / 24, 24)]:
        monkeypatch.setattr(heartbeat, "SIGNS_PER_SECOND", signs)
        await tablet.send({"t": "ping", "at": 5, "q": 3})
        pong = await tablet.receive("pong")
        assert (pong["at"], pong["beat"]) == (5, beat)
    for _ in range(100):
        seen = await sync_to_async(presence)(sheet.centre_sitting_id)
        if sheet.pk in seen and seen[sheet.pk].beat == 24:
            return
        await asyncio.sleep(0.1)
    pytest.fail("consoles are not told")


async def test_socket_acknowledges_what_is_committed(tablet, sheet):
    await tablet.hello()
    assert await tablet.act() == {"t": "ack", "seq": 1}
    stored = await JournalEntry.objects.aget(sitting_id=sheet.sitting_id, sheet_id=sheet.pk)
    assert (stored.value, bytes(stored.digest)) == ("A", tablet.chain.head)


async def test_socket_keeps_the_order_of_a_burst(tablet):
    await tablet.hello()
    ops = [tablet.chain.op(value="ABCDE"[n % 5]) for n in range(30)]
    for op in ops:
        await tablet.send_op(op)
    assert [(await tablet.receive("ack"))["seq"] for _ in ops] == list(range(1, 31))


async def test_socket_resumes_where_the_sheet_was(application, tablet, sheet):
    await tablet.hello()
    await tablet.act(question=2, value="BD")
    await tablet.act(OpKind.FLAG, 2, "1")
    await tablet.act(OpKind.STRIKE, 2, "C")
    await tablet.close()
    state = await Tablet(application, sheet).hello()
    assert (state["seq"], state["answers"], state["flags"], state["strikes"]) == (3, {"2": "BD"}, [2], {"2": "C"})


async def test_socket_releases_the_next_key_after_the_seal_is_durable(tablet, sheet):
    keys = await sync_to_async(lambda: paper_keys(main_paper(sheet.sitting_id).pk))()
    await tablet.hello()
    assert (await tablet.act(question=4, value="A"))["code"] == "locked"
    tablet.chain = Chain(sheet)
    await tablet.act(question=3, value="AB")
    answer = await tablet.act(OpKind.SEAL, 3, "")
    assert {step: b64decode(key) for step, key in answer["keys"].items()} == {"4": keys[4]}
    assert (await tablet.act(question=3, value="C"))["code"] == "sealed"


@pytest.mark.parametrize(
    ("act", "code"),
    [
        ((OpKind.ANSWER, 1, "AB"), "bad-value"),
        ((OpKind.ANSWER, 2, "BA"), "bad-value"),
        ((OpKind.ANSWER, 2, "Z"), "bad-value"),
        ((OpKind.ANSWER, 9, "A"), "unknown-question"),
        ((OpKind.SEAL, 1, ""), "not-progressive"),
        ((OpKind.SEAL, 5, ""), "locked"),
        ((OpKind.FLAG, 1, "2"), "bad-value"),
        ((OpKind.SUBMIT, 1, ""), "bad-value"),
    ],
)
async def test_socket_refuses_what_the_sheet_does_not_admit(tablet, act, code):
    await tablet.hello()
    assert (await tablet.act(*act))["code"] == code
    assert await JournalEntry.objects.acount() == 0


async def test_socket_refuses_a_gap_and_a_foreign_chain(tablet, application, sheet):
    await tablet.hello()
    tablet.chain.op()
    assert (await tablet.act())["code"] == "gap"
    other = await Sheet.objects.exclude(pk=sheet.pk).afirst()
    tablet.chain = Chain(other)
    assert (await tablet.act())["code"] == "digest"


async def test_socket_refuses_before_hello(tablet):
    await tablet.connect()
    assert (await tablet.act())["code"] == "busy"


async def test_socket_slows_a_flood_without_losing_an_op(tablet):
    await tablet.hello()
    for _ in range(150):
        await tablet.send({"t": "ping", "at": 0, "q": 0})
    await tablet.send({"t": "ping", "at": 1, "q": 0})
    assert (await tablet.receive("refused"))["code"] == "too-fast"


async def test_socket_closes_after_ten_malformed_frames(tablet):
    await tablet.hello()
    for _ in range(10):
        await tablet.send('{"t":"op"')
    codes = [json.loads((await tablet.event())["text"]) for _ in range(10)]
    assert [frame["t"] for frame in codes] == ["refused"] * 9 + ["bye"]
    assert (await tablet.event())["code"] == 4400


@pytest.mark.parametrize("cookie", ["forged", "", "a:b:c"])
async def test_socket_refuses_a_forged_ticket(application, sheet, cookie):
    tablet = Tablet(application, sheet, cookie=cookie or ";")
    await tablet.connect()
    assert await tablet.event() == {"type": "websocket.close", "code": 4401}


async def test_socket_opens_without_any_refresh(application):
    centre_sitting = await sync_to_async(make_lobby)()
    sheet = await centre_sitting.sheets.afirst()
    tablet = Tablet(application, sheet)
    state = await tablet.hello()
    assert (state["status"], state["ends_at"], state["keys"]) == ("ADMITTED", None, {})
    await tablet.send({"t": "ready", "paper": state["paper"]["digest"]})
    assert (await tablet.receive("status"))["status"] == "READY"
    await sync_to_async(open_centre_sitting)(centre_sitting_id=centre_sitting.pk, actor=await astaff(), now=now())
    status = await tablet.receive("status")
    assert (status["status"], list(status["keys"])) == ("COMPOSING", ["0"])
    assert await tablet.act() == {"t": "ack", "seq": 1}


def make_lobby():
    from exams.actions.centre_sitting import welcome

    centre_sitting = make_centre_sitting(make_sitting(starts_at=now()), 1)
    welcome(centre_sitting_id=centre_sitting.pk, actor=staff(), now=now())
    admit_sheet(sheet_id=centre_sitting.sheets.get().pk, actor=staff(), now=now())
    return centre_sitting


async def astaff():
    return await sync_to_async(staff)()


async def test_socket_tells_time_granted_and_pause(tablet, sheet):
    state = await tablet.hello()
    common = {"centre_sitting_id": sheet.centre_sitting_id, "actor": await astaff(), "now": now()}
    await sync_to_async(grant_time)(sheet_ids=None, seconds=600, reason="alarme", **common)
    assert (await tablet.receive("status"))["ends_at"] == state["ends_at"] + 600_000
    await sync_to_async(pause_centre_sitting)(reason="alarme", **common)
    assert (await tablet.receive("status"))["status"] == "PAUSED"
    assert (await tablet.act())["code"] == "paused"


async def test_tablets_told_at_once_are_told_the_keys_of_their_own_sheet(application, tablet, sheet):
    other = Tablet(application, await Sheet.objects.exclude(pk=sheet.pk).aget(sitting_id=sheet.sitting_id))
    await tablet.hello()
    await other.hello()
    await tablet.act(question=3, value="AB")
    await tablet.act(OpKind.SEAL, 3, "")
    common = {"centre_sitting_id": sheet.centre_sitting_id, "actor": await astaff(), "now": now()}
    await sync_to_async(grant_time)(sheet_ids=None, seconds=600, reason="alarme", **common)
    assert list((await tablet.receive("status"))["keys"]) == ["0", "4"]
    assert list((await other.receive("status"))["keys"]) == ["0"]


async def test_socket_of_the_old_tablet_says_why_it_stops(tablet, application, sheet):
    await tablet.hello()
    await sync_to_async(release_sheet)(sheet_id=sheet.pk, actor=await astaff(), now=now(), reason="panne")
    assert (await tablet.receive("bye"))["code"] == "replaced"
    assert (await tablet.event())["code"] == 4409
    swapped = Tablet(application, sheet, epoch=2)
    assert (await swapped.hello())["status"] == "COMPOSING"


async def test_a_socket_that_came_before_takes_nothing_from_the_next_one_of_its_tablet(application, source, sheet):
    ghost, back = Tablet(application, sheet), Tablet(application, sheet)
    door = source().door
    door._is_read.clear()
    await ghost.connect()
    door._is_read.set()
    await back.hello()
    assert (await ghost.receive("bye"))["code"] == "busy"
    assert (await ghost.event())["code"] == 4503
    assert (await back.act())["t"] == "ack"


def failing(application, failure, error):
    """The application on a server whose sends raise an error once there is a failure."""

    async def served(scope, receive, send):
        async def say(event):
            if failure.is_set():
                raise error
            await send(event)

        await application(scope, receive, say)

    return served


async def test_a_tablet_comes_back_though_its_old_socket_is_dead_and_the_server_says_so(application, sheet):
    gone = asyncio.Event()
    dead, back = Tablet(failing(application, gone, OSError("ClientDisconnected")), sheet), Tablet(application, sheet)
    await dead.hello()
    gone.set()
    await back.hello()
    assert (await back.act())["t"] == "ack"


async def test_a_socket_that_fails_while_told_of_the_staff_keeps_nobody_else_from_being_told(application):
    centre_sitting = await sync_to_async(opened)(count=2, now=now())
    swapped, other = [sheet async for sheet in centre_sitting.sheets.order_by("number")]
    is_broken = asyncio.Event()
    broken = failing(application, is_broken, RuntimeError("Unexpected ASGI message"))
    old, present = Tablet(broken, swapped), Tablet(application, other)
    await old.hello()
    await present.hello()
    is_broken.set()
    await sync_to_async(release_sheet)(sheet_id=swapped.pk, actor=await astaff(), now=now(), reason="panne")
    await asyncio.sleep(1.5)
    await sync_to_async(pause_centre_sitting)(
        centre_sitting_id=centre_sitting.pk, actor=await astaff(), now=now(), reason="alarme"
    )
    assert (await present.receive("status"))["status"] == "PAUSED"


async def test_a_state_asked_for_while_an_act_is_under_way_is_not_older_than_its_ack(tablet):
    await tablet.hello()
    for seq in range(1, 46):
        await tablet.send_op(tablet.chain.op())
        await tablet.send({"t": "hello", "v": 1})
        frames = [await tablet.receive("ack", "state", "refused") for _ in range(2)]
        assert [(frame["t"], frame["seq"]) for frame in frames] == [("ack", seq), ("state", seq)]


async def test_nothing_is_said_after_a_close(application, sheet):
    said = []

    async def send(event):
        said.append(event["type"])

    say = to_whoever_is_there(send)
    for kind in ("websocket.send", "websocket.close", "websocket.send", "websocket.close"):
        await say({"type": kind})
    assert said == ["websocket.send", "websocket.close"]


async def test_a_tablet_that_left_before_the_door_opened_takes_no_place(application, source, sheet):
    back, ghost = Tablet(application, sheet), Tablet(application, sheet)
    await back.hello()
    source().door._is_read.clear()
    await ghost.connect()
    await ghost.communicator.send_input({"type": "websocket.disconnect", "code": 1006})
    source().door._is_read.set()
    await ghost.communicator.wait(5)
    assert (await back.act())["t"] == "ack"


async def test_socket_of_the_old_tablet_takes_nothing_from_the_new_one(application, sheet):
    swapped = Tablet(application, sheet, epoch=2)
    await Sheet.objects.filter(pk=sheet.pk).aupdate(epoch=2)
    await swapped.hello()
    old = Tablet(application, sheet, epoch=1)
    await old.connect()
    assert (await old.receive("bye"))["code"] == "replaced"
    assert (await old.event())["code"] == 4409
    assert (await swapped.act())["t"] == "ack"


async def test_socket_keeps_apart_what_arrives_after_the_grace(tablet, sheet):
    await tablet.hello()
    await Sheet.objects.filter(pk=sheet.pk).aupdate(ends_at=now() - timedelta(minutes=2))
    await tablet.send({"t": "ping", "at": int(now().timestamp() * 1000), "q": 0, "skew": 0})
    made = int((now() - timedelta(minutes=3)).timestamp() * 1000)
    await tablet.send_op(tablet.chain.op(made_at=made))
    assert (await tablet.receive("refused"))["code"] == "quarantined"
    tablet.chain = Chain(sheet)
    await tablet.send_op(tablet.chain.op(value="B", made_at=made + 150_000))
    assert (await tablet.receive("refused"))["code"] == "late"
    kept = [row async for row in RefusedOp.objects.order_by("pk").values_list("value", "code")]
    assert kept == [("A", "quarantined"), ("B", "late")]


async def test_a_slow_frame_does_not_make_an_op_late(tablet, sheet):
    await tablet.hello()
    made = int(now().timestamp() * 1000)
    await tablet.send({"t": "ping", "at": made - 60_000, "q": 0, "skew": -3})
    await Sheet.objects.filter(pk=sheet.pk).aupdate(ends_at=now() - timedelta(seconds=1))
    await tablet.send_op(tablet.chain.op(made_at=made - 2_000))
    assert await tablet.receive("ack", "refused") == {"t": "ack", "seq": 1}


async def test_socket_leaves_a_trace_of_what_it_refuses_in_the_log_alone(tablet):
    await tablet.hello()
    assert (await tablet.act(question=9))["code"] == "unknown-question"
    assert (await RefusedOp.objects.aget()).code == "unknown-question"
    assert await JournalEntry.objects.acount() == 0


async def test_socket_says_where_the_candidate_was(application, tablet, sheet):
    assert (await tablet.hello())["position"] == 0
    await tablet.act(question=2, value="BD")
    await tablet.act(OpKind.FLAG, 1, "1")
    await tablet.close()
    assert (await Tablet(application, sheet).hello())["position"] == 1


async def test_socket_gives_back_the_wait_of_a_tablet_without_network(tablet, sheet):
    await Sitting.objects.filter(pk=sheet.sitting_id).aupdate(offline_clock=OfflineClock.STOP)
    opened_at = now() - timedelta(minutes=10)
    await CentreSitting.objects.filter(pk=sheet.centre_sitting_id).aupdate(opened_at=opened_at)
    await tablet.connect()
    await tablet.send({"t": "hello", "v": 1, "at": 0, "waiting": 60_000})
    state = await tablet.receive("state")
    assert state["sitting"]["offline_clock"] == "STOP"
    assert state["ends_at"] == int((opened_at + timedelta(seconds=3660)).timestamp() * 1000)


async def test_a_wait_in_a_centre_that_the_staff_moves_keeps_no_other_centre_waiting(application, sheet):
    await Sitting.objects.filter(pk=sheet.sitting_id).aupdate(offline_clock=OfflineClock.STOP)
    elsewhere = await sync_to_async(elsewhere_than)(sheet)
    held, free = Tablet(application, sheet), Tablet(application, elsewhere)
    with held_elsewhere(lambda: own_centre_sitting(sheet.centre_sitting_id)):
        for tablet in (held, free):
            await tablet.connect()
            await tablet.send({"t": "hello", "v": 1, "at": 0, "waiting": 60_000})
        assert (await free.receive("state", "bye"))["t"] == "state"
        assert (await held.receive("state", "bye"))["code"] == "busy"


def elsewhere_than(sheet):
    centre_sitting = make_centre_sitting(sheet.sitting, 1, prefix="K9")
    open_all(centre_sitting, now=now())
    return centre_sitting.sheets.get()


async def test_a_hand_in_stored_after_the_sheet_was_read_shows_all_the_same(source, tablet, sheet):
    await tablet.hello()
    await tablet.act(OpKind.SUBMIT, 0, "")
    session = source().sessions[sheet.pk]
    (live,) = (await sync_to_async(live_sheets)([sheet.pk])).values()
    await session.restart(replace(live, state=SheetState.COMPOSING), session.book)
    assert (await tablet.receive("state"))["status"] == "SUBMITTED"


async def test_what_was_read_before_a_tablet_took_the_sheet_does_not_end_it(source, application, sheet):
    await Sheet.objects.filter(pk=sheet.pk).aupdate(epoch=2)
    swapped = Tablet(application, sheet, epoch=2)
    await swapped.hello()
    session = source().sessions[sheet.pk]
    await session.update(session.status._replace(epoch=1, state=SheetState.PAUSED), {})
    assert (await swapped.act())["t"] == "ack"


async def test_socket_limits_a_sheet_however_often_its_tablet_comes_back(application, tablet, sheet):
    await tablet.hello()
    for _ in range(105):
        await tablet.send({"t": "ping", "at": 0, "q": 0})
    await tablet.close()
    back = Tablet(application, sheet)
    await back.connect()
    await back.send({"t": "ping", "at": 1, "q": 0})
    assert (await back.receive("pong", "refused")).get("code") == "too-fast"


async def test_submitted_sheet_takes_nothing_more(tablet, sheet):
    await tablet.hello()
    await tablet.act()
    assert (await tablet.act(OpKind.SUBMIT, 0, ""))["t"] == "ack"
    assert (await tablet.act())["code"] == "submitted"
    assert (await Sheet.objects.aget(pk=sheet.pk)).state == SheetState.SUBMITTED


async def test_two_sessions_of_a_sheet_in_one_batch_are_not_told_of_each_other(source, tablet, sheet):
    """Their acts have the same number: what becomes of one is not what becomes of the other."""
    await tablet.hello()
    hub = source()
    session = hub.sessions[sheet.pk]
    genesis = Chain(sheet).head
    ops = [Chain(sheet).op(value=value) for value in ("A", "B")]
    verdicts = await sync_to_async(hub._write)([(session, pending(sheet, op, genesis)) for op in ops])
    assert verdicts == ["stored", "busy"]
    assert await JournalEntry.objects.acount() == 1
    verdicts = await sync_to_async(hub._write)([(session, pending(sheet, op, genesis)) for op in reversed(ops)])
    assert verdicts == ["contradiction", "busy"]


async def test_who_enters_and_leaves_is_told_to_what_spares_the_collector_which_looks_each_second(
    tablet, source, monkeypatch
):
    monkeypatch.setattr(collector, "LONG_SECONDS", 60)
    await tablet.hello()
    spared = source().spared
    assert (spared.entered, spared.left) == (1, 0)
    await tablet.close()
    assert (spared.entered, spared.left) == (1, 1)
    spared.entered = FREEZE_EVERY
    for _ in range(50):
        if spared.entered == 0:
            break
        await asyncio.sleep(0.1)
    assert spared.entered == 0
