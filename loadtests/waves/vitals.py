"""What the machine says while a test runs: processor, memory, descriptors and connections of each component.

Read from /proc, from PostgreSQL and from Redis, every second, in a thread. Linux only, like the figures themselves.
"""

import os
import re
import resource
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2

PROC = Path("/proc")
TICKS = os.sysconf("SC_CLK_TCK")
PAGE = resource.getpagesize()
SECOND, TOLD, SLOWLY = 1.0, 2.0, 5.0
MIB = 1024 * 1024
_QUEUE = re.compile(r"LISTEN\s+(\d+)\s+(\d+)\s[^(]*\([^)]*,d(\d+)\)")
OVERFLOWS = ("ListenOverflows", "ListenDrops", "TCPReqQFullDrop", "TCPAbortOnMemory")


@dataclass(frozen=True, slots=True)
class Component:
    """A part of the platform, or of the test, and what it is made of.

    Attributes:
        name: such as `daphne-1`.
        layer: `server`, `proxy`, `postgresql`, `redis`, `worker`, `generator`.
        pid: its first process; children count with it.
    """

    name: str
    layer: str
    pid: int


@dataclass(slots=True)
class Usage:
    """What one component used at one instant.

    Attributes:
        processor: in cores, since the sample before; `busiest` that of its busiest process.
        rss, pss: bytes; descriptors: of the process that has most. None in samples between slow readings.
        told: what it says of itself (`metrics.py`), where it says something.
    """

    processor: float = 0.0
    busiest: float = 0.0
    rss: int | None = None
    pss: int | None = None
    descriptors: int | None = None
    told: dict[str, float] = field(default_factory=dict)


@dataclass(slots=True)
class Sample:
    """One instant of the machine.

    Attributes:
        at: monotonic seconds.
        used: by component.
        machine: figures by name: `processor` in cores, `available` bytes, `backlog`, `refused`, …
    """

    at: float
    used: dict[str, Usage]
    machine: dict[str, float]


