"""One simulated tablet: it logs in by its slip, checks the sealed paper, composes, loses its network, hands in.

It imports nothing of the product: chain, sealed file and wire are written again here from `docs/protocol.md` and
`docs/papers.md`, so that what it saw can be held against what the database says.
"""

import asyncio
import hashlib
import json
import random
import re
import time
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.typing import Origin

from loadtests.http import Browser

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
WORDS = ("aorte", "anévrisme", "de", "l’artère", "pulmonaire", "gauche", "scanner", "à", "jeun", "β-hCG")
"""What a short open answer is made of, accents and signs included."""
_EXPECTED = re.compile(r'data-expected="(\d+)"')
ACK_SECONDS = 15.0
REVISING, FLAGGING, STRIKING = 0.35, 0.1, 0.1
"""Chances that an answer is changed once, that a question is flagged, that a proposition is struck out."""
RETRY = {"too-fast", "paused", "busy", "gap"}


@dataclass(slots=True)
class SentOp:
    """One op as the tablet knows it: `acked_at` is None while nothing is known of it."""

    seq: int
    kind: str
    question: int
    value: str
    at: int
    digest: str
    first_sent: float
    acked: float | None = None
    refused: str | None = None


@dataclass(slots=True)
class Journal:
    """What one tablet saw: its ops in order, and the marks that the report needs (seconds, monotonic)."""

    number: str = ""
    sitting: int = 0
    ops: list[SentOp] = field(default_factory=list)
    opened_at: float | None = None
    submitted: bool = False
    receipt: str = ""
    reconnections: int = 0
    errors: list[str] = field(default_factory=list)


