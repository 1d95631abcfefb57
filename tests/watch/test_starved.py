"""Each layer starved for real, and named by a real watcher."""

import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import psycopg2
import pytest
import redis

from tests.watch.houses import PATIENCE, ROOT, run, starved_house

pytestmark = [pytest.mark.slow, pytest.mark.timeout(280)]


@pytest.fixture(scope="module")
def house():
    with starved_house() as one:
        yield one


def call(stack, port, count):
    """Open sockets that stay open until the block ends; a call may wait for ever."""
    for _ in range(count):
        caller = stack.enter_context(socket.socket())
        caller.setblocking(False)
        caller.connect_ex(("127.0.0.1", port))


def test_descriptors_of_a_server_are_named_and_lifted_live(house):
    pid = house.supervisor.pid("daphne")
    hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)[1]
    with house.watcher("--door", house.address) as events, ExitStack() as stack:
        used = sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (used + 10, hard))
        call(stack, house.listener.getsockname()[1], 40)
        named = events.wait_for("limit-reached", "descriptors")
        assert str(pid) in named["where"]
        assert named["role"] == "watch"
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (hard, hard))
        events.wait_for("limit-lifted", "descriptors")


def test_a_full_listening_queue_is_named_and_newcomers_stop_at_the_call(house):
    with socket.socket() as deaf, ExitStack() as stack:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(4)
        port = deaf.getsockname()[1]
        with house.watcher("--door", f"http://127.0.0.1:{port}") as events:
            events.wait_for("limit-reached", "newcomers")
            call(stack, port, 12)
            assert events.wait_for("limit-reached", "backlog")["where"] == f"port {port}"
            assert not [line for line in events.read() if line.get("layer") == "firewall"]


def test_postgresql_that_turns_newcomers_away_is_named_by_who_is_inside(house):
    with house.watcher() as events:
        with ExitStack() as stack:
            with suppress(psycopg2.OperationalError):
                while True:
                    stack.callback(psycopg2.connect(house.postgresql.url).close)
            events.wait_for("limit-reached", "postgresql-connections")
        events.wait_for("limit-lifted", "postgresql-connections")


def test_redis_that_turns_newcomers_away_is_named_by_who_is_inside(house):
    with house.watcher() as events, redis.Redis.from_url(house.redis.url) as ours, ExitStack() as stack:
        ours.ping()
        most = ours.config_get("maxclients")["maxclients"]
        ours.config_set("maxclients", ours.info("clients")["connected_clients"])
        for _ in range(3):
            stranger = redis.Redis.from_url(house.redis.url)
            stack.callback(stranger.close)
            with pytest.raises(redis.ConnectionError):
                stranger.ping()
        events.wait_for("limit-reached", "redis-clients")
        ours.config_set("maxclients", most)
        events.wait_for("limit-lifted", "redis-clients")


def test_a_server_that_hangs_is_named_at_the_stage_where_newcomers_stop(house):
    pid = house.supervisor.pid("daphne")
    with house.watcher("--door", house.address) as events:
        os.kill(pid, signal.SIGSTOP)
        try:
            named = events.wait_for("limit-reached", "newcomers")
            assert "la page" in named["message"]
        finally:
            os.kill(pid, signal.SIGCONT)
        events.wait_for("limit-lifted", "newcomers")


def test_alive_answers_without_postgresql_and_ready_says_what_is_missing(house):
    assert house.get("/sante/vivant/") == (200, '{"alive": true}')
    status, body = house.get("/sante/pret/")
    assert (status, json.loads(body)["checks"]["migrations"]) == (503, "missing")
    house.postgresql.stop()
    try:
        assert until(lambda: json.loads(house.get("/sante/pret/")[1])["checks"]["postgresql"] == "away")
        assert house.get("/sante/vivant/")[0] == 200
        with house.watcher() as events:
            events.wait_for("limit-reached", "postgresql")
    finally:
        house.postgresql.start()
    assert run(house, "migrate", "-v", "0").returncode == 0
    assert until(lambda: house.get("/sante/pret/")[0] == 200)
    told = json.loads(house.get("/sante/pret/")[1])
    assert told == {"ready": True, "role": "all", "checks": dict.fromkeys(told["checks"], "ok")}


