"""Reading nginx: its status page and what its error log says of limits."""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

from ecni.preflight.living import is_in_force
from ecni.preflight.proxyfile import Unparsable, proxy_connections
from ecni.supervisor.nginx import CONNECTIONS_PER_TABLET
from ecni.watch.rules import Reading

PATIENCE_SECONDS = 1.0
NEWCOMERS = "/nouveaux"
"""Below the status page: refused while nginx has newcomers wait."""

_WAITING = "nginx fait attendre les nouveaux venus : ses connexions vont manquer"
_SIGNS = {
    "nginx": re.compile(r"worker_connections are not enough"),
    "nginx-descriptors": re.compile(r"\(24: (?:Too many open files|No file descriptors available)"),
}
_WORDS = {
    "nginx": "nginx refuse des connexions : worker_connections ne suffit pas",
    "nginx-descriptors": "nginx refuse des connexions : ses descripteurs sont épuisés",
}


class Proxy:
    """nginx, as the watcher sees it.

    Args:
        status: address of its `stub_status` page, if it has one.
        log: its error log, if it can be read here.
        file: its configuration, if it can be read here.
    """

    def __init__(self, status: str | None, log: Path | None, file: Path | None) -> None:
        self._status = status
        self._log = log
        self._file = file
        self._most, self._most_at = 0, 0.0
        self._read_to = 0
        with suppress(OSError):
            self._read_to = log.stat().st_size if log else 0

    def read(self) -> list[Reading]:
        """Read both; a log that this account may not read says nothing.

        Raises:
            OSError: the status page does not answer.
        """
        refused = self._refusals()
        readings = [
            Reading(layer, "", count, 0, refused=count, words=_WORDS[layer])
            for layer, count in refused.items()
            if count
        ]
        if self._status and not any(refused.values()):  # it may have no descriptor left to answer with
            used = CONNECTIONS_PER_TABLET * self._active(self._status)
            waits = self._makes_wait(self._status)
            words = _WAITING if waits else ""
            readings.append(Reading("nginx", "", used, self._capacity(), refused=int(waits), words=words))
        return readings

    def _capacity(self) -> int:
        """What it may hold as its configuration says: read when it has changed and holds, kept while it cannot be."""
        if self._file is None:
            return 0
        with suppress(OSError, Unparsable):
            changed_at = self._file.stat().st_mtime
            if changed_at != self._most_at and is_in_force(self._file):
                self._most, self._most_at = proxy_connections(self._file), changed_at
        return self._most

    @staticmethod
    def _makes_wait(status: str) -> bool:
        try:
            urlopen(status + NEWCOMERS, timeout=PATIENCE_SECONDS).close()  # noqa: S310 -- an address that ops gave
        except HTTPError as error:
            return error.code == HTTPStatus.SERVICE_UNAVAILABLE  # another configuration than ours does not say
        return False

    @staticmethod
    def _active(status: str) -> int:
        with urlopen(status, timeout=PATIENCE_SECONDS) as answer:  # noqa: S310 -- an address that ops gave
            found = re.search(rb"Active connections: (\d+)", answer.read(500))
        if found is None:
            raise OSError("no status page of nginx")
        return int(found[1])

    def _refusals(self) -> dict[str, int]:
        lines = list(self._new_lines())
        return {layer: sum(1 for line in lines if sign.search(line)) for layer, sign in _SIGNS.items()}

    def _new_lines(self) -> Iterator[str]:
        if self._log is None:
            return
        data = b""
        with suppress(OSError), self._log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(self._read_to if self._read_to <= size else 0)  # a shorter file is a new one
            data = file.read(1 << 20)
            self._read_to = file.tell()
        yield from data.decode(errors="replace").splitlines()
