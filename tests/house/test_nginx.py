"""The proxy in front of the house: limits that hold what is asked, and a real nginx before real servers."""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from io import StringIO
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import urlopen

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from ecni.management.certificate import write_certificate
from ecni.management.commands.serve import Command, front_of, house_of, served
from ecni.management.commands.waves import free_ports
from ecni.shared.clock import now
from ecni.supervisor import House, Proxy, ProxyError, RunningHouse, Supervisor, find_nginx, nginx
from exams.models import JournalEntry
from tests.exams.sitting import opened
from tests.exams.tablet import Tablet, clients

ROOT = Path(__file__).parents[2]
PATIENCE = 40


@pytest.fixture(scope="module")
def program():
    try:
        return find_nginx()
    except ProxyError:
        pytest.skip("no nginx on this machine")


@pytest.fixture
def folder():
    with tempfile.TemporaryDirectory(prefix="ecni-house-") as name:
        Path(name).chmod(0o711)
        yield Path(name)


def proxy(**changes):
    given = {"folder": "/nowhere", "host": "127.0.0.1", "port": 8000, "papers": "/papers", "static": "/static"}
    given |= {"web": ["127.0.0.1:8001"], "sockets": ["127.0.0.1:8002", "127.0.0.1:8003"]}
    given |= {"candidates": 9800, "descriptors": 20_000, "cores": 2, "status_port": 8004}
    return Proxy(**given | changes)


@pytest.mark.parametrize("candidates", [1, 8000, 9800, 20_000, 36_000])
@pytest.mark.parametrize("descriptors", [1024, 4096, 20_000, 65_536])
def test_limits_are_never_below_the_candidates_asked_for(candidates, descriptors):
    asked = proxy(candidates=candidates, descriptors=descriptors)
    assert asked.processes * asked.connections >= 2 * candidates
    text = nginx.render(asked)
    assert f"worker_processes {asked.processes};" in text
    assert f"worker_connections {asked.connections};" in text
    assert f"worker_rlimit_nofile {descriptors};" in text


def locations(text):
    """Every line of the configuration from the map of centres on, without what names a place."""
    body = text[text.index("map $cookie_") :]
    body = re.sub(r"\n  server {\n    listen [^\n]*default_server.*?\n  }\n", "", body, flags=re.DOTALL)
    body = re.sub(r"\n    (?:listen|server|ssl_\w+) [^\n]*", "", body)
    body = re.sub(r"limit_conn inside \d+", "limit_conn tablets", body)
    return re.sub(r"alias \S*?(/|/\$1|/attente.html);", r"alias \1;", body)


def test_one_host_and_containers_have_the_same_directives():
    assert locations(nginx.render(proxy())) == locations(nginx.render(nginx.CONTAINERS))


@pytest.mark.parametrize("tls", [False, True])
def test_nginx_accepts_the_configuration(program, folder, tls):
    place = str(write_certificate(folder / "tls", "127.0.0.1", None).parent) if tls else None
    configuration = folder / "nginx.conf"
    asked = proxy(folder=str(folder), port=free_ports(1), tls=place)
    configuration.write_text(nginx.render(asked))
    nginx.check(program, configuration, None)


def test_a_configuration_that_nginx_refuses_is_said(program, folder):
    configuration = folder / "nginx.conf"
    configuration.write_text("un deux trois;")
    with pytest.raises(ProxyError, match=r"nginx refuse sa configuration[\s\S]*unknown directive"):
        nginx.check(program, configuration, None)


# A house that runs


@pytest.fixture(params=["daphne", "uvicorn"])
def house(request, transactional_db, program, folder, settings, monkeypatch):
    place = connection.settings_dict
    monkeypatch.setenv("DATABASE_URL", f"postgresql://ecni@/{place['NAME']}?host={quote(place['HOST'])}")
    settings.STATIC_ROOT, settings.PAPERS_ROOT = folder / "static", folder / "papers"
    (folder / "static").mkdir()
    counts = {"web": 1, "sockets": 2}
    return House(folder, free_ports(6), counts=counts, server=request.param, has_proxy=True, behind_proxy=True)


@pytest.fixture
def running(house):
    front = front_of(house, {"candidates": 9800, "tls": None})
    with Supervisor(house.folder) as supervisor, RunningHouse(house, supervisor, front) as running:
        running.start()
        running.supervisor = supervisor
        yield running


def base(house):
    return f"http://{house.host}:{house.port}"


