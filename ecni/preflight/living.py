"""The processes of the house that run on this machine, read as they are: what they were allowed, where they listen."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from django.db import connection

from ecni.env import postgresql
from ecni.preflight import entrance, kernel, limits
from ecni.preflight.kernel import Process, Unreadable
from ecni.preflight.limits import UNBOUNDED, Finding, Needs
from ecni.preflight.options import server_options
from ecni.preflight.proxyfile import ProxyFile, Unparsable, read_proxy

USUAL = Path("/etc/nginx/nginx.conf")
PLACE = ("NAME", "HOST", "PORT")
LOCAL = ("127.", "[::1]", "localhost")


@dataclass(frozen=True, slots=True)
class Living:
    """What runs here.

    Attributes:
        sockets: processes that hold candidates.
        web: processes that serve the pages by which they enter.
        masters, workers: processes of nginx.
        file: the configuration with which it was started, if it can be read.
        broken: why it cannot be understood, in French; empty when it can be, or cannot be read.
        path: where that is.
    """

    sockets: tuple[Process, ...] = ()
    web: tuple[Process, ...] = ()
    masters: tuple[Process, ...] = ()
    workers: tuple[Process, ...] = ()
    file: ProxyFile | None = None
    broken: str = ""
    path: Path | None = None


def look(asked: Path | None) -> Living:
    """Return what runs here, of the house that has this database.

    Args:
        asked: configuration of the only nginx that counts; None for any.
    """
    found = [one for one in kernel.processes() if _is_ours(kernel.environment(one.pid))]
    servers = [one for one in found if "ecni.asgi" in one.command]
    sockets, web = (tuple(one for one in servers if one.title in {role, "all"}) for role in ("sockets", "web"))
    masters = tuple(
        one for one in found if "master process" in one.command and (asked is None or _same(configuration(one), asked))
    )
    pids = {one.pid for one in masters}
    serving = (one for one in found if "worker process" in one.command and "shutting down" not in one.command)
    workers = tuple(one for one in serving if kernel.parent(one.pid) in pids)
    path = configuration(masters[0]) if masters else None
    file, broken = _file(path)
    return Living(sockets, web, masters, workers, file, broken, path)


def _file(path: Path | None) -> tuple[ProxyFile | None, str]:
    try:
        return (None if path is None else read_proxy(path)), ""
    except OSError:
        return None, ""
    except Unparsable as error:
        return None, str(error)


def is_in_force(path: Path) -> bool:
    """Whether every nginx of this machine that was started with a file has read it since it last changed.

    Raises:
        OSError: it is not there any more.
    """
    found = kernel.processes()
    masters = {one.pid for one in found if "master process" in one.command and _same(configuration(one), path)}
    workers = [one for one in found if "worker process" in one.command and kernel.parent(one.pid) in masters]
    return not workers or not _is_newer(path, workers)


def _is_newer(path: Path, workers: Sequence[Process]) -> bool:
    """Whether a file has changed since the last of some processes started."""
    return path.stat().st_mtime > max(kernel.started_at(one.pid) for one in workers) + 1


def _is_ours(environment: Mapping[str, str]) -> bool:
    """Whether a process has this house's database, or does not say which it has."""
    url = environment.get("DATABASE_URL")
    if not url:
        return True
    theirs, mine = postgresql(url), connection.settings_dict
    return all(str(theirs.get(name) or "") == str(mine.get(name) or "") for name in PLACE)


def configuration(master: Process) -> Path:
    """Return the file that a master of nginx was started with."""
    found = re.search(r" -c (\S+)", master.command)
    prefix = re.search(r" -p (\S+)", master.command)
    return Path(prefix[1] if prefix else "/etc/nginx") / (found[1] if found else USUAL)


def _same(one: Path, other: Path) -> bool:
    return one.resolve() == other.resolve()


