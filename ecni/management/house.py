"""A house for drills: engines, two servers, a worker and the schedule on a copy of a prepared folder, all breakable.

What `loadtests.drills` asks of a house is its protocol `House`; this one is made of real processes of this machine.
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from celery import Celery

from ecni.engines import Engines, EnginesError, engines, plain_account, reachable_folder
from ecni.env import redis_database
from ecni.management.commands.demo import prepare, wait_until_served
from ecni.supervisor import ROOT, SERVERS, Supervisor, celery_beat, celery_worker, listening_socket
from loadtests.drills.tools import disks_on

SERVER_NAMES = ("server-1", "server-2")
TASKS = ("worker", "beat")
ENGINE_FOLDERS = ("postgresql", "redis")
PATIENCE_SECONDS = 30
TASKS_DATABASE = 2
"""As `ecni.settings` has it: the third database from the one that REDIS_URL names."""


class MachineHouse:
    """Everything that serves one drill, running."""

    def __init__(self, folder: Path, pair: Engines, supervisor: Supervisor, server: str) -> None:
        self.folder = folder
        self.engine_folder = pair.postgresql.folder.parent
        self.logs = supervisor.logs
        self._pair = pair
        self._supervisor = supervisor
        self._command = SERVERS[server]
        self._listener = listening_socket(0)

    @property
    def database_url(self) -> str:
        """The address of the PostgreSQL of this house."""
        return self._pair.database_url

    @property
    def redis_url(self) -> str:
        """The address of the Redis of this house."""
        return self._pair.redis_url

    @property
    def port(self) -> int:
        """Where both servers listen."""
        return int(self._listener.getsockname()[1])

    def open(self) -> None:
        """Start the servers, the worker and the schedule, and wait until a page answers."""
        for name in SERVER_NAMES:
            self.start(name)
        self.start("worker")
        self.start("beat")
        wait_until_served(f"http://127.0.0.1:{self.port}", self._supervisor)

    def start(self, name: str, env: Mapping[str, str] | None = None) -> None:
        """Start `server-1`, `server-2`, `worker` or `beat` unless it runs, with more in its environment if wanted."""
        if self._supervisor.is_running(name):
            return
        if name in TASKS:
            command = celery_worker() if name == "worker" else celery_beat(self.folder)
            self._supervisor.start(name, command, {"ROLE": name, **(env or {})}, keep=True)
        else:
            self._supervisor.start(name, self._command(self._listener), env, sockets=[self._listener], keep=True)

    def stop(self, name: str, *, cleanly: bool) -> None:
        """End one of these by SIGTERM, as a restart does, or by SIGKILL."""
        self._supervisor.kill(name, signal.SIGTERM if cleanly else signal.SIGKILL)

    def pid(self, name: str) -> int:
        """Return the process of a server, of the worker, of `postgresql` or of `redis`."""
        if name in ENGINE_FOLDERS:
            process = getattr(self._pair, name).process
            if process is None:
                raise EnginesError(f"{name} was not started here.")
            return int(process.pid)
        return self._supervisor.pid(name)

    def kill_postgresql(self) -> None:
        """End the postmaster by SIGKILL."""
        self._pair.postgresql.stop(signal.SIGKILL)

    def start_postgresql(self, env: Mapping[str, str] | None = None) -> None:
        """Start PostgreSQL again, as often as it takes: what it left behind may not be gone yet.

        Raises:
            EnginesError: it does not start in 30 seconds.
        """
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            process = self._pair.postgresql.process
            if process is not None and process.poll() is not None:
                self._pair.postgresql.process = None
            try:
                with environment(env or {}):
                    self._pair.postgresql.start()
            except EnginesError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
            else:
                return

    def stop_postgresql(self) -> None:
        """Stop PostgreSQL cleanly."""
        self._pair.postgresql.stop()

    def kill_redis(self, *, empty: bool) -> None:
        """End Redis by SIGKILL; `empty` loses what it held."""
        self._pair.redis.stop(signal.SIGKILL)
        if empty:
            shutil.rmtree(self._pair.redis.folder / "appendonlydir", ignore_errors=True)

    def start_redis(self) -> None:
        """Start Redis again."""
        self._pair.redis.start()

    def send_task(self, name: str, **arguments: int) -> None:
        """Put one more message for the worker in the queue."""
        with Celery(broker=redis_database(self.redis_url, TASKS_DATABASE), set_as_current=False) as sender:
            sender.send_task(name, kwargs=arguments)

    def close(self) -> None:
        """Close the listening socket."""
        self._listener.close()

    def abandon(self) -> None:
        """End everything at once: the folder is thrown away."""
        for name in (*SERVER_NAMES, *TASKS):
            self._supervisor.kill(name)
        self._pair.postgresql.stop(signal.SIGQUIT)
        self._pair.redis.stop(signal.SIGKILL)


class Folders:
    """The prepared folder and the one that a drill spoils, under `.drills`."""

    def __init__(self, root: Path, candidates: int, seconds: int, server: str = "daphne") -> None:
        self.root = root
        self.prepared = root / "prepared"
        self.running = root / "running"
        self.guide: dict[str, Any] = {}
        self._candidates = candidates
        self._seconds = seconds
        self._server = server

    def prepare(self) -> None:
        """Make the prepared folder: migrated, seated, sealed, slips printed."""
        for folder in (self.prepared, self.running):
            forget(folder)
        self.prepared.mkdir(parents=True)
        with engines(self.prepared) as pair, environment(self._variables(pair)):
            self.guide = prepare(self.prepared, self._candidates, "--short", str(self._seconds))

    @contextmanager
    def house(self, *, copied: bool = True) -> Iterator[MachineHouse]:
        """Run a house on a fresh copy of the prepared folder, or on that folder itself."""
        folder = self.prepared
        if copied:
            folder = self.running
            self._copy()
        with (
            engines(folder) as pair,
            environment(self._variables(pair)),
            Supervisor(folder) as supervisor,
        ):
            house = MachineHouse(folder, pair, supervisor, self._server)
            try:
                house.open()
                yield house
            finally:
                house.close()
                if copied:
                    house.abandon()

    @contextmanager
    def small_disks(self, disks: tuple[tuple[str, int], ...]) -> Iterator[None]:
        """Put folders of the next copy, `logs` or those of engines, on small disks, each of so many megabytes."""
        self._clear()
        engine_folder = reachable_folder(self.running, plain_account())
        places = [((self.running if name == "logs" else engine_folder) / name, size) for name, size in disks]
        with disks_on(places):
            yield

    def _clear(self) -> None:
        forget(self.running)
        self.running.mkdir(parents=True)

    def _copy(self) -> None:
        account = plain_account()
        source, target = reachable_folder(self.prepared, account), reachable_folder(self.running, account)
        for name in ENGINE_FOLDERS:
            subprocess.run(["cp", "-aT", str(source / name), str(target / name)], check=True)  # noqa: S603, S607 -- our own

    def _variables(self, pair: Engines) -> dict[str, str]:
        shared = {f"{name.upper()}_ROOT": str(self.prepared / name) for name in ("papers", "results", "static")}
        return pair.environment | shared


@contextmanager
def environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Add variables to the environment of the children started inside."""
    before = dict(os.environ)
    os.environ |= variables
    try:
        yield
    finally:
        os.environ.clear()
        os.environ |= before


def forget(folder: Path) -> None:
    """Remove a data folder, and where its engines kept their files."""
    stand_in = reachable_folder(folder, plain_account())
    shutil.rmtree(stand_in, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)


DRILLS = ROOT / ".drills"
