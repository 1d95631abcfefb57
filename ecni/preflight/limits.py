"""What each layer of a machine and of its engines allows, as pure functions of what was read. No reading here.

Unit costs are bounds, on the safe side, of what was measured on two cores.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import ceil, inf
from typing import Self

from exams.rules.admission import descriptors_for, places

SOCKETS_PER_PROCESS = 10_000
"""Sockets of one Daphne with a 99th percentile under 50 ms, collector frozen."""

UNEVEN = 1.5
"""The fullest socket process against an even share, while centres are not known: decision 20."""

LARGEST_CENTRE = 0.05
"""Share of all candidates in the largest centre, while centres are not known: 480 of 9,800."""

UNBOUNDED = 1 << 30
"""What stands for a limit that is not set."""

STORM_SHARE = 0.2
"""Share of all tablets that may knock within the pause of a process (2 s of a jitter of 10 s)."""

BYTES_PER_CANDIDATE = 3_000_000
"""Journal, its index and all the WAL of one candidate and one sitting, should the archive be away; a margin of a half.

`manage.py capacity` has the measured costs (2 MB), and a test holds them under this bound.
"""

CONNECTIONS_PER_SOCKET_PROCESS = 7
"""Writer, refusals, reader, ready, door, watch, readiness."""

CONNECTIONS_PER_WEB_PROCESS = 12
"""One for each thread of pages and of consoles, one for who is logged in to a console, one for readiness."""

CONNECTIONS_OF_WORKERS = 12
RESERVED_CONNECTIONS = 3
"""Those that PostgreSQL keeps for its superuser, by default."""

REDIS_CLIENTS_PER_PROCESS = 60
BUFFER_BYTES, SOFT_BUFFER_BYTES, SOFT_BUFFER_SECONDS = 32 * 10**6, 8 * 10**6, 60
"""Redis's own defaults, for what is published to one process while it is busy: at once, and for so long."""

MESSAGES_PER_CONSOLE = 2_000
"""What the queue of a staff console must hold: every centre acting at once, many times over."""

PUBSUB = "channels_redis.pubsub.RedisPubSubChannelLayer"
CLOCK_SECONDS = 0.25
CERTIFICATE_DAYS = 7


@dataclass(frozen=True, slots=True)
class Spread:
    """How candidates are spread, as shares of all of them, above 0 and at most 1.

    Attributes:
        fullest: on the fullest socket process.
        after_a_death: on the fullest one that is left, whichever has died.
        largest_centre: in the largest centre, which may share one address.
    """

    fullest: float
    after_a_death: float
    largest_centre: float = LARGEST_CENTRE


def supposed_spread(processes: int) -> Spread:
    """Return what is supposed of so many socket processes, 1 or more, while centres are not known."""
    return Spread(min(1.0, UNEVEN / processes), min(1.0, UNEVEN / max(1, processes - 1)))


@dataclass(frozen=True, slots=True)
class Needs:
    """What is to be held.

    Attributes:
        candidates: tablets at the same time.
        socket_processes, web_processes: how many of each role will run.
        spread: of candidates over socket processes and centres.
    """

    candidates: int
    socket_processes: int
    web_processes: int
    spread: Spread


@dataclass(frozen=True, slots=True)
class Finding:
    """One limit.

    Attributes:
        layer: stable name of the limit.
        value, needed: what was read, and what these candidates need, in words.
        allows: number of candidates that it lets in; None when it does not depend on them.
        is_met: whether it is enough; None when it could not be read from here.
        remedy: what to do, in French; empty when it is enough.
        where: of what, in French, where a layer is found several times.
    """

    layer: str
    value: str
    needed: str
    allows: int | None
    is_met: bool | None
    remedy: str = ""
    where: str = ""

    def at(self, where: str) -> Self:
        """Return the same limit, of one part of its layer."""
        return replace(self, where=where)


def judged(findings: list[Finding]) -> list[Finding]:
    """Return findings as they are read: what is missing first, then the smallest number of candidates allowed."""
    rank = {False: 0, None: 1, True: 2}
    return sorted(
        findings, key=lambda finding: (rank[finding.is_met], inf if finding.allows is None else finding.allows)
    )


