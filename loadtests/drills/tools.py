"""What a machine can inject: tools looked for once, and small wrappers around them."""

import os
import resource
import shutil
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

LARGEST_DISK = 2**29
"""Bytes: a disk above is somebody's, and is never filled."""
FAKETIME = next(
    (str(path) for path in Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")),
    "",
)


def missing(needs: Sequence[str]) -> str:
    """Return, in French, what this machine lacks among `root`, `strace`, `faketime`, `mount`; empty when nothing."""
    found = {
        "root": lambda: os.geteuid() == 0,
        "strace": lambda: shutil.which("strace") is not None and _may_trace(),
        "faketime": lambda: bool(FAKETIME),
        "mount": _may_mount,
    }
    absent = [need for need in needs if not found[need]()]
    return f"cette machine n’a pas : {', '.join(absent)}" if absent else ""


def faketime(shift: str) -> dict[str, str]:
    """Return the environment that moves the wall clock of a process; its monotonic clock stays true."""
    return {"LD_PRELOAD": FAKETIME, "FAKETIME": shift, "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1"}


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[None]:
    """Mount a file system of so many megabytes on a folder."""
    owner = folder.stat()
    subprocess.run(  # noqa: S603 -- our own command
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0700", "drills", str(folder)],  # noqa: S607
        check=True,
    )
    os.chown(folder, owner.st_uid, owner.st_gid)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)  # noqa: S603, S607 -- our own command


@contextmanager
def disks_on(disks: Sequence[tuple[Path, int]]) -> Iterator[None]:
    """Mount a small disk on each folder."""
    with ExitStack() as stack:
        for place, megabytes in disks:
            place.mkdir(parents=True, exist_ok=True)
            stack.enter_context(small_disk(place, megabytes))
        yield


def fill(folder: Path) -> Path:
    """Take all the space left where `folder` is; remove the file returned to give it back.

    Raises:
        RuntimeError: the disk is not a small one, made for this.
    """
    disk = os.statvfs(folder)
    if not folder.is_mount() or disk.f_blocks * disk.f_frsize > LARGEST_DISK:
        raise RuntimeError(f"{folder} is not on a small disk")
    filler = folder / "filler"
    block = b"\0" * 65536
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(block):
            pass
    return filler


@contextmanager
def strace(pids: Sequence[int], injection: str) -> Iterator[None]:
    """Have system calls of some processes fail, or wait, for as long as the block lasts."""
    argv = ["strace", "-q", "-o", "/dev/null", "-e", f"inject={injection}"]
    argv += [word for pid in pids for word in ("-p", str(pid))]
    tracer = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603 -- our own command
    try:
        yield
    finally:
        tracer.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            tracer.wait(3)
        tracer.kill()
        tracer.wait()


def limit(pid: int, kind: int, soft: int) -> tuple[int, int]:
    """Set the soft limit of a running process; return the limits it had."""
    before = resource.prlimit(pid, kind)
    resource.prlimit(pid, kind, (soft, before[1]))
    return before


def descriptors(pid: int) -> int:
    """Return how many descriptors a process holds."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def address_space(pid: int) -> int:
    """Return the bytes of address space of a process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmSize:"):
            return int(line.split()[1]) * 1024
    raise ProcessLookupError(pid)


def _may_trace() -> bool:
    tried = subprocess.run(
        ["strace", "-q", "-o", "/dev/null", "-e", "inject=fdatasync:error=EIO", "true"],  # noqa: S607
        check=False,
        capture_output=True,
    )
    return tried.returncode == 0


def _may_mount() -> bool:
    if os.geteuid() != 0:
        return False
    tried = subprocess.run(
        ["unshare", "-m", "mount", "-t", "tmpfs", "-o", "size=1m", "drills", "/mnt"],  # noqa: S607
        check=False,
        capture_output=True,
    )
    return tried.returncode == 0
