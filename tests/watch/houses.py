"""Engines and servers that a test may starve, and what the watcher's log says of them."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.request import Request, urlopen

import redis

from ecni.engines import plain_account
from ecni.engines.postgresql import PostgreSQL
from ecni.engines.redis import Redis
from ecni.env import redis_database
from ecni.supervisor import Supervisor, daphne, listening_socket
from ecni.vitals.hints import WATCHERS

ROOT = Path(__file__).parents[2]
PATIENCE = 40


class SmallPostgreSQL(PostgreSQL):
    """A PostgreSQL that lets twelve clients in."""

    def _spawn(self, argv, configuration=b""):
        super()._spawn([word.replace("max_connections=200", "max_connections=12") for word in argv], configuration)


class StarvedHouse:
    """PostgreSQL, Redis, one server, and a watcher at its door."""

    def __init__(self, folder, stack):
        account = plain_account()
        self.folder = folder
        self.postgresql = SmallPostgreSQL(folder / "postgresql", account)
        self.redis = Redis(folder / "redis", account)
        for engine in (self.postgresql, self.redis):
            stack.callback(engine.stop)
            engine.start()
        (folder / "papers").mkdir()
        self.environment = {
            "PAPERS_ROOT": str(folder / "papers"),
            "DATABASE_URL": self.postgresql.url,
            "REDIS_URL": self.redis.url,
            "METRICS_TOKEN": "0123456789abcdef" * 3,
            "DJANGO_SETTINGS_MODULE": "ecni.settings",
        }
        self.listener = stack.enter_context(listening_socket(0))
        self.supervisor = stack.enter_context(Supervisor(folder))
        self.address = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        env = self.environment | {"ROLE": "all"}
        self.supervisor.start("daphne", daphne(self.listener), env, sockets=[self.listener])
        self.supervisor.wait_until_serving(self.listener)

    def get(self, path, **headers):
        request = Request(self.address + path, headers=headers)
        try:
            with urlopen(request, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except OSError as error:
            return getattr(error, "code", 0), error.read().decode() if hasattr(error, "read") else str(error)

    @contextmanager
    def watcher(self, *arguments, user="ecni"):
        """Run `manage.py watch` from its first look to the end of the block; gives its events as they come."""
        url = self.environment["DATABASE_URL"].replace("//ecni@", f"//{user}@")
        argv = [sys.executable, str(ROOT / "manage.py"), "watch", *arguments]
        name = f"watch-{time.monotonic_ns()}"
        self.supervisor.start(name, argv, self.environment | {"ROLE": "watch", "DATABASE_URL": url}, keep=True)
        events = Events(self.supervisor.logs / f"{name}.log")
        try:
            self._wait_for_a_look()
            yield events
        finally:
            self.supervisor.kill(name)

    def _wait_for_a_look(self):
        with redis.Redis.from_url(redis_database(self.redis.url, 1)) as hints:
            key = f"{WATCHERS}:{socket.gethostname()}"
            hints.delete(key)
            deadline = time.monotonic() + PATIENCE
            while not hints.exists(key):
                assert time.monotonic() < deadline, "the watcher does not watch"
                time.sleep(0.1)


class Events:
    """What the log of one process has said."""

    def __init__(self, log):
        self.log = log

    def read(self):
        lines = self.log.read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def wait_for(self, event, layer):
        """Return the first such event, or fail with the whole log."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            for line in self.read():
                if (line.get("event"), line.get("layer")) == (event, layer):
                    return line
            time.sleep(0.1)
        raise AssertionError(f"{event} {layer} was not said:\n{self.log.read_text(encoding='utf-8')[-3000:]}")


@contextmanager
def starved_house():
    """A house of one's own in a folder that the plain account of the engines can reach."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ecni-watch-")))
        folder.chmod(0o711)
        yield StarvedHouse(folder, stack)


def environment_of(house):
    return os.environ | house.environment


def run(house, *arguments):
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT, env=environment_of(house), capture_output=True, text=True, check=False,
    )  # fmt: skip
