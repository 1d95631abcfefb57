"""Reading the configuration of nginx: what bounds the connections of tablets in it."""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

WIRE = "/ws/copie/"
WORD = re.compile(
    r"""(?P<nothing>\s+|\#[^\n]*)
    |(?P<sign>[;{}])
    |"(?P<double>(?:\\.|[^"\\])*)"
    |'(?P<single>(?:\\.|[^'\\])*)'
    |(?P<bare>(?!["'])(?:\$\{[^}]*\}|[^\s;{}])+)""",
    re.VERBOSE,
)
DEFAULT_CONNECTIONS = 512
DEFAULT_BACKLOG = 511


class Unparsable(ValueError):
    """It is no configuration of nginx; the message, in French, says which file, why, and near what."""


@dataclass(frozen=True, slots=True)
class Directive:
    """One directive: its name, its words, and the directives inside its braces."""

    name: str
    words: tuple[str, ...]
    block: tuple["Directive", ...] = ()


@dataclass(frozen=True, slots=True)
class Server:
    """A server of an upstream, as written; `most` is its `max_conns`, 0 for no bound."""

    address: str
    most: int


@dataclass(frozen=True, slots=True)
class Shared:
    """A `limit_conn` on the way of tablets: the variables that it counts by, and how many it lets through."""

    key: str
    most: int


@dataclass(frozen=True, slots=True)
class ProxyFile:
    """What a configuration bounds.

    Attributes:
        workers: processes of nginx.
        connections: of one of them.
        descriptors: `worker_rlimit_nofile`; None when it keeps those that it was started with.
        ports: where it listens for tablets.
        backlog: shortest queue of these, as asked of the kernel.
        queues: how many such queues each of them has: one for each process of nginx with `reuseport`.
        servers: where it sends the tablets' wire.
        shared: every `limit_conn` that holds for the tablets' wire, or counts in the same zone: what counts tablets
            inside may stop newcomers elsewhere.
    """

    workers: int
    connections: int
    descriptors: int | None
    ports: tuple[int, ...]
    backlog: int
    queues: int
    servers: tuple[Server, ...]
    shared: tuple[Shared, ...]


def read_proxy(path: Path) -> ProxyFile:
    """Return what a file and those that it includes say.

    Raises:
        Unparsable: it is no configuration of nginx.
        OSError: one of them cannot be read.
    """
    try:
        directives = tuple(_included(_parsed(path), path.parent))
    except Unparsable:
        raise
    except (IndexError, ValueError, RecursionError):
        raise Unparsable(f"{path} : un « include » qui ne mène à aucun fichier, ou à lui-même") from None
    try:
        return understood(directives)
    except IndexError:
        raise Unparsable(f"{path} : une directive sans ses valeurs") from None
    except Unparsable as error:
        raise Unparsable(f"{path} : {error}") from None


def parse(text: str) -> tuple[Directive, ...]:
    """Return the directives of a text, in order.

    Raises:
        Unparsable: braces or semicolons are missing.
    """
    words = _words(text)
    directives = tuple(_block(words, is_inner=False))
    if next(words, None) is not None:
        raise Unparsable("une accolade de trop")
    return directives


