"""The commands of the house: ASGI servers, which differ in nothing that a candidate could see, and Celery."""

import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

BACKLOG = 4096
"""Connections that may wait to be accepted; the kernel's somaxconn caps it."""

APPLICATION = "ecni.asgi:application"
LARGEST_MESSAGE = 65_536
"""Bytes of what a browser sends at once."""
LARGEST_SENT = 1024 * 1024
"""Bytes of what Daphne sends to one: a room of 280 takes 108,000. It takes as much of one too, in several frames."""
PING_SECONDS, PONG_SECONDS = 60, 30
"""Only to let go of a connection that is dead: tablets beat by themselves, and silence shows by that."""
IDLE_SECONDS = 60
"""How long an idle connection of the proxy is kept: longer than the proxy itself keeps it (nginx.conf.in)."""

Where = socket.socket | tuple[str, int]
"""What a server listens on: an inherited socket, or an address and a port of its own."""

Server = Callable[..., list[str]]


def daphne(where: Where, *, behind_proxy: bool = False) -> list[str]:
    """Return the command of a Daphne; `behind_proxy` makes it believe the headers that the proxy sets."""
    if isinstance(where, tuple):
        listening = {"--endpoint": f"tcp:port={where[1]}:interface={where[0]}:backlog={BACKLOG}"}
    else:
        listening = {"--fd": str(where.fileno())}
    options = listening | {
        "--verbosity": "0",
        "--http-timeout": str(IDLE_SECONDS),
        "--ping-interval": str(PING_SECONDS),
        "--ping-timeout": str(PONG_SECONDS),
        "--websocket_connect_timeout": "30",
        "--websocket_timeout": "86400",
        "--websocket-max-message-size": str(LARGEST_SENT),
        "--websocket-max-frame-size": str(LARGEST_MESSAGE),
        "--application-close-timeout": "10",
    }
    return _python("daphne", options, *(["--proxy-headers"] if behind_proxy else []), APPLICATION)


def uvicorn(where: Where, *, behind_proxy: bool = False) -> list[str]:
    """Return the command of a uvicorn: what a candidate could see is as with Daphne, without compression."""
    if isinstance(where, tuple):
        listening = {"--host": where[0], "--port": str(where[1])}
    else:
        listening = {"--fd": str(where.fileno())}
    options = listening | {
        "--backlog": str(BACKLOG),
        "--loop": "uvloop",
        "--http": "httptools",
        "--ws": "ecni.uvicorn_socket:UnwaitingSocket",
        "--ws-per-message-deflate": "false",
        "--ws-max-size": str(LARGEST_MESSAGE),
        "--ws-ping-interval": str(PING_SECONDS),
        "--ws-ping-timeout": str(PONG_SECONDS),
        "--timeout-keep-alive": str(IDLE_SECONDS),
        "--timeout-graceful-shutdown": "10",
        "--lifespan": "off",
        "--log-level": "warning",
    }
    trust = ["--forwarded-allow-ips", "*"] if behind_proxy else ["--no-proxy-headers"]
    return _python("uvicorn", options, *trust, "--no-access-log", "--no-server-header", APPLICATION)


SERVERS: Mapping[str, Server] = {"daphne": daphne, "uvicorn": uvicorn}


def celery_worker(concurrency: int = 2) -> list[str]:
    """Return the command of a Celery worker."""
    return _python("celery", {"-A": "ecni"}, "worker", "--concurrency", str(concurrency), "--loglevel", "INFO")


def celery_beat(folder: Path) -> list[str]:
    """Return the command of what keeps the schedule of tasks, remembered in `folder`; never two of them."""
    schedule = str(folder / "celery-schedule")
    return _python("celery", {"-A": "ecni"}, "beat", "--schedule", schedule, "--pidfile=", "--loglevel", "INFO")


def watch(door: str, upstreams: Sequence[str] = (), proxy: Mapping[str, str] | None = None) -> list[str]:
    """Return the command of the watch of one host.

    Args:
        door: address at which a newcomer knocks.
        upstreams: servers, as `host:port`, that the proxy of this host calls.
        proxy: its options of `manage.py watch`, by name, when there is one.
    """
    options = [("--door", door), *(("--upstream", one) for one in upstreams), *(proxy or {}).items()]
    return [sys.executable, "manage.py", "watch", *(word for option in options for word in option)]


def listening_socket(port: int, host: str = "127.0.0.1") -> socket.socket:
    """Return a socket that several servers can accept from; port 0 takes a free one.

    Raises:
        OSError: the port is taken.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def _python(module: str, options: Mapping[str, str], *words: str) -> list[str]:
    return [sys.executable, "-m", module, *(word for option in options.items() for word in option), *words]
