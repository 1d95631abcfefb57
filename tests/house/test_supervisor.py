"""The supervisor leaves no orphan, says who died, lets servers share a port, and starts again without a storm."""

import os
import re
import signal
import socket
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from ecni.supervisor import ROLES, ChildDied, House, RunningHouse, Supervisor, give_way, listening_socket
from ecni.supervisor.running import rest_seconds

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)",
]
LEAVE_A_TRACE = """
import signal, sys, time
def leave(*_):
    with open(sys.argv[1], "a") as trace:
        trace.write(sys.argv[2])
    sys.exit()
signal.signal(signal.SIGTERM, leave)
print("up", flush=True)
time.sleep(600)
"""
ANSWER_WITH_NAME = """
import os, socket, sys
listener = socket.socket(fileno=int(sys.argv[1]))
while True:
    with listener.accept()[0] as caller:
        caller.sendall(os.environ["NAME"].encode())
"""


@pytest.mark.parametrize("again", ["", "a"])
def test_supervisor_stops_every_child_in_reverse_order_one_that_died_too(tmp_path, again):
    order = tmp_path / "order"
    with Supervisor(tmp_path) as supervisor:
        for name in ("a", "b", "c", *again):
            if name in again and supervisor.is_running(name):
                supervisor.kill(name)
                (tmp_path / "logs" / f"{name}.log").write_bytes(b"")
            child = supervisor.start(name, [sys.executable, "-c", LEAVE_A_TRACE, str(order), name], keep=True)
            while child.log.read_bytes() != b"up\n":
                time.sleep(0.01)
    assert order.read_text() == "cba"


def test_supervisor_kills_a_child_that_does_not_listen(tmp_path, monkeypatch):
    monkeypatch.setattr("ecni.supervisor.children.GRACE_SECONDS", 0.2)
    with Supervisor(tmp_path) as supervisor:
        child = supervisor.start("deaf", STUBBORN)
        while child.log.read_bytes() != b"deaf\n":
            time.sleep(0.01)
    assert child.process.returncode == -signal.SIGKILL


def test_supervisor_says_who_died_and_why(tmp_path):
    with Supervisor(tmp_path) as supervisor:
        other = supervisor.start("other", SLEEP)
        supervisor.start("worker", [sys.executable, "-c", "raise SystemExit('disque plein')"])
        with pytest.raises(ChildDied, match=r"« worker » s’est arrêté \(code 1\)[\s\S]*disque plein"):
            supervisor.wait()
    assert other.process.returncode == -signal.SIGTERM


def test_supervisor_goes_on_without_a_child_killed_on_purpose_and_starts_it_again(tmp_path):
    with Supervisor(tmp_path) as supervisor:
        first = supervisor.start("daphne", SLEEP, keep=True)
        supervisor.kill("daphne")
        supervisor.check()
        second = supervisor.start("daphne", SLEEP, keep=True)
        assert first.process.returncode == -signal.SIGKILL
        assert second.process.poll() is None
        with pytest.raises(ValueError, match="daphne is running"):
            supervisor.start("daphne", SLEEP)


def test_supervisor_stops_on_sigterm(tmp_path):
    with Supervisor(tmp_path) as supervisor:
        child = supervisor.start("one", SLEEP)
        threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGTERM)).start()
        supervisor.wait()
    assert child.process.returncode == -signal.SIGTERM


def test_a_child_gives_way_with_its_whole_session(tmp_path):
    with Supervisor(tmp_path) as supervisor:
        supervisor.start("kind", SLEEP)
        give_way(supervisor.pid("kind"), 5)
        assert os.getpriority(os.PRIO_PROCESS, supervisor.pid("kind")) == 5
        if (group := Path(f"/proc/{supervisor.pid('kind')}/autogroup")).exists():
            assert group.read_text().endswith("nice 5\n")


def test_a_house_has_its_pages_and_tasks_give_way_to_the_wire():
    assert {role.name: role.niceness for role in ROLES} == {"sockets": 0, "web": 12, "worker": 15, "beat": 15}


def test_children_share_one_listening_socket(tmp_path):
    with listening_socket(0) as listener, Supervisor(tmp_path) as supervisor:
        port = listener.getsockname()[1]
        for name in ("one", "two"):
            argv = [sys.executable, "-c", ANSWER_WITH_NAME, str(listener.fileno())]
            supervisor.start(name, argv, {"NAME": name}, sockets=[listener], keep=True)

        def answer():
            with socket.create_connection(("127.0.0.1", port), timeout=20) as caller, caller.makefile() as words:
                return words.read()

        assert answer() in {"one", "two"}
        supervisor.kill("one")
        assert answer() == "two"


