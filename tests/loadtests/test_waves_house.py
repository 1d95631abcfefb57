"""What a load test does of its own processes and folders when something hangs: it says so and goes on."""

import asyncio
import fcntl
import signal
import socket
import sys
import time

import pytest

from ecni.management.commands.waves import Stock, WavesHouse
from ecni.supervisor import Supervisor, children
from loadtests import http

DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"


def test_a_generator_that_does_not_end_is_killed_and_named(tmp_path, monkeypatch):
    monkeypatch.setattr(children, "GRACE_SECONDS", 0.5)
    house = object.__new__(WavesHouse)
    with Supervisor(tmp_path) as supervisor:
        house._supervisor, house._generators = supervisor, ["deaf", "tidy"]
        supervisor.start("deaf", [sys.executable, "-c", DEAF])
        supervisor.start("tidy", ["/bin/sleep", "60"])
        while "deaf" not in (supervisor.logs / "deaf.log").read_text():
            time.sleep(0.05)
        assert house.stop_generator() == ["deaf"]
        assert [supervisor.code(name) for name in ("deaf", "tidy")] == [-signal.SIGKILL, -signal.SIGTERM]


def test_a_second_run_is_refused_before_it_prepares_anything(tmp_path):
    said = []
    with (tmp_path / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(RuntimeError, match="Un autre essai"), Stock(tmp_path, 20, 2).copy(said.append):
            pass
    assert (said, [path.name for path in tmp_path.iterdir()]) == ([], ["lock"])


def test_a_server_that_says_nothing_is_a_lost_connection_to_whoever_asks(monkeypatch):
    monkeypatch.setattr(http, "PATIENCE_SECONDS", 0.2)

    with (
        socket.create_server(("127.0.0.1", 0)) as mute,
        pytest.raises(ConnectionResetError, match="GET /connexion/: no answer"),
    ):
        asyncio.run(http.Browser(f"http://127.0.0.1:{mute.getsockname()[1]}").get("/connexion/"))
