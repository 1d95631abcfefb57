"""Reading each limit where it is: this process, this kernel, PostgreSQL, Redis, the papers."""

import hashlib
import os
import re
import resource
import shutil
import ssl
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from urllib.parse import urlsplit

import redis
from cryptography import x509
from django.conf import settings
from django.db import connection

from ecni.preflight import limits
from ecni.preflight.limits import Finding, Needs
from ecni.supervisor import BACKLOG
from exams.models import Paper
from exams.queries.papers import papers_to_come

KERNEL = Path("/proc/sys/net")
FETCH_SECONDS = 20
REDIS_SETTINGS = ("maxclients", "maxmemory", "maxmemory-policy")
NGINX_DEFAULTS = {"worker_processes": 1, "worker_connections": 512, "worker_rlimit_nofile": 1024}


def probe(
    *, needs: Needs, now: datetime, nginx: Path | None, certificate: Path | None, caches: Sequence[str]
) -> list[Finding]:
    """Read every limit that can be read from here.

    Args:
        needs: what is to be held.
        now: this machine's clock.
        nginx: the proxy's configuration file, if there is one.
        certificate: the TLS certificate in PEM, if there is one.
        caches: addresses, such as `https://cache.lille.example.fr`, from which centres fetch the papers.
    """
    papers = list(papers_to_come(now))
    found = [*_kernel(needs), *_database(needs, now), *_redis(needs, now), *_papers(papers, caches)]
    if nginx is not None:
        found.append(limits.proxy(_directives(nginx.read_text()), needs))
    if certificate is not None:
        last_day = max((paper.sitting.starts_at for paper in papers), default=now)
        found.append(_certificate(certificate, last_day, now))
    return limits.judged(found)


def _kernel(needs: Needs) -> Iterator[Finding]:
    soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield limits.descriptors(soft, needs)
    yield limits.processes(len(os.sched_getaffinity(0)), needs)
    somaxconn = _number(KERNEL / "core" / "somaxconn")
    if somaxconn is not None:
        yield limits.backlog(somaxconn, BACKLOG, needs)
    ports = KERNEL / "ipv4" / "ip_local_port_range"
    if ports.exists():
        low, high = map(int, ports.read_text().split())
        yield limits.ephemeral_ports(low, high, needs)
    yield limits.conntrack(_number(KERNEL / "netfilter" / "nf_conntrack_max"), needs)


def _number(path: Path) -> int | None:
    return int(path.read_text()) if path.exists() else None


def _database(needs: Needs, now: datetime) -> Iterator[Finding]:
    names = ("max_connections", "superuser_reserved_connections", "fsync", "full_page_writes", "synchronous_commit")
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, setting FROM pg_settings WHERE name = ANY (%s)", [list(names)])
        values = dict(cursor.fetchall())
        cursor.execute("SELECT clock_timestamp(), current_setting('data_directory')")
        ((instant, folder),) = cursor.fetchall()
    yield limits.database_connections(
        int(values["max_connections"]), int(values["superuser_reserved_connections"]), needs
    )
    yield from limits.durability(values)
    yield limits.clock("postgresql-clock", instant - now)
    yield limits.disk("postgresql-disk", shutil.disk_usage(folder).free if Path(folder).exists() else None, needs)


def _redis(needs: Needs, now: datetime) -> Iterator[Finding]:
    client = redis.Redis.from_url(settings.REDIS_HINTS_URL, decode_responses=True, socket_connect_timeout=2)
    try:
        values = {name: str(value) for name, value in client.config_get(*REDIS_SETTINGS).items()}
        seconds, micros = client.time()
    except redis.RedisError as error:
        yield Finding("redis", f"injoignable : {error}", "joignable", None, is_met=False, remedy="Démarrer Redis")
        return
    yield limits.redis_clients(int(values["maxclients"]), needs)
    yield limits.redis_policy(values["maxmemory-policy"], int(values["maxmemory"]))
    yield limits.clock("redis-clock", datetime.fromtimestamp(seconds + micros / 1e6, UTC) - now)


def _directives(configuration: str) -> dict[str, int]:
    found = re.findall(r"^[^#\n]*?\b(worker_\w+)\s+(\w+);", configuration, re.MULTILINE)
    read = {
        name: len(os.sched_getaffinity(0)) if value == "auto" else int(value)
        for name, value in found
        if name in NGINX_DEFAULTS
    }
    return NGINX_DEFAULTS | read


def proxy_connections(configuration: str) -> int:
    """Return how many connections all workers of nginx may hold together, as its configuration says."""
    directives = _directives(configuration)
    return min(directives["worker_connections"], directives["worker_rlimit_nofile"]) * directives["worker_processes"]


def _certificate(path: Path, last_day: datetime, now: datetime) -> Finding:
    read = x509.load_pem_x509_certificate(path.read_bytes())
    return limits.certificate(read.not_valid_before_utc, read.not_valid_after_utc, last_day, now)


def _papers(papers: Sequence[Paper], caches: Sequence[str]) -> Iterator[Finding]:
    for paper in papers:
        path = settings.PAPERS_ROOT / f"{paper.digest}.ecni"
        yield limits.paper(str(paper), "PAPERS_ROOT", _whole(path.read_bytes() if path.exists() else None, paper))
        for cache in caches:
            yield limits.paper(str(paper), cache, _whole(_fetched(cache, paper), paper))


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
