"""One candidate and their tablet, without sockets and without a clock: told what comes and what time it is, it acts.

An engine holds its two lines (`lines.py`), calls `wake` at `due`, `opened`, `received` and `lost` as they happen, and
after each call connects, sends and closes what the lines want. Instants are monotonic seconds. The wire is
`docs/protocol.md`; what a person does, with which pauses, is the generator `_life`.
"""

import hashlib
import json
import math
import random
import re
import time
from base64 import b64decode
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from loadtests.candidate import LETTERS, any_answer
from loadtests.outbox import RETRY, WINDOW, Outbox, SentOp, Storage
from loadtests.waves.library import SealedPaper, Unreadable, read_paper
from loadtests.waves.lines import Answer, Broken, Line, Link, Page, Visitor
from loadtests.waves.measures import Tally
from loadtests.waves.pace import Pace, flick_seconds, think_seconds

BEAT_SECONDS, OVERDUE_SECONDS, OPENING_SECONDS = 10.0, 15.0, 10.0
"""Between two heartbeats until told otherwise; then for the answer; for a socket to open."""
STORM_SECONDS = 30.0
"""In which everybody must be back."""
UNDER_WAY_SECONDS = 1.0
"""How old an act may be that the loss of the tablet's own network delays: an older one was late already."""
FIRST_DELAY, LONGEST_DELAY = 0.5, 15.0
CLOSE_TICKET, CLOSE_REPLACED, CLOSE_VERSION = 4401, 4409, 4410
FINAL = {CLOSE_TICKET: "billet refusé", CLOSE_REPLACED: "copie prise par une autre tablette", CLOSE_VERSION: "version"}
TYPING_MU, TYPING_SD, LONGEST_TYPING = 1.1, 0.5, 8.0
"""Seconds spent on each page of the entry: typing a code, reading a name."""
DOUBLE_SECONDS = 0.1
SKEWS = 8
"""Answers whose time a tablet remembers."""
CLOSED = frozenset({"CLOSED", "ABSENT"})
WAITING_STATUSES = frozenset({HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS})
NO_ANSWER, CUT_SHORT = "connexion perdue", "réponse coupée"
_RETRY_AFTER = re.compile(r"\d+")
_REFRESH = re.compile(r"(?P<seconds>\d+)(?:\s*;\s*url=(?P<url>\S+))?", re.IGNORECASE)
DOOR = "/entrer/"
_WAITING = None
"""What `_life` yields to wait for whatever comes next."""


@dataclass(frozen=True, slots=True)
class Slip:
    """One line of the file of codes: the code of the slip, and when its holder arrives and hands in."""

    code: str
    wave: int
    centre: int
    arrives: float
    hands_in: float


@dataclass(slots=True)
class Trip:
    """What all the tablets of one process share.

    Attributes:
        base: address of the platform.
        pace: how people behave.
        storms: when every socket is dropped.
        paper_share, statics_share: which share fetches the paper, the static files.
        statics: addresses of the static files of the tablet's page.
        tally: what counts.
        rng: source of all that is random here.
        patience: seconds without a byte of a page after which a tablet asks again.
        papers: sealed papers by digest.
        readable: keys of what is readable from the start, by digest of the paper.
    """

    base: str
    pace: Pace
    storms: tuple[float, ...]
    paper_share: float
    statics_share: float
    statics: tuple[str, ...]
    tally: Tally
    rng: random.Random
    patience: float = math.inf
    papers: dict[str, SealedPaper] = field(default_factory=dict)
    readable: dict[str, dict[int, bytes]] = field(default_factory=dict)

    def is_stormy(self, at: float) -> bool:
        """Whether everybody was coming back then."""
        return any(0 <= at - storm < STORM_SECONDS for storm in self.storms)