def counted(layer: str, value: int, allows: int, needs: Needs, remedy: str, needed: int | None = None) -> Finding:
    """A limit that lets in a number of candidates."""
    is_met = allows >= needs.candidates
    return Finding(layer, grouped(value), grouped(needed or needs.candidates), allows, is_met, "" if is_met else remedy)


def held(most: int, share: float) -> int:
    """Return the most candidates of whom a share, above 0 and rounded up, is at most `most`."""
    near = int(most / share)
    return max(count for count in (near - 1, near, near + 1) if ceil(count * share) <= most)


def grouped(number: int) -> str:
    """Return a number as French writes it."""
    return f"{number:,}".replace(",", "\u202f")


def descriptors(soft: int, reserve: int, needs: Needs, where: str = "") -> Finding:
    """File descriptors of one socket process: one for each candidate on the fullest one, and those kept for returns.

    Args:
        soft: as the process, or the account that will start it, has it.
        reserve: sockets that admission keeps for those who return.
        needs: what is to be held.
        where: which one, when it runs.
    """
    share = needs.spread.fullest
    needed = descriptors_for(ceil(needs.candidates * share), reserve)
    allows = held(places(budget=UNBOUNDED, reserve=reserve, descriptors=soft).budget, share)
    remedy = f"ulimit -n {needed} au moins pour chaque processus « sockets » (prlimit sur un processus qui tourne)"
    return counted("descriptors", soft, allows, needs, remedy, needed).at(where)


def backlog(somaxconn: int, asked: int, share: float, needs: Needs) -> Finding:
    """Connections that wait to be accepted while every tablet comes back: the kernel caps what the server asks for.

    Args:
        somaxconn: of the kernel.
        asked: by each server.
        share: of all candidates who call at one server, above 0: all where no proxy deals them.
        needs: what is to be held.
    """
    value = min(somaxconn, asked)
    needed = ceil(needs.candidates * STORM_SHARE * share)
    remedy = f"sysctl net.core.somaxconn={needed} au moins"
    if needed > asked:
        remedy = f"nginx devant plus de processus « sockets » : chacun demande une file de {asked} au plus"
    return counted("backlog", value, int(value / share / STORM_SHARE), needs, remedy, needed)


def queue(most: int, share: float, needs: Needs, where: str) -> Finding:
    """The queue of a port, several sockets together; `share` of all candidates call there, above 0."""
    needed = ceil(needs.candidates * STORM_SHARE * share)
    allows = int(most / (STORM_SHARE * share))
    remedy = f"file d’attente (backlog) et net.core.somaxconn à {needed} au moins, puis relancer ce qui écoute"
    return counted("backlog", most, allows, needs, remedy, needed).at(where)


def ephemeral_ports(low: int, high: int, needs: Needs) -> Finding:
    """Ports of the proxy's connections to one address of the socket servers, also when another one has died."""
    ports = high - low + 1
    share = needs.spread.after_a_death
    remedy = "sysctl net.ipv4.ip_local_port_range='1024 65535', ou plusieurs adresses de serveurs"
    return counted("ephemeral-ports", ports, held(ports, share), needs, remedy, ceil(needs.candidates * share))


