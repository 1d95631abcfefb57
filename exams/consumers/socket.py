"""The candidate's socket as a bare ASGI application: it opens, reads frames, closes. `Session` decides.

A Channels consumer costs 3 to 9 times the processor time per message and stalls for seconds at 10,000 sockets
(docs/adr/0007-bare-socket.md).
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from http.cookies import CookieError, SimpleCookie
from itertools import count
from typing import Any

from exams.consumers.hub import Hub, HubSource
from exams.consumers.session import CLOSE_BUSY, Farewell, Session
from exams.protocol import encode
from exams.tickets import COOKIE, Ticket, read_ticket

CLOSE_TICKET, CLOSE_NETWORK = 4401, 4403

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class CandidateSocket:
    """ASGI application for websockets."""

    def __init__(self, hub: HubSource) -> None:
        self._hub = hub
        self._arrivals = count(1)

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """Serve one websocket from its handshake to its end."""
        arrival, send = next(self._arrivals), to_whoever_is_there(send)
        await receive()
        await send({"type": "websocket.accept"})
        ticket = ticket_of(scope)
        if ticket is None:
            await send({"type": "websocket.close", "code": CLOSE_TICKET})
            return
        hub = self._hub()
        first = asyncio.ensure_future(receive())
        try:
            obstacle = await hub.door.knock(ticket, address_of(scope))
            if obstacle is not None:
                await close(send, obstacle, CLOSE_NETWORK if obstacle["t"] == "bye" else CLOSE_BUSY)
            elif not has_gone(first):
                await live(Session(ticket, hub, send, arrival=arrival), hub, first, receive)
        finally:
            first.cancel()


def to_whoever_is_there(send: Send) -> Send:
    """Return a send that says nothing of who has gone, nor after it closed: their disconnection is received next.

    uvicorn raises, Daphne does not. It would stop the next socket of the same sheet, which takes the place of this one.
    """
    has_closed = False

    async def say(event: dict[str, Any]) -> None:
        nonlocal has_closed
        if has_closed:
            return
        has_closed = event["type"] == "websocket.close"
        try:
            await send(event)
        except OSError:
            return

    return say


async def live(session: Session, hub: Hub, first: "asyncio.Future[dict[str, Any]]", receive: Receive) -> None:
    """Hold a session from its entrance until the socket closes; `first` is the first event, received meanwhile."""
    try:
        await hub.enter(session)
        event = await first
        while event["type"] != "websocket.disconnect":
            await session.receive(event.get("text") or "")
            event = await receive()
    except Farewell as end:
        await session.say_bye(end.code, end.close_code)
    finally:
        hub.leave(session)


def has_gone(first: "asyncio.Future[dict[str, Any]]") -> bool:
    """Whether a tablet has left while it stood before the door: it must not take the place of its own next socket."""
    return first.done() and first.result()["type"] == "websocket.disconnect"


async def close(send: Send, frame: Mapping[str, Any], code: int) -> None:
    """Say one thing and close, without any session."""
    await send({"type": "websocket.send", "text": encode(frame)})
    await send({"type": "websocket.close", "code": code})


def address_of(scope: Mapping[str, Any]) -> str:
    """Return the address that a connection comes from, as the server or the proxy before it tells."""
    host, _port = scope.get("client") or ("", 0)
    return str(host)


def ticket_of(scope: Mapping[str, Any]) -> Ticket | None:
    """Return the ticket of the handshake's cookie, or None when there is none that is valid."""
    for name, value in scope["headers"]:
        if name == b"cookie":
            try:
                morsel = SimpleCookie(value.decode("latin-1")).get(COOKIE)
            except CookieError:
                return None
            if morsel is not None:
                return read_ticket(morsel.value)
    return None
