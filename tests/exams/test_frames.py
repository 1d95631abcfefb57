import asyncio
import json

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.db import connections

from ecni.shared.clock import now
from exams.broadcast import presence
from exams.consumers.frames import PATH, CandidateFrames
from exams.consumers.hub import HubSource
from exams.consumers.session import Session
from exams.enums import OpKind
from exams.models import JournalEntry, RefusedOp
from exams.tickets import COOKIE, Ticket, mint_ticket
from tests.exams.sitting import Chain, opened

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
async def source(transactional_db):
    hub = HubSource()
    yield hub
    hub.stop()
    await sync_to_async(connections.close_all)()


@pytest.fixture
async def application(source):
    return CandidateFrames(source)


@pytest.fixture
async def sheet(application):
    centre_sitting = await sync_to_async(opened)(count=1, now=now())
    return await centre_sitting.sheets.aget()


def frame(op):
    kind = op.kind.name.lower()
    wire = {"seq": op.seq, "kind": kind, "q": op.question, "value": op.value, "at": op.made_at}
    return {"t": "op", **wire, "digest": op.digest.hex()}


async def post(application, sheet, body, *, epoch=1, content_type=b"application/json", cookie=None, method="POST"):
    ticket = Ticket(sheet.pk, epoch, sheet.centre_sitting_id, sheet.sitting_id, sheet.number)
    value = cookie or f"{COOKIE}={mint_ticket(ticket)}"
    headers = [(b"cookie", value.encode()), (b"content-type", content_type)]
    communicator = ApplicationCommunicator(
        application, {"type": "http", "method": method, "path": PATH, "headers": headers}
    )
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    await communicator.send_input({"type": "http.request", "body": text})
    start = await communicator.receive_output(10)
    return start["status"], json.loads((await communicator.receive_output(10))["body"])


async def test_frames_are_acknowledged_as_on_the_socket(application, sheet):
    chain = Chain(sheet)
    ops = [chain.op(value="A"), chain.op(question=2, value="BC"), chain.op(OpKind.FLAG, 2, "1")]
    status, frames = await post(application, sheet, [frame(op) for op in ops])
    assert (status, [(f["t"], f.get("seq")) for f in frames]) == (
        200,
        [("state", 0), ("ack", 1), ("ack", 2), ("ack", 3)],
    )
    assert await JournalEntry.objects.acount() == 3


async def test_frames_of_two_requests_go_on_with_the_same_chain(application, sheet):
    chain = Chain(sheet)
    first = frame(chain.op())
    await post(application, sheet, [first])
    _, frames = await post(application, sheet, [first, frame(chain.op(value="B"))])
    assert [(f["t"], f["seq"]) for f in frames] == [("state", 1), ("ack", 1), ("ack", 2)]
    assert frames[0]["answers"] == {"1": "A"}


async def test_frames_refused_say_why(application, sheet):
    chain = Chain(sheet)
    _, frames = await post(application, sheet, [frame(chain.op(value="Z")), {"t": "ping", "at": 1, "q": 0}])
    assert {f["t"]: f.get("code") for f in frames} == {"state": None, "refused": "bad-value", "pong": None}


async def test_frames_of_a_replaced_tablet_are_told_so(application, sheet):
    _, frames = await post(application, sheet, [], epoch=7)
    assert [f["t"] for f in frames] == ["bye"]


async def test_what_a_replaced_tablet_had_not_sent_is_kept_apart(application, sheet):
    chain = Chain(sheet)
    acts = [{"t": "hello", "v": 1, "at": 5}, frame(chain.op(value="A")), frame(chain.op(value="B")), {"t": "op"}]
    for _ in range(2):
        _, frames = await post(application, sheet, acts, epoch=7)
        told = [(f["t"], f.get("code"), f.get("seq")) for f in frames]
        assert told == [("refused", "quarantined", 1), ("refused", "quarantined", 2), ("bye", "replaced", None)]
    kept = [row async for row in RefusedOp.objects.order_by("seq").values_list("seq", "value", "epoch", "code")]
    assert kept == [(1, "A", 7, "quarantined"), (2, "B", 7, "quarantined")]
    assert await JournalEntry.objects.acount() == 0


async def test_what_a_replaced_tablet_had_stored_is_acknowledged(application, sheet):
    act = frame(Chain(sheet).op())
    await post(application, sheet, [act])
    _, frames = await post(application, sheet, [act], epoch=7)
    assert [(f["t"], f.get("seq")) for f in frames] == [("ack", 1), ("bye", None)]
    assert await RefusedOp.objects.acount() == 0


async def test_a_raised_hand_stays_up_from_one_exchange_to_the_next(application, sheet):
    await post(application, sheet, [{"t": "call", "raised": True}, {"t": "ping", "at": 0, "q": 2}])
    await post(application, sheet, [])
    for _ in range(60):
        seen = (await sync_to_async(presence)(sheet.centre_sitting_id)).get(sheet.pk)
        if seen is not None:
            break
        await asyncio.sleep(0.1)
    assert (seen.called, seen.question, seen.by_http) == (True, 2, True)


async def test_a_hand_lowered_by_the_socket_is_not_raised_again_by_http(source, application, sheet):
    await post(application, sheet, [{"t": "call", "raised": True}])
    assert source()._presences[sheet.pk, 1].called
    ticket = Ticket(sheet.pk, 1, sheet.centre_sitting_id, sheet.sitting_id, sheet.number)

    async def send(_event):
        pass

    await source().enter(Session(ticket, source(), send))
    await post(application, sheet, [])
    assert not source()._presences[sheet.pk, 1].called


async def test_frames_share_the_limit_of_their_sheet(application, sheet):
    pings = [{"t": "ping", "at": 0, "q": 0}] * 50
    codes = [f.get("code") for _ in range(3) for f in (await post(application, sheet, pings))[1]]
    assert codes.count("too-fast") >= 40


@pytest.mark.parametrize("body", [b"{", b"{}", b"[1]", b"[" + b"{}," * 50 + b"{}]", b"[" * 100_000])
async def test_frames_refuse_what_is_no_array_of_frames(application, sheet, body):
    status, frames = await post(application, sheet, body)
    assert (status, frames[0]["code"]) == (400, "malformed")


async def test_frames_refuse_a_form_of_a_foreign_page(application, sheet):
    assert (await post(application, sheet, [], content_type=b"text/plain"))[0] == 400
    assert (await post(application, sheet, [], method="GET"))[0] == 400


async def test_frames_refuse_without_ticket(application, sheet):
    assert await post(application, sheet, [], cookie="a=b") == (401, [])
