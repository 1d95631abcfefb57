"""The host as somebody who limits it sees it: its processes, its engines, its proxy's configuration, its ops."""

import asyncio
import os
import re
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from html import unescape
from pathlib import Path

from loadtests.http import Browser
from loadtests.waves.replay import House
from loadtests.waves.vitals import PROC, children

PATIENCE_SECONDS, BOARD_SECONDS = 15.0, 3.0
GLANCE_SECONDS = 0.1
BOARD, LIMITS, RAISE = "/exploitation/etat/", "/national/limites/etat/", "/national/limites/fixer/"
REASON = "essai des limites"
_HEADLINE = re.compile(r'<p class="banner" data-tone="danger">.*?<strong>(.*?)</strong>', re.DOTALL)
_GROUPING = re.compile("[\u202f\u00a0]|&nbsp;")
_ROW = re.compile(r'<tr data-tone="danger">\s*<th scope="row">(.*?)(?:<|$)', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Site:
    """One host that serves.

    Attributes:
        house: what runs there.
        ops: logged in on a server of pages itself: nginx may be what is full.
        codes: of slips whose holders compose, for whoever knocks for nothing.
    """

    house: House
    ops: Browser
    codes: Sequence[str]

    @property
    def port(self) -> int:
        """Where candidates come."""
        return self.house.ports[0]

    @property
    def web(self) -> str:
        """Name and port of a server of pages."""
        return f"127.0.0.1:{self.house.ports[1]}"

    def pids(self, role: str) -> list[int]:
        """Return the processes of a role, in order."""
        return [one.pid for one in self.house.components() if one.name.rpartition("-")[0] == role]

    async def named(self) -> list[str]:
        """Return what the operations board says is reached: its headline and its rows, in lower case.

        Raises:
            OSError: the page did not come, or not in time.
        """
        answer = await asyncio.wait_for(self.ops.get(BOARD), BOARD_SECONDS)
        return reached(answer.text)

    async def limit(self, name: str) -> int:
        """Return the limit of the processes that is in force, as the page « Limites et gardes » has it.

        Raises:
            RuntimeError: the page does not say.
        """
        return in_force((await self.ops.get(LIMITS)).text, name)

    async def set_limit(self, name: str, value: int) -> None:
        """Set a limit of the processes on the page « Limites et gardes ».

        Raises:
            RuntimeError: it was not done.
        """
        answer = await self.ops.post(RAISE, {"name": name, "value": str(value), "reason": REASON})
        if f"{value}, dans chaque processus" not in _GROUPING.sub("", answer.text):
            raise RuntimeError(f"la limite {name} n’a pas été mise à {value}")

    # nginx

    @property
    def master(self) -> int:
        """The master process of nginx."""
        return self.pids("nginx")[0]

    @property
    def configuration(self) -> Path:
        """The file that nginx was started with."""
        command = (PROC / str(self.master) / "cmdline").read_bytes().decode().replace("\0", " ")
        found = re.search(r" -c (\S+)", command)
        if found is None:
            raise RuntimeError("la configuration de nginx est introuvable")
        return Path(found[1])

    def workers(self) -> list[int]:
        """Return the processes of nginx that accept newcomers: those of the last reload."""
        return [
            pid
            for pid in children().get(self.master, ())
            if b"worker process" in (title := _title(pid)) and b"shutting down" not in title
        ]

    async def reload(self, configuration: str) -> list[int]:
        """Have nginx serve newcomers by a configuration; return its new processes. Who is in stays with the old ones.

        Raises:
            RuntimeError: it kept the old one.
        """
        before = set(self.workers())
        self.configuration.write_text(configuration, encoding="utf-8")
        os.kill(self.master, signal.SIGHUP)
        for _ in range(int(PATIENCE_SECONDS / GLANCE_SECONDS)):
            await asyncio.sleep(GLANCE_SECONDS)
            fresh = self.workers()
            if fresh and not before & set(fresh):
                return fresh
        raise RuntimeError("nginx n’a pas pris sa nouvelle configuration")


def reached(page: str) -> list[str]:
    """Return what a board says is reached, in lower case: its headline, then each limit by its name."""
    return [unescape(text).strip().lower() for text in [*_HEADLINE.findall(page), *_ROW.findall(page)]]


def in_force(page: str, name: str) -> int:
    """Return a limit in force on the page « Limites et gardes ».

    Raises:
        RuntimeError: it is not there.
    """
    found = re.search(rf'data-part="{name}-value">(\d+)<', _GROUPING.sub("", page))
    if found is None:
        raise RuntimeError(f"la limite {name} en vigueur est introuvable")
    return int(found[1])


def _title(pid: int) -> bytes:
    try:
        return (PROC / str(pid) / "cmdline").read_bytes()
    except OSError:
        return b""