def _parsed(path: Path) -> tuple[Directive, ...]:
    try:
        return parse(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        raise Unparsable(f"{path} : ce n’est pas un texte") from None
    except Unparsable as error:
        raise Unparsable(f"{path} : {error}") from None


def _words(text: str) -> Iterator[str]:
    """Return words and signs; a word is preceded by a space, so that a quoted sign is none."""
    at = 0
    while at < len(text):
        found = WORD.match(text, at)
        if found is None:
            raise Unparsable(f"ligne {text.count(chr(10), 0, at) + 1} : guillemet qui manque")
        at = found.end()
        if found.lastgroup != "nothing":
            yield found[0] if found.lastgroup == "sign" else f" {found[found.lastgroup or 0]}"


def _block(words: Iterator[str], *, is_inner: bool) -> Iterator[Directive]:
    head: list[str] = []
    for word in words:
        if word not in ";{}":
            head.append(word[1:])
            continue
        if word == "}":
            if head or not is_inner:
                raise Unparsable(_near(head, "une accolade de trop, ou un point-virgule qui manque"))
            return
        if not head:
            raise Unparsable("une directive sans nom")
        inner = tuple(_block(words, is_inner=True)) if word == "{" else ()
        yield Directive(head[0], tuple(head[1:]), inner)
        head = []
    if head or is_inner:
        raise Unparsable(_near(head, "sa fin manque"))


def _near(head: Sequence[str], why: str) -> str:
    return f"{why}, près de « {' '.join(head)} »" if head else why


def understood(directives: Sequence[Directive]) -> ProxyFile:
    """Return what directives bound; what they do not say has nginx's default."""
    events, http = _inside(directives, "events"), _inside(directives, "http")
    servers = [one for one in http if one.name == "server" and not _is_private(one)]
    wires = [server for server, _ in _wires(servers)] or servers
    listens = [one.words for server in wires for one in server.block if one.name == "listen"]
    asked = _value(directives, "worker_processes", "1")
    workers = len(os.sched_getaffinity(0)) if asked == "auto" else _number(asked)
    descriptors = _value(directives, "worker_rlimit_nofile", "")
    return ProxyFile(
        workers=workers,
        connections=_number(_value(events, "worker_connections", str(DEFAULT_CONNECTIONS))),
        descriptors=_number(descriptors) if descriptors else None,
        ports=tuple(sorted({_port(words[0]) for words in listens} - {0})),
        backlog=min((_option(words, "backlog", DEFAULT_BACKLOG) for words in listens), default=DEFAULT_BACKLOG),
        queues=workers if listens and all("reuseport" in words for words in listens) else 1,
        servers=_servers(http, servers),
        shared=_shared(http, servers),
    )


def proxy_connections(path: Path) -> int:
    """Return how many connections all processes of nginx may hold together, as its configuration says.

    Raises:
        Unparsable, OSError: as `read_proxy`.
    """
    file = read_proxy(path)
    return min(file.connections, file.descriptors or file.connections) * file.workers


def _included(directives: Sequence[Directive], folder: Path) -> Iterator[Directive]:
    for one in directives:
        if one.name == "include" and one.words:
            for path in sorted(
                folder.glob(one.words[0]) if one.words[0][0] != "/" else Path("/").glob(one.words[0][1:])
            ):
                yield from _included(_parsed(path), folder)
        elif one.block:
            yield Directive(one.name, one.words, tuple(_included(one.block, folder)))
        else:
            yield one


def _inside(directives: Sequence[Directive], name: str) -> tuple[Directive, ...]:
    return tuple(inner for one in directives if one.name == name for inner in one.block)


def _value(directives: Sequence[Directive], name: str, default: str) -> str:
    return next((one.words[0] for one in directives if one.name == name and one.words), default)


def _option(words: Sequence[str], name: str, default: int) -> int:
    return next((_number(word.partition("=")[2]) for word in words if word.startswith(f"{name}=")), default)


def _number(text: str) -> int:
    if not text.isdecimal():
        raise Unparsable(f"« {text} » n’est pas un nombre")
    return int(text)


def _is_private(server: Directive) -> bool:
    """Whether it answers this machine alone, and holds nothing of the tablets."""
    listens = [one.words[0] for one in server.block if one.name == "listen" and one.words]
    is_local = all(words.startswith(("127.", "[::1]", "localhost", "unix:")) for words in listens)
    return bool(listens) and is_local and not any(one.name == "location" and _passes(one) for one in server.block)


def _port(address: str) -> int:
    last = address.rpartition(":")[2] if ":" in address or address.isdecimal() else "80"
    return int(last) if last.isdecimal() else 0


def _passes(location: Directive) -> str:
    """Where a location sends what it gets, empty for nowhere."""
    return re.sub(r"^\w+://", "", _value(location.block, "proxy_pass", "")).split("/")[0]


def _wires(servers: Sequence[Directive]) -> list[tuple[Directive, Directive]]:
    """Return each server that has a location for the tablets' wire, and that location."""
    return [(one, place) for one in servers for place in one.block if place.name == "location" and WIRE in place.words]


def _servers(http: Sequence[Directive], servers: Sequence[Directive]) -> tuple[Server, ...]:
    passed = {_passes(place) for _, place in _wires(servers)}
    chosen = {
        word
        for one in http
        if one.name == "map" and one.words[-1] in passed
        for line in one.block
        for word in line.words
    }
    found = [one for one in http if one.name == "upstream" and one.words and one.words[0] in passed | chosen]
    lines = [line.words for one in found for line in one.block if line.name == "server"]
    return tuple(
        Server(words[0], _option(words, "max_conns", 0)) for words in lines if not {"down", "backup"} & set(words)
    )


def _shared(http: Sequence[Directive], servers: Sequence[Directive]) -> tuple[Shared, ...]:
    zones = {
        word.removeprefix("zone=").partition(":")[0]: one.words[0]
        for one in http
        if one.name == "limit_conn_zone"
        for word in one.words
        if word.startswith("zone=")
    }
    holding = [
        next((found for found in map(_limits, (place.block, server.block, http)) if found), [])
        for server, place in _wires(servers)
    ] or [next((found for found in map(_limits, (server.block, http)) if found), []) for server in servers]
    held = {words[0] for found in holding for words in found}
    alike = (words for one in servers for words in _limits(_every(one.block)) if words[0] in held)
    bounds = {(zones.get(words[0], ""), _number(words[1])) for words in chain(chain.from_iterable(holding), alike)}
    return tuple(Shared(key, most) for key, most in sorted(bounds))


def _every(block: Sequence[Directive]) -> list[Directive]:
    return [found for one in block for found in (one, *_every(one.block))]


def _limits(directives: Sequence[Directive]) -> list[tuple[str, ...]]:
    return [one.words for one in directives if one.name == "limit_conn"]
