"""nginx at its limit, or without its servers: a page that says to wait, and a way for those who come back."""

import re
import socket
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from django.core.management import call_command

from ecni.engines import plain_account
from ecni.engines.account import private_folder
from ecni.management.commands.waves import free_ports
from ecni.shared.clock import now
from ecni.supervisor import Proxy, ProxyError, Supervisor, find_nginx, nginx
from ecni.watch.proxy import Proxy as WatchedProxy
from tests.exams.sitting import opened
from tests.exams.tablet import Tablet
from tests.house.test_nginx import proxy
from tests.house.test_serving import POLICY

PATIENCE = 40
CONNECTIONS = 200


@pytest.fixture
def folder():
    with tempfile.TemporaryDirectory(prefix="ecni-crowded-") as name:
        Path(name).chmod(0o711)
        yield Path(name)


class Crowded:
    """A real nginx of two hundred connections, before a server that may be dead."""

    def __init__(self, folder, upstream):
        account = plain_account()
        self.port = free_ports(3)
        self.proxy = Proxy(
            folder=str(private_folder(folder / "nginx", account)),
            host="127.0.0.1",
            port=self.port,
            web=[upstream],
            sockets=[upstream],
            papers=str(folder),
            static=str(folder / "static"),
            candidates=1,
            descriptors=CONNECTIONS + nginx.SPARE_OF_PROXY,
            cores=1,
            status_port=self.port + 1,
        )
        self.configuration = folder / "nginx" / "nginx.conf"
        self.configuration.write_text(nginx.render(self.proxy))
        self.account = (account.uid, account.gid) if account else None
        self.base = f"http://127.0.0.1:{self.port}"

    def start(self, supervisor):
        supervisor.start("nginx", nginx.command(find_nginx(), self.configuration), account=self.account)
        supervisor.wait_until_serving(("127.0.0.1", self.port))

    def ask(self, path, **options):
        try:
            with urlopen(Request(self.base + path, **options), timeout=PATIENCE) as answer:
                return answer.status, answer.headers, answer.read().decode()
        except HTTPError as error:
            return error.code, error.headers, error.read().decode()

    def reading(self):
        (found,) = WatchedProxy(f"http://127.0.0.1:{self.port + 1}/nginx", None, self.configuration).read()
        return found


@pytest.fixture
def crowded(folder, settings):
    """Give an nginx before a server, dead or alive."""
    try:
        find_nginx()
    except ProxyError:
        pytest.skip("no nginx on this machine")
    settings.STATIC_ROOT = folder / "static"
    settings.STORAGES = settings.STORAGES | {"staticfiles": {"BACKEND": "ecni.static.HashedModules"}}
    call_command("collectstatic", interactive=False, verbosity=0)
    with Supervisor(folder) as supervisor:

        def make(upstream):
            house = Crowded(folder, upstream)
            house.start(supervisor)
            return house

        yield make


