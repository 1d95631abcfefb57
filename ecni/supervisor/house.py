"""The house of one host, declared once: which processes it has, the role, the command and the number of each.

docker-compose.yml starts the same roles by the same commands; tests/house/test_roles.py holds them equal.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ecni.supervisor.servers import SERVERS, Where, celery_beat, celery_worker

DESCRIPTORS = 65_536
"""Files that one process may open, where the system allows it: one for each candidate of a socket process."""


@dataclass(frozen=True, slots=True)
class ProcessRole:
    """What some processes do, and nothing else.

    Attributes:
        name: the value of ROLE.
        does: in French.
        count: how many of them one host has, unless told otherwise.
        command: what it runs in a house; None for an ASGI server.
        niceness: how much it gives way, 0 to 19: who composes passes before who enters, who enters before tasks.
    """

    name: str
    does: str
    count: int
    command: "Callable[[House], list[str]] | None" = None
    niceness: int = 0

    @property
    def environment(self) -> dict[str, str]:
        """The variables that make it what it is."""
        return {"ROLE": self.name}

    @property
    def cpu_shares(self) -> int:
        """The same as `niceness` for a container: 1,024 for 0, a fifth less for each step, as the kernel counts."""
        return round(1024 * 0.8**self.niceness)


ROLES = (
    ProcessRole("web", "pages, consoles, administration", 2, niceness=12),
    ProcessRole("sockets", "fil des candidats", 2),
    ProcessRole("worker", "tâches : notation, préparation des copies", 1, lambda _house: celery_worker(), 15),
    ProcessRole(
        "beat", "calendrier des tâches, jamais en double", 1, lambda house: celery_beat(house.folder), niceness=15
    ),
)
"""In the order of their start; they stop in the reverse order."""

EVERYTHING = ProcessRole("all", "pages, consoles et fil des candidats", 2)
"""What does the work of `web` and of `sockets` where no proxy tells them apart."""


@dataclass(frozen=True, slots=True)
class Post:
    """One process to run.

    Attributes:
        name: unique, such as `sockets-2`.
        role: what it does.
        port: on 127.0.0.1, for itself; None when it does not listen, or shares the socket of the house.
    """

    name: str
    role: ProcessRole
    port: int | None


@dataclass(frozen=True, slots=True)
class House:
    """What runs on one host.

    Attributes:
        folder: logs, the schedule, and what nginx writes.
        port: where the house answers; servers behind a proxy take the ports that follow.
        host: the address where it answers; servers behind a proxy are on 127.0.0.1.
        counts: how many processes of a role, by name, where not its own `count`.
        server: a name of `SERVERS`.
        has_proxy: whether nginx runs here too, and tells `web` from `sockets`.
        behind_proxy: whether the headers of a proxy are believed.
    """

    folder: Path
    port: int
    host: str = "127.0.0.1"
    counts: Mapping[str, int] = field(default_factory=dict)
    server: str = "daphne"
    has_proxy: bool = False
    behind_proxy: bool = False

    @property
    def posts(self) -> tuple[Post, ...]:
        """Every process but nginx, in the order of their start."""
        tasks = tuple(role for role in ROLES if role.command is not None)
        posts: list[Post] = []
        for role in ROLES if self.has_proxy else (EVERYTHING, *tasks):
            for number in range(1, self.counts.get(role.name, role.count) + 1):
                port = self.port + 1 + len(posts) if self.has_proxy and role.command is None else None
                posts.append(Post(f"{role.name}-{number}", role, port))
        return tuple(posts)

    def addresses(self, role: str) -> list[str]:
        """Return where the servers of a role listen, as `host:port`."""
        return [f"127.0.0.1:{post.port}" for post in self.posts if post.role.name == role and post.port]

    @property
    def status_port(self) -> int:
        """Where nginx says, on 127.0.0.1, how many connections it has."""
        return self.port + 1 + sum(post.port is not None for post in self.posts)

    def server_command(self, where: Where) -> list[str]:
        """Return the command of one of its ASGI servers."""
        return SERVERS[self.server](where, behind_proxy=self.behind_proxy)

    def environment(self, post: Post) -> dict[str, str]:
        """Return what is added to the environment of a process."""
        return post.role.environment | ({"BEHIND_PROXY": "1"} if self.behind_proxy else {})