class Tablet:
    """A candidate with a tablet, from the door to the receipt."""

    __slots__ = (
        "_acked",
        "_answer",
        "_apart_from",
        "_at",
        "_attempt",
        "_beat",
        "_cut_at",
        "_delayed",
        "_flying",
        "_give_up_at",
        "_heard",
        "_is_greeted",
        "_is_in",
        "_is_open",
        "_is_told",
        "_is_unanswered",
        "_keys",
        "_knock_at",
        "_life_at",
        "_life_is_waiting",
        "_linked",
        "_ping_at",
        "_question",
        "_resend_at",
        "_retry_at",
        "_sealed",
        "_skews",
        "_slip",
        "_state",
        "_status",
        "_storms",
        "_story",
        "_submitted",
        "_trip",
        "_watch_at",
        "due",
        "is_over",
        "link",
        "outbox",
        "page",
    )

    def __init__(self, slip: Slip, trip: Trip) -> None:
        visitor = Visitor(trip.base, f"127.0.{slip.centre + 1}.1")
        self.page, self.link = Page(visitor), Link(visitor)
        self.outbox = Outbox(Storage(None))
        self.is_over = False
        self._slip, self._trip = slip, trip
        self._at = self._heard = slip.arrives
        self._answer: Answer | None = None
        self._state: dict[str, Any] = {}
        self._status = ""
        self._sealed: set[int] = set()
        self._skews: tuple[int, ...] = ()
        self._keys: dict[int, bytes] = {}
        self._flying: set[int] = set()
        self._acked = self._delayed = self._question = self._attempt = 0
        self._is_greeted = self._is_open = self._submitted = self._linked = False
        self._is_in = self._is_told = self._is_unanswered = False
        self._cut_at: float | None = None
        self._apart_from = math.inf
        self._beat = BEAT_SECONDS
        self._knock_at = 0.0
        self._ping_at = self._retry_at = self._resend_at = self._watch_at = self._give_up_at = math.inf
        self._storms = list(trip.storms)
        self._story = self._life()
        self._life_at, self._life_is_waiting = slip.arrives, False
        self.due = slip.arrives

    @property
    def lines(self) -> tuple[Line, Line]:
        """Both connections."""
        return self.page, self.link

    # What an engine tells

    def wake(self, now: float) -> None:
        """Do what is due."""
        if self._storms and self._storms[0] <= now:
            self._drop(self._storms.pop(0), now)
        if self._retry_at <= now:
            self._retry_at = math.inf
            self._call(now)
        self._mind_the_silent(now)
        if self._ping_at <= now:
            self._ping_at = now + self._beat
            if self._is_greeted:
                self._ping()
        if self._resend_at <= now:
            self._send_again(now)
        if self._life_at <= now and not self._life_is_waiting:
            self._at = self._life_at
            self._trip.tally.delay("late", self._slip.wave, 1000 * (now - self._at))
            self._live()
            self._flush(now)
        self._plan()

    def opened(self, line: Line, now: float) -> None:
        """A connection is made."""
        line.is_open = True
        if line is self.link:
            self._heard = now
        self._plan()

    def received(self, line: Line, data: bytes, now: float) -> None:
        """Bytes have come."""
        try:
            if line is self.page:
                self._give_up_at = now + self._trip.patience
                answer = self.page.receive(data)
                if answer is not None:
                    self._take_answer(answer, now)
            else:
                self._heard = now
                was_up = self.link.is_up
                texts = self.link.receive(data)
                if self.link.is_up and not was_up:
                    self._hello()
                for text in texts:
                    self._hear(json.loads(text), now)
        except Broken:
            self.lost(line, now)
        self._plan()

    def lost(self, line: Line, now: float) -> None:
        """A connection is gone, or could not be made."""
        if line is self.page:
            answer = self.page.lost()
            if answer is not None:
                self._take_answer(answer, now)
        else:
            self._lose(now)
        self._plan()

    def hand_in(self, at: float) -> None:
        """Have the person hand in at an instant, whatever the slip said."""
        self._slip = replace(self._slip, hands_in=at)
        if not self._life_is_waiting and self._state:
            self._life_at = min(self._life_at, at)
        self._plan()

    def finish(self, now: float) -> None:
        """Let go of everything; a link that never came back was missing until now."""
        self.is_over = True
        if self._cut_at is not None and self._status not in CLOSED:
            self._back(now, self._cut_at)
        self._unlink()
        self.page.lost()
        self.link.lost()
        self.due = math.inf

    # What the person does: a generator of pauses in seconds

    def _live(self, now: float | None = None) -> None:
        if now is not None:
            self._at = now
        pause = next(self._story, math.inf)
        self._life_is_waiting = pause is _WAITING
        self._life_at = math.inf if pause is _WAITING else self._at + pause

    def _stir(self, now: float) -> None:
        """Something has come: go on if that is what was awaited."""
        if self._life_is_waiting:
            self._live(now)
            self._flush(now)

    def _life(self) -> Iterator[float | None]:
        yield from self._enter()
        self._trip.tally.event("entered", self._slip.wave, self._slip.centre, self._at, self._at - self._slip.arrives)
        yield from self._get_ready()
        while not self._is_open:
            yield _WAITING
        yield from self._compose()
        yield from self._hand_in()
        while True:
            yield _WAITING

    def _enter(self) -> Iterator[float | None]:
        while "ecni_ticket" not in self.page.visitor.cookies:
            yield from self._fetch("GET", DOOR)
            yield self._typing()
            place = yield from self._fetch("POST", "/entrer/identite/", {"code": self._slip.code})
            if place == DOOR:
                continue
            yield self._typing()
            yield from self._fetch("POST", "/entrer/oui/", {"code": self._slip.code})
            self._trip.tally.count("logins", self._slip.wave)
        yield from self._fetch("GET", "/copie/")

    def _get_ready(self) -> Iterator[float | None]:
        if self._trip.rng.random() < self._trip.statics_share:
            for path in self._trip.statics:
                yield from self._fetch("GET", path, keep=False)
        self._call(self._at)
        while not self._is_greeted:
            yield _WAITING
        place = self._state["paper"]
        if place["digest"] not in self._trip.papers or self._trip.rng.random() < self._trip.paper_share:
            yield from self._fetch_paper(place)
        self.page.wanted = False
        if self._is_greeted:
            self._say({"t": "ready", "paper": place["digest"]})
        self._come_in(self._at)
        self._open_paper(self._at, "opened late")

    def _fetch(
        self, method: str, path: str, fields: dict[str, str] | None = None, *, keep: bool = True
    ) -> Generator[float | None, None, str]:
        """Ask for a page until it comes; return where it was found, since a page that makes wait may lead elsewhere.

        What is no page was shown, unless it only asks to wait.
        """
        token = self.page.visitor.cookies.get("csrftoken", "")
        body = urlencode({"csrfmiddlewaretoken": token} | fields).encode() if fields else b""
        while True:
            self._answer = None
            asked = self._at
            self._give_up_at = asked + self._trip.patience
            self.page.ask(method, path, body, keep=keep)
            while not self._has_answer:
                yield _WAITING
            answer = self._taken()
            self._trip.tally.count("bytes", self._slip.wave, answer.size)
            self._trip.tally.delay("page", self._slip.wave, 1000 * (self._at - asked))
            if waiting := _REFRESH.match(answer.headers.get("refresh", "")):
                self._told_to_wait(self._at)
                if waiting["url"]:
                    method, path, body = "GET", waiting["url"], b""
                yield int(waiting["seconds"]) * self._trip.rng.uniform(1, 1.2)
            elif HTTPStatus.OK <= answer.status < HTTPStatus.BAD_REQUEST:
                return path
            else:
                yield self._refused_page(method, path, answer)

    def _taken(self) -> Answer:
        return self._answer or Answer(0)

    @property
    def _has_answer(self) -> bool:
        return self._answer is not None

    def _refused_page(self, method: str, path: str, answer: Answer) -> float:
        """Return how long to wait before asking for a page again, and count what was shown instead of it."""
        if answer.status in WAITING_STATUSES and "retry-after" in answer.headers:
            self._told_to_wait(self._at)
            return int((_RETRY_AFTER.match(answer.headers["retry-after"]) or ["5"])[0]) * self._trip.rng.uniform(1, 1.5)
        what = answer.status or (CUT_SHORT if answer.size else NO_ANSWER)
        self._trip.tally.error(f"{method} {path.partition('?')[0]} : {what}", self._slip.wave, self._at)
        if what == NO_ANSWER:
            self._left_alone(self._at)
        return self._trip.rng.uniform(2, 5)

    def _come_in(self, now: float) -> None:
        """The tablet has its paper: an event, worth 1 for who was told to wait or had no answer before."""
        self._is_in = True
        had_waited = self._is_told or self._is_unanswered
        self._trip.tally.event("ready", self._slip.wave, self._slip.centre, now, float(had_waited))

    def _told_to_wait(self, now: float) -> None:
        """A page or a frame says to wait; the first one before coming in is an event, worth 1 after no answer."""
        self._trip.tally.count("waited", self._slip.wave)
        if not self._is_told and not self._is_in:
            self._is_told = True
            self._trip.tally.event("told", self._slip.wave, self._slip.centre, now, float(self._is_unanswered))

    def _left_alone(self, now: float) -> None:
        """Nothing came that a person could read: what they see is their tablet's own; worth 1 once told to wait."""
        if not self._is_unanswered and not self._is_in:
            self._is_unanswered = True
            self._trip.tally.event("unanswered", self._slip.wave, self._slip.centre, now, float(self._is_told))

    def _fetch_paper(self, place: dict[str, Any]) -> Iterator[float | None]:
        digest = place["digest"]
        while True:
            missing = digest not in self._trip.papers
            yield from self._fetch("GET", place["url"], keep=missing)
            answer = self._answer or Answer(0)
            found = hashlib.sha256(answer.body).hexdigest() if missing else answer.digest
            if answer.size == place["bytes"] and found == digest:
                if missing:
                    self._trip.papers[digest] = read_paper(answer.body, digest)
                self._trip.tally.count("papers", self._slip.wave)
                return
            self._trip.tally.error("sujet abîmé", self._slip.wave, self._at)
            yield 1.0

    def _compose(self) -> Iterator[float | None]:
        trip, pace, rng = self._trip, self._trip.pace, self._trip.rng
        person = rng.gauss(0, pace.person_sd)
        for question in self._in_order():
            number = question["number"]
            self._question = number
            yield from self._pause(think_seconds(pace, person, number, rng))
            while self._may_act and number not in self._keys and number not in self._readable:
                yield from self._pause(0.5)
            if not self._may_act:
                return
            yield from self._treat(question)
            for seconds in flick_seconds(pace, rng):
                self._question = rng.choice(self._paper.questions)["number"]
                yield from self._pause(seconds)
            if rng.random() < pace.revise / 4:
                self._change(rng.choice(self._paper.questions))
            if rng.random() < pace.drop:
                trip.tally.count("drops", self._slip.wave)
                self._drop(None, self._at)
        while self._may_act:
            yield from self._pause(think_seconds(pace, person, 0, rng))
            self._change(rng.choice(self._paper.questions))

    def _treat(self, question: dict[str, Any]) -> Iterator[float | None]:
        pace, rng, number = self._trip.pace, self._trip.rng, question["number"]
        self._change(question)
        if rng.random() < pace.double_click:
            yield from self._pause(DOUBLE_SECONDS)
            self._change(question)
        if rng.random() < pace.revise:
            yield from self._pause(think_seconds(pace, 0, number, rng) / 8)
            self._change(question)
        if rng.random() < pace.flag:
            self._act("flag", number, "1")
        if question["propositions"] and rng.random() < pace.strike:
            self._act("strike", number, rng.choice(LETTERS[: question["propositions"]]))
        if question["progressive"] and number not in self._sealed:
            self._act("seal", number, "")

    def _hand_in(self) -> Iterator[float | None]:
        while self._at < self._slip.hands_in:
            yield self._slip.hands_in - self._at
        if self._status == "COMPOSING" and not self._submitted:
            self._act("submit", 0, "")
        while not self._submitted and self._status not in CLOSED:
            yield _WAITING
        if self._submitted:
            late = self._at - self._slip.hands_in
            self._trip.tally.event("submitted", self._slip.wave, self._slip.centre, self._at, late)

    def _pause(self, seconds: float) -> Iterator[float | None]:
        """Wait, but not past the instant of handing in."""
        yield max(0.0, min(seconds, self._slip.hands_in - self._at))

    def _typing(self) -> float:
        return min(LONGEST_TYPING, math.exp(self._trip.rng.gauss(TYPING_MU, TYPING_SD)))

    def _in_order(self) -> list[dict[str, Any]]:
        """The questions in the order of this person: from the first, or from a unit somewhere."""
        questions, rng = self._paper.questions, self._trip.rng
        if rng.random() >= self._trip.pace.elsewhere:
            return questions
        starts = [place for place, question in enumerate(questions) if question["position"] == 1]
        start = rng.choice(starts)
        return questions[start:] + questions[:start]

    @property
    def _paper(self) -> SealedPaper:
        return self._trip.papers[self._state["paper"]["digest"]]

    @property
    def _readable(self) -> dict[int, bytes]:
        return self._trip.readable[self._state["paper"]["digest"]]

    @property
    def _may_act(self) -> bool:
        return self._status == "COMPOSING" and not self._submitted and self._at < self._slip.hands_in

    def _change(self, question: dict[str, Any]) -> None:
        number = question["number"]
        can_read = number in self._readable or number in self._keys
        if can_read and number not in self._sealed:
            self._act("answer", number, any_answer(question, 1, self._trip.rng))

    def _act(self, kind: str, question: int, value: str) -> None:
        """Make one op, due at this instant of the person's life, whenever the engine came to it."""
        if kind == "seal":
            self._sealed.add(question)
        op = self.outbox.make(kind, question, value, _wall())
        op.first_sent = self._at
        self._trip.tally.count("acts", self._slip.wave)

    # The link

    def _call(self, now: float) -> None:
        self.link.call("/ws/copie/")
        self._heard = now
        self._watch_at = now + OPENING_SECONDS

    def _drop(self, storm: float | None, now: float) -> None:
        """The network goes away, without a word."""
        if not self._linked:
            return
        if storm is not None:
            self._trip.tally.count("dropped", self._slip.wave)
        at = now if storm is None else storm
        self._cut(at, at - UNDER_WAY_SECONDS)
        self._lose(now)

    def _lose(self, now: float) -> None:
        code = self.link.code
        if self.link.status and not self.link.is_up:
            self._trip.tally.count("handshakes refused", self._slip.wave)
        if self._linked and self._cut_at is None:
            self._cut(now, now)
        self._note_loss(now)
        self.link.lost()
        self._unlink()
        self._flying.clear()
        self._ping_at = self._watch_at = self._resend_at = math.inf
        if self._status in CLOSED:
            return
        if code in FINAL:
            self._trip.tally.error(FINAL[code], self._slip.wave, now)
            if code == CLOSE_TICKET:
                self._trip.tally.count("logins again", self._slip.wave)
            self._retry_at = math.inf
            return
        self._retry_at = self._knock_at
        if self._retry_at > now:
            return
        self._retry_at = now + self._trip.rng.random() * min(LONGEST_DELAY, FIRST_DELAY * 2 ** min(self._attempt, 10))
        self._attempt += 1

    def _cut(self, at: float, apart_from: float) -> None:
        """The link is missing since an instant; what waits and was made since another one counts apart."""
        waits = bool(self.outbox.pending) and self.outbox.pending[0].seq <= self._delayed
        self._cut_at, self._apart_from = at, min(self._apart_from, apart_from) if waits else apart_from

    def _note_loss(self, now: float) -> None:
        """Note a link lost by whoever had one, or never made without a word that says to wait."""
        if self._linked and self._status not in CLOSED:
            self._trip.tally.event("cut", self._slip.wave, self._slip.centre, now)
        elif not self._state and now >= self._knock_at:
            self._left_alone(now)

    def _mind_the_silent(self, now: float) -> None:
        """Give up a page and a link from which nothing has come for too long."""
        if self._give_up_at <= now:
            self._give_up_at = math.inf
            self.lost(self.page, now)
        if self._watch_at > now:
            return
        patience = self._beat + OVERDUE_SECONDS if self._is_greeted else OPENING_SECONDS
        if now - self._heard < patience:
            self._watch_at = self._heard + patience
            return
        self._trip.tally.count("silent", self._slip.wave)
        if self._linked:
            self._cut(self._heard, self._heard)
        self._lose(now)

    def _unlink(self) -> None:
        self._is_greeted = False
        if self._linked:
            self._linked = False
            self._trip.tally.gauge("linked", self._slip.wave, -1)

    # Frames

    def _hear(self, frame: dict[str, Any], now: float) -> None:
        if "now" in frame:
            self._learn_time(frame["now"])
        match frame["t"]:
            case "ack":
                self._acknowledged(frame, now)
            case "state":
                self._take_state(frame, now)
            case "status":
                self._take_status(frame, now)
            case "refused":
                self._refused(frame, now)
            case "pong":
                self._beat = frame["beat"]
            case "wait":
                self._told_to_wait(now)
                self._knock_at = now + frame["retry"] / 1000

    def _learn_time(self, now: int) -> None:
        is_first = not self._skews
        self._skews = (*self._skews[1 - SKEWS :], now - _wall())
        if is_first:  # told before any act, which would be judged without it
            self._ping()

    def _take_state(self, frame: dict[str, Any], now: float) -> None:
        if frame["seq"] < self._acked:
            self._trip.tally.count("losses seen", self._slip.wave)
        self._state = frame
        self._sealed = set(frame["sealed"])
        self.outbox.belong(frame["sitting"]["id"], frame["sheet"])
        before = {op.act: op.first_sent for op in self.outbox.pending}
        covered, _ = self.outbox.rebase(frame["seq"], frame["digest"], self._sealed)
        self._sealed |= {op.question for op in self.outbox.pending if op.kind == "seal"}
        for op in self.outbox.pending:
            op.first_sent = before[op.act]
        if self._cut_at is not None:
            self._delayed = self.outbox.pending[-1].seq if self.outbox.pending else frame["seq"]
        for op in covered:
            self._durable(op, now)
        self._greeted(now)
        self._take_status(frame, now)
        self._flush(now)

    def _greeted(self, now: float) -> None:
        tally, slip = self._trip.tally, self._slip
        self._is_greeted = True
        if not self._linked:
            self._linked = True
            tally.gauge("linked", slip.wave, 1)
        if self._cut_at is not None:
            self._back(now, self._cut_at)
            self._cut_at = None
        self._attempt = 0
        self._flying.clear()
        self._beat = BEAT_SECONDS
        self._ping_at = now + self._beat * self._trip.rng.uniform(0.1, 1)
        self._watch_at = now + self._beat + OVERDUE_SECONDS

    def _back(self, now: float, since: float) -> None:
        self._trip.tally.event("back", self._slip.wave, self._slip.centre, now, now - since)

    def _take_status(self, frame: dict[str, Any], now: float) -> None:
        self._become(frame["status"])
        self._take_keys(frame.get("keys", {}))
        self._open_paper(now)
        self._stir(now)

    def _become(self, status: str) -> None:
        before, self._status = self._status, status
        if (before == "COMPOSING") != (status == "COMPOSING"):
            self._trip.tally.gauge("composing", self._slip.wave, 1 if status == "COMPOSING" else -1)
        self._submitted = self._submitted or status == "SUBMITTED"

    def _take_keys(self, keys: dict[str, str]) -> None:
        for step, key in keys.items():
            self._keys[int(step)] = b64decode(key)

    def _open_paper(self, now: float, event: str = "opened") -> None:
        """With the opening key and its paper: decrypt the keys, then the first question, as a page does to draw it."""
        if self._is_open or not self._is_in or 0 not in self._keys:
            return
        paper = self._paper
        try:
            keys = paper.open(self._keys[0])
            first = paper.questions[0]
            paper.read(first, keys[first["number"]])
        except Unreadable:
            self._trip.tally.error("sujet illisible", self._slip.wave, now)
            return
        self._trip.readable.setdefault(paper.digest, keys)
        self._is_open = True
        self._trip.tally.event(event, self._slip.wave, self._slip.centre, now)

    def _acknowledged(self, frame: dict[str, Any], now: float) -> None:
        self._flying.discard(frame["seq"])
        op = self.outbox.settle(frame["seq"])
        if op is not None:
            self._durable(op, now)
        if "keys" in frame:
            self._take_keys(frame["keys"])
        self._flush(now)
        self._stir(now)

    def _durable(self, op: SentOp, now: float) -> None:
        """Count the delay of an op; apart, when its tablet had no link as it was made or its own network went away."""
        self._acked = op.seq
        tally, made = self._trip.tally, op.first_sent or now
        is_apart = (op.seq <= self._delayed and made >= self._apart_from) or self._trip.is_stormy(made)
        tally.delay("ack after a cut" if is_apart else "ack", self._slip.wave, 1000 * (now - made))
        tally.count("acked", self._slip.wave)
        tally.acked(self.outbox.sheet, op.seq, bytes.fromhex(op.digest))
        if op.kind == "submit":
            self._become("SUBMITTED")

    def _refused(self, frame: dict[str, Any], now: float) -> None:
        code, seq = frame["code"], frame.get("seq", 0)
        self._trip.tally.count(f"refused {code}", self._slip.wave)
        self._flying.discard(seq)
        if code in RETRY:
            if not seq:  # unread, whatever it was: the whole sheet is asked again
                self._is_greeted = False
                self._flying.clear()
            self._resend_at = min(self._resend_at, now + self._trip.rng.uniform(0.1, 1.0))
            return
        self._trip.tally.error(f"refus : {code}", self._slip.wave, now)
        for op in [op for op in self.outbox.pending if op.seq == seq]:
            self.outbox.drop(op)
            self._is_greeted = False  # nothing leaves before the next state
            self._hello()

    def _send_again(self, now: float) -> None:
        self._resend_at = math.inf
        if self._is_greeted:
            self._flush(now)
        else:
            self._hello()

    def _flush(self, now: float) -> None:
        if not self._is_greeted or self._resend_at < math.inf:
            return
        for op in self.outbox.pending[:WINDOW]:
            if op.seq not in self._flying:
                self._flying.add(op.seq)
                op.last_sent = now
                self._say(op.frame)

    def _hello(self) -> None:
        self._say({"t": "hello", "v": 1, **self._clocks()})

    def _ping(self) -> None:
        self._say({"t": "ping", "q": self._question, **self._clocks()})

    def _clocks(self) -> dict[str, int]:
        """Its own time, and how far the platform's is ahead at least, once that was told."""
        return {"at": _wall()} | ({"skew": max(self._skews)} if self._skews else {})

    def _say(self, frame: dict[str, Any]) -> None:
        if self.link.is_up:
            self.link.say(json.dumps(frame, ensure_ascii=False, separators=(",", ":")))

    def _take_answer(self, answer: Answer, now: float) -> None:
        self._answer = answer
        self._give_up_at = math.inf
        self._stir(now)

    def _plan(self) -> None:
        storm = self._storms[0] if self._storms else math.inf
        life = math.inf if self._life_is_waiting else self._life_at
        self.due = min(storm, life, self._retry_at, self._watch_at, self._ping_at, self._resend_at, self._give_up_at)


def _wall() -> int:
    return int(time.time() * 1000)
