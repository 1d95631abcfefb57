"""Sockets of the generator: from the address of a centre, without delay, closed cleanly or by RST."""

import socket
import struct
from urllib.parse import urlsplit

CHUNK = 262_144
BIND_NO_PORT = 24
"""IP_BIND_ADDRESS_NO_PORT: a port is chosen at connection, so that each pair of addresses has its own 28,000."""
NO_LINGER = struct.pack("ii", 1, 0)


def address_of(base: str) -> tuple[str, int]:
    """Return where to connect to, of the address of a platform."""
    place = urlsplit(base)
    return place.hostname or "", place.port or (443 if place.scheme == "https" else 80)


def bound(source: str) -> socket.socket:
    """Return a socket that leaves from an address of this machine."""
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    made.setsockopt(socket.IPPROTO_IP, BIND_NO_PORT, 1)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    made.bind((source, 0))
    return made


def connecting(source: str, address: tuple[str, int]) -> socket.socket:
    """Return a socket that never blocks and is being connected.

    Raises:
        OSError: no socket, no port, or nobody there.
    """
    made = bound(source)
    made.setblocking(False)
    try:
        made.connect(address)
    except BlockingIOError:
        pass
    except OSError:
        made.close()
        raise
    return made


def close(made: socket.socket, *, abort: bool = False) -> None:
    """Close a socket; `abort` loses it without a word, as a network that goes away."""
    if abort and made.fileno() >= 0:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
    made.close()
