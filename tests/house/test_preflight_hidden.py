"""A limit hidden on each layer in turn, so that some 8,000 of 9,800 fit: preflight names it first, and for how many."""

import json
import os
import re
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest
import redis
from django.conf import settings
from django.core.management import call_command
from django.db import connection

from ecni.accounts.enums import Role
from ecni.engines import plain_account
from ecni.engines.account import private_folder
from ecni.management.commands.waves import free_ports
from ecni.preflight import kernel
from ecni.shared.clock import now
from ecni.supervisor import Proxy, ProxyError, Supervisor, daphne, find_nginx, nginx
from ecni.supervisor.nginx import process_of
from exams.actions.admission import set_limit
from exams.enums import LimitName
from tests.exams.sitting import make_sitting, staff
from tests.house.test_nginx import folder  # noqa: F401 -- a fixture
from tests.watch.houses import PATIENCE

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "docs" / "nginx.conf"
COMMAND = ["preflight", "--candidates", "9800", "--json"]

pytestmark = pytest.mark.timeout(280)


@pytest.fixture(autouse=True)
def roomy():
    """Have this process, and those that it starts, open as many files as the system allows, as `serve` does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture
def here(capsys):
    """Run the command in this process; gives its exit code and its findings."""

    def run(*words, configuration=SHIPPED):
        code = 0
        try:
            call_command(*COMMAND, "--nginx", str(configuration), *words)
        except SystemExit as left:
            code = left.code
        return code, json.loads(capsys.readouterr().out)

    code, findings = run()
    if code:
        pytest.skip(f"this machine itself lacks something: {unmet((code, findings))}")
    return run


def environment(user="ecni", redis_user=""):
    place = connection.settings_dict
    return os.environ | {
        "DATABASE_URL": f"postgresql://{user}@/{place['NAME']}?host={quote(place['HOST'])}",
        "REDIS_URL": os.environ["REDIS_URL"].replace("://", f"://{redis_user}:x@" if redis_user else "://"),
        "DJANGO_SETTINGS_MODULE": "ecni.settings",
    }


def apart(*words, user="ecni", redis_user="", descriptors=None):
    """Run the command as a process of its own."""
    limit = (
        ["prlimit", f"--nofile={descriptors}:{resource.getrlimit(resource.RLIMIT_NOFILE)[1]}"] if descriptors else []
    )
    command = [*limit, sys.executable, "manage.py", *COMMAND, "--nginx", str(SHIPPED), *words]
    done = subprocess.run(
        command, cwd=ROOT, env=environment(user, redis_user), capture_output=True, text=True, check=False
    )
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def first(told):
    """What comes first of a preflight that fails: layer and number of candidates."""
    code, (finding, *_) = told
    assert (code, finding["is_met"], bool(finding["remedy"])) == (1, False, True)
    return finding["layer"], finding["allows"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("words", "descriptors", "where"),
    [([], 8256, "ce compte, si un processus s’arrête"), (["--sockets", "1"], 10_256, "ce compte")],
)
def test_descriptors_of_the_account_that_will_serve(here, words, descriptors, where):
    told = apart(*words, descriptors=descriptors)
    assert first(told) == ("descriptors", 8000)
    assert told[1][0]["where"] == where


def raise_to(name, value):
    set_limit(name=name, value=value, reason="essai", actor=staff(Role.AGENCY, "agence"), now=now())


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("limits", "allows", "where"),
    [
        ({"SOCKETS": 6000, "RESERVE": 4000}, 8000, "connexions par processus"),
        ({"SOCKETS": 7800, "RESERVE": 200}, 8000, "connexions et réserve, si un processus s’arrête"),
        ({"LOGINS": 2}, 7200, "entrées par seconde, une demi-heure"),
    ],
)
def test_what_the_staff_set_last(here, limits, allows, where):
    for name, value in limits.items():
        raise_to(LimitName(name), value)
    told = here()
    assert first(told) == ("admission", allows)
    assert told[1][0]["where"] == where


@pytest.mark.django_db(transaction=True)
def test_connections_of_postgresql_for_the_house_that_is_asked(here):
    layer, allows = first(here("--web", "18"))
    assert (layer, 7000 < allows < 9000) == ("postgresql-connections", True)


@pytest.mark.django_db(transaction=True)
def test_connections_of_an_account_and_of_a_database(here):
    name = connection.settings_dict["NAME"]
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE plain LOGIN IN ROLE ecni")
        try:
            assert unmet(apart(user="plain")) == []
            cursor.execute("ALTER ROLE plain CONNECTION LIMIT 43")
            told = apart(user="plain")
            assert first(told) == ("postgresql-role", 7994)
            assert told[1][0]["remedy"] == 'ALTER ROLE "plain" CONNECTION LIMIT 50 au moins, ou -1'
            cursor.execute("ALTER ROLE plain CONNECTION LIMIT -1")
            cursor.execute(f'ALTER DATABASE "{name}" CONNECTION LIMIT 43')
            assert first(apart(user="plain")) == ("postgresql-database", 7994)
        finally:
            cursor.execute(f'ALTER DATABASE "{name}" CONNECTION LIMIT -1')
            cursor.execute("DROP ROLE plain")


@pytest.mark.django_db(transaction=True)
def test_a_postgresql_that_gives_no_connection_is_named_and_everything_else_is_read(here):
    told = apart(user="nobody_here")
    assert first(told) == ("postgresql", None)
    assert {"descriptors", "backlog", "nginx", "admission", "redis-clients"} <= {one["layer"] for one in told[1]}


@pytest.mark.django_db(transaction=True)
def test_a_redis_that_keeps_its_settings_to_itself_is_not_called_away(here):
    with redis.Redis.from_url(settings.REDIS_HINTS_URL) as client:
        client.acl_setuser("reader", enabled=True, nopass=True, categories=["+@all"], commands=["-config"], keys=["*"])
        try:
            code, findings = apart(redis_user="reader")
        finally:
            client.acl_deluser("reader")
    (told,) = [one for one in findings if one["layer"] == "redis"]
    assert (code, told["is_met"], told["value"].startswith("réglages illisibles")) == (0, None, True)


@pytest.mark.django_db
def test_clients_of_redis(here):
    with redis.Redis.from_url(settings.REDIS_HINTS_URL) as client:
        most = client.config_get("maxclients")["maxclients"]
        client.config_set("maxclients", 245)
        try:
            assert first(here()) == ("redis-clients", 8003)
        finally:
            client.config_set("maxclients", most)


def unmet(told):
    """What a preflight finds missing, in words that a failing test shows."""
    return [(one["layer"], one["where"], one["value"], one["allows"]) for one in told[1] if one["is_met"] is False]


# nginx


def small(folder, **changes):  # noqa: F811
    """The configuration of a small nginx of two processes, with some directives changed."""
    port, folder = free_ports(2), private_folder(folder / "nginx", plain_account())
    proxy = Proxy(
        folder=str(folder), host="127.0.0.1", port=port, web=["127.0.0.1:9"], sockets=["127.0.0.1:9", "127.0.0.2:9"],
        papers=str(folder), static=str(folder), candidates=9800, descriptors=20_000, cores=2, status_port=port + 1,
    )  # fmt: skip
    path = folder / "nginx.conf"
    path.write_text(changed(nginx.render(proxy), changes))
    return path


def changed(text, changes):
    """The same configuration with the numbers of some directives changed, wherever they stand."""
    for name, value in changes.items():
        text, count = re.subn(rf"({name}[ =])\d+", rf"\g<1>{value}", text)
        assert count
    return text


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("layer", "changes"),
    [
        ("nginx", {"worker_connections": 8000}),
        ("nginx-descriptors", {"worker_rlimit_nofile": 8064}),
        ("nginx-upstream", {"max_conns": 4000}),
        ("backlog", {"backlog": 800}),
    ],
)
def test_each_number_of_the_configuration_of_nginx(here, folder, layer, changes):  # noqa: F811
    assert unmet(here(configuration=small(folder))) == []
    assert first(here(configuration=small(folder, **changes))) == (layer, 8000)


@pytest.mark.django_db
@pytest.mark.parametrize(("key", "most"), [("$server_name", 8000), ("$binary_remote_addr", 400)])
def test_connections_that_nginx_lets_everybody_or_one_address_have(here, folder, key, most):  # noqa: F811
    path = small(folder)
    text = path.read_text().replace("http {", f"http {{ limit_conn_zone {key} zone=all:1m;", 1)
    path.write_text(text.replace("location = /ws/copie/ {", f"location = /ws/copie/ {{ limit_conn all {most};"))
    assert first(here(configuration=path)) == ("nginx-limit-conn", 8000)


@contextmanager
def running_nginx(path):
    try:
        program = find_nginx()
    except ProxyError as error:
        pytest.skip(str(error))
    account = plain_account()
    command = nginx.command(program, path)
    with Supervisor(Path(tempfile.mkdtemp())) as supervisor:
        child = supervisor.start("nginx", command, account=(account.uid, account.gid) if account else None)
        deadline = time.monotonic() + PATIENCE
        while sum(kernel.parent(one.pid) == child.process.pid for one in kernel.processes()) < 2:
            assert time.monotonic() < deadline, "nginx does not start"
            time.sleep(0.1)
        yield


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("layer", "hidden"), [("backlog", {"backlog": 800}), ("nginx-descriptors", {"worker_rlimit_nofile": 8064})]
)
def test_an_nginx_that_runs_is_read_as_it_is(here, folder, layer, hidden):  # noqa: F811
    path = small(folder)
    mended = path.read_text()
    path.write_text(changed(mended, hidden))
    with running_nginx(path):
        path.write_text(mended)
        os.utime(path, (0, 0))
        told = here(configuration=path)
        assert first(told) == (layer, 8000)
        assert "en marche" in told[1][0]["where"]
        assert len(unmet(told)) == 1
        os.utime(path, (time.time() + 60,) * 2)
        assert ("nginx-reload", str(path)) in {(name, where) for name, where, _, _ in unmet(here(configuration=path))}


# Socket processes that run


@contextmanager
def running_server(backlog, *options, role="sockets"):
    with socket.socket() as listener, Supervisor(Path(tempfile.mkdtemp())) as supervisor:
        listener.bind(("127.0.0.1", 0))
        listener.listen(backlog)
        env = environment() | {"ROLE": role}
        supervisor.start(role, [*daphne(listener), *options], env, sockets=[listener])
        supervisor.wait_until_serving(listener)
        yield supervisor.pid(role), listener.getsockname()[1]


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_socket_process_that_runs_is_read_as_it_is(here, roomy, folder):  # noqa: F811
    with running_server(4096) as (pid, _port):
        assert unmet(here("--sockets", "1")) == []
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (10_256, roomy))
        told = here("--sockets", "1")
        assert first(told) == ("descriptors", 8000)
        assert told[1][0]["where"] == f"« sockets » {pid}, en marche"
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (roomy, roomy))
        told = here(configuration=small(folder))
        assert (first(told), told[1][0]["where"]) == (("processes", 4900), "« sockets » en marche")
    with running_server(1600) as (_pid, port):
        told = here("--sockets", "1")
        assert first(told) == ("backlog", 8000)
        assert told[1][0]["where"] == f"port {port}, en marche"


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_the_processes_of_pages_that_run_are_counted(here):
    def needed(*words):
        return next(one["needed"] for one in here(*words)[1] if one["layer"] == "postgresql-connections")

    assert needed() == needed("--web", "2")
    with running_server(4096, role="web"):
        assert needed() == needed("--web", "1") != needed("--web", "2")


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_socket_process_that_would_close_handshakes_too_soon_is_named(here):
    with running_server(4096, "--websocket_connect_timeout", "5") as (pid, _port):
        told = here("--sockets", "1")
        where = f"« sockets » {pid}, en marche"
        assert unmet(told) == [("server-options", where, "--websocket_connect_timeout 5", None)]
        assert told[1][0]["remedy"] == "relancer avec --websocket_connect_timeout 20 au moins"


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_processes_of_another_house_do_not_count(here, monkeypatch):
    with running_server(16):
        monkeypatch.setitem(connection.settings_dict, "NAME", "another")
        assert "backlog" not in {finding["layer"] for finding in here("--sockets", "1")[1] if not finding["is_met"]}


# Centres


@pytest.mark.django_db
def test_the_fullest_process_is_that_of_the_centres_of_the_next_sitting(here):
    sitting = make_sitting(starts_at=now())
    centres = [sitting.centre_sittings.create() for _ in range(40)]
    heavy = process_of(centres[0].pk, 2)
    of = {centre.pk: 3 if process_of(centre.pk, 2) == heavy else 1 for centre in centres}
    for centre in centres:
        for number in range(of[centre.pk]):
            centre.sheets.create(sitting=sitting, number=f"{centre.pk}-{number}", state="EXPECTED")
    share = sum(count for pk, count in of.items() if process_of(pk, 2) == heavy) / sum(of.values())
    total = sum(of.values())
    _code, findings = here("--candidates", str(total))
    (processes,) = [one for one in findings if one["layer"] == "processes"]
    assert processes["allows"] == int(10_000 / share)
    _code, findings = here("--candidates", str(2 * total + 1))
    (processes,) = [one for one in findings if one["layer"] == "processes"]
    assert processes["allows"] == 13_333  # too few sheets to go by


# The kernel and the firewall, in a network of its own

APART = """
import json, os, subprocess, sys
from pathlib import Path
from ecni.engines import plain_account
from ecni.engines.account import private_folder
from ecni.engines.redis import Redis
folder, command, scenes = json.loads(sys.argv[1])
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
redis = Redis(Path(folder), plain_account())
redis.start()
os.environ["REDIS_URL"] = redis.url
try:
    for impose, lift in scenes:
        subprocess.run(impose, shell=True, check=True, stdout=sys.stderr)
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
        subprocess.run(lift, shell=True, check=True, stdout=sys.stderr)
        print(json.dumps([done.returncode, json.loads(done.stdout)]))
