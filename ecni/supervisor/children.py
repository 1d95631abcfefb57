"""Child processes: started by name, watched, logged to files, stopped in reverse order, no orphan."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Self

ROOT = Path(__file__).resolve().parents[2]
GRACE_SECONDS = 15
GLANCE_SECONDS = 0.2
NICEST = 19
PR_SET_PDEATHSIG = 1


class ChildDied(RuntimeError):
    """A process ended by itself; the message, in French, says which, how, and shows the end of its log."""


@dataclass(frozen=True)
class Child:
    """A process started here, and whether its death is part of the plan."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    keep: bool


class Supervisor:
    """Runs children until told to stop; as a context manager it leaves none behind, whatever happens inside."""

    def __init__(self, data_dir: Path) -> None:
        """Keep the logs of children in `data_dir`/logs."""
        self.logs = data_dir.resolve() / "logs"
        self.logs.mkdir(parents=True, exist_ok=True)
        self._children: dict[str, Child] = {}
        self._handler_before: Any = None

    def __enter__(self) -> Self:
        self._handler_before = signal.signal(signal.SIGTERM, _interrupt)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            self.stop()
        finally:
            signal.signal(signal.SIGTERM, self._handler_before)

    def start(
        self,
        name: str,
        argv: Sequence[str],
        env: Mapping[str, str] | None = None,
        *,
        sockets: Sequence[socket.socket] = (),
        keep: bool = False,
        account: tuple[int, int] | None = None,
    ) -> Child:
        """Start a child, `env` added to this environment, its output appended to logs/`name`.log.

        `sockets` are inherited under the same numbers. With `keep`, its death leaves the others running. `account`,
        user and group, is who it runs as instead of the present user.
        """
        if self.is_running(name):
            raise ValueError(f"{name} is running")
        log = self.logs / f"{name}.log"
        with log.open("ab") as output:
            process = subprocess.Popen(  # noqa: S603 -- the house's own commands
                argv,
                env={**os.environ, **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=ROOT,
                pass_fds=[listener.fileno() for listener in sockets],
                start_new_session=True,  # Ctrl-C reaches this process alone, which stops the others in order
                preexec_fn=_die_with_parent,  # noqa: PLW1509 -- one system call, takes no lock
                **credentials(account),
            )
        self._children[name] = Child(name, process, log, keep)
        return self._children[name]

    def wait(self) -> None:
        """Watch until Ctrl-C or SIGTERM.

        Raises:
            ChildDied: a child that was not to be kept going without has ended.
        """
        try:
            while True:
                self.check()
                time.sleep(GLANCE_SECONDS)
        except KeyboardInterrupt:
            return

    def wait_until_serving(self, listener: socket.socket | tuple[str, int]) -> None:
        """Watch until a child answers an HTTP request on `listener` or at an address, however it answers.

        Raises:
            ChildDied: as in `wait`.
        """
        host, port = listener if isinstance(listener, tuple) else listener.getsockname()
        while True:
            self.check()
            caller = HTTPConnection(host, port, timeout=1)
            try:
                caller.request("HEAD", "/")
                caller.getresponse()
            except OSError:  # not yet: the kernel accepts calls before any child does
                time.sleep(GLANCE_SECONDS)
            else:
                return
            finally:
                caller.close()

    def check(self) -> None:
        """Look once at every child.

        Raises:
            ChildDied: as in `wait`.
        """
        for child in self._children.values():
            code = child.process.poll()
            if code is not None and not child.keep:
                tail = child.log.read_text(errors="replace")[-1500:]
                raise ChildDied(
                    f"Le processus « {child.name} » s’est arrêté (code {code}). Fin de {child.log} :\n{tail}"
                )

    def code(self, name: str) -> int | None:
        """Return how a child ended, None while it runs: its exit code, or minus the number of the signal."""
        return self._children[name].process.poll()

    def kill(self, name: str, stop_signal: int = signal.SIGKILL) -> None:
        """End one child and all that it started, at once: for drills."""
        child = self._children[name]
        _signal_group(child, stop_signal)
        child.process.wait(GRACE_SECONDS)

    def bury(self, name: str) -> bool:
        """Have what a child that has ended had started end too, and tell whether it has ended.

        Workers of nginx would keep its ports from the next one: they leave them, and end once nobody is connected to
        them. To be called often: the number of a group may be given again.
        """
        child = self._children[name]
        if child.process.returncode is None and child.process.poll() is not None:
            _signal_group(child, signal.SIGQUIT)
        return child.process.returncode is not None

    def is_running(self, name: str) -> bool:
        """Tell whether a child of this name was started and has not ended."""
        return name in self._children and self._children[name].process.poll() is None

    def pid(self, name: str) -> int:
        """Return the process of a child."""
        return self._children[name].process.pid

    def stop(self) -> None:
        """Stop every child in reverse order: SIGTERM, then SIGKILL after 15 seconds."""
        for child in reversed(self._children.values()):
            _signal_group(child, signal.SIGTERM)
            try:
                child.process.wait(GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                pass
            finally:
                _signal_group(child, signal.SIGKILL)
                child.process.wait()
        self._children.clear()


def give_way(pid: int, niceness: int) -> None:
    """Have a child give way to others, -20 to 19, where processors are short.

    It leads a session of its own, which Linux may schedule as one group: niceness then means nothing inside it, and the
    group has its own.

    Raises:
        PermissionError: a negative niceness, without the right to it.
    """
    niceness = min(niceness, NICEST)  # a house that gives way itself asks for more, which its group would refuse
    os.setpriority(os.PRIO_PROCESS, pid, niceness)
    group = Path(f"/proc/{pid}/autogroup")
    while group.exists():
        try:
            group.write_text(str(niceness), encoding="ascii")
        except BlockingIOError:  # the kernel takes ten such orders a second
            time.sleep(GLANCE_SECONDS)
        except (FileNotFoundError, ProcessLookupError):  # gone meanwhile: who tends the house will see it
            return
        else:
            return


def credentials(account: tuple[int, int] | None) -> dict[str, Any]:
    """Return what makes subprocess run a program as a user and a group; None is the present ones."""
    return {"user": account[0], "group": account[1], "extra_groups": []} if account else {}


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _signal_group(child: Child, number: int) -> None:
    try:
        os.killpg(child.process.pid, number)
    except ProcessLookupError:
        return


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
