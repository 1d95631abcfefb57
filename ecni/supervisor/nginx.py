"""nginx in front of the house: one template, rendered for one host and for containers alike.

`python -m ecni.supervisor` prints docs/nginx.conf, the configuration of docker-compose.yml.
"""

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from string import Template

from ecni.supervisor.children import credentials
from ecni.supervisor.servers import BACKLOG

TEMPLATE = Path(__file__).with_name("nginx.conf.in")
CENTRE_COOKIE = "ecni_centre"
"""Which centre sitting a tablet belongs to: set beside its ticket, read by nginx alone."""

WAITING_PAGE = "attente.html"
"""What a newcomer gets when nginx has no place or no server for them: a static file (ecni.static)."""

DEALT = 100
"""Centres are dealt out by their number modulo this: its last two digits."""

CONNECTIONS_PER_TABLET = 2
"""The tablet's and nginx's own towards the server; its status page counts the first alone."""

MARGIN = 1.25
"""Pages fetched while everybody composes, and connections spread unevenly over nginx's processes."""

MOST_COUNTED = 65_535
"""Of what `limit_conn` can count at once."""

SPARE_OF_PROXY = 64
"""What a process of nginx opens besides connections: logs, files, epoll, shared listening sockets."""

SPARE_OF_SERVER = 256
"""What a socket process opens besides its candidates, as `exams.rules.admission` has it."""