def fetch(port, path, body=None):
    try:
        with urlopen(f"http://127.0.0.1:{port}{path}", body, timeout=PATIENCE) as response:
            return response.status, response.headers, response.read()
    except HTTPError as error:
        return error.code, error.headers, error.read()


def tend_until(running, condition):
    events, end = [], time.monotonic() + PATIENCE
    while not condition(events):
        assert time.monotonic() < end, events
        events += running.tend()
        time.sleep(0.05)
    return events


@pytest.mark.slow
@pytest.mark.usefixtures("running")
def test_large_bodies_stop_at_the_proxy_but_where_banks_are_sent(house):
    bodies = {"/copie/trames/": 300_000, "/entrer/identite/": 100_000, "/connexion/": 2_000_000, "/admin/": 2_000_000}
    too_large = [path for path, size in bodies.items() if fetch(house.port, path, b"x" * size)[0] == 413]
    assert too_large == ["/copie/trames/", "/entrer/identite/", "/connexion/"]


@pytest.mark.slow
def test_a_house_serves_each_from_its_own_place(running, house, settings):
    (settings.STATIC_ROOT / "essai.0123456789ab.css").write_text("html {}")
    (settings.PAPERS_ROOT / "abc.ecni").write_bytes(b"chiffre")
    status, headers, body = fetch(house.port, "/entrer/")
    assert (status, "default-src 'none'" in headers["Content-Security-Policy"]) == (200, True)
    assert "Code" in body.decode() or "code" in body.decode()
    status, headers, body = fetch(house.port, "/static/essai.0123456789ab.css")
    assert (status, headers["Content-Type"], body) == (200, "text/css", b"html {}")
    assert (headers["X-Content-Type-Options"], "immutable" in headers["Cache-Control"]) == ("nosniff", True)
    status, headers, body = fetch(house.port, "/sujets/abc.ecni")
    assert (status, headers["Content-Type"], body) == (200, "application/octet-stream", b"chiffre")
    assert fetch(house.port, "/sujets/")[0] == 403
    assert fetch(house.status_port, "/nginx")[2].startswith(b"Active connections: ")
    assert fetch(house.port, "/static/../nginx/nginx.conf")[0] in {400, 404}

    tablet = Tablet(base(house), opened(count=1, now=now()).sheets.get(), "; ecni_centre=07")
    assert tablet.hello()["status"] == "COMPOSING"
    assert tablet.answer("A") == {"t": "ack", "seq": 1}
    said = tablet.post([{"t": "hello", "v": 1}, tablet.frame("B")])
    assert [frame["t"] for frame in said] == ["state", "ack"]
    assert list(JournalEntry.objects.order_by("seq").values_list("value", flat=True)) == ["A", "B"]
    assert sum(map(clients, (post.port for post in house.posts if post.role.name == "sockets"))) >= 1

    told = served(house, running._front, house.folder)
    assert all(f"  {name}" in told for name in ("nginx", "web", "sockets", "worker", "beat"))
    tablet.close()


def reached_by_one_more(running, held):
    """The port that one more tablet reached: who only asks whether a process serves hangs up by itself."""
    found = {}

    def stays(_events):
        found.update({port: clients(port) for port in held})
        return sum(found.values()) == sum(held.values()) + 1

    tend_until(running, stays)
    return next(port for port in held if found[port] > held[port])


@pytest.fixture
def rooms(running, house):
    """Three tablets of each of some centres, by the port of the process that they reached: each process has some."""
    ports = [post.port for post in house.posts if post.role.name == "sockets"]
    sheets = iter(opened(count=60, now=now()).sheets.order_by("pk"))
    found = {port: {} for port in ports}
    held = dict.fromkeys(ports, 0)
    for centre in range(1, 21):
        for _ in range(3):
            tablet = Tablet(base(house), next(sheets), f"; ecni_centre={centre:02}")
            tablet.hello()
            reached = reached_by_one_more(running, held)
            held[reached] += 1
            found[reached].setdefault(centre, []).append(tablet)
        if centre >= 4 and all(found.values()):
            break
    yield found
    for tablet in (tablet for centres in found.values() for room in centres.values() for tablet in room):
        tablet.close()


