"""One simulated tablet: it logs in by its slip, checks the sealed paper, keeps acts in its outbox, and holds its link.

It imports nothing of the product: chain, sealed file and wire are written again here from `docs/protocol.md` and
`docs/papers.md`, so that what it saw can be held against what the database says. What a candidate does with it is
`loadtests/candidate.py`.
"""

import asyncio
import hashlib
import json
import random
import re
import time
from base64 import b64decode
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.typing import Origin

from loadtests.http import Browser
from loadtests.outbox import RETRY, WINDOW, Outbox, SentOp, Storage
from loadtests.record import Journal, Record

_EXPECTED = re.compile(r'data-expected="(\d+)"')
PING_SECONDS, DEAD_SECONDS, OPENING_SECONDS = 2.0, 5.0, 10.0
"""Shorter than a browser's (10 and 25 s): a drill lasts seconds."""
LONGEST_DELAY, FIRST_DELAY = 2.0, 0.5
UNSAVED_SECONDS = 3.0
CLOSE_TICKET, CLOSE_REPLACED = 4401, 4409
FRAMES = "/copie/trames/"
MAX_FRAMES = 50
TROUBLE = (OSError, TimeoutError, ConnectionClosed, InvalidHandshake, ValueError)


@dataclass(frozen=True, slots=True)
class Slip:
    """What the tablet has to enter with: the code of a slip, the cookies of an earlier entry if there was one."""

    code: str
    cookies: dict[str, str] | None = None


@dataclass(slots=True)
class Habits:
    """How this tablet behaves; a drill changes them while it runs.

    Attributes:
        by_http: frames go by HTTP, as when a network forbids websockets.
        echo: each op frame is sent twice, and two at a time in the wrong order.
        network: whether there is one.
        patience: longest wait before reconnecting, in seconds.
    """

    by_http: bool = False
    echo: bool = False
    network: bool = True
    patience: float = LONGEST_DELAY