class Tablet:
    """A candidate and a tablet.

    Args:
        base: address of the platform, such as `http://127.0.0.1:8000`.
        code: what the slip says.
        pace: mean seconds between two acts.
        rng: source of all that is random here.
        dodge: chance, per act, of losing the network.
    """

    def __init__(self, base: str, code: str, pace: float, rng: random.Random, dodge: float) -> None:
        self.journal = Journal()
        self._browser = Browser(base)
        self._code = code
        self._pace = pace
        self._rng = rng
        self._dodge = dodge
        self._socket: ClientConnection | None = None
        self._reader: asyncio.Task[None] | None = None
        self._state: dict[str, Any] = {}
        self._greeted = asyncio.Event()
        self._opened = asyncio.Event()
        self._keys: dict[int, bytes] = {}
        self._waiters: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._head = b""
        self._paper = b""
        self._header: dict[str, Any] = {}
        self._sealed: set[int] = set()

    async def enter(self) -> None:
        """Log in by the slip, say "yes, it is me", connect, and check the paper."""
        await self._browser.get("/entrer/")
        page = await self._browser.post("/entrer/identite/", {"code": self._code})
        if page.status != HTTPStatus.OK:
            raise RuntimeError(f"slip refused: {page.status}")
        await self._browser.post("/entrer/oui/", {"code": self._code})
        if "ecni_ticket" not in self._browser.cookies:
            raise RuntimeError("no ticket")
        await self._connect()
        paper = self._state["paper"]
        fetched = await self._browser.get(paper["url"])
        digest = hashlib.sha256(fetched.body).hexdigest()
        if digest != paper["digest"] or len(fetched.body) != paper["bytes"]:
            raise RuntimeError("the paper is not the one announced")
        self._read_paper(fetched.body)
        await self._send({"t": "ready", "paper": digest})

    async def compose(self, on_progress: Callable[[], None]) -> None:
        """Wait for the opening, answer everything, hand in."""
        await self._opened.wait()
        self.journal.opened_at = time.monotonic()
        self._decrypt(self._first_question())
        for question in self._header["questions"]:
            await self._answer(question)
            on_progress()
        await self._until_done("submit", 0, "")
        self.journal.submitted = True
        self.journal.receipt = self._head.hex()
        await self.leave()

    async def leave(self) -> None:
        """Close the socket."""
        if self._reader is not None:
            self._reader.cancel()
        if self._socket is not None:
            await self._socket.close()

    @property
    def question_count(self) -> int:
        """Number of questions of the paper."""
        return len(self._header["questions"])

    # What a candidate does

    async def _answer(self, question: dict[str, Any]) -> None:
        number = question["number"]
        html = self._decrypt(number)
        letters = LETTERS[: question["propositions"]]
        announced = _EXPECTED.search(html)
        expected = int(announced[1]) if announced else len(letters)
        for _ in range(1 + (self._rng.random() < REVISING)):
            await self._until_done("answer", number, self._value(question["kind"], letters, expected))
        if self._rng.random() < FLAGGING:
            await self._until_done("flag", number, "1")
        if letters and self._rng.random() < STRIKING:
            await self._until_done("strike", number, self._rng.choice(letters))
        if question["progressive"]:
            await self._until_done("seal", number, "")
            self._sealed.add(number)

    def _value(self, kind: str, letters: str, expected: int) -> str:
        """Any answer that a candidate could give, in the canonical form of its kind."""
        match kind:
            case "QRU":
                return self._rng.choice(letters)
            case "QROC":
                return " ".join(self._rng.sample(WORDS, self._rng.randint(1, 5)))
            case "TCS":
                return self._rng.choice(["-2", "-1", "0", "1", "2"])
            case "ZAP":
                return ";".join(self._point() for _ in range(self._rng.randint(0, expected)))
            case _:
                return "".join(sorted(self._rng.sample(letters, self._rng.randint(0, expected))))

    def _point(self) -> str:
        return f"{self._rng.randint(0, 1000) / 10:.1f},{self._rng.randint(0, 1000) / 10:.1f}"

    async def _until_done(self, kind: str, question: int, value: str) -> None:
        await self._sleep()
        if not await self._act(kind, question, value):
            raise RuntimeError(f"refused for good: {self.journal.errors[-1]}")

    async def _sleep(self) -> None:
        await asyncio.sleep(self._rng.expovariate(1 / self._pace))
        if self._rng.random() < self._dodge:
            await self._lose_network()

    async def _lose_network(self) -> None:
        if self._socket is not None:
            self._socket.transport.abort()
        await asyncio.sleep(self._rng.uniform(0.1, 1.0))

    async def _act(self, kind: str, question: int, value: str) -> bool:
        """Make one op and send it until something is known of it; return whether it is recorded."""
        seq = len(self.journal.ops) + 1
        at = int(time.time() * 1000)
        line = f"{seq}|{kind}|{question}|{at}|{value}"
        digest = hashlib.sha256(self._head + line.encode()).digest()
        op = SentOp(seq, kind, question, value, at, digest.hex(), time.monotonic())
        self.journal.ops.append(op)
        while True:
            answer = await self._exchange(op)
            if answer is None or (answer["t"] == "refused" and answer["code"] in RETRY):
                await asyncio.sleep(self._rng.uniform(0.05, 0.3))
                continue
            break
        if answer["t"] == "refused":
            op.refused = answer["code"]
            self.journal.errors.append(f"{kind} {question}: {answer['code']}")
            self.journal.ops.pop()
            return False
        op.acked = time.monotonic()
        self._head = digest
        self._take_keys(answer.get("keys", {}))
        return True

    async def _exchange(self, op: SentOp) -> dict[str, Any] | None:
        waiter = asyncio.get_running_loop().create_future()
        self._waiters[op.seq] = waiter
        try:
            if not await self._connected():
                return None
            await self._send(
                {
                    "t": "op",
                    "seq": op.seq,
                    "kind": op.kind,
                    "q": op.question,
                    "value": op.value,
                    "at": op.at,
                    "digest": op.digest,
                }
            )
            return await asyncio.wait_for(waiter, ACK_SECONDS)
        except (TimeoutError, ConnectionClosed, OSError):
            return None
        finally:
            self._waiters.pop(op.seq, None)

    # The wire

    async def _connected(self) -> bool:
        if self._reader is not None and not self._reader.done():
            return True
        self.journal.reconnections += 1
        try:
            await self._connect()
        except (OSError, TimeoutError, ConnectionClosed, InvalidHandshake):
            await asyncio.sleep(self._rng.uniform(0.1, 1.0))
            return False
        return True

    async def _connect(self) -> None:
        address = urlsplit(self._browser.base)
        self._greeted.clear()
        self._socket = await connect(
            f"ws://{address.netloc}/ws/copie/",
            origin=Origin(self._browser.base),
            additional_headers={"Cookie": self._browser.cookie_header},
            compression=None,
            ping_interval=None,
            open_timeout=30,
        )
        self._reader = asyncio.create_task(self._listen(self._socket))
        await self._send({"t": "hello", "v": 1})
        await asyncio.wait_for(self._greeted.wait(), ACK_SECONDS)

    async def _send(self, frame: dict[str, Any]) -> None:
        if self._socket is not None:
            await self._socket.send(json.dumps(frame))

    async def _listen(self, socket: ClientConnection) -> None:
        try:
            async for text in socket:
                self._hear(json.loads(text))
        except ConnectionClosed:
            pass
        finally:
            for waiter in self._waiters.values():
                if not waiter.done():
                    waiter.set_exception(ConnectionResetError())

    def _hear(self, frame: dict[str, Any]) -> None:
        if frame["t"] == "state":
            self._start(frame)
        elif frame["t"] == "status":
            self._take_keys(frame.get("keys", {}))
        elif frame["t"] in {"ack", "refused"}:
            waiter = self._waiters.get(frame.get("seq", 0))
            if waiter is not None and not waiter.done():
                waiter.set_result(frame)

    def _start(self, frame: dict[str, Any]) -> None:
        if not self._state:
            self.journal.number, self.journal.sitting = frame["sheet"], frame["sitting"]["id"]
            self._head = hashlib.sha256(f"ecni-sheet/1|{frame['sitting']['id']}|{frame['sheet']}".encode()).digest()
        self._state = frame
        self._take_keys(frame["keys"])
        self._greeted.set()

    # The paper

    def _read_paper(self, data: bytes) -> None:
        length = int.from_bytes(data[8:12], "big")
        self._header = json.loads(data[12 : 12 + length])
        self._paper = data[12 + length :]

    def _take_keys(self, keys: dict[str, str]) -> None:
        for step, key in keys.items():
            self._keys[int(step)] = b64decode(key)
        if 0 in self._keys and self._header and not self._opened.is_set():
            opening = json.loads(self._open(0, self._header["opening"]))
            self._keys |= {int(number): b64decode(key) for number, key in opening["keys"].items()}
            self._opened.set()

    def _open(self, number: int, place: dict[str, Any]) -> bytes:
        blob = self._paper[place["offset"] : place["offset"] + place["length"]]
        context = f"ecni-paper/1|{self._header['paper']}|{number}".encode()
        return AESGCM(self._keys[number]).decrypt(blob[:12], blob[12:], context)

    def _first_question(self) -> int:
        return int(self._header["questions"][0]["number"])

    def _decrypt(self, number: int) -> str:
        place = next(question for question in self._header["questions"] if question["number"] == number)
        step = json.loads(self._open(number, place))
        if "html" not in step:
            raise RuntimeError(f"question {number} cannot be read")
        return str(step["html"])
