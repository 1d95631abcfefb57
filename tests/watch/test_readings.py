"""Each part read where it is: this kernel, a real nginx, the health of this process."""

import os
import shutil
import socket
import subprocess
import time
from contextlib import ExitStack, suppress
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from ecni.shared.clock import now
from ecni.watch import kernel
from ecni.watch.health import Health, is_ready
from ecni.watch.newcomer import knock, read_address
from ecni.watch.proxy import Proxy
from ecni.watch.rules import CALLING, Severity, judge

NGINX = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log crit;
worker_processes 1;
worker_rlimit_nofile 1024;
events {{ worker_connections 24; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://127.0.0.1:{deaf}; }} }}
  server {{ listen 127.0.0.1:{status}; location / {{ stub_status; }} }}
}}
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def nginx(tmp_path):
    """A real nginx of 24 connections before a server that never answers; gives its port and the watcher's sight of it.

    What nginx holds without a request it drops by itself for a newcomer: only tablets that are served use it up.
    """
    program = shutil.which("nginx")
    if program is None:
        pytest.skip("no nginx on this machine")
    port, status = free_port(), free_port()
    deaf = socket.create_server(("127.0.0.1", 0))
    configuration = NGINX.format(folder=tmp_path, port=port, status=status, deaf=deaf.getsockname()[1])
    (tmp_path / "nginx.conf").write_text(configuration)
    (tmp_path / "error.log").touch()
    with deaf, subprocess.Popen([program, "-c", str(tmp_path / "nginx.conf"), "-p", str(tmp_path)]) as process:
        deadline = time.monotonic() + 20
        while knock(read_address(f"http://127.0.0.1:{status}")).stage == CALLING and time.monotonic() < deadline:
            time.sleep(0.05)
        yield (
            port,
            Proxy(f"http://127.0.0.1:{status}/", tmp_path / "error.log", tmp_path / "nginx.conf"),
        )
        process.terminate()


def test_nginx_tells_its_connections_then_that_they_are_not_enough(nginx):
    port, proxy = nginx
    (calm,) = proxy.read()
    assert (calm.layer, calm.limit, calm.refused) == ("nginx", 24, 0)
    with ExitStack() as stack:
        deadline = time.monotonic() + 60
        refusing = []
        while not refusing and time.monotonic() < deadline:  # one by one: who has said nothing yet gives its place up
            tablet = stack.enter_context(socket.create_connection(("127.0.0.1", port), 5))
            with suppress(OSError):
                tablet.sendall(b"GET / HT")  # as does one that has said all
            refusing = [one for one in safely(proxy) if one.refused]
    assert [one.layer for one in refusing] == ["nginx"]
    assert judge(refusing[0], None, 0.0).pressure.severity is Severity.REACHED


def test_what_nginx_may_hold_is_read_again_when_it_is_raised(nginx, tmp_path):
    _port, proxy = nginx
    path = tmp_path / "nginx.conf"
    assert [one.limit for one in proxy.read()] == [24]
    path.write_text(path.read_text().replace("worker_connections 24", "worker_connections 48"))
    os.utime(path, (time.time() + 5,) * 2)
    assert [one.limit for one in proxy.read()] == [24]  # nginx has not read it
    os.utime(path, (time.time() - 60,) * 2)
    assert [one.limit for one in proxy.read()] == [48]
    path.write_text("events {")
    os.utime(path, (time.time() - 50,) * 2)
    assert [one.limit for one in proxy.read()] == [48]


def safely(proxy):
    try:
        return proxy.read()
    except OSError:  # its status page is behind the same limit
        return []


def test_a_log_is_read_from_where_it_was_and_again_when_it_is_a_new_one(tmp_path):
    log = tmp_path / "error.log"
    line = "2026/01/21 [alert] 7#7: 512 worker_connections are not enough\n"
    log.write_text(line * 3)
    proxy = Proxy(None, log, None)
    assert proxy.read() == []
    with log.open("a") as file:
        file.write(line + "2026/01/21 [crit] 7#7: accept4() failed (24: Too many open files)\n")
    assert {one.layer: one.refused for one in proxy.read()} == {"nginx": 1, "nginx-descriptors": 1}
    log.write_text(line)
    assert {one.layer: one.refused for one in proxy.read()} == {"nginx": 1}


