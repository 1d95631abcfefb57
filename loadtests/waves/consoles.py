"""The staff's screens, held open all day: the console of each room and the agency's board. They ask for nothing."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.typing import Origin

from loadtests.encryption import encryption
from loadtests.staff import Screen
from loadtests.waves.measures import Tally

BOARD, COMMAND = "board", "command"
"""Delays: how old the board of a screen is, looked at each second; how long a command took to be answered."""
RETRY_SECONDS, GLANCE_SECONDS = 1.0, 1.0
SILENCE_SECONDS = 8.0
"""After so long without a word, the page gives its socket up (`static/js/centre/board.js`)."""


@asynccontextmanager
async def watching(screens: Sequence[Screen], tally: Tally) -> AsyncIterator[None]:
    """Hold these screens open meanwhile; note each second how old their boards are.

    Raises:
        Exception: at the end, whatever kept a screen from being held or looked at until then.
    """
    shown = dict.fromkeys(range(len(screens)), time.monotonic())
    tasks = [asyncio.create_task(_watch(screen, shown, position, tally)) for position, screen in enumerate(screens)]
    tasks.append(asyncio.create_task(_look(shown, tally)))
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


async def _look(shown: Mapping[int, float], tally: Tally) -> None:
    while True:
        await asyncio.sleep(GLANCE_SECONDS)
        for instant in shown.values():
            tally.delay(BOARD, 0, 1000 * (time.monotonic() - instant))
        tally.write()


async def _watch(screen: Screen, shown: dict[int, float], position: int, tally: Tally) -> None:
    browser, path = screen
    while True:
        with suppress(OSError, ConnectionClosed, InvalidHandshake, ValueError):
            async with connect(
                f"{browser.base.replace('http', 'ws', 1)}{path}",
                ssl=encryption(browser.base),
                origin=Origin(browser.base),
                additional_headers={"Cookie": browser.cookie_header},
                ping_interval=None,
                max_size=None,
            ) as socket:
                while True:
                    message = json.loads(await asyncio.wait_for(socket.recv(), SILENCE_SECONDS))
                    if message["type"] == BOARD:
                        shown[position] = time.monotonic()
                        tally.count("boards")
        tally.count("screens cut")
        await asyncio.sleep(RETRY_SECONDS)