@pytest.mark.slow
def test_tablets_of_a_centre_share_a_process_and_go_to_another_when_it_dies(running, rooms):
    assert {len(room) for centres in rooms.values() for room in centres.values()} == {3}
    assert all(rooms.values())
    (dying, living) = rooms
    mine, other = next(iter(rooms[dying].values())), next(iter(rooms[living].values()))
    assert mine[0].answer("A") == {"t": "ack", "seq": 1}
    running.supervisor.kill("sockets-1")
    assert mine[0].close_code() in {1006, None}
    assert mine[0].hello()["answers"] == {"1": "A"}  # no wait: its port refuses, nginx takes the next
    assert other[0].answer("A") == {"t": "ack", "seq": 1}  # the other centre feels nothing

    events = tend_until(running, lambda events: any("est relancé" in event for event in events))
    tend_until(running, lambda _events: clients(living) == sum(map(len, rooms[living].values())) + 1)
    assert re.match(r"sockets-1 s’est arrêté \(code -9\) ; redémarrage dans 0.5 s", events[0])
    running.supervisor.wait_until_serving(("127.0.0.1", dying))
    mine[1].hello()
    tend_until(running, lambda _events: clients(dying) == 1)


@pytest.mark.slow
def test_when_the_master_of_nginx_dies_another_takes_the_ports_and_nobody_inside_is_cut(running, house):
    tablet = Tablet(base(house), opened(count=1, now=now()).sheets.get(), "; ecni_centre=07")
    tablet.hello()
    os.kill(running.supervisor.pid("nginx"), signal.SIGKILL)
    events = tend_until(running, lambda events: any("nginx est relancé" in event for event in events))
    assert not any("n’a pas pu" in event for event in events)
    running.supervisor.wait_until_serving((house.host, house.port))
    assert tablet.answer("A") == {"t": "ack", "seq": 1}
    end = time.monotonic() + PATIENCE  # the watch of the house knocks there too, for an instant
    while not fetch(house.status_port, "/nginx")[2].startswith(b"Active connections: 1 "):
        assert time.monotonic() < end
    tablet.close()


def test_one_host_alone_keeps_the_schedule(tmp_path):
    options = {"folder": tmp_path, "port": 8000, "host": "127.0.0.1", "web": 2, "sockets": 2, "server": "daphne"}
    roles = {
        no_beat: [post.role.name for post in house_of({**options, "nginx": True, "no_beat": no_beat}).posts]
        for no_beat in (False, True)
    }
    assert roles[True] == [role for role in roles[False] if role != "beat"]
    assert roles[False].count("beat") == 1


def test_a_terminal_that_has_gone_stops_nothing():
    class Gone(StringIO):
        def write(self, _text):
            raise BrokenPipeError

    Command(stdout=Gone())._say("web-1 est mort")


def test_the_command_refuses_to_serve_in_clear_in_production(settings, tmp_path):
    settings.PRODUCTION = True
    with pytest.raises(CommandError, match="donnez --tls"):
        call_command("serve", "--nginx", f"--folder={tmp_path / 'files'}")
    assert not (tmp_path / "files").exists()


@pytest.mark.slow
def test_the_command_says_what_runs_where_and_stops_in_order(transactional_db, program, folder, monkeypatch):
    place = connection.settings_dict
    port = free_ports(5)
    env = {
        "DATABASE_URL": f"postgresql://ecni@/{place['NAME']}?host={quote(place['HOST'])}",
        **{f"{name.upper()}_ROOT": str(folder / name) for name in ("static", "papers")},
    }
    (folder / "static").mkdir()
    words = ["serve", "--nginx", "--web=1", "--sockets=1", f"--port={port}", f"--folder={folder / 'files'}"]
    command = [sys.executable, "manage.py", *words]
    process = subprocess.Popen(
        command, cwd=ROOT, env=os.environ | env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    said = []
    for line in process.stdout:
        said.append(line)
        if "Journaux" in line:
            break
    assert f"ECNi répond sur http://127.0.0.1:{port}/" in "".join(said)
    assert fetch(port, "/entrer/")[0] == 200
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    assert "Arrêt en cours" in process.stdout.read()
    process.stdout.close()
    with pytest.raises(OSError, match="refused"), socket.create_connection(("127.0.0.1", port), timeout=5):
        pass


def test_a_port_already_taken_is_said_before_anything_starts(program, folder, settings):
    settings.STATIC_ROOT, settings.PAPERS_ROOT = folder / "static", folder / "papers"
    (folder / "static").mkdir()
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)  # as another nginx would
        other.bind(("127.0.0.1", 0))
        other.listen()
        house = House(folder, other.getsockname()[1], has_proxy=True)
        front = front_of(house, {"candidates": 9800, "tls": None})
        with Supervisor(folder) as supervisor, pytest.raises(OSError, match="in use"):
            RunningHouse(house, supervisor, front)
