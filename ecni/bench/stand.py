"""What benchmarks stand on: engines of their own, real servers, a generator in its own process, and their costs."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from socket import socket
from types import TracebackType
from typing import Any, Self

import redis
from django.conf import settings
from django.db import connection

from ecni.bench.measures import Size
from ecni.bench.processes import parent, processor_seconds, proportional_kb, tree
from ecni.bench.scene import Scene
from ecni.supervisor import ROOT, SERVERS, Supervisor, listening_socket

PLATFORM, FLOOR = "ecni.asgi:application", "ecni.bench.floors:application"
AT_ONCE = 100
PATIENCE_SECONDS = 240.0
SOCKETS_OF_A_PROCESS = 18_000
"""Within the 20,000 descriptors that a process may open on a plain machine."""

NO_BUDGET = {"SOCKETS_BUDGET": "1000000", "LOGINS_BUDGET": "1000000"}
"""What is measured is what candidates cost, not how they wait."""


class Crowd:
    """A generator of tablets in its own process."""

    def __init__(self, port: int) -> None:
        self._process = subprocess.Popen(  # noqa: S603 -- ours
            [sys.executable, "-m", "ecni.bench.generator", str(port)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def order(self, do: str, **fields: Any) -> None:
        """Have something done, without waiting for it."""
        if self._process.stdin is not None:
            self._process.stdin.write(json.dumps({"do": do, **fields}) + "\n")
            self._process.stdin.flush()

    def answer(self) -> dict[str, Any]:
        """Return what the last order came to.

        Raises:
            RuntimeError: the generator is gone.
        """
        line = self._process.stdout.readline() if self._process.stdout is not None else ""
        if not line:
            raise RuntimeError("the generator has ended")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def ask(self, do: str, **fields: Any) -> dict[str, Any]:
        """Have something done and return what it came to."""
        self.order(do, **fields)
        return self.answer()

    def connect(self, cookies: Sequence[str], *, greet: bool = True, at_once: int = AT_ONCE) -> dict[str, Any]:
        """Open a socket for each cookie.

        Raises:
            RuntimeError: one could not be opened.
        """
        done = self.ask("connect", cookies=list(cookies), greet=greet, at_once=at_once, seconds=PATIENCE_SECONDS)
        if done["connected"] != len(cookies):
            raise RuntimeError(f"{done['connected']} sockets of {len(cookies)} opened: {done['errors']}")
        return done

    def end(self) -> None:
        """End the process, and its sockets with it."""
        self._process.kill()
        self._process.wait()


class Crowds:
    """Generators for more sockets than one process may hold, as one; a context manager."""

    def __init__(self, serving: "Serving") -> None:
        self._crowds = [Crowd(serving.port) for _ in serving.pids]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for crowd in self._crowds:
            crowd.end()

    def connect(self, cookies: Sequence[str]) -> None:
        """Open a socket for each cookie, shared between the generators.

        Raises:
            RuntimeError: one could not be opened.
        """
        for position, crowd in enumerate(self._crowds):
            if mine := cookies[position :: len(self._crowds)]:
                crowd.connect(mine)

    def ask(self, do: str, **fields: Any) -> dict[str, Any]:
        """Have all do the same at once, a rate being shared; counts are added, of the rest the worst is kept."""
        if "rate" in fields:
            fields["rate"] /= len(self._crowds)
        for crowd in self._crowds:
            crowd.order(do, **fields)
        answers = [crowd.answer() for crowd in self._crowds]
        added = {name: sum(answer[name] for answer in answers) for name in ("sent", "acked", "bytes")}
        worst = {name: max(answer[name] for answer in answers) for name in ("seconds", "p50_ms", "p99_ms")}
        troubles = {name: [answer[name] for answer in answers] for name in ("refused", "errors")}
        return added | worst | troubles


@dataclass(frozen=True, slots=True)
class Spent:
    """What a stretch of time cost, in seconds of processor: the servers, PostgreSQL."""

    server: float
    database: float

    @property
    def total(self) -> float:
        """Both."""
        return self.server + self.database


class Serving:
    """Servers that share one port."""

    def __init__(self, port: int, pids: Sequence[int], postmaster: int) -> None:
        self.port = port
        self.pids = pids
        self._postmaster = postmaster

    @property
    def memory_kb(self) -> float:
        """Their memory now (PSS)."""
        return proportional_kb(self.pids)

    def spent(self) -> Spent:
        """Return what they and PostgreSQL have cost so far."""
        return Spent(processor_seconds(self.pids), processor_seconds(tree(self._postmaster)))

    def since(self, before: Spent) -> Spent:
        """Return what they and PostgreSQL have cost since."""
        after = self.spent()
        return Spent(after.server - before.server, after.database - before.database)


class Stand:
    """Where benchmarks take their servers, crowds and size from.

    Args:
        folder: for logs and files.
        size: how large they are.
        server: a name of `ecni.supervisor.SERVERS`.
        say: told, in French, what is being measured.
        is_profiled: whether servers write a profile of their loop beside their logs; figures then mean nothing.
    """

    def __init__(
        self, folder: Path, size: Size, server: str, say: Callable[[str], None], *, is_profiled: bool = False
    ) -> None:
        self.is_profiled = is_profiled
        self.folder = folder
        self.size = size
        self.server = server
        self.say = say

    @cached_property
    def scene(self) -> Scene:
        """A prepared exam, large enough for every benchmark."""
        self.say(f"préparation de {self.size.most} candidats")
        return Scene(self.folder, self.size.most)

    @cached_property
    def postmaster(self) -> int:
        """The process that PostgreSQL's others descend from."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            return parent(cursor.fetchone()[0])

    def database_seconds(self) -> float:
        """Return the processor time that PostgreSQL has spent so far."""
        return processor_seconds(tree(self.postmaster))

    def backends(self) -> list[int]:
        """Return the processes of PostgreSQL that serve the platform's servers."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT pid FROM pg_stat_activity WHERE application_name = 'ecni-sockets'")
            return [pid for (pid,) in cursor.fetchall()]

    def redis_bytes(self) -> float:
        """Return the memory that Redis uses."""
        with redis.Redis.from_url(settings.REDIS_HINTS_URL) as client:
            return float(client.info("memory")["used_memory"])

    def empty_redis(self) -> None:
        """Forget what tablets of another measure showed."""
        with redis.Redis.from_url(settings.REDIS_HINTS_URL) as client:
            client.flushdb()

    def wal_bytes(self) -> int:
        """Return the bytes of WAL that PostgreSQL has written so far."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')")
            return int(cursor.fetchone()[0])

    @contextmanager
    def serving(self, application: str = PLATFORM, *, count: int = 1, role: str = "sockets") -> Iterator[Serving]:
        """Run an application on so many servers that share a port."""
        self.flush()
        with Supervisor(self.folder) as supervisor:
            listener = listening_socket(0)
            command = self._command(application, listener)
            names = [f"server-{number}" for number in range(1, count + 1)]
            for name in names:
                supervisor.start(name, command, NO_BUDGET | {"ROLE": role}, sockets=[listener])
            supervisor.wait_until_serving(listener)
            yield Serving(listener.getsockname()[1], [supervisor.pid(name) for name in names], self.postmaster)
            listener.close()

    def _command(self, application: str, listener: socket) -> list[str]:
        command = [application if word == PLATFORM else word for word in SERVERS[self.server](listener)]
        if self.is_profiled:
            path = self.folder / f"{application.partition(':')[0]}.pstats"
            command[1:1] = ["-m", "cProfile", "-o", str(path)]
        return command

    @contextmanager
    def crowd(self, serving: Serving) -> Iterator[Crowd]:
        """Run a generator of tablets for these servers."""
        crowd = Crowd(serving.port)
        try:
            yield crowd
        finally:
            crowd.end()

    def run(self, module: str, *arguments: object) -> dict[str, Any]:
        """Run a program of this package and return what it printed."""
        command = [sys.executable, "-m", module, *map(str, arguments)]
        done = subprocess.run(command, cwd=ROOT, env=os.environ, check=True, capture_output=True)  # noqa: S603 -- ours
        printed: dict[str, Any] = json.loads(done.stdout)
        return printed

    def flush(self) -> None:
        """Have PostgreSQL write what it owes to the disk now, rather than during a measure."""
        with connection.cursor() as cursor:
            cursor.execute("CHECKPOINT")
