"""A newcomer once in a while: can a tablet that was not there come in, and if not, at what stage does it stop?"""

import socket
import ssl
import time
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from secrets import token_bytes
from urllib.parse import urlsplit

from ecni.watch.rules import CALLING, Attempt

PATIENCE_SECONDS = 1.0
PAGE, WIRE = "/entrer/", "/ws/copie/"
"""A page that a thread of pages answers, and the wire: what a candidate meets."""
LOCAL = {"127.0.0.1", "::1", "localhost"}


@dataclass(frozen=True, slots=True)
class Address:
    """A public door: `https://concours.example.fr`, or `http://127.0.0.1:8000` from beside the server.

    Attributes:
        scheme, host, port: where to call.
        name: the host name that candidates use, when it is not the one that is called.
    """

    scheme: str
    host: str
    port: int
    name: str = ""

    @property
    def where(self) -> str:
        """The address that is called."""
        return self._written(self.host)

    @property
    def origin(self) -> str:
        """The address as candidates' browsers name it."""
        return self._written(self.name or self.host)

    def _written(self, host: str) -> str:
        is_usual = self.port == {"http": 80, "https": 443}[self.scheme]
        return f"{self.scheme}://{host}" + ("" if is_usual else f":{self.port}")


def read_address(text: str, allowed: Sequence[str] = ()) -> Address:
    """Read the address of a door; one that is not among the host names allowed is called by the first of them.

    Raises:
        ValueError: it is not `http://host:port` or `https://host`.
    """
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"{text!r} is no address of a door.")
    port = parts.port or {"http": 80, "https": 443}[parts.scheme]
    name = "" if not allowed or parts.hostname in allowed else allowed[0]
    return Address(parts.scheme, parts.hostname, port, name)


def knock(address: Address) -> Attempt:
    """Call, fetch a page, open a websocket; say how far it went."""
    began = time.monotonic()
    stage, is_silent = "", False
    stages: dict[str, Callable[[], None]] = {
        CALLING: partial(_call, address),
        "le chiffrement": partial(_encrypt, address),
        "la page": partial(_fetch, address),
        "le websocket": partial(_open_wire, address),
    }
    for name, attempt in stages.items():
        try:
            attempt()
        except (OSError, ValueError) as error:
            stage, is_silent = name, isinstance(error, TimeoutError)
            break
    elapsed = (time.monotonic() - began) * 1000
    return Attempt(address.where, stage, elapsed, is_silent, address.port, address.host in LOCAL)


def _call(address: Address) -> None:
    socket.create_connection((address.host, address.port), PATIENCE_SECONDS).close()


def _encrypt(address: Address) -> None:
    with socket.create_connection((address.host, address.port), PATIENCE_SECONDS) as plain:
        _sealed(plain, address)


def _fetch(address: Address) -> None:
    status = _ask(address, f"GET {PAGE} HTTP/1.1", {"Connection": "close"})
    if status != HTTPStatus.OK:  # refused, broken, or sent elsewhere for ever
        raise ValueError(status)


def _open_wire(address: Address) -> None:
    status = _ask(
        address,
        f"GET {WIRE} HTTP/1.1",
        {
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Origin": address.origin,
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": b64encode(token_bytes(16)).decode(),
        },
    )
    if status != HTTPStatus.SWITCHING_PROTOCOLS:
        raise ValueError(status)


def _ask(address: Address, line: str, headers: dict[str, str]) -> int:
    """Send a request and return the status of its answer."""
    named = {"Host": address.origin.partition("://")[2], "User-Agent": "ecni-watch", **headers}
    request = "\r\n".join([line, *(f"{name}: {value}" for name, value in named.items()), "", ""])
    with (
        socket.create_connection((address.host, address.port), PATIENCE_SECONDS) as plain,
        _sealed(plain, address) as caller,
    ):
        caller.sendall(request.encode())
        answer = caller.makefile("rb").readline(200).split()
    if len(answer) < 2 or not answer[1].isdigit():  # noqa: PLR2004 -- "HTTP/1.1 200"
        raise ConnectionError("no answer")
    return int(answer[1])


def _sealed(plain: socket.socket, address: Address) -> socket.socket:
    if address.scheme == "http":
        return plain
    return ssl.create_default_context().wrap_socket(plain, server_hostname=address.name or address.host)
