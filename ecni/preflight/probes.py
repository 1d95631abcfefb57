"""Reading each limit where it is: this process, this kernel, what runs on it, PostgreSQL, Redis, the papers."""

import hashlib
import os
import resource
import shutil
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from urllib.parse import urlsplit

import redis
from cryptography import x509
from django.conf import settings
from django.db import Error, OperationalError, connection

from ecni.preflight import dealing, entrance, limits
from ecni.preflight.firewall import read_firewall
from ecni.preflight.limits import Finding, Needs
from ecni.preflight.living import Living, found_living, look, ports_of
from ecni.preflight.proxyfile import ProxyFile, Unparsable, read_proxy
from ecni.supervisor import BACKLOG
from exams.enums import LimitName
from exams.models import Paper
from exams.queries.admission import default_limits, present_limits
from exams.queries.papers import last_start, papers_to_come
from exams.queries.sheets import sheets_of_next_sitting

KERNEL = Path("/proc/sys/net")
SOMAXCONN = KERNEL / "core" / "somaxconn"
USUAL_PROCESSES = 2
KNOWN = 2
"""The centres of the next sitting are believed when it has at least one sheet for so many candidates."""

FETCH_SECONDS = 20
USUAL_CAPACITY = 100
"""Of a queue of channels_redis.core, where settings name none."""

