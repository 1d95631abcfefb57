"""One very small drill on real processes, so that nothing rots: house, tablets, fault, export, checker."""

import asyncio
import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from loadtests.drills.faults import CATALOGUE, pairs
from loadtests.drills.run import is_held, judge, summary
from loadtests.drills.tools import missing
from loadtests.proxy import Proxy, Weather

ROOT = Path(__file__).parents[2]


PLAYED = {"acknowledged": 40, "troubles": [], "invariants": {"I1": "held", "I16": "not observed"}}


def test_a_drill_in_which_something_was_acknowledged_and_nothing_broken_is_held():
    assert is_held(PLAYED)


@pytest.mark.parametrize(
    "change",
    [{"acknowledged": 0}, {"acknowledged": None}, {"troubles": ["1 tablettes"]}, {"invariants": {"I5": "broken"}}],
)
def test_a_drill_is_not_held_without_what_it_must_show(change):
    assert not is_held(PLAYED | change)


def test_a_drill_whose_checker_gives_up_is_not_held(tmp_path):
    verdict = judge(tmp_path)
    assert "FileNotFoundError" in verdict["error"]
    assert not is_held(summary(verdict) | {"troubles": []})


@pytest.mark.slow
def test_a_server_killed_loses_nothing(tmp_path):
    tmp_path.chmod(0o711)
    report = tmp_path / "drills.json"
    ours = {"DATABASE_URL", "REDIS_URL", "PAPERS_ROOT", "STATIC_ROOT", "DJANGO_SETTINGS_MODULE"}
    environment = {name: value for name, value in os.environ.items() if name not in ours}
    done = subprocess.run(
        [
            *(sys.executable, "manage.py", "drills", "--candidates", "10", "--only", "F01", "--seconds", "8"),
            *("--folder", str(tmp_path / "drills"), "--report", str(report)),
        ],
        cwd=ROOT,
        env=environment | {"ECNI_ENV": "demo"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (line,) = json.loads(report.read_text())
    assert (line["fault"], line["ok"], line["skipped"], line["candidates"]) == ("F01", True, "", 10)
    assert [line[name] for name in ("lost", "duplicated", "foreign", "false_saved")] == [0, 0, 0, 0]
    assert {line["invariants"][name] for name in ("I1", "I2", "I3", "I4", "I7", "I10", "I15")} == {"held"}
    assert line["acknowledged"] > 50


def test_rows_of_the_matrix_are_all_there_and_all_written_down():
    rows = {drill.fault for drill in CATALOGUE}
    numbers = [*range(1, 7), 8, *range(10, 18), 20, *range(22, 26), 27, 29, 30, 31]
    assert rows == {f"F{number:02}" for number in numbers}
    page = (ROOT / "docs" / "drills.md").read_text(encoding="utf-8")
    names = {f"{drill.fault} {drill.variant}".strip() for drill in CATALOGUE}
    assert {name for name in names if f"\n| {name} |" not in page} == set()


def test_pairs_are_drawn_again_from_their_seed():
    assert [drill.variant for drill in pairs(7)] == [drill.variant for drill in pairs(7)]
    assert len(pairs(7)) == 10


def test_what_a_machine_lacks_is_named(monkeypatch):
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    assert missing(("root",)) == "cette machine n’a pas : root"
    assert missing(()) == ""


async def echo(reader, writer):
    while chunk := await reader.read(100):
        writer.write(chunk)
        await writer.drain()
    writer.close()


@pytest.fixture
async def proxy():
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    made = Proxy(server.sockets[0].getsockname()[1], random.Random(1))
    made.port = await made.open()
    yield made
    made.close()
    server.close()
    await asyncio.sleep(0.05)


class Caller:
    def __init__(self, proxy):
        self.proxy = proxy

    async def __aenter__(self):
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.proxy.port)
        return self

    async def __aexit__(self, *_):
        self.writer.transport.abort()
        await asyncio.sleep(0)

    async def ask(self):
        self.writer.write(b"ping")
        try:
            return await asyncio.wait_for(self.reader.read(100), 0.3)
        except TimeoutError:
            return None


async def test_a_cut_resets_and_fair_weather_serves_again(proxy):
    async with Caller(proxy) as caller:
        assert await caller.ask() == b"ping"
        proxy.change(Weather(cut=True))
        with pytest.raises(ConnectionResetError):
            await caller.ask()
    proxy.change(Weather())
    async with Caller(proxy) as caller:
        assert await caller.ask() == b"ping"


async def test_silence_tells_nobody_and_a_lost_table_spares_the_new(proxy):
    async with Caller(proxy) as old:
        assert await old.ask() == b"ping"
        proxy.change(Weather(silent_down=True))
        assert await old.ask() is None
        proxy.change(Weather())
        proxy.forget_all()
        assert await old.ask() is None
    async with Caller(proxy) as new:
        assert await new.ask() == b"ping"