def test_metrics_tell_of_every_process_and_of_limits(house):
    token = {"Authorization": f"Bearer {house.environment['METRICS_TOKEN']}"}
    assert house.get("/metrics")[0] == 401
    with house.watcher():
        assert until(lambda: "ecni_watch_up 1" in house.get("/metrics", **token)[1])
        assert until(lambda: 'role="watch"' in house.get("/metrics", **token)[1])
        page = house.get("/metrics", **token)[1]
    assert 'ecni_process_open_descriptors{role="all"' in page
    assert 'ecni_limit_used_ratio{layer="postgresql-connections"}' in page


def test_command_looks_once_and_tells_a_person_or_a_machine(house):
    seen = json.loads(run(house, "watch", "--once", "--json", "--door", house.address).stdout)
    assert {"descriptors", "postgresql-connections", "redis-clients", "newcomers"} <= {one["layer"] for one in seen}
    assert "connexions de PostgreSQL" in run(house, "watch", "--once").stdout
    assert "n’est pas de la forme" in run(house, "watch", "--door", "concours").stderr
    assert "n’est pas de la forme" in run(house, "watch", "--upstream", "concours").stderr


FIREWALL = """
import socket, subprocess, sys
from ecni.watch.newcomer import knock, read_address
from ecni.watch.firewall import Firewall
from ecni.watch.watcher import _newcomer
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
listener = socket.create_server(("127.0.0.1", 8000), backlog=64)
rule = ["iptables", "-A", "INPUT", "-p", "tcp", "--syn", "--dport", "8000", "-m", "connlimit",
        "--connlimit-above", "3", "--connlimit-mask", "0", "-j", "DROP"]
subprocess.run(rule, check=True)
inside = [socket.create_connection(("127.0.0.1", 8000)) for _ in range(3)]
firewall = Firewall()
firewall.read()
(told,) = _newcomer(read_address("http://127.0.0.1:8000"))
print(told.layer, told.words, sep="|")
print(*[(one.layer, one.refused > 0, one.words) for one in firewall.read()], sep="|")
"""


def test_a_hidden_connlimit_is_named_by_its_counter_and_by_inference():
    """In a network of its own: the rule never touches this machine."""
    if os.geteuid() != 0 or not shutil.which("iptables") or not shutil.which("unshare"):
        pytest.skip("needs root, iptables and unshare")
    setup = "import os, django; os.environ['DJANGO_SETTINGS_MODULE'] = 'ecni.settings'; django.setup()\n"
    done = subprocess.run(
        ["unshare", "-n", sys.executable, "-c", setup + FIREWALL], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if "iptables" in done.stderr:
        pytest.skip("this kernel has no connlimit")
    inferred, counted = done.stdout.splitlines()
    assert inferred.startswith("firewall|appel sans réponse")
    assert "('firewall', True, 'une règle du pare-feu refuse au-delà de 3 connexions')" in counted


def until(is_true):
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with suppress(ValueError, KeyError):
            if is_true():
                return True
        time.sleep(0.2)
    return False


def test_an_account_that_may_not_see_the_standbys_says_nothing_of_them(house):
    """One wanted and none there is a limit reached, for who may see; nothing that is written waits for it here."""
    with closing(psycopg2.connect(house.postgresql.url)) as chief, chief.cursor() as cursor:
        chief.autocommit = True
        cursor.execute("SET synchronous_commit = local")
        cursor.execute("CREATE ROLE simple LOGIN")
        cursor.execute("ALTER SYSTEM SET synchronous_standby_names = 'secours'")
        cursor.execute("SELECT pg_reload_conf()")
        try:
            with house.watcher() as events:
                events.wait_for("limit-reached", "postgresql-standby")
            with house.watcher(user="simple") as events:
                assert not any(one.get("layer") == "postgresql-standby" for one in events.read())
        finally:
            cursor.execute("ALTER SYSTEM RESET synchronous_standby_names")
            cursor.execute("SELECT pg_reload_conf()")
            cursor.execute("DROP ROLE simple")
