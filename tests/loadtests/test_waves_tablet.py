"""The tablet of load tests, told by hand what comes and what time it is: no socket, no clock, no server."""

import hashlib
import json
import random
from base64 import b64encode

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from loadtests.outbox import SentOp, chained
from loadtests.waves.library import SealedPaper, read_paper
from loadtests.waves.lines import TEXT, Link
from loadtests.waves.measures import Reader, Seen, Tally
from loadtests.waves.plan import read_plan
from loadtests.waves.tablet import BEAT_SECONDS, OVERDUE_SECONDS, Slip, Tablet, Trip

SWITCHING = b"HTTP/1.1 101 Switching Protocols\r\n\r\n"
DIGEST = "ab" * 32
HEAD = "2d" * 32
STATE = {
    "t": "state",
    "v": 1,
    "now": 0,
    "status": "ADMITTED",
    "ends_at": None,
    "sitting": {"id": 3},
    "sheet": "K7-4302",
    "paper": {"digest": DIGEST, "bytes": 10, "url": f"/sujets/{DIGEST}.ecni"},
    "seq": 0,
    "digest": HEAD,
    "keys": {},
    "answers": {},
    "sealed": [],
}


class Desk:
    """A tablet that has a ticket already, and what it says."""

    def __init__(self, folder):
        self.folder = folder
        self.tally = Tally(folder, "w")
        header = {"questions": [{"number": 1, "position": 1, "kind": "QRU", "propositions": 5, "progressive": False}]}
        self.trip = Trip("http://h:1", read_plan("small").pace, (), 0.0, 0.0, (), self.tally, random.Random(1))
        self.trip.papers[DIGEST] = SealedPaper(DIGEST, 10, header, b"")
        self.trip.readable[DIGEST] = {1: b""}
        self.tablet = Tablet(Slip("CODE", 1, 0, 100.0, 500.0), self.trip)
        self.tablet.page.visitor.cookies["ecni_ticket"] = "ticket"

    def said(self):
        """Every frame that left since the last call."""
        data, self.tablet.link.outgoing = self.tablet.link.outgoing, b""
        frames = []
        while data:
            assert data[0] == 0x80 | TEXT
            size, start = data[1] & 0x7F, 2
            if size == 126:
                size, start = int.from_bytes(data[2:4], "big"), 4
            mask, body = data[start : start + 4], data[start + 4 : start + 4 + size]
            frames.append(json.loads(bytes(byte ^ mask[place % 4] for place, byte in enumerate(body))))
            data = data[start + 4 + size :]
        return frames

    def hear(self, frame, now):
        payload = json.dumps(frame).encode()
        size = bytes([len(payload)]) if len(payload) < 126 else b"\x7e" + len(payload).to_bytes(2, "big")
        self.tablet.received(self.tablet.link, b"\x81" + size + payload, now)

    def connect(self, now):
        self.tablet.link.outgoing = b""
        self.tablet.opened(self.tablet.link, now)
        self.tablet.received(self.tablet.link, SWITCHING, now)

    def seen(self):
        self.tally.write()
        return Seen(Reader(self.folder).fresh())


@pytest.fixture
def desk(tmp_path):
    made = Desk(tmp_path)
    yield made
    made.tally.close()


@pytest.fixture
def composing(desk):
    desk.tablet.wake(100.0)
    page = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
    desk.tablet.received(desk.tablet.page, page, 100.1)
    desk.connect(100.2)
    desk.hear(STATE, 100.3)
    desk.tablet._is_open = True
    desk.hear({"t": "status", "now": 0, "status": "COMPOSING", "ends_at": 9, "keys": {}}, 101.0)
    desk.said()
    return desk


def next_ops(desk):
    """Wake the tablet until it makes an op; return the ops that left, and when."""
    while True:
        now = desk.tablet.due
        desk.tablet.wake(now)
        ops = [frame for frame in desk.said() if frame["t"] == "op"]
        if ops:
            return ops, now


def test_it_greets_and_tells_the_servers_time_before_anything(desk):
    desk.tablet.wake(100.0)
    desk.tablet.received(desk.tablet.page, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 100.1)
    assert isinstance(desk.tablet.link, Link)
    assert desk.tablet.link.wanted
    desk.connect(100.2)
    (hello,) = desk.said()
    assert (hello["t"], hello["v"], "skew" in hello) == ("hello", 1, False)
    desk.hear(STATE, 100.3)
    ping, ready = desk.said()
    assert (ping["t"], "skew" in ping) == ("ping", True)
    assert ready == {"t": "ready", "paper": DIGEST}