def conntrack(most: int | None, needs: Needs) -> Finding:
    """Connections that the firewall follows: two for each candidate, on either side of the proxy."""
    if most is None:
        return Finding("conntrack", "absent", "-", None, True)
    needed = 2 * needs.candidates
    return counted("conntrack", most, most // 2, needs, f"sysctl net.netfilter.nf_conntrack_max={2 * needed}", needed)


def processes(cores: int, needs: Needs) -> Finding:
    """Socket processes, the fullest of them within what keeps it quick."""
    share = needs.spread.fullest
    allows = int(SOCKETS_PER_PROCESS / share)
    needed = ceil(needs.candidates * share * needs.socket_processes / SOCKETS_PER_PROCESS)
    remedy = f"{needed} processus « sockets » au moins, sur {needed} cœurs ({cores} ici)"
    return counted("processes", needs.socket_processes, allows, needs, remedy, needed)


def concurrency(most: int, needs: Needs) -> Finding:
    """Connections at which a server was told to stop: uvicorn's `--limit-concurrency`."""
    needed = ceil(needs.candidates * needs.spread.fullest)
    remedy = f"relancer sans --limit-concurrency, ou à {needed} au moins"
    return counted("server-concurrency", most, held(most, needs.spread.fullest), needs, remedy, needed)


def running(count: int, needs: Needs) -> Finding:
    """Socket processes that run now, against those that are to run."""
    is_met = count >= needs.socket_processes
    allows = None if is_met else int(count * needs.candidates / needs.socket_processes)
    remedy = "" if is_met else "relancer ceux qui manquent"
    return Finding(
        "processes", str(count), str(needs.socket_processes), allows, is_met, remedy, "« sockets » en marche"
    )


def connections_needed(needs: Needs, reserved: int = RESERVED_CONNECTIONS) -> int:
    """Return the connections of PostgreSQL: a handful for each process, whatever the number of candidates."""
    return (
        needs.socket_processes * CONNECTIONS_PER_SOCKET_PROCESS
        + needs.web_processes * CONNECTIONS_PER_WEB_PROCESS
        + CONNECTIONS_OF_WORKERS
        + reserved
    )


def database_connections(most: int, reserved: int, needs: Needs) -> Finding:
    """Connections of PostgreSQL, those that it reserves among them."""
    return _connections("postgresql-connections", most, reserved, needs, "max_connections = {} au moins")


def account_connections(kind: str, name: str, most: int, needs: Needs) -> Finding:
    """Connections of one `kind`, ROLE or DATABASE, of PostgreSQL."""
    remedy = f'ALTER {kind} "{name}" CONNECTION LIMIT {{}} au moins, ou -1'
    return _connections(f"postgresql-{kind.lower()}", most, 0, needs, remedy)


def _connections(layer: str, most: int, reserved: int, needs: Needs, remedy: str) -> Finding:
    """What lacks is lacking to the pages by which candidates enter and to their wire: as many fewer come in."""
    needed = connections_needed(needs, reserved)
    if most >= needed:
        return Finding(layer, str(most), str(needed), None, is_met=True)
    fixed = CONNECTIONS_OF_WORKERS + reserved
    allows = max(0, most - fixed) * needs.candidates // (needed - fixed)
    return Finding(layer, str(most), str(needed), allows, is_met=False, remedy=remedy.format(needed))


def durability(settings: Mapping[str, str]) -> list[Finding]:
    """What an acknowledgement rests on: one finding for each setting of PostgreSQL."""
    wanted = {"fsync": {"on"}, "full_page_writes": {"on"}, "synchronous_commit": {"on", "remote_write", "remote_apply"}}
    return [
        Finding(
            f"postgresql-{name}",
            settings[name],
            "on",
            None if settings[name] in accepted else 0,
            settings[name] in accepted,
            "" if settings[name] in accepted else f"{name} = on : sans lui, « Enregistré » serait faux",
        )
        for name, accepted in wanted.items()
    ]


def redis_clients_needed(needs: Needs) -> int:
    """Return the clients of Redis: those of each process, the worker among them."""
    return (needs.socket_processes + needs.web_processes + 1) * REDIS_CLIENTS_PER_PROCESS


def redis_clients(most: int, needs: Needs) -> Finding:
    """Clients of Redis; what lacks is lacking to the processes, and to as many of their candidates."""
    needed = redis_clients_needed(needs)
    if most >= needed:
        return Finding("redis-clients", str(most), str(needed), None, is_met=True)
    remedy = f"CONFIG SET maxclients {needed} au moins, sans arrêt, et dans sa configuration"
    allows = most * needs.candidates // needed
    return Finding("redis-clients", str(most), str(needed), allows, is_met=False, remedy=remedy)


def redis_buffers(setting: str) -> Finding:
    """What Redis keeps for a process that listens, before it closes its connection.

    Args:
        setting: `client-output-buffer-limit`, four words for each class of clients.
    """
    words = setting.split()
    place = words.index("pubsub") if "pubsub" in words else None
    most, soft, seconds = (0, 0, 0) if place is None else map(int, words[place + 1 : place + 4])
    is_patient = soft == 0 or soft >= BUFFER_BYTES or (soft >= SOFT_BUFFER_BYTES and seconds >= SOFT_BUFFER_SECONDS)
    is_met = is_patient and (most == 0 or most >= BUFFER_BYTES)
    remedy = "" if is_met else "client-output-buffer-limit pubsub 32mb 8mb 60 au moins"
    value = f"{most // 10**6} Mo" if most else "sans limite"
    if soft:
        value += f", {soft // 10**6} Mo pendant {seconds} s"
    needed = f"{BUFFER_BYTES // 10**6} Mo, {SOFT_BUFFER_BYTES // 10**6} Mo pendant {SOFT_BUFFER_SECONDS} s"
    return Finding("redis-buffers", value, needed, None, is_met, remedy)


def redis_policy(policy: str, memory: int) -> Finding:
    """Tasks live in Redis: it must refuse rather than forget."""
    is_met = policy == "noeviction" or memory == 0
    remedy = "" if is_met else "maxmemory-policy noeviction : une éviction ferait oublier des tâches"
    return Finding("redis-eviction", policy, "noeviction", None, is_met, remedy)


def channel_layer(backend: str, capacity: int) -> Finding:
    """What a layer of Channels keeps for a staff console that is busy; beyond it, messages are dropped without a word.

    Args:
        backend: its class, in full.
        capacity: messages that a queue may hold, where the class has such a limit.
    """
    needed, remedy = grouped(MESSAGES_PER_CONSOLE), f"CHANNEL_LAYERS : {PUBSUB}"
    if backend == PUBSUB:
        return Finding("channel-layer", "files sans limite", needed, None, is_met=True)
    if backend.endswith(".InMemoryChannelLayer"):
        remedy += " ; en mémoire, aucun message ne sort de son processus"
        return Finding("channel-layer", "en mémoire", needed, None, is_met=False, remedy=remedy)
    if not backend.startswith("channels_redis.core."):
        return Finding("channel-layer", f"inconnue : {backend}", needed, None, None, remedy)
    is_met = capacity >= MESSAGES_PER_CONSOLE
    remedy = "" if is_met else f"capacity à {MESSAGES_PER_CONSOLE} au moins, ou {remedy}"
    return Finding("channel-layer", grouped(capacity), needed, None, is_met, remedy)


def disk(layer: str, free: int | None, needs: Needs) -> Finding:
    """Free bytes under the database or the logs."""
    if free is None:
        return Finding(layer, "illisible d’ici", "-", None, None, "À mesurer sur le serveur de la base")
    gigabytes = -(-needs.candidates * BYTES_PER_CANDIDATE // 10**9)
    allows = free // BYTES_PER_CANDIDATE
    return Finding(
        layer,
        f"{free // 10**9} Go",
        f"{gigabytes} Go",
        allows,
        allows >= needs.candidates,
        "" if allows >= needs.candidates else f"Libérer ou ajouter de la place : {gigabytes} Go par épreuve",
    )


def clock(layer: str, instant: datetime, before: datetime, after: datetime) -> Finding:
    """Another machine's clock, asked between two instants of this one's: the database's ends each sheet."""
    seconds = max(before - instant, instant - after, timedelta()).total_seconds()
    is_met = seconds <= CLOCK_SECONDS
    remedy = "" if is_met else "Mettre les horloges à l’heure (NTP)"
    return Finding(layer, f"{seconds:.3f} s", f"{CLOCK_SECONDS} s", None, is_met, remedy)


def certificate(not_before: datetime, not_after: datetime, last_day: datetime, now: datetime) -> Finding:
    """The dates of the TLS certificate: valid now, and for a week after the last sitting."""
    is_met = not_before <= now and not_after >= last_day + timedelta(days=CERTIFICATE_DAYS)
    remedy = "" if is_met else "Renouveler le certificat avant l’épreuve"
    return Finding(
        "tls-certificate", f"{not_after:%d/%m/%Y}", f"{last_day:%d/%m/%Y} + {CERTIFICATE_DAYS} j", None, is_met, remedy
    )


def paper(title: str, place: str, problem: str) -> Finding:
    """A sealed paper as one place serves it; `problem` in French, empty when it is whole."""
    return Finding(f"paper {title}", problem or "entier", f"lisible depuis {place}", None, not problem, problem)