def test_a_port_already_taken_is_refused():
    with listening_socket(0) as listener, pytest.raises(OSError, match="in use"):
        listening_socket(listener.getsockname()[1])


def test_waiting_for_a_server_that_cannot_start_says_why(tmp_path):
    with listening_socket(0) as listener, Supervisor(tmp_path) as supervisor:
        supervisor.start("daphne", [sys.executable, "-c", "raise SystemExit('pas de module')"])
        with pytest.raises(ChildDied, match="pas de module"):
            supervisor.wait_until_serving(listener)


# A house that is tended


def test_a_process_rests_longer_each_time_and_a_minute_at_most():
    assert [rest_seconds(deaths) for deaths in range(1, 10)] == [0.5, 1, 2, 4, 8, 16, 32, 60, 60]
    assert rest_seconds(10_000) == 60


@pytest.fixture
def lonely(tmp_path, monkeypatch):
    """A house of one server, which is any command."""

    def make(argv):
        monkeypatch.setattr("ecni.supervisor.house.SERVERS", {"daphne": lambda _where, **_: argv})
        monkeypatch.setattr("ecni.supervisor.house.ROLES", ())
        return House(tmp_path, 0, counts={"all": 1})

    return make


def tend(running, seconds):
    events, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        events += running.tend()
        time.sleep(0.02)
    return events


def test_a_house_starts_again_what_dies(lonely, tmp_path):
    house = lonely(SLEEP)
    with Supervisor(tmp_path) as supervisor, RunningHouse(house, supervisor) as running:
        running._enlist("all-1", lambda: running._begin(house.posts[0]))
        first = supervisor.pid("all-1")
        assert os.getpriority(os.PRIO_PROCESS, first) == os.nice(0)
        assert tend(running, 0.1) == []
        supervisor.kill("all-1")
        events = tend(running, 1)
        assert supervisor.pid("all-1") != first
        assert supervisor.is_running("all-1")
    assert events == [
        f"all-1 s’est arrêté (code -9) ; redémarrage dans 0.5 s. Son journal : {tmp_path / 'logs' / 'all-1.log'}",
        "all-1 est relancé.",
    ]


def test_a_process_that_cannot_live_makes_no_storm(lonely, tmp_path):
    house = lonely([sys.executable, "-c", "raise SystemExit(3)"])
    with Supervisor(tmp_path) as supervisor, RunningHouse(house, supervisor) as running:
        running._enlist("all-1", lambda: running._begin(house.posts[0]))
        events = tend(running, 3)
    assert [float(re.search(r"dans ([\d.]+) s", event)[1]) for event in events[::2]] == [0.5, 1, 2]
    assert len(events) <= 6


def test_a_server_whose_port_is_taken_meanwhile_rests_too(lonely, tmp_path):
    house = lonely(SLEEP)
    with listening_socket(0) as other, Supervisor(tmp_path) as supervisor, RunningHouse(house, supervisor) as running:
        post = replace(house.posts[0], port=free_port())
        running._enlist("all-1", lambda: running._begin(post))
        supervisor.kill("all-1")
        running._lives["all-1"].begin = lambda: running._begin(replace(post, port=other.getsockname()[1]))
        events = tend(running, 1)
    assert re.match(r"all-1 n’a pas pu démarrer \(.*in use\) ; redémarrage dans 1 s", events[1])


def test_a_server_that_lived_long_and_finds_its_port_taken_makes_no_storm(lonely, tmp_path):
    house = lonely(SLEEP)
    with listening_socket(0) as other, Supervisor(tmp_path) as supervisor, RunningHouse(house, supervisor) as running:
        post = replace(house.posts[0], port=free_port())
        running._enlist("all-1", lambda: running._begin(post))
        supervisor.kill("all-1")
        running._lives["all-1"].began -= 3600
        running._lives["all-1"].begin = lambda: running._begin(replace(post, port=other.getsockname()[1]))
        events = tend(running, 3)
    assert [float(re.search(r"dans ([\d.]+) s", event)[1]) for event in events] == [0.5, 1, 2]


def test_a_house_that_cannot_start_says_who_and_why(lonely, tmp_path):
    house = lonely([sys.executable, "-c", "raise SystemExit('pas de base')"])
    with (
        Supervisor(tmp_path) as supervisor,
        RunningHouse(house, supervisor) as running,
        pytest.raises(ChildDied, match="pas de base"),
    ):
        running.start()


def free_port():
    with listening_socket(0) as listener:
        return listener.getsockname()[1]
