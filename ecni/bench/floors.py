"""Floors on the same server: an ASGI application that does the least of what the platform's does, and nothing else.

A websocket is accepted; `hello` gets an empty `state`; an op is put in a table of the journal's shape by group commit
and acknowledged. `GET /fan/?bytes=N` sends N bytes to every socket.
"""

import asyncio
import json
import os
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from ecni.bench.group_commit import LINGER_SECONDS, Row, Table
from ecni.daphne_debug import spare_debug_lines

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

STATE = '{"t":"state","seq":0,"digest":"","sheet":""}'
SLICE = 100


class Writer:
    """Group commit, and nothing more: one thread, one connection."""

    def __init__(self) -> None:
        self._table = Table(os.environ["DATABASE_URL"])
        self._waiting: list[tuple[Row, Send]] = []
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._loop = asyncio.get_running_loop()
        self._acks: asyncio.Queue[Sequence[tuple[Row, Send]]] = asyncio.Queue()
        self._pump = self._loop.create_task(self._acknowledge())
        threading.Thread(target=self._run, daemon=True).start()

    def put(self, row: Row, send: Send) -> None:
        """Have one row written, then acknowledged."""
        with self._lock:
            self._waiting.append((row, send))
        self._wake.set()

    def _run(self) -> None:
        while True:
            self._wake.wait()
            time.sleep(LINGER_SECONDS)
            with self._lock:
                self._wake.clear()
                batch, self._waiting = self._waiting, []
            if batch:
                self._table.store([row for row, _ in batch])
                self._loop.call_soon_threadsafe(self._acks.put_nowait, batch)

    async def _acknowledge(self) -> None:
        while True:
            for row, send in await self._acks.get():
                await send({"type": "websocket.send", "text": f'{{"t":"ack","seq":{row[1]}}}'})


class Floor:
    """The application."""

    def __init__(self) -> None:
        self._sockets: set[Send] = set()
        self._writer: Writer | None = None
        self._count = 0

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Serve one websocket or one request."""
        if scope["type"] == "websocket":
            await self._serve_socket(receive, send)
        elif scope["type"] == "http":
            if scope["path"] == "/fan/":
                await self._fan_out(int(scope["query_string"].partition(b"=")[2]))
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
            await send({"type": "http.response.body"})

    async def _serve_socket(self, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        self._sockets.add(send)
        self._count += 1
        number = self._count
        try:
            while (event := await receive())["type"] == "websocket.receive":
                frame = json.loads(event["text"])
                if frame["t"] == "op":
                    self._write(number, frame, send)
                else:
                    await send({"type": "websocket.send", "text": STATE})
        finally:
            self._sockets.discard(send)

    def _write(self, number: int, frame: dict[str, Any], send: Send) -> None:
        if self._writer is None:
            self._writer = Writer()
        row = (number, frame["seq"], frame["q"], frame["at"], bytes.fromhex(frame["digest"]), frame["value"])
        self._writer.put(row, send)

    async def _fan_out(self, size: int) -> None:
        frame = {"type": "websocket.send", "text": json.dumps({"t": "status", "pad": ""})}
        frame["text"] = json.dumps({"t": "status", "pad": "x" * max(0, size - len(frame["text"]))})
        for position, send in enumerate(list(self._sockets), start=1):
            await send(frame)
            if position % SLICE == 0:
                await asyncio.sleep(0)


spare_debug_lines()
application = Floor()