class Vitals(threading.Thread):
    """Samples components until stopped.

    Args:
        components: called at each sample, since processes come and go.
        database_url: where connections are counted, through one of its own.
        redis_url: the same.
        ports: where the platform listens, whose queues of connections are looked at.
        tells: asked, now and then, for what processes say of themselves, by process.
    """

    def __init__(
        self,
        components: Callable[[], Iterable[Component]],
        database_url: str,
        redis_url: str,
        ports: Sequence[int],
        tells: Callable[[], Mapping[int, dict[str, float]]],
    ) -> None:
        super().__init__(daemon=True, name="vitals")
        self.samples: list[Sample] = []
        self.known: dict[str, Component] = {}
        self.limits: dict[str, float] = {}
        self.descriptor_limits: dict[str, int] = {}
        self._components = components
        self._database = psycopg2.connect(database_url)
        self._database.autocommit = True
        self._redis_url, self._ports, self._tells = redis_url, ports, tells
        self._ended = threading.Event()
        self._ticks: dict[int, int] = {}
        self._machine_ticks = machine_ticks()
        self._at = time.monotonic()
        self._slow_at = self._told_at = 0.0
        self._overflows = overflows()
        self._read_limits()

    def run(self) -> None:
        """Sample every second."""
        while not self._ended.wait(SECOND):
            with suppress(OSError, psycopg2.Error):
                self.samples.append(self._sample())

    def stop(self) -> None:
        """End, with a last sample."""
        self._ended.set()
        self.join()
        self._database.close()

    def _sample(self) -> Sample:
        told: Mapping[int, dict[str, float]] = {}
        if time.monotonic() - self._told_at >= TOLD:
            self._told_at, told = time.monotonic(), self._tells()
        now = time.monotonic()  # once told, which may take seconds: ticks are read right after
        slowly = now - self._slow_at >= SLOWLY
        seconds, self._at = now - self._at, now
        families = children()
        used: dict[str, Usage] = {}
        for component in self._components():
            self.known[component.name] = component
            pids = [component.pid, *descendants(component.pid, families)]
            usage = used[component.name] = self._usage(pids, seconds, slowly=slowly)
            usage.told = next((told[pid] for pid in pids if pid in told), {})
            if slowly and component.name not in self.descriptor_limits:
                self.descriptor_limits[component.name] = descriptor_limit(component.pid)
        machine = self._machine(seconds)
        if slowly:
            self._slow_at = now
            machine |= self._slow_figures()
        return Sample(now, used, machine)

    def _usage(self, pids: Iterable[int], seconds: float, *, slowly: bool) -> Usage:
        usage = Usage()
        if slowly:
            usage.rss = usage.pss = usage.descriptors = 0
        for pid in pids:
            with suppress(OSError, IndexError, ValueError):
                ticks = process_ticks(pid)
                cores = (ticks - self._ticks.get(pid, ticks)) / TICKS / seconds
                self._ticks[pid] = ticks
                usage.processor += cores
                usage.busiest = max(usage.busiest, cores)
                if slowly:
                    rss, pss = memory(pid)
                    usage.rss, usage.pss = (usage.rss or 0) + rss, (usage.pss or 0) + pss
                    usage.descriptors = max(usage.descriptors or 0, descriptors(pid))
        return usage

    def _machine(self, seconds: float) -> dict[str, float]:
        before, self._machine_ticks = self._machine_ticks, machine_ticks()
        found = {"processor": (self._machine_ticks - before) / TICKS / seconds, "available": available_memory()}
        fresh = overflows()
        found |= {name: fresh[name] - self._overflows[name] for name in fresh}
        return found

    def _slow_figures(self) -> dict[str, float]:
        queues = accept_queues(self._ports)
        found = {"backlog": queues.waiting, "backlog_allowed": queues.allowed, "refused": queues.refused}
        found["tcp_pages"] = tcp_pages()
        with self._database.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'")
            found["postgresql"] = cursor.fetchone()[0]
        found["redis"] = float(redis_info(self._redis_url, "INFO clients").get("connected_clients", 0))
        tracked = PROC / "sys/net/netfilter/nf_conntrack_count"
        if tracked.exists():
            found["conntrack"] = float(tracked.read_text())
        return found

    def _read_limits(self) -> None:
        with self._database.cursor() as cursor:
            cursor.execute(
                "SELECT current_setting('max_connections')::int"
                " - current_setting('superuser_reserved_connections')::int"
            )
            self.limits["postgresql"] = cursor.fetchone()[0]
        redis = redis_info(self._redis_url, "INFO clients")
        self.limits["redis"] = float(redis.get("maxclients", 10_000))
        self.limits["tcp_pages"] = float((PROC / "sys/net/ipv4/tcp_mem").read_text().split()[2])
        self.limits["memory"] = memory_total()
        self.limits["cores"] = os.cpu_count() or 1
        tracked = PROC / "sys/net/netfilter/nf_conntrack_max"
        if tracked.exists():
            self.limits["conntrack"] = float(tracked.read_text())


def children() -> Mapping[int, list[int]]:
    """Return the children of each process."""
    found: dict[int, list[int]] = {}
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            with suppress(OSError, IndexError, ValueError):
                found.setdefault(int(stat_fields(int(entry.name))[1]), []).append(int(entry.name))
    return found


def descendants(pid: int, families: Mapping[int, list[int]]) -> list[int]:
    """Return the children of a process, and theirs."""
    found = list(families.get(pid, ()))
    for child in families.get(pid, ()):
        found += descendants(child, families)
    return found


def stat_fields(pid: int) -> list[str]:
    """Return what /proc says of a process, from its state on."""
    return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()


def process_ticks(pid: int) -> int:
    """Return the processor time of a process, user and system."""
    fields = stat_fields(pid)
    return int(fields[11]) + int(fields[12])


