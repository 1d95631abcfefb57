"""A bad network between tablets and the platform: delay, loss, thin pipe, cut, silence, resets. One per centre."""

import asyncio
import random
import socket
import struct
import time
from contextlib import suppress
from dataclasses import dataclass

CHUNK = 65536
SILENCE_SECONDS = 0.05
NO_LINGER = struct.pack("ii", 1, 0)
"""Closing then sends RST instead of FIN."""


@dataclass(slots=True)
class Weather:
    """What the network does now.

    Attributes:
        cut: connections are reset and refused.
        silent_up, silent_down: nothing passes to the platform, or on the way back, and nobody is told; what was sent
            is sent again afterwards, as TCP does.
        delay, jitter: seconds added to each chunk.
        loss: chance that a chunk waits for its retransmission, 0.2 s and more.
        rate: bytes a second shared by everybody; 0 for no limit.
    """

    cut: bool = False
    silent_up: bool = False
    silent_down: bool = False
    delay: float = 0.0
    jitter: float = 0.0
    loss: float = 0.0
    rate: float = 0.0


class Proxy:
    """Forwards one free local port to `port`, through a weather."""

    def __init__(self, port: int, rng: random.Random) -> None:
        self.weather = Weather()
        self._port = port
        self._rng = rng
        self._ends: set[asyncio.StreamWriter] = set()
        self._forgotten: set[asyncio.StreamWriter] = set()
        self._free_at = 0.0
        self._server: asyncio.Server | None = None

    async def open(self) -> int:
        """Listen, and return the port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=1024)
        return int(self._server.sockets[0].getsockname()[1])

    def close(self) -> None:
        """Stop listening, and reset what is left."""
        if self._server is not None:
            self._server.close()
        self.reset_all()

    def change(self, weather: Weather) -> None:
        """Change the weather; a cut resets everything at once."""
        self.weather = weather
        if weather.cut:
            self.reset_all()

    def reset_all(self) -> None:
        """Reset every connection."""
        for writer in list(self._ends):
            reset(writer)

    def forget_all(self) -> None:
        """Forget every connection, as a router that lost its table: their bytes vanish, new connections work."""
        self._forgotten |= self._ends

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.weather.cut:
            reset(writer)
            return
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._port)
        except OSError:
            reset(writer)
            return
        self._ends |= {writer, far_writer}
        try:
            await asyncio.gather(self._pass(reader, far_writer, up=True), self._pass(far_reader, writer, up=False))
        except OSError:
            reset(writer)
            reset(far_writer)
        finally:
            self._ends -= {writer, far_writer}
            self._forgotten -= {writer, far_writer}

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, up: bool) -> None:
        while chunk := await reader.read(CHUNK):
            await self._travel(len(chunk))
            while self._is_silent(up=up):  # noqa: ASYNC110 -- the weather is no event
                await asyncio.sleep(SILENCE_SECONDS)
            if writer not in self._forgotten:
                writer.write(chunk)
                await writer.drain()
        with suppress(OSError):
            writer.close()

    def _is_silent(self, *, up: bool) -> bool:
        return self.weather.silent_up if up else self.weather.silent_down

    async def _travel(self, size: int) -> None:
        weather = self.weather
        wait = weather.delay + self._rng.uniform(0, weather.jitter)
        if self._rng.random() < weather.loss:
            wait += self._rng.uniform(0.2, 0.6)
        if weather.rate:
            now = time.monotonic()
            self._free_at = max(now, self._free_at) + size / weather.rate
            wait += self._free_at - now
        if wait:
            await asyncio.sleep(wait)


def reset(writer: asyncio.StreamWriter) -> None:
    """Close a connection by RST."""
    end = writer.get_extra_info("socket")
    with suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
    writer.transport.abort()
