"""Which process a centre goes to is known before the day, and centres are dealt out evenly."""

import subprocess
import threading
from collections import Counter
from contextlib import ExitStack
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecni.engines import plain_account
from ecni.engines.account import private_folder
from ecni.management.commands.waves import free_ports
from ecni.preflight import dealing
from ecni.preflight.limits import supposed_spread
from ecni.supervisor import Proxy, ProxyError, find_nginx, nginx
from ecni.supervisor.children import credentials
from tests.house.test_nginx import folder  # noqa: F401 -- a fixture

CENTRES = range(1, 101)


class Says(BaseHTTPRequestHandler):
    """A server that says its port."""

    def do_GET(self):
        body = str(self.server.server_port).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments):
        pass


@pytest.mark.parametrize("count", [2, 3])
def test_nginx_deals_centres_out_as_we_do(folder, count):  # noqa: F811
    try:
        program = find_nginx()
    except ProxyError as error:
        pytest.skip(str(error))
    with ExitStack() as stack:
        servers = [stack.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), Says)) for _ in range(count)]
        for server in servers:
            threading.Thread(target=server.serve_forever).start()
            stack.callback(server.server_close)
            stack.callback(server.shutdown)
        port = free_ports(2)
        addresses = [f"127.0.0.1:{server.server_port}" for server in servers]
        account = plain_account()
        place = private_folder(folder / "nginx", account)
        proxy = Proxy(
            str(place), "127.0.0.1", port, addresses[:1], addresses, str(folder), str(folder), 10, 1024, 1, port + 1
        )
        configuration = place / "nginx.conf"
        configuration.write_text(nginx.render(proxy))
        process = subprocess.Popen(
            nginx.command(program, configuration),
            stderr=subprocess.DEVNULL,
            **credentials((account.uid, account.gid) if account else None),
        )
        stack.callback(process.wait)
        stack.callback(process.terminate)
        chosen = {centre: asked(port, centre) for centre in CENTRES}
    assert chosen == {centre: addresses[nginx.process_of(centre, count)] for centre in CENTRES}
    assert len(set(chosen.values())) == count


def asked(port, centre):
    """Return the server that answers a tablet of a centre."""
    for _ in range(100):
        caller = HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            caller.request("GET", "/copie/trames/", headers={"Cookie": f"ecni_centre={centre:02}"})
            return f"127.0.0.1:{caller.getresponse().read().decode()}"
        except ConnectionRefusedError:
            threading.Event().wait(0.1)
        finally:
            caller.close()
    raise AssertionError("nginx does not serve")


@given(st.dictionaries(st.integers(1, 10**9), st.integers(1, 500), min_size=1, max_size=9), st.integers(1, 4))
def test_shares_are_those_of_the_fullest(candidates, count):
    found, total, held = dealing.spread(candidates, count), sum(candidates.values()), Counter()
    for centre, number in candidates.items():
        held[nginx.process_of(centre, count)] += number
    assert found.fullest == max(held.values()) / total
    assert found.fullest <= found.after_a_death <= 1
    assert found.largest_centre == max(candidates.values()) / total


@given(st.integers(1, 10**6), st.integers(2, 10))
def test_centres_that_follow_each_other_are_dealt_out_one_by_one(first, count):
    held = Counter(nginx.process_of(centre, count) for centre in range(first, first + 35))
    most = 1 if nginx.DEALT % count == 0 else 2
    assert max(held.values()) - min(held[process] for process in range(count)) <= most


@pytest.mark.parametrize(
    ("processes", "fullest", "after"), [(1, 1, 1), (2, 0.75, 1), (4, 0.375, 0.5), (10, 0.15, 1 / 6)]
)
def test_what_is_supposed_while_centres_are_not_known(processes, fullest, after):
    spread = supposed_spread(processes)
    assert (spread.fullest, spread.after_a_death) == pytest.approx((fullest, after))