def machine_ticks() -> int:
    """Return the processor time of the machine that was not idle, stolen time left out."""
    fields = [int(field) for field in (PROC / "stat").read_text().split("\n", 1)[0].split()[1:]]
    return sum(fields[:3]) + fields[5] + fields[6]


def descriptors(pid: int) -> int:
    """Return how many descriptors a process has open; since Linux 6.2 the kernel tells, without naming each."""
    folder = PROC / str(pid) / "fd"
    return folder.stat().st_size or len(os.listdir(folder))  # noqa: PTH208 -- ten thousand names, no objects


def memory(pid: int) -> tuple[int, int]:
    """Return the resident memory of a process, and its share of what it has in common with others."""
    rss = int((PROC / str(pid) / "statm").read_text().split()[1]) * PAGE
    for line in (PROC / str(pid) / "smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return rss, int(line.split()[1]) * 1024
    return rss, rss


def descriptor_limit(pid: int) -> int:
    """Return how many descriptors a process may have."""
    for line in (PROC / str(pid) / "limits").read_text().splitlines():
        if line.startswith("Max open files"):
            return int(line.split()[3])
    return 0


def available_memory() -> float:
    """Return the bytes that programs may still take."""
    return _meminfo("MemAvailable")


def memory_total() -> float:
    """Return the bytes of the machine."""
    return _meminfo("MemTotal")


def _meminfo(name: str) -> float:
    for line in (PROC / "meminfo").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return float(line.split()[1]) * 1024
    return 0.0


def overflows() -> dict[str, int]:
    """Return how many connections the kernel has turned away, by reason."""
    found = dict.fromkeys(OVERFLOWS, 0)
    lines = (PROC / "net/netstat").read_text().splitlines()
    for names, values in zip(lines[::2], lines[1::2], strict=True):
        for name, value in zip(names.split(), values.split(), strict=True):
            if name in found:
                found[name] = int(value)
    return found


def tcp_pages() -> float:
    """Return the pages that TCP sockets hold."""
    for line in (PROC / "net/sockstat").read_text().splitlines():
        if line.startswith("TCP:"):
            words = line.split()
            return float(dict(zip(words[1::2], words[2::2], strict=True))["mem"])
    return 0.0


@dataclass(frozen=True, slots=True)
class Queues:
    """Connections that wait in the queue nearest to full, how many may in that one, how many were refused in all."""

    waiting: float = 0
    allowed: float = 0
    refused: float = 0


def accept_queues(ports: Sequence[int]) -> Queues:
    """Look at the listening sockets of some ports; nothing where `ss` is not installed."""
    command = shutil.which("ss")
    if command is None:
        return Queues()
    chosen = " or ".join(f"sport = :{port}" for port in ports)
    done = subprocess.run(  # noqa: S603 -- our own command
        [command, "-ltnmH", chosen], capture_output=True, text=True, check=False
    )
    return parse_queues(done.stdout)


def parse_queues(text: str) -> Queues:
    """Read what `ss -ltnm` says: state, queue, backlog, addresses; then memory, whose `d` counts what was refused."""
    found = [(int(waiting), int(allowed), int(refused)) for waiting, allowed, refused in _QUEUE.findall(text)]
    if not found:
        return Queues()
    waiting, allowed, _ = max(found, key=lambda one: one[0] / max(one[1], 1))
    return Queues(waiting, allowed, sum(one[2] for one in found))


def redis_info(url: str, command: str) -> dict[str, str]:
    """Return a section of what Redis says of itself; nothing while it is away."""
    place = urlsplit(url)
    with suppress(OSError), socket.create_connection((place.hostname or "", place.port or 6379), timeout=1) as link:
        if place.password:
            link.sendall(f"AUTH {place.password}\r\n".encode())
        link.sendall(f"{command}\r\nQUIT\r\n".encode())
        text = b"".join(iter(lambda: link.recv(65536), b"")).decode()
        return dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
    return {}