REDIS_SETTINGS = ("maxclients", "maxmemory", "maxmemory-policy", "client-output-buffer-limit")


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of a preflight.

    Attributes:
        candidates: tablets at the same time.
        socket_processes: how many will run; None for as many as nginx names, or as run now, else two.
        web_processes: how many will run; None for as many as run now, else two.
        nginx: the proxy's configuration file, if there is one; None for that of the nginx that runs, if one does.
        certificate: the TLS certificate in PEM, if there is one.
        caches: addresses, such as `https://cache.lille.example.fr`, from which centres fetch the papers.
    """

    candidates: int
    socket_processes: int | None = None
    web_processes: int | None = None
    nginx: Path | None = None
    certificate: Path | None = None
    caches: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Told:
    """What the database tells of the exam; its defaults are what is supposed while it does not answer.

    Attributes:
        papers: those sealed of the sittings to come.
        limits: values of « Limites et gardes ».
        sheets: how many each centre sitting of the next sitting has.
        last_start: when the last sitting to come begins.
    """

    papers: Sequence[Paper] = ()
    limits: Mapping[LimitName, int] = field(default_factory=default_limits)
    sheets: Mapping[int, int] = field(default_factory=dict)
    last_start: datetime | None = None


def probe(*, asked: Asked, now: datetime) -> list[Finding]:
    """Read every limit that can be read from here, of the machine's configuration and of what runs on it.

    Args:
        asked: what is to be held, and where to look.
        now: this machine's clock.
    """
    began = time.monotonic()

    def present() -> datetime:
        return now + timedelta(seconds=time.monotonic() - began)

    told, silent = _told(now)
    living = look(asked.nginx)
    file, broken = _proxy_file(asked.nginx) if asked.nginx else (living.file, [])
    values = {name.value: value for name, value in told.limits.items()}
    needs = _needs(asked, living, file, told.sheets)
    soft = _soft_limit()
    found = [
        *broken,
        *_kernel(values["RESERVE"], needs.spread.fullest if file else 1.0, needs),
        *found_living(living, file, values, needs),
        *entrance.firewall(read_firewall(), ports_of(living, file), needs),
        *entrance.admission(values, file, needs),
        *(silent or _database(needs, present)),
        *_redis(needs, present),
        _channel_layer(),
        *_papers(told.papers, asked.caches),
    ]
    if finding := entrance.survivors(soft, values, needs, "ce compte, si un processus s’arrête"):
        found.append(finding)
    if asked.nginx and file:
        found += entrance.proxy(file, soft, needs)
    if asked.nginx and file and file.ports:
        held = min(_number(SOMAXCONN) or file.backlog, file.backlog) * file.queues
        found.append(limits.queue(held, 1.0, needs, "nginx"))
    if asked.certificate is not None:
        found.append(_certificate(asked.certificate, told.last_start or now, now))
    return limits.judged(found)


def _told(now: datetime) -> tuple[Told, list[Finding]]:
    """Return what the database tells, or that it gives no connection, and why."""
    try:
        return Told(list(papers_to_come(now)), present_limits(), sheets_of_next_sitting(now), last_start(now)), []
    except Error as error:
        why, *_ = [*str(error).splitlines(), type(error).__name__]
        if isinstance(error, OperationalError):
            why, remedy = f"injoignable : {why}", "Démarrer PostgreSQL, ou y libérer des connexions"
        else:
            remedy = "manage.py migrate"
        return Told(), [Finding("postgresql", why, "lisible", None, is_met=False, remedy=remedy)]


def _proxy_file(path: Path) -> tuple[ProxyFile | None, list[Finding]]:
    """Return what a configuration of nginx says, or that it cannot be read, and why."""
    try:
        return read_proxy(path), []
    except OSError as error:
        return None, [_unreadable("nginx", Path(error.filename or path))]
    except Unparsable as error:
        return None, [_unreadable("nginx", path, str(error), "corriger ce fichier (« nginx -t »)")]


def _unreadable(
    layer: str, path: Path, why: str = "illisible par ce compte", remedy: str = "lancer preflight en root"
) -> Finding:
    return Finding(layer, why, "lisible", None, is_met=False, remedy=remedy, where=str(path))


def _needs(asked: Asked, living: Living, file: ProxyFile | None, sheets: Mapping[int, int]) -> Needs:
    """Return what is asked, spread as nginx will when the centres of the next sitting are known."""
    servers = [server.address for server in file.servers] if file else []
    processes = asked.socket_processes or len(servers) or len(living.sockets) or USUAL_PROCESSES
    if sum(sheets.values()) * KNOWN < asked.candidates:
        sheets = {}
    found = dealing.spread(sheets, processes) if sheets else limits.supposed_spread(processes)
    web = asked.web_processes or len(living.web) or USUAL_PROCESSES
    return Needs(asked.candidates, processes, web, found)


def _soft_limit() -> int:
    soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return limits.UNBOUNDED if soft == resource.RLIM_INFINITY else soft


def _kernel(reserve: int, share: float, needs: Needs) -> Iterator[Finding]:
    yield limits.descriptors(_soft_limit(), reserve, needs, "ce compte")
    yield limits.processes(len(os.sched_getaffinity(0)), needs)
    somaxconn = _number(SOMAXCONN)
    if somaxconn is not None:
        yield limits.backlog(somaxconn, BACKLOG, share, needs)
    ports = KERNEL / "ipv4" / "ip_local_port_range"
    if ports.exists():
        low, high = map(int, ports.read_text().split())
        yield limits.ephemeral_ports(low, high, needs)
    yield limits.conntrack(_number(KERNEL / "netfilter" / "nf_conntrack_max"), needs)


def _number(path: Path) -> int | None:
    return int(path.read_text()) if path.exists() else None


_ENGINE = """
SELECT clock_timestamp(), (SELECT setting FROM pg_settings WHERE name = 'data_directory'),
  current_setting('superuser_reserved_connections')::int
    + coalesce(current_setting('reserved_connections', true)::int, 0)
