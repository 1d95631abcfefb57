"""The layers that count, and for each: how a limit is hidden there while everything runs, and how it is raised.

A limit is put at what is in use at that instant: who is in stays, whoever comes is one too many. Leaving the block
raises it by the operation that the board's remedy says.
"""

import asyncio
import os
import re
import resource
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from itertools import count
from math import ceil

import psycopg2
import redis

from loadtests.http import Browser
from loadtests.limits.site import Site
from loadtests.waves.metrics import scrape
from loadtests.waves.vitals import PROC

NGINX_OWN = 1
"""What a process of nginx takes beside its listening sockets: the channel to its master."""
CONNECTIONS_PER_TABLET, MARGIN = 2, 1.25
"""As the platform counts what nginx needs."""
_NEWCOMERS = re.compile(r"(location (?:/entrer/|= /copie/|= /nginx/nouveaux) \{[^}]*?limit_conn inside )(\d+)")
"""Bounds of who comes: at the door, at the page of the tablet, and where the watch asks; others only count."""
KNOCKERS, KNOCK_SECONDS = 12, 0.4
"""People who knock for nothing: what is in use of a number of entries per second."""

ROUNDS, ROUND_SECONDS = 5, 0.1
_END_KEPT = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'ecni-web' AND state = 'idle'"
)
"""As a restart of servers of pages would."""

