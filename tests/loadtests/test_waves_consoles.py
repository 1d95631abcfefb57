"""The staff's screens of a load test: how old a board gets, the time without a link included."""

import asyncio
import json

from websockets.asyncio.server import serve

from loadtests.http import Browser
from loadtests.waves.consoles import BOARD, watching
from loadtests.waves.measures import Reader, Seen, Tally

GAP_SECONDS = 0.3


def watched(folder, handler, seconds):
    async def live():
        async with serve(handler, "127.0.0.1", 0) as server:
            base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            async with watching([(Browser(base, {"sessionid": "s"}), "/ws/salle/1/")], Tally(folder, "staff")):
                await asyncio.sleep(seconds)

    asyncio.run(live())
    return Seen(Reader(folder).fresh())


def test_a_board_is_as_old_as_the_time_since_the_one_before_and_nothing_else_counts(tmp_path):
    asked = []

    async def handler(socket):
        asked.append((socket.request.path, socket.request.headers["Cookie"]))
        for kind in ("board", "stale", "board"):
            await socket.send(json.dumps({"type": kind}))
            await asyncio.sleep(GAP_SECONDS)
        await socket.wait_closed()

    seen = watched(tmp_path, handler, 4 * GAP_SECONDS)
    assert asked == [("/ws/salle/1/", "sessionid=s")]
    assert (seen.delays(BOARD).count, seen.count("screens cut")) == (3, 0)  # two came, one is on the screen at the end
    assert seen.delays(BOARD).greatest >= 2000 * GAP_SECONDS


def test_a_screen_that_is_cut_comes_back_and_its_board_is_as_old_as_the_time_between(tmp_path):
    async def handler(socket):
        await socket.send(json.dumps({"type": "board"}))

    seen = watched(tmp_path, handler, 1.5)
    assert (seen.delays(BOARD).count, seen.count("screens cut")) == (3, 2)
    assert seen.delays(BOARD).greatest >= 1000


def test_a_screen_that_never_showed_anything_is_as_old_as_the_run(tmp_path):
    async def handler(socket):
        await socket.wait_closed()

    assert watched(tmp_path, handler, GAP_SECONDS).delays(BOARD).greatest >= 1000 * GAP_SECONDS
