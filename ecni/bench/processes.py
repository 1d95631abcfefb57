"""What processes cost, as the kernel counts it: processor time and memory of a process and of all it started."""

import os
import time
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

PROC = Path("/proc")
TICKS = os.sysconf("SC_CLK_TCK")
LOOK_SECONDS = 0.5
DISTURBING_CORES = 0.15


def processor_seconds(pids: Iterable[int]) -> float:
    """Return the processor time spent so far by processes, and by the children that they have seen end."""
    return sum(sum(map(int, _fields(pid)[11:15])) for pid in pids) / TICKS


def proportional_kb(pids: Iterable[int]) -> float:
    """Return the memory of processes in KB, what they share being shared between them (PSS)."""
    return sum(_kilobytes((PROC / str(pid) / "smaps_rollup").read_text(), "Pss:") for pid in pids)


def private_kb(pids: Iterable[int]) -> float:
    """Return the memory that processes share with nobody, in KB."""
    texts = [(PROC / str(pid) / "smaps_rollup").read_text() for pid in pids]
    return sum(_kilobytes(text, "Private_Clean:") + _kilobytes(text, "Private_Dirty:") for text in texts)


def tree(root: int) -> list[int]:
    """Return a process and all that descend from it."""
    children: dict[int, list[int]] = defaultdict(list)
    for path in PROC.glob("[0-9]*"):
        try:
            children[parent(int(path.name))].append(int(path.name))
        except OSError:  # it has just ended
            continue
    found = [root]
    for pid in found:
        found += children[pid]
    return found


def parent(pid: int) -> int:
    """Return the process that started one."""
    return int(_fields(pid)[1])


def busy_seconds() -> float:
    """Return how long the processors of this machine have worked so far, all programs together."""
    user, nice, system, _idle, _wait, irq, softirq, *_ = map(int, (PROC / "stat").read_text().split()[1:11])
    return (user + nice + system + irq + softirq) / TICKS


class Watch:
    """What other programs take of this machine during a block; `root` is the process that all of ours descend from."""

    def __init__(self, root: int) -> None:
        self._root = root
        self.load_before = 0.0
        self.foreign = 0.0
        self.seconds = 0.0

    def __enter__(self) -> Self:
        before = busy_seconds()
        time.sleep(LOOK_SECONDS)
        self.load_before = (busy_seconds() - before) / LOOK_SECONDS
        self._before, self._ours, self._asked = busy_seconds(), self._spent(), time.monotonic()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.seconds = time.monotonic() - self._asked
        self.foreign = max(0.0, busy_seconds() - self._before - (self._spent() - self._ours)) / self.seconds

    @property
    def is_disturbed(self) -> bool:
        """Whether others worked enough, before or meanwhile, for the figures to be doubted."""
        return max(self.load_before, self.foreign) > DISTURBING_CORES

    def _spent(self) -> float:
        return processor_seconds(tree(self._root))


def _fields(pid: int) -> list[str]:
    """Return what follows the name of the program, from the state on."""
    return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()


def _kilobytes(text: str, name: str) -> float:
    return next((float(line.split()[1]) for line in text.splitlines() if line.startswith(name)), 0.0)