def test_its_acts_are_chained_and_their_delay_counts_from_when_they_were_due(composing):
    ops, now = next_ops(composing)
    first = ops[0]
    expected = chained(
        bytes.fromhex(HEAD), SentOp(1, 1, first["kind"], first["q"], first["value"], first["at"], "")
    ).digest
    assert (first["seq"], first["digest"]) == (1, expected)
    composing.hear({"t": "ack", "seq": 1}, now + 0.25)
    assert composing.seen().delays("ack").greatest == pytest.approx(250, abs=1)


def test_a_late_engine_is_measured_apart(composing):
    due = composing.tablet._life_at
    composing.tablet.wake(due + 0.4)
    assert composing.seen().delays("late").greatest == pytest.approx(400, abs=1)


def act_without_a_link(desk, now):
    desk.tablet._life_at = desk.tablet._at = now
    desk.tablet._act("answer", 1, "C")


def come_back(desk):
    """Have a tablet that lost its link greet and have all that waited acknowledged; return what it sent again."""
    desk.tablet._life_at = 10_000.0
    desk.tablet._plan()
    back = desk.tablet._retry_at
    desk.tablet.wake(back)
    assert desk.tablet.link.wanted
    desk.connect(back + 0.1)
    desk.said()
    desk.hear(STATE | {"status": "COMPOSING"}, back + 0.2)
    again = [frame for frame in desk.said() if frame["t"] == "op"]
    for op in again:
        desk.hear({"t": "ack", "seq": op["seq"]}, back + 0.3)
    return again, back + 0.3


def test_what_was_not_acknowledged_leaves_again_after_a_cut_and_only_what_was_made_meanwhile_counts_apart(composing):
    ops, now = next_ops(composing)
    composing.tablet.lost(composing.tablet.link, now + 0.1)
    assert not composing.tablet.link.wanted
    act_without_a_link(composing, now + 0.2)
    again, acknowledged = come_back(composing)
    assert again[: len(ops)] == ops
    assert len(again) == len(ops) + 1
    seen = composing.seen()
    assert (seen.delays("ack").count, seen.delays("ack after a cut").count) == (len(ops), 1)
    assert seen.delays("ack").greatest == pytest.approx(1000 * (acknowledged - now), abs=1)
    assert [value for *_, value in seen.events("back")] == [pytest.approx(acknowledged - now - 0.2, abs=1e-3)]


def test_all_that_waited_counts_apart_when_the_tablets_own_network_went_away(composing):
    ops, now = next_ops(composing)
    composing.tablet._drop(None, now + 0.1)
    again, _ = come_back(composing)
    seen = composing.seen()
    assert again == ops
    assert (seen.delays("ack").count, seen.delays("ack after a cut").count) == (0, len(ops))


def test_what_was_late_before_the_tablets_own_network_went_away_counts_like_any_act(composing):
    ops, now = next_ops(composing)
    composing.tablet._drop(None, now + 20)
    come_back(composing)
    seen = composing.seen()
    assert (seen.delays("ack").count, seen.delays("ack after a cut").count) == (len(ops), 0)


def test_what_its_own_network_delayed_stays_apart_when_the_link_is_lost_again(composing):
    ops, now = next_ops(composing)
    composing.tablet._drop(None, now + 0.1)
    composing.tablet._life_at = 10_000.0
    back = composing.tablet._retry_at
    composing.tablet.wake(back)
    composing.connect(back + 0.1)
    composing.hear(STATE | {"status": "COMPOSING"}, back + 0.2)
    composing.tablet.lost(composing.tablet.link, back + 0.3)
    come_back(composing)
    seen = composing.seen()
    assert (seen.delays("ack").count, seen.delays("ack after a cut").count) == (0, len(ops))


def test_a_link_lost_while_the_state_is_asked_again_is_a_cut(composing):
    _, now = next_ops(composing)
    composing.hear({"t": "refused", "code": "too-fast", "text": "…"}, now)
    composing.tablet.lost(composing.tablet.link, now + 0.1)
    come_back(composing)
    assert len(composing.seen().events("back")) == 1


def test_a_state_asked_again_without_a_cut_sets_nothing_apart(composing):
    ops, now = next_ops(composing)
    composing.hear(STATE | {"status": "COMPOSING", "seq": 0}, now + 0.1)
    for op in ops:
        composing.hear({"t": "ack", "seq": op["seq"]}, now + 0.2)
    seen = composing.seen()
    assert (seen.delays("ack").count, seen.delays("ack after a cut").count) == (len(ops), 0)


