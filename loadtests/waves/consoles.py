"""The staff's screens, held open all day: the console of each room and the agency's board. They ask for nothing."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.typing import Origin

from loadtests.encryption import encryption
from loadtests.http import Browser
from loadtests.staff import Screen
from loadtests.waves.measures import Tally

BOARD, COMMAND = "board", "command"
"""Delays: how long a screen had shown one board when the next one came; how long a command took to be answered."""
RETRY_SECONDS, WRITE_SECONDS = 1.0, 1.0


@asynccontextmanager
async def watching(screens: Sequence[Screen], tally: Tally) -> AsyncIterator[None]:
    """Hold these screens open meanwhile; note each second what they saw."""
    tasks = [asyncio.create_task(_watch(browser, path, tally)) for browser, path in screens]
    tasks.append(asyncio.create_task(_write(tally)))
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        tally.close()
        for error in ended:
            if isinstance(error, Exception):
                raise error


async def _write(tally: Tally) -> None:
    while True:
        await asyncio.sleep(WRITE_SECONDS)
        tally.write()


async def _watch(browser: Browser, path: str, tally: Tally) -> None:
    shown = time.monotonic()
    try:
        while True:
            with suppress(OSError, ConnectionClosed, InvalidHandshake):
                async with connect(
                    f"{browser.base.replace('http', 'ws', 1)}{path}",
                    ssl=encryption(browser.base),
                    origin=Origin(browser.base),
                    additional_headers={"Cookie": browser.cookie_header},
                    ping_interval=None,
                    max_size=None,
                ) as socket:
                    async for text in socket:
                        if json.loads(text)["type"] == BOARD:
                            before, shown = shown, time.monotonic()
                            tally.delay(BOARD, 0, 1000 * (shown - before))
            tally.count("screens cut")
            await asyncio.sleep(RETRY_SECONDS)
    finally:
        tally.delay(BOARD, 0, 1000 * (time.monotonic() - shown))
