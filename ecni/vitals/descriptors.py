"""How many files and sockets a process has open."""

from pathlib import Path


def count_descriptors(pid: int | str = "self") -> int:
    """Return how many descriptors a process has open; since Linux 6.2 the kernel tells, ten thousand as cheaply as ten.

    Raises:
        OSError: it has ended, or nobody may look, or there is no descriptor left to look with.
    """
    folder = Path("/proc") / str(pid) / "fd"
    return folder.stat().st_size or sum(1 for _ in folder.iterdir())
