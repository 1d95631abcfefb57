"""A house that runs: started in order, tended so that what dies comes back, without ever a storm of restarts."""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Self

from ecni.supervisor import nginx
from ecni.supervisor.children import GLANCE_SECONDS, Supervisor, give_way
from ecni.supervisor.house import House, Post
from ecni.supervisor.nginx import Proxy
from ecni.supervisor.servers import listening_socket, watch

FIRST_REST_SECONDS = 0.5
LONGEST_REST_SECONDS = 60.0
FORGIVEN_SECONDS = 60.0
"""A process that lived so long is started again as if it had never died."""


def rest_seconds(deaths: int) -> float:
    """Return how long a process rests that died `deaths` times in a row, 1 or more: twice as long each time."""
    return min(LONGEST_REST_SECONDS, FIRST_REST_SECONDS * 2.0 ** min(deaths - 1, 10))


@dataclass(frozen=True, slots=True)
class Front:
    """nginx as it runs here: what it needs to know, its program, and the account that runs it if not ours."""

    proxy: Proxy
    program: Path
    account: tuple[int, int] | None = None

    @property
    def configuration(self) -> Path:
        """The file of its configuration."""
        return Path(self.proxy.folder) / "nginx.conf"


@dataclass(slots=True)
class _Life:
    begin: Callable[[], None]
    began: float = 0.0
    deaths: int = 0
    due: float | None = None


class RunningHouse:
    """The processes of one house, under one supervisor."""

    def __init__(self, house: House, supervisor: Supervisor, front: Front | None = None) -> None:
        """Take the port of the house; a house without proxy has no `front`.

        Raises:
            OSError: another program listens there.
        """
        self._house = house
        self._supervisor = supervisor
        self._front = front
        self._lives: dict[str, _Life] = {}
        self._shared = listening_socket(house.port, house.host)
        if front is not None:
            self._shared.close()  # only asked for: two nginx would share a port and nobody would know

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_how: object) -> None:
        self._shared.close()

    @property
    def port(self) -> int:
        """Where the house answers."""
        return self._house.port if self._front else int(self._shared.getsockname()[1])

    def start(self) -> None:
        """Start every process, nginx after them, wait until the house answers, and watch it.

        Raises:
            ecni.supervisor.children.ChildDied: a process ended meanwhile.
            ecni.supervisor.nginx.ProxyError: nginx refuses its configuration.
            OSError: a port is taken.
        """
        for post in self._house.posts:
            self._enlist(post.name, partial(self._begin, post))
        for post in self._house.posts:
            if post.port is not None:
                self._supervisor.wait_until_serving(("127.0.0.1", post.port))
        if self._front is not None:
            self._front.configuration.write_text(nginx.render(self._front.proxy), encoding="utf-8")
            nginx.check(self._front.program, self._front.configuration, self._front.account)
            self._enlist("nginx", self._begin_nginx)
        self._supervisor.wait_until_serving((self._house.host, self.port))
        self._enlist("watch", self._begin_watch)

    def tend(self) -> Iterator[str]:
        """Look once at every process and start again what has rested; give a French sentence for each event."""
        now = time.monotonic()
        for name, life in self._lives.items():
            if life.due is None and self._supervisor.bury(name):
                how = f"s’est arrêté (code {self._supervisor.code(name)})"
                yield self._rest(name, life, how)
            elif life.due is not None and now >= life.due:
                try:
                    life.begin()
                except OSError as error:
                    life.began = now  # a life as short as can be: it rests longer each time
                    yield self._rest(name, life, f"n’a pas pu démarrer ({error})")
                else:
                    life.began, life.due = now, None
                    yield f"{name} est relancé."

    def wait(self, say: Callable[[str], None]) -> None:
        """Tend the house until Ctrl-C or SIGTERM."""
        try:
            while True:
                for event in self.tend():
                    say(event)
                time.sleep(GLANCE_SECONDS)
        except KeyboardInterrupt:
            return

    def _enlist(self, name: str, begin: Callable[[], None]) -> None:
        begin()
        self._lives[name] = _Life(begin, time.monotonic())

    def _rest(self, name: str, life: _Life, how: str) -> str:
        now = time.monotonic()
        life.deaths = 1 if now - life.began > FORGIVEN_SECONDS else life.deaths + 1
        seconds = rest_seconds(life.deaths)
        life.due = now + seconds
        return f"{name} {how} ; redémarrage dans {seconds:g} s. Son journal : {self._supervisor.logs / name}.log"

    def _begin(self, post: Post) -> None:
        environment = self._house.environment(post)
        if post.role.command is not None:
            self._supervisor.start(post.name, post.role.command(self._house), environment)
        elif post.port is None:
            command = self._house.server_command(self._shared)
            self._supervisor.start(post.name, command, environment, sockets=[self._shared])
        else:
            # Not kept here: while this server is dead its port refuses, and nginx goes to the next one at once.
            with listening_socket(post.port) as listener:
                command = self._house.server_command(listener)
                self._supervisor.start(post.name, command, environment, sockets=[listener])
        give_way(self._supervisor.pid(post.name), os.nice(0) + post.role.niceness)

    def _begin_watch(self) -> None:
        front = self._front
        scheme = "https" if front and front.proxy.tls else "http"
        proxy = (
            {
                "--nginx": str(front.configuration),
                "--nginx-status": f"http://127.0.0.1:{self._house.status_port}/nginx",
                "--nginx-log": str(self._supervisor.logs / "nginx.log"),
            }
            if front
            else None
        )
        upstreams = self._house.addresses("sockets")
        host = "127.0.0.1" if self._house.host == "0.0.0.0" else self._house.host  # noqa: S104 -- compared, not bound
        command = watch(f"{scheme}://{host}:{self.port}", upstreams, proxy)
        self._supervisor.start("watch", command, {"ROLE": "watch"})

    def _begin_nginx(self) -> None:
        if self._front is not None:
            command = nginx.command(self._front.program, self._front.configuration)
            self._supervisor.start("nginx", command, account=self._front.account)