@pytest.fixture
def nobody():
    """An address whose port is taken and where nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{taken.getsockname()[1]}"


@pytest.mark.parametrize("candidates", [1, 8000, 9800, 20_000, 36_000])
@pytest.mark.parametrize("descriptors", [1024, 4096, 20_000, 65_536])
def test_newcomers_are_stopped_beyond_the_candidates_asked_for_and_before_the_last_connection(candidates, descriptors):
    asked = proxy(candidates=candidates, descriptors=descriptors)
    places = asked.processes * asked.connections // 2
    assert candidates <= asked.newcomers <= asked.admitted <= places
    assert asked.newcomers == nginx.MOST_COUNTED or places - asked.newcomers >= places // 5


def says_to_wait(answer):
    status, headers, body = answer
    assert (status, headers["Content-Type"]) == (503, "text/html; charset=utf-8")
    assert "Le serveur ne répond pas encore" in body
    assert headers["Cache-Control"] == "no-store"
    assert 16 <= int(headers["Retry-After"]) <= 30
    theirs = dict(one.partition(" ")[::2] for one in headers["Content-Security-Policy"].split("; "))
    ours = dict(one.partition(" ")[::2] for one in POLICY)
    allowed = {name: set(theirs.get(name, theirs["default-src"]).split()) for name in ours}
    assert all(allowed[name] <= {"'none'", *ours[name].split()} for name in ours)
    assert theirs["default-src"] == "'none'"
    assert (headers["X-Content-Type-Options"], headers["X-Frame-Options"]) == ("nosniff", "DENY")
    assert (headers["Referrer-Policy"], headers["Set-Cookie"]) == ("same-origin", None)
    return headers["Refresh"]


def test_a_server_that_is_dead_is_a_page_that_says_to_wait(crowded, nobody):
    house = crowded(nobody)
    again = {says_to_wait(house.ask("/entrer/")) for _ in range(20)}
    assert len(again) > 3  # never in step
    assert all(re.fullmatch(r"\d\d;url=/entrer/", one) for one in again)
    again_at = {
        "//ailleurs.example/../entrer/": "/entrer/",
        "/entrer/attente/": "/entrer/attente/",
        "/copie/": "/copie/",
    }
    for path, address in again_at.items():
        assert says_to_wait(house.ask(path)).endswith(f";url={address}")
    assert says_to_wait(house.ask("/entrer/identite/", data=b"code=X")).endswith(";url=/entrer/")
    assert house.ask("/attente")[0] != 503  # nobody asks for it
    assert house.ask("/copie/trames/", data=b"[]")[0] == 502  # the tablet's own words are better
    assert not house.reading().refused


def test_the_page_that_says_to_wait_brings_what_it_needs_under_the_names_that_nginx_serves(crowded, nobody):
    house = crowded(nobody)
    _, _, body = house.ask("/entrer/")
    loaded = re.findall(r'(?:src|href)="(/static/[^"]+)"', body)
    assert {name.rpartition(".")[2] for name in loaded} == {"css", "js", "svg"}
    assert [name for name in loaded if not re.search(r"\.[0-9a-f]{12}\.\w+$", name)] == []
    assert {house.ask(name)[0] for name in loaded} == {200}
    assert not re.search(r"<script(?! type=\"module\" src)|style=|http-equiv", body)


@pytest.mark.slow
def test_newcomers_wait_while_those_inside_compose_and_come_back(crowded, asgi_server):
    house = crowded(asgi_server.removeprefix("http://"))
    sheets = list(opened(count=100, now=now()).sheets.order_by("pk"))
    assert (house.proxy.newcomers, house.proxy.admitted) == (80, 90)
    with ExitStack() as stack:
        tablets = [Tablet(house.base, sheet) for sheet in sheets[:80]]
        for tablet in tablets:
            stack.callback(tablet.close)
            tablet.hello()
            assert house.ask("/entrer/")[0] == (200 if tablet is not tablets[-1] else 503)
        assert says_to_wait(house.ask("/entrer/")).endswith(";url=/entrer/")
        assert says_to_wait(house.ask("/entrer/identite/", data=b"code=X")).endswith(";url=/entrer/")
        assert "nouveaux venus" in house.reading().words
        assert house.reading().refused
        assert tablets[0].answer("A") == {"t": "ack", "seq": 1}  # those inside feel nothing
        assert house.ask("/copie/")[0] == 200  # who was admitted passes before who was not
        for sheet in sheets[80:90]:  # composing, and back: nobody had counted them
            tablet = Tablet(house.base, sheet)
            stack.callback(tablet.close)
            assert tablet.hello()["status"] == "COMPOSING"
        says_to_wait(house.ask("/copie/"))
        assert [frame["t"] for frame in Tablet(house.base, sheets[90]).post([])] == ["state"]
    until(lambda: house.ask("/entrer/")[0] == 200)
    assert not house.reading().refused


def until(is_true):
    end = time.monotonic() + PATIENCE
    while not is_true():
        assert time.monotonic() < end
        time.sleep(0.1)