def test_a_log_that_may_not_be_read_says_nothing(tmp_path):
    assert Proxy(None, tmp_path, None).read() == []  # a folder: root itself cannot open it as a file


def test_nginx_without_descriptors_is_named_though_its_page_does_not_answer(tmp_path):
    log = tmp_path / "error.log"
    log.write_text("")
    proxy = Proxy(f"http://127.0.0.1:{free_port()}/", log, None)
    log.write_text("2026/01/21 [crit] 7#7: accept4() failed (24: Too many open files)\n")
    assert [(one.layer, one.refused) for one in proxy.read()] == [("nginx-descriptors", 1)]


def test_ports_towards_an_upstream_are_counted_again_the_sooner_the_more_are_used(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as upstream, ExitStack() as stack:
        port = upstream.getsockname()[1]
        for _ in range(7):
            stack.enter_context(socket.create_connection(("127.0.0.1", port)))
        ports = kernel.EphemeralPorts([port, port])
        (reading,) = ports.read()
        assert (reading.layer, reading.where, reading.used) == ("ephemeral-ports", f"vers le port {port}", 7)
        assert reading.limit > 1000
        stack.enter_context(socket.create_connection(("127.0.0.1", port)))
        assert [one.used for one in ports.read()] == [7]  # far from the limit: counted again in ten seconds
        monkeypatch.setattr(kernel, "COUNTED_SECONDS", 0.0)
        assert [one.used for one in ports.read()] == [8]


def test_a_listening_queue_tells_how_many_wait():
    with socket.create_server(("127.0.0.1", 0), backlog=8) as deaf, ExitStack() as stack:
        port = deaf.getsockname()[1]
        for _ in range(5):
            stack.enter_context(socket.create_connection(("127.0.0.1", port)))
        (queue,) = [one for one in kernel.queues() if one.port == port]
    assert (queue.waiting, queue.most) == (5, 8)


class SentRoundInCircles(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(301)
        self.send_header("Location", self.path)
        self.end_headers()

    def log_message(self, *_):
        pass


def test_a_door_that_sends_elsewhere_lets_nobody_in():
    with ThreadingHTTPServer(("127.0.0.1", 0), SentRoundInCircles) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        attempt = knock(read_address(f"http://127.0.0.1:{server.server_port}"))
        server.shutdown()
    assert (attempt.stage, attempt.is_silent) == ("la page", False)


def test_a_newcomer_is_refused_where_nobody_listens():
    attempt = knock(read_address(f"http://127.0.0.1:{free_port()}"))
    assert (attempt.stage, attempt.is_silent, attempt.is_local) == ("la connexion", False, True)


@pytest.mark.parametrize("address", ["concours.example.fr", "ftp://a", "http://", "https://:80"])
def test_an_address_that_is_no_door_is_refused(address):
    with pytest.raises(ValueError, match="is no address of a door"):
        read_address(address)


def test_an_address_is_named_as_browsers_do():
    names = ["https://a.fr", "https://a.fr:8443", "http://a.fr:80"]
    assert [read_address(name).origin for name in names] == ["https://a.fr", "https://a.fr:8443", "http://a.fr"]
    beside = read_address("https://127.0.0.1:8443", ["concours.fr", "b.fr"])
    assert (beside.where, beside.origin) == ("https://127.0.0.1:8443", "https://concours.fr:8443")
    assert read_address("https://b.fr", ["concours.fr", "b.fr"]).origin == "https://b.fr"


@pytest.fixture
def health(transactional_db, settings, tmp_path):
    settings.PAPERS_ROOT = tmp_path
    made = []

    def make(clock=now):
        made.append(Health(clock))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_all_is_well(health):
    checks = health().check()
    assert checks == dict.fromkeys(("postgresql", "migrations", "clock", "papers"), "ok")
    assert is_ready(checks)


def test_a_clock_that_is_apart_and_papers_that_are_lost_are_named(health, settings, tmp_path):
    settings.PAPERS_ROOT = tmp_path / "lost"
    checks = health(lambda: now() - timedelta(seconds=30)).check()
    assert (checks["clock"], checks["papers"], is_ready(checks)) == ("apart", "unreadable", False)