def test_a_step_sealed_during_a_cut_stays_sealed(composing):
    _, now = next_ops(composing)
    composing.tablet.lost(composing.tablet.link, now)
    composing.tablet._act("seal", 1, "")
    come_back(composing)
    acts = composing.tablet.outbox.acts
    composing.tablet._change({"number": 1, "kind": "QRU", "propositions": 5})
    assert composing.tablet.outbox.acts == acts


def test_a_server_that_knows_less_than_it_acknowledged_is_a_loss(composing):
    ops, now = next_ops(composing)
    composing.hear({"t": "ack", "seq": 1}, now)
    composing.hear(STATE | {"status": "COMPOSING", "seq": 0}, now + 1)
    assert composing.seen().count("losses seen") == 1
    assert ops


def test_a_frame_refused_unread_makes_it_greet_again(composing):
    composing.hear({"t": "refused", "code": "too-fast", "text": "…"}, 102.0)
    composing.tablet.wake(103.5)
    assert "hello" in {frame["t"] for frame in composing.said()}
    assert composing.seen().count("errors") == 0


def test_a_refusal_for_good_is_shown_and_only_a_state_lets_acts_leave(composing):
    _, now = next_ops(composing)
    composing.hear({"t": "refused", "code": "locked", "seq": 1, "text": "…"}, now)
    assert {frame["t"] for frame in composing.said()} == {"hello"}
    assert composing.seen().errors() == {"refus : locked": 1}


def test_silence_ends_a_link_that_looks_open(composing):
    heard = composing.tablet._heard
    composing.tablet._life_at = 10_000.0
    composing.tablet._plan()
    while composing.tablet.due < heard + BEAT_SECONDS + OVERDUE_SECONDS:
        composing.tablet.wake(composing.tablet.due)
    composing.tablet.wake(composing.tablet.due)
    assert not composing.tablet._is_greeted
    assert composing.seen().count("silent") == 1
    _, acknowledged = come_back(composing)
    assert [value for *_, value in composing.seen().events("back")] == [pytest.approx(acknowledged - heard, abs=0.2)]


def test_a_link_that_never_came_back_was_missing_until_the_end(composing):
    composing.tablet.lost(composing.tablet.link, 130.0)
    composing.tablet.finish(171.0)
    assert [value for *_, value in composing.seen().events("back")] == [41.0]


def test_a_tablet_whose_sheet_was_closed_may_leave_and_has_not_handed_in(composing):
    composing.tablet.hand_in(150.0)
    composing.hear({"t": "status", "now": 0, "status": "CLOSED", "ends_at": 9, "keys": {}}, 140.0)
    composing.tablet.wake(150.0)
    composing.tablet.finish(151.0)
    seen = composing.seen()
    assert (seen.events("submitted"), seen.events("back")) == ([], [])


def test_it_beats_as_often_as_it_is_asked_to(composing):
    composing.tablet._life_at = 10_000.0
    composing.hear({"t": "pong", "at": 1, "now": 1_782_307_800_000, "beat": 24}, 101.0)
    composing.tablet.wake(composing.tablet._ping_at)
    beaten = composing.tablet._ping_at
    assert [frame["t"] for frame in composing.said()].count("ping") >= 1
    composing.tablet.wake(beaten)
    assert composing.tablet._ping_at == pytest.approx(beaten + 24, abs=0.1)


def test_a_page_that_asks_to_wait_is_no_error_and_one_that_fails_is(desk):
    del desk.tablet.page.visitor.cookies["ecni_ticket"]
    desk.tablet.wake(100.0)
    wait = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 4\r\nContent-Length: 0\r\n\r\n"
    desk.tablet.received(desk.tablet.page, wait, 100.1)
    assert 104.0 <= desk.tablet.due <= 106.2
    desk.tablet.wake(desk.tablet.due)
    failure = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"
    desk.tablet.received(desk.tablet.page, failure, 107.0)
    seen = desk.seen()
    assert (seen.count("waited"), seen.errors()) == (1, {"GET /entrer/ : 500": 1})


def answer(desk, status, now, *headers, body=b"page"):
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    desk.tablet.opened(desk.tablet.page, now)
    desk.tablet.received(desk.tablet.page, "\r\n".join(head).encode() + body, now)