def found_living(living: Living, file: ProxyFile | None, values: Mapping[str, int], needs: Needs) -> Iterator[Finding]:
    """Judge what runs here; nothing when nothing does.

    Args:
        living: what runs.
        file: the configuration of nginx that names the servers, if there is one.
        values: of every limit of admission, by its name.
        needs: what is to be held.
    """
    for one in living.sockets:
        most, where = one.most or UNBOUNDED, f"« sockets » {one.pid}, en marche"
        yield limits.descriptors(most, values["RESERVE"], needs, where)
        if finding := entrance.survivors(most, values, needs, f"{where}, si un autre s’arrête"):
            yield finding
        if told := re.search(r"--limit-concurrency[ =](\d+)", one.command):
            yield limits.concurrency(int(told[1]), needs).at(where)
        yield server_options(one.command).at(where)
    if living.sockets and all(server.address.startswith(LOCAL) for server in (file.servers if file else ())):
        yield limits.running(len(living.sockets), needs)
    yield from _proxy(living, needs)
    try:
        yield from _queues(living, needs)
    except Unreadable:
        yield Finding("backlog", "illisible par ce compte", "lisible", None, None, "lancer preflight en root")


def _proxy(living: Living, needs: Needs) -> Iterator[Finding]:
    if not living.masters or living.path is None:
        return
    if living.workers:
        most = [one.most or UNBOUNDED for one in living.workers]
        yield entrance.proxy_descriptors(most, needs, f"{len(most)} processus en marche")
    if living.file is None:
        remedy = (
            "corriger ce fichier (« nginx -t »)" if living.broken else "lancer preflight en root, ou donner --nginx"
        )
        value = living.broken or f"{living.path} illisible"
        yield Finding("nginx", value, "lisible", None, None, remedy, "en marche")
        return
    yield from (
        one for one in entrance.proxy(living.file, UNBOUNDED, needs, "en marche") if one.layer != "nginx-descriptors"
    )
    if living.workers and _is_newer(living.path, living.workers):
        remedy = "« nginx -s reload » : ce qui tourne n’est pas ce fichier"
        yield Finding(
            "nginx-reload", "modifiée depuis", "relue", None, is_met=False, remedy=remedy, where=str(living.path)
        )


def _queues(living: Living, needs: Needs) -> Iterator[Finding]:
    """The queue of each port: those of several sockets together, one socket counted once."""
    heard = {one.inode: one for one in kernel.listening()}
    holders = Counter(inode for one in living.sockets for inode in kernel.socket_inodes(one.pid) & heard.keys())
    is_shared = {heard[inode].port: count > 1 or len(living.sockets) == 1 for inode, count in holders.items()}
    for port, share in {port: 1.0 if shared else needs.spread.fullest for port, shared in is_shared.items()}.items():
        most = sum(heard[inode].most for inode in holders if heard[inode].port == port)
        yield limits.queue(most, share, needs, f"port {port}, en marche")
    public: dict[int, dict[int, int]] = defaultdict(dict)
    for one in living.workers:
        for inode in kernel.socket_inodes(one.pid) & heard.keys():
            public[heard[inode].port][inode] = heard[inode].most
    for port, queues in public.items():
        if living.file is None or port in living.file.ports:
            yield limits.queue(sum(queues.values()), 1.0, needs, f"nginx, port {port}, en marche")


def ports_of(living: Living, file: ProxyFile | None) -> Sequence[int]:
    """Return the ports by which tablets come, those of servers behind nginx among them; empty when none is known."""
    found = set(file.ports if file else ()) | set(living.file.ports if living.file else ())
    known = file or living.file
    addresses = (server.address.rpartition(":")[2] for server in (known.servers if known else ()))
    found |= {int(port) for port in addresses if port.isdecimal()}
    try:
        inodes = {inode for one in living.sockets for inode in kernel.socket_inodes(one.pid)}
        found |= {one.port for one in kernel.listening() if one.inode in inodes}
    except Unreadable:
        pass
    return sorted(found)