finally:
    redis.stop()
"""
CALLS = "iptables {} INPUT -p tcp --syn --dport 8443"
NFT = """nft 'add table inet f; add chain inet f in {{ type filter hook input priority 0; }}; add rule inet f in {}'"""
SCENES = {
    "nothing": ("true", "true", None),
    "somaxconn": (
        "echo 1200 > /proc/sys/net/core/somaxconn",
        "echo 4096 > /proc/sys/net/core/somaxconn",
        ("backlog", 8000),
    ),
    "ports": (
        "echo 32768 40767 > /proc/sys/net/ipv4/ip_local_port_range",
        "echo 32768 60999 > /proc/sys/net/ipv4/ip_local_port_range",
        ("ephemeral-ports", 8000),
    ),
    "connlimit of all": (
        f"{CALLS.format('-A')} -m connlimit --connlimit-above 8000 --connlimit-mask 0 -j DROP",
        "iptables -F",
        ("firewall", 8000),
    ),
    "connlimit of an address": (
        f"{CALLS.format('-A')} -m connlimit --connlimit-above 400 -j REJECT",
        "iptables -F",
        ("firewall", 8000),
    ),
    "hashlimit": (
        f"{CALLS.format('-A')} -m hashlimit --hashlimit-above 266/sec --hashlimit-burst 20 --hashlimit-name a -j DROP",
        "iptables -F",
        ("firewall", 8000),
    ),
    "another port": (
        "iptables -A INPUT -p tcp --syn --dport 22 -m connlimit --connlimit-above 3 -j DROP",
        "iptables -F",
        None,
    ),
    "nft": (NFT.format("tcp dport 8443 ct count over 8000 drop"), "nft delete table inet f", ("firewall", 8000)),
}


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_the_kernel_and_the_firewall_of_a_network_of_its_own(here, folder):  # noqa: F811
    missing = [name for name in ("unshare", "ip", "iptables", "nft") if not shutil.which(name)]
    if os.geteuid() != 0 or missing:
        pytest.skip(f"needs root, and {', '.join(missing) or 'nothing else'}")
    command = [sys.executable, "manage.py", *COMMAND, "--nginx", str(SHIPPED)]
    scenes = [(impose, lift) for impose, lift, _ in SCENES.values()]
    words = ["unshare", "-n", sys.executable, "-c", APART, json.dumps([str(folder / "redis"), command, scenes])]
    done = subprocess.run(words, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)
    if "Permission denied" in done.stderr or "Extension" in done.stderr:
        pytest.skip("this kernel lets nobody set it, or lacks the extension")
    told = dict(zip(SCENES, map(json.loads, done.stdout.splitlines()), strict=True))
    assert [name for name, (_, _, expected) in SCENES.items() if expected is None and told[name][0]] == []
    found = {name: first(told[name]) for name, (_, _, expected) in SCENES.items() if expected}
    assert found == {name: expected for name, (_, _, expected) in SCENES.items() if expected}