def asked(desk):
    """Return the first line of what leaves by the page's connection."""
    data, desk.tablet.page.outgoing = desk.tablet.page.outgoing, b""
    return data.partition(b"\r\n")[0].decode()


@pytest.fixture
def newcomer(desk):
    """A tablet that stands before the door, without a ticket."""
    desk.tablet.page.visitor.cookies.clear()
    desk.tablet.wake(100.0)
    assert asked(desk) == "GET /entrer/ HTTP/1.1"
    return desk


@pytest.mark.parametrize("status", [200, 503])
def test_a_page_that_makes_wait_is_followed_where_it_leads(newcomer, status):
    answer(newcomer, f"{status} X", 100.5, "Refresh: 4;url=/entrer/attente/", "Retry-After: 4")
    newcomer.tablet.wake(104.4)
    assert asked(newcomer) == ""
    newcomer.tablet.wake(105.4)
    assert asked(newcomer) == "GET /entrer/attente/ HTTP/1.1"
    answer(newcomer, f"{status} X", 105.5, "Refresh: 4;url=/entrer/attente/")
    seen = newcomer.seen()
    assert [at for *_, at, _ in seen.events("told")] == [100.5]
    assert (seen.count("waited"), seen.count("errors"), seen.events("unanswered")) == (2, 0, [])


def test_who_had_no_answer_and_then_a_page_that_makes_wait_is_told_once(newcomer):
    newcomer.tablet.lost(newcomer.tablet.page, 101.0)
    newcomer.tablet.wake(106.1)
    assert asked(newcomer) == "GET /entrer/ HTTP/1.1"
    answer(newcomer, "503 X", 106.2, "Retry-After: 4")
    seen = newcomer.seen()
    assert [value for *_, value in seen.events("unanswered")] == [0.0]
    assert [value for *_, value in seen.events("told")] == [1.0]
    assert seen.errors() == {"GET /entrer/ : connexion perdue": 1}