class Tablet:
    """A tablet and its link to the platform.

    Args:
        base: address of the platform, such as `http://127.0.0.1:8000`.
        slip: what it enters with.
        rng: source of all that is random here.
        folder: where its storage and its testimony go; None keeps both in memory.
        name: of the testimony's file.
    """

    def __init__(  # noqa: PLR0915 -- one line for each thing it holds
        self, base: str, slip: Slip, rng: random.Random, folder: Path | None = None, name: str = "tablet"
    ) -> None:
        self.journal = Journal()
        self.record = Record(folder and folder / "tablets" / f"{name}.jsonl", name)
        self.habits = Habits()
        self.outbox = Outbox(Storage(folder and folder / "storage" / f"{name}.jsonl"))
        self.browser = Browser(base, dict(slip.cookies or {}))
        self.opened = asyncio.Event()
        self.changed = asyncio.Event()
        self.state: dict[str, Any] = {}
        self.header: dict[str, Any] = {}
        self.sealed: set[int] = set()
        self.ends: float | None = None
        self.over = ""
        self._slip = slip
        self._rng = rng
        self._keys: dict[int, bytes] = {}
        self._paper, self._paper_digest = b"", ""
        self._read: set[int] = set()
        self.expected: dict[int, int] = {}
        self._flying: set[int] = set()
        self._socket: ClientConnection | None = None
        self._link: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._heard = self._pinged = self._announced = 0.0
        self._greeted = asyncio.Event()
        self._skews: deque[int] = deque(maxlen=8)
        self._resend: asyncio.TimerHandle | None = None
        self._regreet: asyncio.TimerHandle | None = None

    # What its holder does

    async def enter(self) -> None:
        """Log in by the slip, say "yes, it is me", connect, and check the paper."""
        while "ecni_ticket" not in self.browser.cookies:
            try:
                await self._log_in()
            except ConnectionError:  # its holder tries again
                await asyncio.sleep(self._rng.uniform(0.5, 1.0))
        self.start()
        await self._greeted.wait()
        await self._check_paper()

    def start(self) -> None:
        """Hold a link from now on."""
        self._link = asyncio.create_task(self._hold_link())

    def act(self, kind: str, question: int, value: str) -> SentOp:
        """Make one op: stored, then sent if there is a link."""
        op = self.outbox.make(kind, question, value, int(time.time() * 1000))
        self.journal.ops.append(op)
        self.record.op("invoke", op)
        self._flush()
        return op

    def decrypt(self, number: int) -> bool:
        """Open a question; return False while its key is not there."""
        if number not in self._keys:
            return False
        if number not in self._read:
            place = next(question for question in self.header["questions"] if question["number"] == number)
            step = json.loads(self._open(number, place))
            if "html" not in step:
                raise RuntimeError(f"question {number} cannot be read")
            announced = _EXPECTED.search(step["html"])
            self.expected[number] = int(announced[1]) if announced else place["propositions"]
            self._read.add(number)
            self.record("read", q=number)
        return True

    def drop_socket(self) -> None:
        """Lose the socket, without a word."""
        if self._socket is not None:
            self._socket.transport.abort()

    def network(self, *, there: bool) -> None:
        """Lose or find the network."""
        self.record("network", there=there)
        self.habits.network = there
        self._wake.set()
        if not there:
            self.drop_socket()

    async def leave(self) -> None:
        """Let go of the link."""
        if self._link is not None:
            self._link.cancel()
            with suppress(asyncio.CancelledError):
                await self._link
        if self._socket is not None:
            await self._socket.close()
        self.outbox.storage.close()
        self.record.close()

    async def settled(self, seconds: float) -> bool:
        """Wait until nothing is pending; return False when it takes too long."""
        deadline = time.monotonic() + seconds
        while self.outbox.pending and time.monotonic() < deadline and not self.over:
            self.changed.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self.changed.wait(), min(0.5, max(0.01, deadline - time.monotonic())))
        return not self.outbox.pending

    def show_receipt(self) -> None:
        """Show the receipt: the head of what the server has."""
        self.journal.receipt = self.outbox.head.hex()
        self.record("receipt", seq=self.outbox.seq, digest=self.journal.receipt)

    @property
    def is_linked(self) -> bool:
        """Whether the platform has greeted this tablet on its present link."""
        return self._greeted.is_set() and (self._socket is not None or self.habits.by_http)

    @property
    def questions(self) -> list[dict[str, Any]]:
        """What the paper's header says of each question."""
        found: list[dict[str, Any]] = self.header["questions"]
        return found

    # The link

    async def _log_in(self) -> None:
        await self.browser.get("/entrer/")
        page = await self.browser.post("/entrer/identite/", {"code": self._slip.code})
        if page.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise ConnectionError(f"the platform is not well: {page.status}")
        if page.status != HTTPStatus.OK:
            raise RuntimeError(f"slip refused: {page.status}")
        await self.browser.post("/entrer/oui/", {"code": self._slip.code})
        if "ecni_ticket" not in self.browser.cookies:
            raise RuntimeError("no ticket")

    async def _check_paper(self) -> None:
        paper = self.state["paper"]
        if not self.header:
            fetched = await self.browser.get(paper["url"])
            if len(fetched.body) != paper["bytes"]:
                raise RuntimeError("the paper is not the one announced")
            self.read_paper(fetched.body)
        if self._paper_digest != paper["digest"]:
            raise RuntimeError("the paper is not the one announced")
        ready = {"t": "ready", "paper": self._paper_digest}
        with suppress(*TROUBLE):
            if self.habits.by_http:
                await self.browser.post_json(FRAMES, [ready])
            else:
                await self._say(ready)

    async def _hold_link(self) -> None:
        attempt = 0
        while True:
            if self.habits.network:
                began = time.monotonic()
                await (self._session_by_http() if self.habits.by_http else self._session())
                attempt = 0 if time.monotonic() - began > FIRST_DELAY else attempt + 1
            if self.over:
                return
            self._unsaved("network")
            self._wake.clear()
            limit = min(self.habits.patience, FIRST_DELAY * 2**attempt)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), self._rng.uniform(0, limit) if self.habits.network else None)
            self.journal.reconnections += 1

    async def _session(self) -> None:
        try:
            await self._live()
        except TROUBLE as trouble:
            self._closed(getattr(getattr(trouble, "rcvd", None), "code", 0), type(trouble).__name__)
        finally:
            self._flying.clear()
            self._socket = None
        if self.over == "replaced":
            await self._send_what_is_left()

    async def _live(self) -> None:
        place = urlsplit(self.browser.base)
        async with connect(
            f"ws://{place.netloc}/ws/copie/",
            origin=Origin(self.browser.base),
            additional_headers={"Cookie": self.browser.cookie_header},
            compression=None,
            ping_interval=None,
            open_timeout=OPENING_SECONDS,
            close_timeout=0.2,
        ) as socket:
            if not self.habits.network:
                return
            self._greeted.clear()
            self._socket = socket
            self._heard = self._pinged = time.monotonic()
            self.record("open", by="ws")
            await self._say(self._hello())
            beating = asyncio.create_task(self._beat(socket))
            try:
                async for text in socket:
                    self._heard = time.monotonic()
                    self._hear(json.loads(text))
            finally:
                beating.cancel()
            self._closed(socket.close_code or 0)

    async def _beat(self, socket: ClientConnection) -> None:
        with suppress(*TROUBLE):
            while True:
                await asyncio.sleep(0.5)
                now = time.monotonic()
                if now - self._heard > DEAD_SECONDS:
                    self.record("dead", silent=round(now - self._heard, 2))
                    socket.transport.abort()
                    return
                if now - self._pinged > PING_SECONDS:
                    self._pinged = now
                    await self._ping()
                self._mind_the_slow(now)

    def _mind_the_slow(self, now: float) -> None:
        if not self.outbox.pending:
            return
        if now - (self.outbox.pending[0].first_sent or now) > UNSAVED_SECONDS:
            self._unsaved("slow")
        if now - (self.outbox.pending[0].last_sent or now) > DEAD_SECONDS and -1 not in self._flying:
            self._flying.clear()
            self._flush()

    def _closed(self, code: int, why: str = "closed") -> None:
        self.record("lost", why=why, code=code)
        if code == CLOSE_REPLACED:
            self._stop("replaced")
        elif code == CLOSE_TICKET:
            self._stop("ticket")

    def _stop(self, why: str) -> None:
        self.over = why
        self.record("readonly", why=why)
        self.changed.set()

    async def _say(self, frame: dict[str, Any]) -> None:
        if self._socket is not None:
            await self._socket.send(json.dumps(frame))

    # The same by HTTP

    async def _session_by_http(self) -> None:
        self.record("open", by="http")
        try:
            while not self.over and self.habits.network and self.habits.by_http:
                await self._post(self.outbox.pending[:WINDOW])
                self._wake.clear()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), 1.0)
                await asyncio.sleep(0.1)
        except TROUBLE as trouble:
            self.record("lost", why=type(trouble).__name__, code=0)
        if self.over == "replaced":
            await self._send_what_is_left()

    async def _post(self, ops: Sequence[SentOp]) -> None:
        answer = await asyncio.wait_for(self.browser.post_json(FRAMES, self._by_http(ops)), DEAD_SECONDS)
        if answer.status == HTTPStatus.UNAUTHORIZED:
            self._stop("ticket")
            return
        if answer.status != HTTPStatus.OK:
            raise ConnectionError(f"HTTP {answer.status}")
        for frame in json.loads(answer.body):
            self._hear(frame)

    def _by_http(self, ops: Sequence[SentOp]) -> list[dict[str, Any]]:
        return [self._hello(), *(self._sending(op).frame for op in ops)]

    def _hello(self) -> dict[str, Any]:
        return {"t": "hello", "v": 1, **self._clocks()}

    def _clocks(self) -> dict[str, int]:
        """Its own time, and how far the platform's is ahead at least, once that was told."""
        return {"at": int(time.time() * 1000)} | ({"skew": max(self._skews)} if self._skews else {})

    async def _send_what_is_left(self) -> None:
        """A replaced tablet sends its pending ops until the platform has kept them apart for the jury."""
        while self.outbox.pending:
            ops = list(self.outbox.pending)[: MAX_FRAMES - 1]
            with suppress(*TROUBLE):
                answer = await asyncio.wait_for(self.browser.post_json(FRAMES, self._by_http(ops)), DEAD_SECONDS)
                for frame in json.loads(answer.body):
                    if frame["t"] == "refused":
                        self._refused(frame)
            if self.outbox.pending:
                await asyncio.sleep(self._rng.uniform(0.2, 1.0))

    # Frames

    def _hear(self, frame: dict[str, Any]) -> None:
        if "now" in frame:
            self._learn_time(frame["now"])
        match frame["t"]:
            case "state":
                self._take_state(frame)
            case "status":
                self._take_times(frame)
                self._take_keys(frame.get("keys", {}))
            case "ack":
                self._acknowledged(frame)
            case "refused":
                self._refused(frame)
            case "bye":
                self.record("bye", code=frame["code"])
                if frame["code"] == "replaced":
                    self._stop("replaced")

    def _learn_time(self, now: int) -> None:
        is_first = not self._skews
        self._skews.append(now - int(time.time() * 1000))
        if is_first:  # told before any act, which would be judged without it
            asyncio.ensure_future(self._ping())  # noqa: RUF006 -- ends by itself

    def _take_state(self, frame: dict[str, Any]) -> None:
        self.journal.number, self.journal.sitting = frame["sheet"], frame["sitting"]["id"]
        first = self.outbox.sheet != frame["sheet"]
        if not self.outbox.belong(frame["sitting"]["id"], frame["sheet"]):
            self.record("storage-lost")
        self.state = frame
        self.sealed = set(frame["sealed"])
        self.record("state", sheet=frame["sheet"], seq=frame["seq"], digest=frame["digest"], first=first)
        covered, remade = self.outbox.rebase(frame["seq"], frame["digest"], self.sealed)
        for op in covered:
            self._known_durable(op, "state")
        for op in remade:
            self.journal.ops.append(op)
            self.record.op("invoke", op, anew=True)
        self._flying.clear()
        self._take_times(frame)
        self._take_keys(frame["keys"])
        self._greeted.set()
        if covered:
            self._saved()
        self._flush()

    def _take_times(self, frame: dict[str, Any]) -> None:
        self.state |= {"status": frame["status"], "ends_at": frame["ends_at"]}
        if frame["ends_at"] is not None:
            self.ends = time.monotonic() + (frame["ends_at"] - frame["now"]) / 1000
        self.record("status", status=frame["status"], ends_at=frame["ends_at"], now=frame["now"])
        self.changed.set()

    def _acknowledged(self, frame: dict[str, Any]) -> None:
        self._flying.discard(frame["seq"])
        op = self.outbox.settle(frame["seq"])
        if op is not None:
            self._known_durable(op, "ack")
        self._take_keys(frame.get("keys", {}))
        self._saved()
        self._flush()

    def _known_durable(self, op: SentOp, via: str) -> None:
        op.acked = time.monotonic()
        if op.kind == "seal":
            self.sealed.add(op.question)
        if op.kind == "submit":
            self.journal.submitted = True
        took = op.acked - op.last_sent if via == "ack" and op.last_sent else None
        self.record.op("ack", op, via=via, took=took)
        self.changed.set()

    def _refused(self, frame: dict[str, Any]) -> None:
        seq, code = frame.get("seq"), frame["code"]
        if seq is None:  # unread, whatever it was: the platform is asked again for the whole sheet
            self._greet_later(self._rng.uniform(0.5, 1.5))
            return
        self._flying.discard(seq)
        op = next((op for op in self.outbox.pending if op.seq == seq), None)
        if op is None:
            return
        self.record.op("refused", op, code=code)
        if code in RETRY:
            self._flush_later(self._rng.uniform(0.05, 0.4))
            return
        op.refused = code
        self.journal.errors.append(f"{op.kind} {op.question}: {code}")
        self.outbox.drop(op)
        self.changed.set()
        if not self.over and self._socket is not None:
            self._flying.clear()
            self._flying.add(-1)  # nothing leaves before the next state
            asyncio.ensure_future(self._greet_again())  # noqa: RUF006 -- ends by itself

    async def _ping(self) -> None:
        with suppress(*TROUBLE):
            await self._say({"t": "ping", "q": 0, **self._clocks()})

    async def _greet_again(self) -> None:
        with suppress(*TROUBLE):
            await self._say(self._hello())

    def _saved(self) -> None:
        if self.outbox.pending:
            return
        self._announced = 0.0
        self.record("saved", seq=self.outbox.seq, digest=self.outbox.head.hex())

    def _unsaved(self, why: str) -> None:
        now = time.monotonic()
        if self.outbox.pending and now - self._announced > 1:
            self._announced = now
            self.record("unsaved", why=why, pending=len(self.outbox.pending))

    def _flush_later(self, seconds: float) -> None:
        if self._resend is None:
            self._resend = asyncio.get_running_loop().call_later(seconds, self._flush_now)

    def _greet_later(self, seconds: float) -> None:
        if self._regreet is None:
            self._regreet = asyncio.get_running_loop().call_later(seconds, self._greet_now)

    def _greet_now(self) -> None:
        self._regreet = None
        asyncio.ensure_future(self._greet_again())  # noqa: RUF006 -- ends by itself

    def _flush_now(self) -> None:
        self._resend = None
        self._flush()

    def _flush(self) -> None:
        self._wake_http()
        waiting = self._resend is not None or -1 in self._flying or not self._greeted.is_set()
        if self._socket is None or waiting:
            return
        ready = [op for op in self.outbox.pending[:WINDOW] if op.seq not in self._flying]
        frames = [json.dumps(self._sending(op).frame) for op in ready]
        self._flying |= {op.seq for op in ready}
        if frames:
            asyncio.ensure_future(self._send_frames(self._socket, frames))  # noqa: RUF006 -- ends by itself

    def _wake_http(self) -> None:
        if self.habits.by_http and self.outbox.pending:
            self._wake.set()

    async def _send_frames(self, socket: ClientConnection, frames: list[str]) -> None:
        if self.habits.echo:
            frames = [*reversed(frames), *frames, *frames]
        with suppress(*TROUBLE):
            for frame in frames:
                await socket.send(frame)

    def _sending(self, op: SentOp) -> SentOp:
        op.last_sent = time.monotonic()
        if op.first_sent is None:
            op.first_sent = op.last_sent
        self.record("send", seq=op.seq, digest=op.digest)
        return op

    # The paper

    def read_paper(self, data: bytes) -> None:
        """Take the sealed file, fetched or kept from before."""
        self._paper_digest = hashlib.sha256(data).hexdigest()
        length = int.from_bytes(data[8:12], "big")
        self.header = json.loads(data[12 : 12 + length])
        self._paper = data[12 + length :]
        self._take_keys({})

    def _take_keys(self, keys: dict[str, str]) -> None:
        self._keys |= {int(step): b64decode(key) for step, key in keys.items()}
        if 0 in self._keys and self.header and not self.opened.is_set():
            opening = json.loads(self._open(0, self.header["opening"]))
            self._keys |= {int(number): b64decode(key) for number, key in opening["keys"].items()}
            self.journal.opened_at = time.monotonic()
            self.opened.set()
        if self.header:
            steps = {question["number"] for question in self.header["questions"] if question["previous"]}
            for number in steps & self._keys.keys():  # read as soon as it can be, whatever its holder does
                self.decrypt(number)
        self.changed.set()

    def _open(self, number: int, place: dict[str, Any]) -> bytes:
        blob = self._paper[place["offset"] : place["offset"] + place["length"]]
        context = f"ecni-paper/1|{self.header['paper']}|{number}".encode()
        return AESGCM(self._keys[number]).decrypt(blob[:12], blob[12:], context)
