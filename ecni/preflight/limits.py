"""What each layer allows, as pure functions of what was read of it. No reading here.

Unit costs are bounds, on the safe side, of what was measured on two cores.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import inf

SPARE_DESCRIPTORS = 256
"""What a process opens besides its candidates: logs, database, Redis, modules."""

SOCKETS_PER_PROCESS = 10_000
"""Sockets of one Daphne with a 99th percentile under 50 ms, collector frozen."""

STORM_SHARE = 0.2
"""Share of all tablets that may knock within the pause of a process (2 s of a jitter of 10 s)."""

BYTES_PER_CANDIDATE = 3_000_000
"""Journal, its index and all the WAL of one candidate and one sitting, should the archive be away; a margin of a half.

`manage.py capacity` has the measured costs (2 MB), and a test holds them under this bound.
"""

CONNECTIONS_PER_SOCKET_PROCESS = 6
"""Writer, refusals, reader, ready, watch, and one to spare."""

CONNECTIONS_PER_WEB_PROCESS = 16
"""The default of CONNECTION_POOL."""

CONNECTIONS_OF_WORKERS = 12
RESERVED_CONNECTIONS = 3
"""Those that PostgreSQL keeps for its superuser, by default."""

REDIS_CLIENTS_PER_PROCESS = 60
CLOCK_SECONDS = 0.25
CERTIFICATE_DAYS = 7


@dataclass(frozen=True, slots=True)
class Needs:
    """What is to be held.

    Attributes:
        candidates: tablets at the same time.
        socket_processes, web_processes: how many of each role will run.
    """

    candidates: int
    socket_processes: int
    web_processes: int


@dataclass(frozen=True, slots=True)
class Finding:
    """One limit.

    Attributes:
        layer: stable name of the limit.
        value, needed: what was read, and what these candidates need, in words.
        allows: number of candidates that it lets in; None when it does not depend on them.
        is_met: whether it is enough; None when it could not be read from here.
        remedy: what to do, in French; empty when it is enough.
    """

    layer: str
    value: str
    needed: str
    allows: int | None
    is_met: bool | None
    remedy: str = ""


def judged(findings: list[Finding]) -> list[Finding]:
    """Return findings as they are read: what is missing first, then the smallest number of candidates allowed."""
    rank = {False: 0, None: 1, True: 2}
    return sorted(
        findings, key=lambda finding: (rank[finding.is_met], inf if finding.allows is None else finding.allows)
    )


def counted(layer: str, value: int, allows: int, needs: Needs, remedy: str, needed: int | None = None) -> Finding:
    """A limit that lets in a number of candidates."""
    is_met = allows >= needs.candidates
    return Finding(
        layer, f"{value:,}".replace(",", " "), str(needed or needs.candidates), allows, is_met, "" if is_met else remedy
    )


def descriptors(soft: int, needs: Needs) -> Finding:
    """File descriptors of one socket process: one for each candidate."""
    allows = max(0, soft - SPARE_DESCRIPTORS) * needs.socket_processes
    needed = -(-needs.candidates // needs.socket_processes) + SPARE_DESCRIPTORS
    return counted("descriptors", soft, allows, needs, f"ulimit -n {needed} au moins, pour chaque processus", needed)


def backlog(somaxconn: int, asked: int, needs: Needs) -> Finding:
    """Connections that wait to be accepted while every tablet comes back: the kernel caps what the server asks for."""
    value = min(somaxconn, asked)
    needed = int(needs.candidates * STORM_SHARE)
    return counted(
        "backlog", value, int(value / STORM_SHARE), needs, f"sysctl net.core.somaxconn={needed} au moins", needed
    )


def ephemeral_ports(low: int, high: int, needs: Needs) -> Finding:
    """Ports of the proxy's connections to one address of the socket servers."""
    ports = high - low + 1
    remedy = "sysctl net.ipv4.ip_local_port_range='1024 65535', ou plusieurs adresses de serveurs"
    return counted("ephemeral-ports", ports, ports, needs, remedy)


def conntrack(most: int | None, needs: Needs) -> Finding:
    """Connections that the firewall follows: two for each candidate, on either side of the proxy."""
    if most is None:
        return Finding("conntrack", "absent", "-", None, True)
    needed = 2 * needs.candidates
    return counted("conntrack", most, most // 2, needs, f"sysctl net.netfilter.nf_conntrack_max={2 * needed}", needed)


def proxy(directives: Mapping[str, int], needs: Needs) -> Finding:
    """Connections of nginx: two for each candidate, shared between its workers; `directives` by name."""
    workers = directives["worker_processes"]
    held = min(directives["worker_connections"], directives["worker_rlimit_nofile"])
    needed = -(-2 * needs.candidates // workers)
    remedy = f"worker_connections et worker_rlimit_nofile : {needed} au moins dans nginx.conf"
    return counted("nginx", held, held * workers // 2, needs, remedy, needed)


def processes(cores: int, needs: Needs) -> Finding:
    """Socket processes, each within what keeps it quick."""
    allows = SOCKETS_PER_PROCESS * needs.socket_processes
    needed = -(-needs.candidates // SOCKETS_PER_PROCESS)
    remedy = f"{needed} processus « sockets » au moins, sur {needed} cœurs ({cores} ici)"
    return counted("processes", needs.socket_processes, allows, needs, remedy, needed)


def connections_needed(needs: Needs, reserved: int = RESERVED_CONNECTIONS) -> int:
    """Return the connections of PostgreSQL: a handful for each process, whatever the number of candidates."""
    return (
        needs.socket_processes * CONNECTIONS_PER_SOCKET_PROCESS
        + needs.web_processes * CONNECTIONS_PER_WEB_PROCESS
        + CONNECTIONS_OF_WORKERS
        + reserved
    )


def database_connections(most: int, reserved: int, needs: Needs) -> Finding:
    """Connections of PostgreSQL."""
    needed = connections_needed(needs, reserved)
    is_met = most >= needed
    remedy = "" if is_met else f"max_connections = {needed} au moins"
    return Finding("postgresql-connections", str(most), str(needed), None if is_met else 0, is_met, remedy)


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
    """Clients of Redis."""
    needed = redis_clients_needed(needs)
    is_met = most >= needed
    remedy = "" if is_met else f"maxclients {needed} au moins"
    return Finding("redis-clients", str(most), str(needed), None if is_met else 0, is_met, remedy)


def redis_policy(policy: str, memory: int) -> Finding:
    """Tasks live in Redis: it must refuse rather than forget."""
    is_met = policy == "noeviction" or memory == 0
    remedy = "" if is_met else "maxmemory-policy noeviction : une éviction ferait oublier des tâches"
    return Finding("redis-eviction", policy, "noeviction", None, is_met, remedy)


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


def clock(layer: str, difference: timedelta) -> Finding:
    """Another machine's clock against this one's: the end of a sheet is decided by the database's."""
    seconds = abs(difference.total_seconds())
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