def test_an_answer_cut_short_is_no_silence(newcomer):
    newcomer.tablet.opened(newcomer.tablet.page, 100.1)
    newcomer.tablet.received(newcomer.tablet.page, b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", 100.2)
    newcomer.tablet.lost(newcomer.tablet.page, 101.0)
    seen = newcomer.seen()
    assert seen.errors() == {"GET /entrer/ : réponse coupée": 1}
    assert seen.events("unanswered") == []


def test_a_page_that_never_comes_is_given_up_after_the_patience_of_the_run(newcomer):
    newcomer.trip.patience = 8.0
    newcomer.tablet.lost(newcomer.tablet.page, 101.0)
    newcomer.tablet.wake(106.1)
    assert newcomer.tablet.due < 106.1 + 8.1
    newcomer.tablet.wake(newcomer.tablet.due)
    assert newcomer.seen().count("errors") == 2
    assert not newcomer.tablet.page.is_waiting


def test_a_frame_that_makes_wait_says_when_to_call_again(desk):
    desk.tablet.wake(100.0)
    answer(desk, "200 OK", 100.1)
    desk.tablet.wake(100.2)
    desk.connect(100.3)
    desk.hear({"t": "wait", "place": 3, "retry": 6000}, 100.4)
    desk.tablet.lost(desk.tablet.link, 100.5)
    assert desk.tablet.due == pytest.approx(106.4)
    seen = desk.seen()
    assert ([at for *_, at, _ in seen.events("told")], seen.events("unanswered")) == ([100.4], [])


def test_a_damaged_paper_is_asked_for_again_and_never_kept(desk):
    header = b'{"questions": []}'
    whole = b"ECNIPAPR" + len(header).to_bytes(4, "big") + header + b"sealed"
    digest = hashlib.sha256(whole).hexdigest()
    desk.tablet.wake(100.0)
    answer(desk, "200 OK", 100.1)
    desk.connect(100.3)
    asked(desk)
    desk.hear(STATE | {"paper": {"digest": digest, "bytes": len(whole), "url": "/sujets/it.ecni"}}, 100.4)
    for now, body in ((101.0, whole[:-6] + b"broken"), (103.0, whole[:-1]), (105.0, b"")):
        assert asked(desk) == "GET /sujets/it.ecni HTTP/1.1"
        answer(desk, "200 OK", now, body=body)
        assert digest not in desk.trip.papers
        desk.tablet.wake(now + 1.1)
    answer(desk, "200 OK", 107.0, body=whole)
    assert desk.trip.papers[digest].blobs == b"sealed"
    seen = desk.seen()
    assert (seen.errors(), seen.count("papers"), len(seen.events("ready"))) == ({"sujet abîmé": 3}, 1, 1)


def sealed_paper(opening, first):
    """Return a sealed file of one question, as `docs/papers.md` says."""

    def sealed(number, key, clear):
        return b"\0" * 12 + AESGCM(key).encrypt(b"\0" * 12, clear, f"ecni-paper/1|p|{number}".encode())

    keys = sealed(0, opening, json.dumps({"keys": {"1": b64encode(first).decode()}}).encode())
    question = sealed(1, first, b'{"html":"?"}')
    header = {
        "paper": "p",
        "opening": {"offset": 0, "length": len(keys)},
        "questions": [{"number": 1, "position": 1, "offset": len(keys), "length": len(question)}],
    }
    text = json.dumps(header).encode()
    return b"ECNIPAPR" + len(text).to_bytes(4, "big") + text + keys + question


def test_a_tablet_that_still_fetches_its_paper_at_the_order_opens_late_though_others_have_it(desk):
    opening = b"o" * 32
    whole = sealed_paper(opening, b"f" * 32)
    digest = hashlib.sha256(whole).hexdigest()
    desk.trip.papers[digest], desk.trip.paper_share = read_paper(whole, digest), 1.0
    desk.tablet.wake(100.0)
    answer(desk, "200 OK", 100.1)
    desk.connect(100.3)
    asked(desk)
    desk.hear(STATE | {"paper": {"digest": digest, "bytes": len(whole), "url": "/sujets/it.ecni"}}, 100.4)
    assert asked(desk) == "GET /sujets/it.ecni HTTP/1.1"
    keys = {"0": b64encode(opening).decode()}
    desk.hear({"t": "status", "now": 0, "status": "COMPOSING", "ends_at": 9, "keys": keys}, 101.0)
    assert (desk.seen().events("opened"), desk.tablet._is_open) == ([], False)
    answer(desk, "200 OK", 104.0, body=whole)
    seen = desk.seen()
    assert (seen.events("opened"), [at for *_, at, _ in seen.events("opened late")]) == ([], [104.0])


@pytest.mark.parametrize("waits", [True, False])
def test_who_comes_in_says_whether_they_had_waited_and_is_told_no_more(desk, waits):
    desk.tablet.wake(100.0)
    answer(desk, "200 OK", 100.1)
    desk.tablet.wake(100.2)
    desk.connect(100.3)
    if waits:
        desk.hear({"t": "wait", "place": 3, "retry": 6000}, 100.4)
    desk.hear(STATE, 106.4)
    desk.hear({"t": "wait", "place": 3, "retry": 6000}, 107.0)
    seen = desk.seen()
    assert [value for *_, value in seen.events("ready")] == [float(waits)]
    assert len(seen.events("told")) == waits


def test_a_handshake_refused_leaves_a_newcomer_before_the_tablets_own_page(desk):
    desk.tablet.wake(100.0)
    answer(desk, "200 OK", 100.1)
    desk.tablet.opened(desk.tablet.link, 100.3)
    desk.tablet.received(desk.tablet.link, b"HTTP/1.1 502 Bad Gateway\r\n\r\n", 100.4)
    seen = desk.seen()
    assert (len(seen.events("unanswered")), seen.events("told"), seen.events("cut")) == (1, [], [])


def test_a_link_lost_by_who_was_in_is_told_of(desk):
    desk.tablet.wake(100.0)
    answer(desk, "200 OK", 100.1)
    desk.connect(100.3)
    desk.hear(STATE, 100.4)
    desk.tablet.lost(desk.tablet.link, 130.0)
    seen = desk.seen()
    assert ([at for *_, at, _ in seen.events("cut")], seen.events("unanswered")) == ([130.0], [])


def test_whoever_is_asked_to_hands_in_at_that_instant(composing):
    composing.tablet.hand_in(150.0)
    kinds = []
    while composing.tablet.due <= 150.0:
        now = composing.tablet.due
        composing.tablet.wake(now)
        for op in (frame for frame in composing.said() if frame["t"] == "op"):
            kinds.append((op["kind"], now))
            composing.hear({"t": "ack", "seq": op["seq"]}, now)
    assert kinds[-1] == ("submit", 150.0)
    assert {kind for kind, _ in kinds[:-1]} <= {"answer", "flag", "strike", "seal"}
    assert len(composing.seen().events("submitted")) == 1
