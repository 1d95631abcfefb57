"""uvicorn with the house's websocket: one reader who reads nothing, and another."""

import asyncio
import socket
from contextlib import asynccontextmanager, suppress

import uvicorn
import uvloop
from websockets.asyncio.client import connect

from ecni.supervisor import servers
from ecni.uvicorn_socket import MOST_UNREAD

CHUNK = "x" * 65_536
PATIENCE = 20


def served_as_the_house_does(application):
    command = servers.uvicorn(("127.0.0.1", 0))
    ws = command[command.index("--ws") + 1]
    return uvicorn.Server(uvicorn.Config(application, port=0, ws=ws, lifespan="off", log_level="warning"))


async def hear_nothing(port):
    """A websocket whose holder reads its handshake, and nothing after it."""
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    made.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(made, ("127.0.0.1", port))
    lines = ("GET /deaf HTTP/1.1", "Host: h", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13")
    await loop.sock_sendall(made, "\r\n".join([*lines, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "", ""]).encode())
    return made


class Teller:
    """An application that keeps how to tell each of its websockets, by path, and which of them have ended."""

    def __init__(self):
        self.sends, self.ended = {}, set()

    async def __call__(self, scope, receive, send):
        await receive()
        await send({"type": "websocket.accept"})
        self.sends[scope["path"]] = send
        while (await receive())["type"] != "websocket.disconnect":
            pass
        self.ended.add(scope["path"])

    async def tell(self, path, text):
        with suppress(OSError):  # cut an instant ago
            await self.sends[path]({"type": "websocket.send", "text": text})


@asynccontextmanager
async def served(application):
    server = served_as_the_house_does(application)
    serving = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await serving


async def until(condition):
    while not condition():  # noqa: ASYNC110 -- what uvicorn says of itself is no event
        await asyncio.sleep(0.01)


async def tell_both_until_one_is_cut(teller, hearing):
    told = 0
    while "/deaf" not in teller.ended:
        await teller.tell("/deaf", CHUNK)
        await teller.tell("/hears", str(told))
        assert await hearing.recv() == str(told)
        told += 1
    return told


def test_one_who_reads_nothing_is_cut_and_nobody_waits():
    async def scene():
        teller = Teller()
        async with served(teller) as port, connect(f"ws://127.0.0.1:{port}/hears") as hearing:
            deaf = await hear_nothing(port)
            await until(lambda: len(teller.sends) == 2)
            told = await tell_both_until_one_is_cut(teller, hearing)
            deaf.close()
        return told

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:  # as its command asks for
        told = runner.run(asyncio.wait_for(scene(), PATIENCE))
    assert told * len(CHUNK) > MOST_UNREAD
