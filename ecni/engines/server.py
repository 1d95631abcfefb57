"""What PostgreSQL and Redis have in common: a child process in a folder of its own, that dies with its parent."""

import ctypes
import signal
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ecni.engines.account import Account, EnginesError, private_folder

PATIENCE_SECONDS = 60
PR_SET_PDEATHSIG = 1


class Server(ABC):
    """One engine: a child process that dies with its parent, or one found running, which is then left alone."""

    def __init__(self, folder: Path, account: Account | None) -> None:
        self.folder = private_folder(folder, account)
        self.account = account
        self.log = folder.with_suffix(".log")
        self.process: subprocess.Popen[bytes] | None = None

    @property
    @abstractmethod
    def url(self) -> str:
        """The address for DATABASE_URL or REDIS_URL, once started."""

    @abstractmethod
    def start(self) -> None:
        """Start the engine unless it runs already, and wait until it answers."""

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
                **credentials(self.account),
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


def credentials(account: Account | None) -> dict[str, Any]:
    """Return what makes subprocess run a program as `account`."""
    return {"user": account.uid, "group": account.gid, "extra_groups": []} if account else {}


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGINT)
