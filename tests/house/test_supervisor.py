"""The supervisor leaves no orphan, says who died, and lets several Daphnes share a port."""

import os
import signal
import socket
import sys
import threading
import time

import pytest

from ecni.supervisor import ChildDied, Supervisor, listening_socket

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


def test_supervisor_stops_every_child_in_reverse_order(tmp_path):
    order = tmp_path / "order"
    with Supervisor(tmp_path) as supervisor:
        for name in "abc":
            child = supervisor.start(name, [sys.executable, "-c", LEAVE_A_TRACE, str(order), name])
            while child.log.read_bytes() != b"up\n":
                time.sleep(0.01)
    assert order.read_text() == "cba"


def test_supervisor_kills_a_child_that_does_not_listen(tmp_path, monkeypatch):
    monkeypatch.setattr("ecni.supervisor.GRACE_SECONDS", 0.2)
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
