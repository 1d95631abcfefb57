"""The staff's screens of a load test: how old a board gets, whatever the screen waits for."""

import asyncio
import json

import pytest
from websockets.asyncio.server import serve

from loadtests.http import Browser
from loadtests.waves import consoles
from loadtests.waves.consoles import BOARD, watching
from loadtests.waves.measures import Reader, Seen, Tally

GLANCE = 0.05


@pytest.fixture(autouse=True)
def _in_a_hurry(monkeypatch):
    for name, seconds in (("GLANCE_SECONDS", GLANCE), ("RETRY_SECONDS", 0.1), ("SILENCE_SECONDS", 0.6)):
        monkeypatch.setattr(consoles, name, seconds)


def watched(folder, handlers, until):
    """Watch a screen for each handler until as many of something were counted; return what was seen."""

    async def live():
        async def handle(socket):
            await handlers[socket.request.path](socket)

        async with serve(handle, "127.0.0.1", 0) as server:
            base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            screens = [(Browser(base, {"sessionid": "s"}), path) for path in handlers]
            async with watching(screens, Tally(folder, "staff")):
                seen, reader = Seen(), Reader(folder)
                while not until(seen):
                    await asyncio.sleep(GLANCE)
                    seen.add(reader.fresh())
            seen.add(reader.fresh())
            return seen

    return asyncio.run(asyncio.wait_for(live(), 30))


async def say(socket, kind):
    await socket.send(json.dumps({"type": kind}))


async def shows(socket):
    while True:
        await say(socket, "board")
        await asyncio.sleep(0.1)


def test_a_board_gets_older_until_another_one_comes_and_no_other_word_makes_it_younger(tmp_path):
    asked = []

    async def handler(socket):
        asked.append(socket.request.headers["Cookie"])
        await say(socket, "board")
        for kind in ("alive", "stale") * 5:
            await asyncio.sleep(0.1)
            await say(socket, kind)
        await say(socket, "board")
        await socket.wait_closed()

    seen = watched(tmp_path, {"/ws/salle/1/": handler}, lambda seen: seen.count("boards") == 2)
    assert (asked, seen.count("screens cut")) == (["sessionid=s"], 0)
    assert seen.delays(BOARD).greatest >= 900


def test_a_screen_that_is_cut_or_hears_nothing_any_more_connects_again(tmp_path):
    async def cut(socket):
        await say(socket, "board")

    async def silent(socket):
        await say(socket, "board")
        await socket.wait_closed()

    for name, handler in (("cut", cut), ("silent", silent)):
        folder = tmp_path / name
        folder.mkdir()
        seen = watched(folder, {"/ws/salle/1/": handler}, lambda seen: seen.count("screens cut") >= 2)
        assert seen.count("boards") >= 2


def test_a_screen_that_fails_otherwise_than_by_its_link_is_no_secret(tmp_path):
    async def strange(socket):
        await socket.send('{"kind": "board"}')
        await socket.wait_closed()

    handlers = {"/ws/salle/1/": strange, "/ws/salle/2/": shows}
    with pytest.raises(KeyError, match="type"):
        watched(tmp_path, handlers, lambda seen: seen.count("boards") >= 3)


def test_one_blind_screen_among_many_is_seen_in_the_percentile(tmp_path):
    async def blind(socket):
        while True:
            await say(socket, "stale")
            await asyncio.sleep(0.1)

    handlers = {f"/ws/salle/{number}/": shows for number in range(1, 10)} | {"/ws/salle/0/": blind}
    seen = watched(tmp_path, handlers, lambda seen: seen.count("boards") >= 200)
    ages = seen.delays(BOARD)
    assert ages.quantile(0.5) < ages.quantile(0.99) / 2
    assert ages.quantile(0.99) >= 1000