"""
_ACCOUNTS = """
SELECT 'ROLE', rolname, rolconnlimit FROM pg_roles WHERE rolname = session_user AND NOT rolsuper
UNION ALL
SELECT 'DATABASE', datname, datconnlimit FROM pg_database, pg_roles
WHERE datname = current_database() AND rolname = session_user AND NOT rolsuper
"""
"""A superuser passes by both limits."""


def _database(needs: Needs, present: Callable[[], datetime]) -> Iterator[Finding]:
    names = ("max_connections", "fsync", "full_page_writes", "synchronous_commit")
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, setting FROM pg_settings WHERE name = ANY (%s)", [list(names)])
        values = dict(cursor.fetchall())
        before = present()
        cursor.execute(_ENGINE)
        ((instant, folder, reserved),) = cursor.fetchall()
        after = present()
        cursor.execute(_ACCOUNTS)
        accounts = cursor.fetchall()
    yield limits.database_connections(int(values["max_connections"]), reserved, needs)
    yield from (limits.account_connections(kind, name, most, needs) for kind, name, most in accounts if most >= 0)
    yield from limits.durability(values)
    yield limits.clock("postgresql-clock", instant, before, after)
    yield limits.disk("postgresql-disk", free_bytes(Path(folder)) if folder else None, needs)


def free_bytes(data: Path) -> int | None:
    """Return the least that is free under the data and under its WAL, which may be elsewhere; None where neither is."""
    found = []
    for path in (data, data / "pg_wal"):
        with suppress(OSError):
            found.append(shutil.disk_usage(path).free)
    return min(found, default=None)


def _redis(needs: Needs, present: Callable[[], datetime]) -> Iterator[Finding]:
    client = redis.Redis.from_url(
        settings.REDIS_HINTS_URL, decode_responses=True, socket_timeout=2, socket_connect_timeout=2
    )
    try:
        values = {name: str(value) for name, value in client.config_get(*REDIS_SETTINGS).items()}
        before = present()
        seconds, micros = client.time()
        after = present()
    except redis.ResponseError as error:
        yield Finding("redis", f"réglages illisibles : {error}", "-", None, None, "Les lire chez qui sert Redis")
        return
    except redis.RedisError as error:
        yield Finding("redis", f"injoignable : {error}", "joignable", None, is_met=False, remedy="Démarrer Redis")
        return
    yield limits.redis_clients(int(values["maxclients"]), needs)
    yield limits.redis_buffers(values["client-output-buffer-limit"])
    yield limits.redis_policy(values["maxmemory-policy"], int(values["maxmemory"]))
    yield limits.clock("redis-clock", datetime.fromtimestamp(seconds + micros / 1e6, UTC), before, after)


def _channel_layer() -> Finding:
    layer = settings.CHANNEL_LAYERS["default"]
    return limits.channel_layer(layer["BACKEND"], layer.get("CONFIG", {}).get("capacity", USUAL_CAPACITY))


def _certificate(path: Path, last_day: datetime, now: datetime) -> Finding:
    try:
        read = x509.load_pem_x509_certificate(path.read_bytes())
    except OSError:
        return _unreadable("tls-certificate", path)
    except ValueError:
        return _unreadable(
            "tls-certificate", path, "aucun certificat en PEM", "donner le certificat que nginx présente"
        )
    return limits.certificate(read.not_valid_before_utc, read.not_valid_after_utc, last_day, now)


def _papers(papers: Sequence[Paper], caches: Sequence[str]) -> Iterator[Finding]:
    for paper in papers:
        yield limits.paper(str(paper), "PAPERS_ROOT", _stored(settings.PAPERS_ROOT / f"{paper.digest}.ecni", paper))
        for cache in caches:
            yield limits.paper(str(paper), cache, _whole(_fetched(cache, paper), paper))


def _stored(path: Path, paper: Paper) -> str:
    try:
        return _whole(path.read_bytes(), paper)
    except FileNotFoundError:
        return _whole(None, paper)
    except OSError as error:
        return f"Sujet illisible ({error.strerror}) : en donner le droit à ce compte, ou le copier de nouveau"


def _whole(data: bytes | None, paper: Paper) -> str:
    if data is None:
        return "Sujet introuvable : l’y copier"
    return "" if hashlib.sha256(data).hexdigest() == paper.digest else "Sujet altéré : le copier de nouveau"


def _fetched(cache: str, paper: Paper) -> bytes | None:
    place = urlsplit(cache)
    if place.scheme == "https":
        caller: HTTPConnection = HTTPSConnection(
            place.netloc, timeout=FETCH_SECONDS, context=ssl.create_default_context()
        )
    else:
        caller = HTTPConnection(place.netloc, timeout=FETCH_SECONDS)
    try:
        caller.request("GET", f"{place.path.rstrip('/')}/sujets/{paper.digest}.ecni")
        answer = caller.getresponse()
        return answer.read() if answer.status == HTTPStatus.OK else None
    except (OSError, HTTPException):
        return None
    finally:
        caller.close()