class ProxyError(RuntimeError):
    """nginx is missing or refuses its configuration; the message, in French, says why."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """What one nginx needs to know.

    Attributes:
        folder: where it may write: process number, temporary files.
        host, port: where it listens.
        plain_port: where it sends who comes by http to https; None for nowhere.
        web, sockets: addresses of these servers, `host:port`; one address each.
        papers, static: folders that it serves from the disk.
        candidates: tablets that must get in at the same time.
        descriptors: most files that one process may open.
        cores: processors of this machine.
        status_port: where it says how many connections it has.
        status_host: the only address of that port.
        tls: folder of cert.pem and key.pem; None for http.
    """

    folder: str
    host: str
    port: int
    web: Sequence[str]
    sockets: Sequence[str]
    papers: str
    static: str
    candidates: int
    descriptors: int
    cores: int
    status_port: int
    status_host: str = "127.0.0.1"
    tls: str | None = None
    plain_port: int | None = None

    @property
    def connections(self) -> int:
        """Connections of one of its processes."""
        return self.descriptors - SPARE_OF_PROXY

    @property
    def processes(self) -> int:
        """How many processes it takes to hold every candidate, never fewer than cores."""
        needed = self.candidates * CONNECTIONS_PER_TABLET * MARGIN
        return max(self.cores, ceil(needed / self.connections))

    @property
    def held_by_server(self) -> int:
        """Connections that a socket process can hold, were it to open as many files as nginx."""
        return self.descriptors - min(SPARE_OF_SERVER, self.descriptors // 2)

    @property
    def newcomers(self) -> int:
        """Tablets beyond which whoever has no ticket yet waits: the margin is for those who come back."""
        return min(MOST_COUNTED, int(self.processes * self.connections / (CONNECTIONS_PER_TABLET * MARGIN)))

    @property
    def admitted(self) -> int:
        """Tablets beyond which whoever has just been admitted waits for its page: half of that margin."""
        places = self.processes * self.connections // CONNECTIONS_PER_TABLET
        return min(MOST_COUNTED, (self.newcomers + places) // 2)


CONTAINERS = Proxy(
    folder="/tmp",  # noqa: S108 -- the container's own
    host="0.0.0.0",  # noqa: S104 -- a container's only address
    port=8443,
    web=("web-1:8000", "web-2:8000"),
    sockets=("sockets-1:8000", "sockets-2:8000"),
    papers="/srv/ecni/papers",
    static="/srv/ecni/static",
    candidates=36_000,
    descriptors=65_536,
    cores=4,
    status_port=8081,
    status_host="0.0.0.0",  # noqa: S104 -- a port that compose does not publish
    tls="/etc/nginx/tls",
    plain_port=8080,
)
"""docker-compose.yml: servers under names of their own, TLS, limits of 36,000 candidates."""


class _Marked(Template):
    delimiter = "@"


def render(proxy: Proxy) -> str:
    """Return the whole configuration."""
    values = {
        "folder": proxy.folder,
        "processes": proxy.processes,
        "descriptors": proxy.descriptors,
        "connections": proxy.connections,
        "newcomers": proxy.newcomers,
        "admitted": proxy.admitted,
        "everybody": MOST_COUNTED,
        "cookie": CENTRE_COOKIE,
        "waiting_page": f"{proxy.static.rstrip('/')}/{WAITING_PAGE}",
        "web": _servers(proxy.web, ""),
        "deal": "\n    ".join(_deal(len(proxy.sockets))),
        "wire": "\n".join(_wire(proxy)),
        "listen": _listen(proxy),
        "redirection": _redirection(proxy),
        "status": f"{proxy.status_host}:{proxy.status_port}",
        "papers": proxy.papers.rstrip("/"),
        "static": proxy.static.rstrip("/"),
    }
    return _Marked(TEMPLATE.read_text(encoding="utf-8")).substitute(values)


def check(program: Path, configuration: Path, account: tuple[int, int] | None) -> None:
    """Have nginx read a configuration, as the account that will run it.

    Raises:
        ProxyError: it refuses it.
    """
    done = subprocess.run(  # noqa: S603 -- the program found below
        [*command(program, configuration), "-t"],
        capture_output=True,
        text=True,
        check=False,
        **credentials(account),
    )
    if done.returncode:
        raise ProxyError(f"nginx refuse sa configuration :\n{done.stderr}")


def command(program: Path, configuration: Path) -> list[str]:
    """Return the command of an nginx that stays in the foreground and logs to its standard error."""
    return [str(program), "-p", str(configuration.parent), "-c", str(configuration), "-e", "stderr"]


def find_nginx() -> Path:
    """Return the program.

    Raises:
        ProxyError: there is none.
    """
    found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if found is None:
        raise ProxyError("nginx est introuvable : installez-le, ou lancez « manage.py serve » sans --nginx.")
    return Path(found)


def process_of(centre_sitting_id: int, processes: int) -> int:
    """Return the process, from 0, of the tablets of a centre sitting, when so many share them: see `_deal`."""
    return centre_sitting_id % DEALT % processes


def _deal(processes: int) -> Iterator[str]:
    """Lines of a map from the number of a centre sitting, two digits at least, to the name of its upstream."""
    for process in range(processes):
        ends = "|".join(f"{end:02}" for end in range(DEALT) if process_of(end, processes) == process)
        yield f'"~^[0-9]{{0,7}}(?:{ends})$" sockets-{process + 1};'


def _wire(proxy: Proxy) -> Iterator[str]:
    """The upstream of each socket process: itself, the others when it refuses."""
    for number, own in enumerate(proxy.sockets, start=1):
        places = [own, *(f"{other} backup" for other in proxy.sockets if other != own)]
        yield from (
            f"  upstream sockets-{number} {{",
            f"    zone sockets-{number} 128k;",
            f"    {_servers(places, f' max_conns={proxy.held_by_server}')}",
            "    keepalive 32;",
            "    keepalive_timeout 30s;",
            "  }",
        )


def _servers(addresses: Sequence[str], limit: str) -> str:
    return "\n    ".join(f"server {address} max_fails=0{limit};" for address in addresses)


def _listen(proxy: Proxy) -> str:
    tuning = f"reuseport backlog={BACKLOG}"
    if proxy.tls is None:
        return f"listen {proxy.host}:{proxy.port} {tuning};"
    lines = (
        f"listen {proxy.host}:{proxy.port} ssl http2 {tuning};",
        f"ssl_certificate {proxy.tls}/cert.pem;",
        f"ssl_certificate_key {proxy.tls}/key.pem;",
        "ssl_protocols TLSv1.2 TLSv1.3;",
        "ssl_session_cache shared:tablets:20m;  # tablets that all come back at once resume their session",
        "ssl_session_timeout 12h;",
    )
    return "\n    ".join(lines)


def _redirection(proxy: Proxy) -> str:
    if proxy.plain_port is None:
        return ""
    listening = f"listen {proxy.host}:{proxy.plain_port} default_server;"
    return f"\n  server {{\n    {listening}\n    return 308 https://$host$request_uri;\n  }}\n"