Hold = Callable[[Site], AbstractAsyncContextManager[str]]


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer.

    Attributes:
        name: as `ONLY` has it.
        words: in French.
        signs: what the board's headline or row says, in lower case, any of them.
        hold: hides the limit and says what it is; raises it at the end of the block.
        missing: says, in French, why this machine cannot play it; empty when it can.
        may_let_in: whether newcomers may all come in, since nobody needs more of it, or since it is a rate.
    """

    name: str
    words: str
    signs: tuple[str, ...]
    hold: Hold
    missing: Callable[[], str] = str
    may_let_in: bool = False


@asynccontextmanager
async def few_descriptors(site: Site) -> AsyncIterator[str]:
    """Files that a socket process may open: as many as it has."""
    before = {pid: resource.prlimit(pid, resource.RLIMIT_NOFILE) for pid in site.pids("sockets")}
    used = {pid: first_free(pid) for pid in before}
    try:
        for pid, (_, hard) in before.items():
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (used[pid], hard))
        yield f"nofile {', '.join(map(str, used.values()))}"
    finally:
        for pid, limits in before.items():
            with suppress(ProcessLookupError):
                resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)


def first_free(pid: int) -> int:
    """Return the first descriptor that a process has not open: a limit there refuses the next one."""
    taken = {int(entry.name) for entry in (PROC / str(pid) / "fd").iterdir()}
    return next(number for number in count() if number not in taken)


@asynccontextmanager
async def few_connections_of_nginx(site: Site) -> AsyncIterator[str]:
    """Connections of nginx: those that its tablets have now; those tablets stay with its old processes."""
    before = site.configuration.read_text(encoding="utf-8")
    try:
        narrow = narrowed(before, len(site.workers()), sum((await _sockets(site)).values()))
        await site.reload(narrow)
        yield "worker_connections " + re.findall(r"worker_connections (\d+)", narrow)[0]
    finally:
        await site.reload(before)


def narrowed(configuration: str, processes: int, tablets: int) -> str:
    """Return a configuration that has room for so many tablets.

    Where it tells newcomers from the others, each process keeps the connections that those tablets take, which is room
    to answer that there is none; elsewhere it has only its own.
    """
    connections = configuration.count("listen ") + processes + NGINX_OWN
    if _NEWCOMERS.search(configuration):
        connections += ceil(tablets * CONNECTIONS_PER_TABLET * MARGIN / processes)
    text = re.sub(r"worker_connections \d+", f"worker_connections {connections}", configuration)
    return _NEWCOMERS.sub(lambda found: f"{found[1]}{min(tablets, int(found[2]))}", text)


@asynccontextmanager
async def short_backlog(site: Site) -> AsyncIterator[str]:
    """Calls that wait to be accepted: one, by processes that are stopped: no small crowd fills a queue otherwise."""
    before = site.configuration.read_text(encoding="utf-8")
    stopped: list[int] = []
    try:
        stopped = await site.reload(re.sub(r"backlog=\d+", "backlog=1", before))
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        yield "backlog 1"
    finally:
        for pid in stopped:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        await site.reload(before)


@asynccontextmanager
async def a_rule_of_the_firewall(site: Site) -> AsyncIterator[str]:
    """Connections that a rule lets in beside those that it found: none."""
    rule = ["INPUT", "-p", "tcp", "--syn", "--dport", str(site.port), "-m", "connlimit"]
    rule += ["--connlimit-above", "0", "--connlimit-mask", "0", "-j", "DROP"]
    iptables("-I", *rule)
    try:
        yield "connlimit 0"
    finally:
        iptables("-D", *rule)


def iptables(*words: str) -> str:
    """Run iptables.

    Raises:
        RuntimeError: it refuses; the message is its own.
    """
    command = shutil.which("iptables", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if command is None:
        raise RuntimeError("iptables est introuvable")
    done = subprocess.run([command, "-w", *words], capture_output=True, text=True, check=False)  # noqa: S603 -- found above
    if done.returncode:
        raise RuntimeError(done.stderr.strip())
    return done.stdout


def no_firewall() -> str:
    """Say why this machine has no connlimit; empty when it has."""
    if os.geteuid() != 0:
        return "il faut être root"
    probe = ["INPUT", "-p", "tcp", "--syn", "--dport", "9", "-m", "connlimit", "--connlimit-above", "1", "-j", "DROP"]
    try:
        iptables("-I", *probe)
        iptables("-D", *probe)
    except (OSError, RuntimeError) as error:
        return str(error)
    return ""


@asynccontextmanager
async def all_connections_of_postgresql(site: Site) -> AsyncIterator[str]:
    """Connections of PostgreSQL: another program takes every one that is left, and those that pages kept for later."""
    async with AsyncExitStack() as taken:
        first = _connected(site.house.database_url, taken)
        held = 1 + _take_all(site.house.database_url, taken)
        for _ in range(ROUNDS):  # a page may take one back meanwhile
            with first.cursor() as cursor:
                cursor.execute(_END_KEPT)
            await asyncio.sleep(ROUND_SECONDS)
            held += _take_all(site.house.database_url, taken)
        yield f"{held} connexions prises"


def _connected(url: str, stack: AsyncExitStack) -> psycopg2.extensions.connection:
    made = psycopg2.connect(url)
    made.autocommit = True
    stack.callback(made.close)
    return made


def _take_all(url: str, stack: AsyncExitStack) -> int:
    """Take every connection that is left; return how many there were."""
    for taken in count():
        try:
            _connected(url, stack)
        except psycopg2.OperationalError:
            return taken
    return 0


@asynccontextmanager
async def few_clients_of_redis(site: Site) -> AsyncIterator[str]:
    """Clients of Redis: as many as it has."""
    client = redis.Redis.from_url(site.house.redis_url, single_connection_client=True)
    before, used = int(client.config_get()["maxclients"] or 0), int(client.info("clients")["connected_clients"])
    try:
        client.config_set("maxclients", used)
        yield f"maxclients {used}"
    finally:
        client.config_set("maxclients", before)
        client.close()


@asynccontextmanager
async def few_places(site: Site) -> AsyncIterator[str]:
    """Places of the socket processes: as many as the least full one has taken."""
    used = min(filter(None, (await _sockets(site)).values()))
    async with _limit(site, "SOCKETS", used):
        yield f"SOCKETS {used}"


async def _sockets(site: Site) -> dict[int, int]:
    """Tablets of each socket process, as it says itself."""
    told = await asyncio.to_thread(scrape, site.web, site.house.token)
    return {pid: int(told[pid].get("sockets", 0)) for pid in site.pids("sockets") if pid in told}


@asynccontextmanager
async def few_entries(site: Site) -> AsyncIterator[str]:
    """Entries per second: one in each process, which people who knock for nothing take."""
    async with _limit(site, "LOGINS", 1):
        knocking = [asyncio.create_task(_knock(site, code)) for code in site.codes[:KNOCKERS]]
        try:
            yield "LOGINS 1"
        finally:
            for task in knocking:
                task.cancel()
            await asyncio.gather(*knocking, return_exceptions=True)


@asynccontextmanager
async def _limit(site: Site, name: str, value: int) -> AsyncIterator[None]:
    before = await site.limit(name)
    try:
        await site.set_limit(name, value)
        yield
    finally:
        await site.set_limit(name, before)


async def _knock(site: Site, code: str) -> None:
    browser = Browser(site.house.base)
    await browser.get("/entrer/")
    while True:
        with suppress(OSError):
            await browser.post("/entrer/identite/", {"code": code})
        await asyncio.sleep(KNOCK_SECONDS)


LAYERS = (
    Layer("descriptors", "descripteurs des processus « sockets »", ("descripteurs de fichiers",), few_descriptors),
    Layer("nginx", "connexions de nginx", ("connexions de nginx", "worker_connections"), few_connections_of_nginx),
    Layer("backlog", "file d’attente des connexions", ("file d’attente des connexions",), short_backlog),
    Layer("connlimit", "connlimit du pare-feu", ("pare-feu",), a_rule_of_the_firewall, no_firewall),
    Layer("postgresql", "connexions de PostgreSQL", ("connexions de postgresql",), all_connections_of_postgresql),
    Layer("redis", "clients de Redis", ("clients de redis", "maxclients"), few_clients_of_redis, may_let_in=True),
    Layer("sockets", "admission : places par processus", ("places d’un processus",), few_places),
    Layer("logins", "admission : entrées par seconde", ("entrées par seconde",), few_entries, may_let_in=True),
)
"""In the order in which they are played: nginx's processes are renewed by the second and the third."""
