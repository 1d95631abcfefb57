"""The same frames by HTTP, for a network that forbids websockets: `POST /copie/trames/`, a JSON array each way.

A session lives for one request: it takes the sheet from PostgreSQL first, so that any process may answer.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from http import HTTPStatus
from typing import Any, TypeVar

from ecni.vitals import TALLY
from exams.consumers.hub import Hub, HubSource
from exams.consumers.session import Farewell, Session
from exams.consumers.socket import Receive, Send, address_of, ticket_of
from exams.protocol import MAX_FRAME_BYTES, Act, Hello, Malformed, encode, parse, refused
from exams.rules.ops import Op

PATH = "/copie/trames/"
MAX_FRAMES = 50
MAX_BODY_BYTES = MAX_FRAMES * MAX_FRAME_BYTES
SETTLING_SECONDS = 20.0
SETTLED = frozenset({"ack", "refused", "bye"})

Said = TypeVar("Said", Hello, Act)


class Mailbox:
    """Keeps what a session says until the answer leaves."""

    def __init__(self) -> None:
        self.frames: list[dict[str, Any]] = []
        self._arrived = asyncio.Event()

    async def __call__(self, event: dict[str, Any]) -> None:
        """Take one event of the session; only its frames matter here."""
        if event["type"] == "websocket.send":
            self.frames.append(json.loads(event["text"]))
            self._arrived.set()

    async def wait_for(self, kinds: frozenset[str], count: int) -> None:
        """Wait until `count` frames of these kinds, or a farewell, have come."""
        while sum(frame["t"] in kinds for frame in self.frames) < count and not self._is_over():
            self._arrived.clear()
            await self._arrived.wait()

    def _is_over(self) -> bool:
        return any(frame["t"] == "bye" for frame in self.frames)


class CandidateFrames:
    """ASGI application for HTTP, sharing the hub of the process's sockets."""

    def __init__(self, hub: HubSource) -> None:
        self._hub = hub

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request: `state` first, then what became of each frame."""
        ticket = ticket_of(scope)
        if ticket is None:
            await answer(send, HTTPStatus.UNAUTHORIZED, [])
            return
        texts = read_frames(await read_body(receive)) if is_json_post(scope) else None
        if texts is None:
            await answer(send, HTTPStatus.BAD_REQUEST, [refused("malformed")])
            return
        TALLY.http_exchanges += 1
        obstacle = await self._hub().door.knock(ticket, address_of(scope), by_http=True)
        if obstacle is not None:
            await answer(send, HTTPStatus.OK, [obstacle])
            return
        mailbox = Mailbox()
        session = Session(ticket, self._hub(), mailbox, by_http=True)
        try:
            await asyncio.wait_for(exchange(session, mailbox, self._hub(), texts), SETTLING_SECONDS)
        except Farewell as end:
            await session.say_bye(end.code, end.close_code)
        except TimeoutError:
            mailbox.frames.append(refused("busy"))
        await answer(send, HTTPStatus.OK, mailbox.frames)


async def exchange(session: Session, mailbox: Mailbox, hub: Hub, texts: Sequence[str]) -> None:
    """Take the sheet, pass the frames on, and wait until something is known of each op.

    A tablet that was replaced is told so last: what it had not sent is kept apart, never merged.

    Raises:
        Farewell: the tablet must stop.
    """
    for hello in said(texts, Hello):
        session.take_greeting(hello)
    if not hub.reader.submit(session):
        mailbox.frames.append(refused("busy"))
        return
    await mailbox.wait_for(frozenset({"state"}), 1)
    if session.live is not None:
        for text in texts:
            if '"t":"hello"' not in text:
                await session.receive(text)
        await mailbox.wait_for(SETTLED, sum('"t":"op"' in text for text in texts))
    elif mailbox.frames[-1]["code"] == "replaced":
        bye = mailbox.frames.pop()
        await set_aside(session, mailbox, hub, [act.op for act in said(texts, Act)])
        mailbox.frames.append(bye)


async def set_aside(session: Session, mailbox: Mailbox, hub: Hub, ops: Sequence[Op]) -> None:
    """Keep for the jury what a replaced tablet had not sent, and wait until it is durable."""
    for op in ops:
        if not hub.refusals.submit((session, session.refusal(op, "replaced"))):
            mailbox.frames.append(refused("busy", op.seq))
    await mailbox.wait_for(SETTLED, len(ops))


def said(texts: Sequence[str], kind: type[Said]) -> list[Said]:
    """Return the frames of one kind among texts, without those that are no frames."""
    frames = []
    for text in texts:
        with suppress(Malformed):
            frames.append(parse(text))
    return [frame for frame in frames if isinstance(frame, kind)]


def is_json_post(scope: Mapping[str, Any]) -> bool:
    """Whether the request is one that no foreign page can have a browser send without asking first."""
    content_type: bytes = dict(scope["headers"]).get(b"content-type", b"")
    is_json = content_type.split(b";")[0].strip() == b"application/json"
    method: str = scope["method"]
    return is_json and method == "POST"


async def read_body(receive: Receive) -> bytes:
    """Return the body of the request, cut just past the longest that is accepted."""
    body = b""
    more = True
    while more and len(body) <= MAX_BODY_BYTES:
        event = await receive()
        body += event.get("body", b"")
        more = event.get("more_body", False)
    return body


def read_frames(body: bytes) -> list[str] | None:
    """Return the frames of a body as texts, or None when it is not an array of at most `MAX_FRAMES` objects."""
    if len(body) > MAX_BODY_BYTES:
        return None
    try:
        frames = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(frames, list) or len(frames) > MAX_FRAMES or not all(isinstance(f, dict) for f in frames):
        return None
    return [encode(frame) for frame in frames]


async def answer(send: Send, status: HTTPStatus, frames: Sequence[Mapping[str, Any]]) -> None:
    """Send the frames as one JSON array."""
    body = json.dumps(frames, ensure_ascii=False, separators=(",", ":")).encode()
    headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": status.value, "headers": headers})
    await send({"type": "http.response.body", "body": body})
