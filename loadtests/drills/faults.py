"""The rows of the fault matrix that this machine can play: what each injects, and when. `docs/drills.md` is the table.

A fault is an async function of the scene, run beside the composition; times are seconds from the opening, negative
ones from the end.
"""

import asyncio
import os
import random
import resource
import signal
import socket
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg2

from loadtests.drills.scene import REASON, Scene, TooLate
from loadtests.drills.tools import (
    address_space,
    descriptors,
    faketime,
    fill,
    limit,
    strace,
)

Inject = Callable[[Scene], Coroutine[Any, Any, None]]
SERVERS = ("server-1", "server-2")
DEAD_FOR = 0.5
PAIRS = 10
DISKS = (("postgresql", 260), ("postgresql/pg_wal", 160), ("logs", 16))
"""Folders that F08 fills, each on a disk of so many megabytes."""


@dataclass(frozen=True, slots=True)
class Drill:
    """One row.

    Attributes:
        fault: its number in the matrix; `variant` when the row is played more than once.
        phases: of the exam day in which it strikes.
        inject: what is done.
        needs: tools without which it is skipped.
        proxied: whether tablets go through a network that can be made bad.
        latecomers: whether the last centre enters during the composition only.
        marks: whether the sitting is marked and ranked afterwards, under the fault.
        disks: folders put on a small disk each, in megabytes.
        clock: what is wrong with the tablets' clocks, as faketime says it.
        pairable: whether it may be one of a pair.
    """

    fault: str
    phases: str
    inject: Inject
    variant: str = ""
    needs: tuple[str, ...] = ()
    proxied: bool = False
    latecomers: bool = False
    marks: bool = False
    disks: tuple[tuple[str, int], ...] = ()
    clock: str = ""
    pairable: bool = False


# Processes


async def kill_one_server(scene: Scene) -> None:
    """F01: one server dies, again and again."""
    for instant, name in ((0.15, "server-1"), (4, "server-2"), (8, "server-1"), (-1, "server-2")):
        await scene.at(instant)
        await _kill_servers(scene, [name])
    await scene.after_end(1)
    await _kill_servers(scene, ["server-1"])


async def kill_all_servers(scene: Scene) -> None:
    """F02: every server dies at once."""
    for instant in (0.15, 6, -1.5):
        await scene.at(instant)
        await _kill_servers(scene, SERVERS)


async def _kill_servers(scene: Scene, names: Sequence[str]) -> None:
    with scene.fault(f"kill -9 {' '.join(names)}"):
        for name in names:
            scene.house.stop(name, cleanly=False)
        await asyncio.sleep(DEAD_FOR)
        for name in names:
            scene.house.start(name)


async def kill_postgresql(scene: Scene) -> None:
    """F03: a backend that writes, the checkpointer, then the postmaster."""
    await scene.at(2.5)
    with scene.fault("kill -9 PostgreSQL backend"):
        await _kill_backend(scene, "client backend")
        await scene.database_is_back()
    await scene.at(6)
    with scene.fault("kill -9 PostgreSQL checkpointer"):
        await _kill_backend(scene, "checkpointer")
        await asyncio.sleep(0.2)
        await scene.database_is_back()
    for instant in (9, -1.5):
        await scene.at(instant)
        with scene.fault("kill -9 PostgreSQL postmaster"):
            scene.house.kill_postgresql()
            await asyncio.sleep(DEAD_FOR)
            scene.house.start_postgresql()


async def _kill_backend(scene: Scene, kind: str) -> None:
    rows = await scene.ask(
        "SELECT pid FROM pg_stat_activity WHERE backend_type = %s AND pid <> pg_backend_pid() ORDER BY backend_start",
        kind,
    )
    with suppress(ProcessLookupError):
        os.kill(rows[0][0], signal.SIGKILL)


async def lose_redis(scene: Scene) -> None:
    """F04: Redis emptied, killed, back empty."""
    await scene.at(0.1)
    with scene.fault("FLUSHALL"):
        _redis(scene, "FLUSHALL")
    await scene.at(4)
    with scene.fault("kill -9 Redis"):
        scene.house.kill_redis(empty=True)
        await asyncio.sleep(3)
        scene.house.start_redis()
    await scene.at(-1)
    with scene.fault("kill -9 Redis"):
        scene.house.kill_redis(empty=True)
        await asyncio.sleep(3)
        scene.house.start_redis()


def _redis(scene: Scene, *words: str) -> str:
    where = urlsplit(scene.house.redis_url)
    with socket.create_connection(("127.0.0.1", where.port or 0), timeout=2) as connection:
        connection.sendall(f"AUTH {where.password}\r\n{' '.join(words)}\r\n".encode())
        return connection.recv(4096).decode()


async def kill_workers(scene: Scene) -> None:
    """F05: strikes while the sitting is marked; see `loadtests.drills.marking`."""
    await scene.at(3)
    with scene.fault("kill -9 worker"):
        scene.house.stop("worker", cleanly=False)
        await asyncio.sleep(1)
        scene.house.start("worker")


# Disks


async def fail_fsync(scene: Scene) -> None:
    """F06: fdatasync of the WAL fails under COMMIT, then fsync of the data under a checkpoint."""
    for instant in (3, 6):
        await scene.at(instant)
        rows = await scene.ask(
            "SELECT pid FROM pg_stat_activity WHERE backend_type IN ('client backend', 'walwriter')"
            " AND pid <> pg_backend_pid()"
        )
        with scene.fault("fdatasync EIO"):
            with strace([pid for (pid,) in rows], "fdatasync:error=EIO:when=1"):
                await asyncio.sleep(0.4)
            await scene.database_is_back()
    await scene.at(10)
    rows = await scene.ask("SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'")
    with scene.fault("fsync EIO"):
        with strace([pid for (pid,) in rows], "fsync:error=EIO:when=1"):
            await asyncio.sleep(0.3)
            with suppress(psycopg2.Error):
                scene.sql("CHECKPOINT", fetch=False)
        await scene.database_is_back()


async def fill_disks(scene: Scene) -> None:
    """F08: the disk of the data is full, then that of the WAL, then that of the logs."""
    data, wal = scene.house.engine_folder / "postgresql", scene.house.engine_folder / "postgresql" / "pg_wal"
    await scene.at(3)
    with scene.fault("data disk full"), _filled(data):
        await asyncio.sleep(2)
    await scene.database_is_back()
    await scene.at(7)
    with scene.fault("WAL disk full"):
        with _filled(wal):
            for _ in range(40):
                try:
                    scene.sql("SELECT pg_switch_wal()")
                    scene.sql("CREATE TEMP TABLE t AS SELECT 1", fetch=False)
                except psycopg2.Error:
                    break
            await asyncio.sleep(1)
        with suppress(Exception):
            scene.house.stop_postgresql()
        scene.house.start_postgresql()
    await scene.at(11)
    with scene.fault("log disk full"), _filled(scene.house.logs):
        await asyncio.sleep(2)


@contextmanager
def _filled(folder: Path) -> Iterator[None]:
    filler = fill(folder)
    try:
        yield
    finally:
        filler.unlink(missing_ok=True)


# Clocks


async def move_a_servers_clock(scene: Scene) -> None:
    """F10: one of two servers lives an hour later, then an hour earlier."""
    for instant, shift in ((2, "+3600"), (7, "-3600")):
        await scene.at(instant)
        with scene.fault(f"clock {shift} server-1"):
            scene.house.stop("server-1", cleanly=False)
            scene.house.start("server-1", faketime(shift))
            await asyncio.sleep(4.5)
    await scene.at(-1)
    scene.house.stop("server-1", cleanly=False)
    scene.house.start("server-1")


async def move_the_databases_clock(scene: Scene) -> None:
    """F10: PostgreSQL lives two seconds later than the servers, then two seconds earlier."""
    for instant, shift in ((3, "+2"), (8, "-2")):
        await scene.at(instant)
        with scene.fault(f"clock {shift} PostgreSQL"):
            scene.house.stop_postgresql()
            scene.house.start_postgresql(faketime(shift))
            await asyncio.sleep(3)
    await scene.at(-2)
    scene.house.stop_postgresql()
    scene.house.start_postgresql()


async def leave_clocks_wrong(scene: Scene) -> None:
    """F10: the tablets' clocks are wrong from the start (`Drill.clock`); nothing else happens."""
    await scene.at(0.1)
    with scene.fault("tablets' clocks"):
        await scene.at(-0.1)


# Networks


async def cut_a_centre(scene: Scene) -> None:
    """F11: one centre is cut in the middle, another across the end."""
    first, second = scene.centres[0], scene.centres[1]
    await scene.at(2)
    with scene.fault("centre cut", first):
        await scene.crowds[first].ask("weather", weather={"cut": True})
        await asyncio.sleep(5)
        await scene.crowds[first].ask("weather", weather={})
    await scene.at(-2)
    with scene.fault("centre cut", second):
        await scene.crowds[second].ask("weather", weather={"cut": True})
        await scene.after_end(float(scene.guide["grace"]) + 0.5)
        await scene.crowds[second].ask("weather", weather={})


async def cut_the_uplink(scene: Scene) -> None:
    """F12: nobody reaches the platform; then everybody comes back at once."""
    for instant, seconds in ((3.0, 4.0), (-2.0, 1.5)):
        await scene.at(instant)
        with scene.fault("uplink cut"):
            await scene.everybody("weather", weather={"cut": True})
            await asyncio.sleep(seconds)
            await scene.everybody("weather", weather={})


async def weaken_networks(scene: Scene) -> None:
    """F13: 20 % loss in one centre, 2 % and 300 ms in another, 64 kbit/s in a third; at first, and at the end."""
    await _weaken(scene, until=scene.at(7))
    await scene.at(-2)
    await _weaken(scene, until=scene.after_end(1))


async def _weaken(scene: Scene, until: Coroutine[Any, Any, None]) -> None:
    weathers = ({"loss": 0.2}, {"loss": 0.02, "delay": 0.3, "jitter": 0.05}, {"rate": 8000.0})
    bad = list(zip(scene.centres, weathers, strict=False))
    with ExitStack() as faults:
        for centre, weather in bad:
            faults.enter_context(scene.fault(f"network {weather}", centre))
            await scene.crowds[centre].ask("weather", weather=weather)
        await until
        for centre, _ in bad:
            await scene.crowds[centre].ask("weather", weather={})


async def silence_sockets(scene: Scene) -> None:
    """F14: bytes vanish both ways, one way; connections are forgotten; storms of RST."""
    silent, half, forgotten, stormy = scene.centres[:4]
    await scene.at(2)
    with ExitStack() as faults:
        for centre, what in ((silent, "silence"), (half, "silence from the platform"), (forgotten, "NAT table lost")):
            faults.enter_context(scene.fault(what, centre))
        faults.enter_context(scene.fault("RST storm", stormy))
        await scene.crowds[silent].ask("weather", weather={"silent_up": True, "silent_down": True})
        await scene.crowds[half].ask("weather", weather={"silent_down": True})
        await scene.crowds[forgotten].ask("forget")
        for _ in range(5):
            await scene.crowds[stormy].ask("reset")
            await asyncio.sleep(1)
        await scene.crowds[silent].ask("weather", weather={})
        await scene.crowds[half].ask("weather", weather={})
        await asyncio.sleep(1)


async def put_tablets_to_sleep(scene: Scene) -> None:
    """F15: one centre's tablets sleep, another's browsers are killed, five tablets of a third are swapped."""
    asleep, killed, swapped = scene.centres[:3]
    await scene.at(2)
    with scene.fault("tablets asleep", asleep):
        scene.crowds[asleep].signal(signal.SIGSTOP)
        with scene.fault("browsers killed", killed):
            await restart_crowd(scene, killed)
        with scene.fault("tablets swapped", swapped):
            await swap_tablets(scene, swapped, scene.numbers(swapped)[6:11])
        await scene.at(7)
        scene.crowds[asleep].signal(signal.SIGCONT)


async def restart_crowd(scene: Scene, centre: str) -> None:
    """Kill -9 the process of a centre's tablets, and start it again on the same storage."""
    crowd = scene.crowds[centre]
    await crowd.kill()
    await crowd.start()
    await crowd.ask("enter")


async def swap_tablets(scene: Scene, centre: str, numbers: Sequence[str]) -> None:
    """Give candidates another tablet; the old one has acts that it could not send."""
    crowd, head = scene.crowds[centre], scene.heads[centre]
    await crowd.ask("offline", numbers=list(numbers), on=True)
    await asyncio.sleep(1.2)
    for number in numbers:
        with suppress(TooLate):
            words = await head.do("liberer", seats=await scene.seat_of(number), reason=REASON, sheet=number)
            await crowd.ask("swap", number=number, code=words.rsplit(" : ", 1)[1].strip())
    await asyncio.sleep(0.5)
    await crowd.ask("offline", numbers=list(numbers), on=False)


async def replay_messages(scene: Scene) -> None:
    """F16: every op twice and out of order; old ones again, later, after the end; some of an older epoch."""
    swapped = scene.centres[2]
    await scene.at(1)
    with scene.fault("ops doubled, out of order"):
        await scene.everybody("echo", on=True)
        await scene.at(4)
        await swap_tablets(scene, swapped, scene.numbers(swapped)[6:9])
        await scene.at(8)
        await scene.everybody("echo", on=False)
    await scene.at(9)
    with scene.fault("old ops again"):
        await replay_some(scene)
    await scene.after_end(float(scene.guide["grace"]) + 1)
    with scene.fault("old ops after the end"):
        await replay_some(scene)


async def replay_some(scene: Scene) -> None:
    """Send again what ten tablets of each centre sent before."""
    for centre in scene.centres:
        got = await scene.crowds[centre].ask("replay", numbers=scene.numbers(centre)[:10])
        scene.probe("replay", centre=centre, counts=got["counts"])


async def loop_a_centre(scene: Scene) -> None:
    """F29: the tablets of one centre connect, answer, drop, again and again."""
    centre = scene.centres[0]
    await scene.at(5)
    with scene.fault("centre in a loop", centre):
        await scene.crowds[centre].ask("loop", seconds=max(2.0, float(scene.guide["duration"]) - 6))


async def reconnect_together(scene: Scene) -> None:
    """F23: everybody loses the socket and comes back at the same time, twice in a row, and at the end."""
    for instant in (4.0, 5.5, -0.7):
        await scene.at(instant)
        with scene.fault("everybody reconnects"):
            await scene.everybody("drop", patience=0.3)


# The platform's own slowness and limits


async def slow_the_database(scene: Scene) -> None:
    """F17: two seconds per commit, a table locked, a long report, a vacuum."""
    await scene.at(2)
    rows = await scene.ask(
        "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    )
    with scene.fault("2 s per commit"), strace([pid for (pid,) in rows], "fdatasync:delay_enter=2000000"):
        await asyncio.sleep(2.5)
    await scene.at(6)
    with scene.fault("journal locked"):
        await asyncio.to_thread(_hold, scene, "LOCK TABLE exams_journalentry IN EXCLUSIVE MODE", 4.0)
    with scene.fault("report and vacuum"):
        await asyncio.to_thread(
            scene.sql, "SELECT count(*) FROM exams_journalentry a, exams_sheet b, generate_series(1, 20) g"
        )
        await asyncio.to_thread(scene.sql, "VACUUM exams_journalentry", fetch=False)


def _hold(scene: Scene, statement: str, seconds: float) -> None:
    connection = psycopg2.connect(scene.house.database_url)
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            cursor.execute("SELECT pg_sleep(%s)", (seconds,))
    finally:
        connection.rollback()
        connection.close()


async def reach_limits(scene: Scene) -> None:
    """F20: the last centre comes in while each layer is at its limit; those inside must not notice."""
    late = scene.centres[-1]
    await scene.at(1.5)
    entering = asyncio.create_task(scene.crowds[late].ask("enter"))
    with scene.fault("descriptors of both servers", late), ExitStack() as limits:
        for name in SERVERS:
            pid = scene.house.pid(name)
            before = limit(pid, resource.RLIMIT_NOFILE, descriptors(pid) + 2)
            limits.callback(resource.prlimit, pid, resource.RLIMIT_NOFILE, before)
        await asyncio.sleep(2)
    with scene.fault("connections of PostgreSQL", late), ExitStack() as taken:
        with suppress(psycopg2.Error):
            while True:
                taken.callback(psycopg2.connect(scene.house.database_url).close)
        await asyncio.sleep(2)
    with scene.fault("clients of Redis", late):
        _redis(scene, "CONFIG", "SET", "maxclients", "2")
        await asyncio.sleep(2)
        _redis_again(scene)
    with scene.fault("connections that say nothing", late), ExitStack() as mute:
        for _ in range(600):
            mute.callback(_mute_connection(scene).close)
        await asyncio.sleep(2)
    await entering
    await scene.heads[late].do("admettre-tous")


def _redis_again(scene: Scene) -> None:
    if "OK" not in _redis(scene, "CONFIG", "SET", "maxclients", "10000"):
        scene.house.kill_redis(empty=False)
        scene.house.start_redis()


def _mute_connection(scene: Scene) -> socket.socket:
    mute = socket.socket()
    mute.setblocking(False)
    mute.connect_ex(("127.0.0.1", scene.house.port))
    return mute


async def restart_in_turn(scene: Scene) -> None:
    """F22: each server is restarted as a deployment does."""
    for instant, name in ((2, "server-1"), (7, "server-2")):
        await scene.at(instant)
        with scene.fault(f"restart {name}"):
            await asyncio.to_thread(scene.house.stop, name, cleanly=True)
            scene.house.start(name)


async def open_without_the_rest(scene: Scene) -> None:
    """F25: Redis and the worker are down before the opening, and come back later."""
    with scene.fault("Redis and worker down"):
        scene.house.kill_redis(empty=True)
        scene.house.stop("worker", cleanly=False)
        await scene.at(6)
        scene.house.start_redis()
        scene.house.start("worker")


async def have_staff_err(scene: Scene) -> None:
    """F27: double clicks, two heads at once, the wrong room, a pause, time in the last second."""
    first, second, third = scene.centres[:3]
    await scene.at(2)
    with scene.fault("everything clicked twice"):
        await asyncio.gather(*(scene.heads[second].attempt("ouvrir") for _ in range(4)))
        wrong = scene.heads[first]
        status = await _in_another_room(scene, wrong, second)
        scene.probe("wrong-room", status=status)
        await asyncio.gather(*(scene.heads[third].attempt("clore") for _ in range(4)))
        await scene.heads[second].do("pause", reason=REASON)
        await scene.heads[second].attempt("pause", reason=REASON)
        await asyncio.sleep(1.5)
        await scene.heads[second].do("reprendre")
        await scene.heads[second].attempt("reprendre")
    await scene.at(-0.6)
    with scene.fault("time in the last second", third):
        number = scene.numbers(third)[6]
        await scene.heads[third].do("temps", seats=await scene.seat_of(number), minutes=1, reason=REASON, sheet=number)


async def _in_another_room(scene: Scene, head: object, centre: str) -> int:
    hosting = next(c["hosting"] for c in scene.guide["centres"] if c["code"] == centre)
    browser = head._browser  # type: ignore[attr-defined]  # noqa: SLF001 -- the same person, elsewhere
    answer = await browser.post(f"/salle/{hosting}/clore/", {"reason": REASON}, accept="application/json")
    return int(answer.status)


async def flood_logs(scene: Scene) -> None:
    """F30: everything is logged, and whoever reads the logs of one server stops reading."""
    await scene.at(1)
    with scene.fault("debug logs, reader stopped"):
        pipe = scene.house.logs / "server-1.log"
        scene.house.stop("server-1", cleanly=False)
        pipe.rename(pipe.with_suffix(".before"))
        os.mkfifo(pipe)
        reader = await asyncio.create_subprocess_exec("cat", str(pipe), stdout=asyncio.subprocess.DEVNULL)
        scene.house.start("server-1", {"LOG_LEVEL": "DEBUG"})
        await asyncio.sleep(2.5)
        reader.send_signal(signal.SIGSTOP)
        await scene.at(9)
        reader.send_signal(signal.SIGCONT)


async def starve_memory(scene: Scene) -> None:
    """F31: no more memory, no more descriptors, then the killer comes for a server and for a database backend."""
    pid = scene.house.pid("server-2")
    await scene.at(2)
    with scene.fault("no more memory for server-2"):
        before = limit(pid, resource.RLIMIT_AS, address_space(pid) + 2**20)
        await asyncio.sleep(2)
        resource.prlimit(pid, resource.RLIMIT_AS, before)
    await scene.at(5)
    with scene.fault("no more descriptors for server-1"):
        other = scene.house.pid("server-1")
        before = limit(other, resource.RLIMIT_NOFILE, max(16, descriptors(other) // 2))
        await asyncio.sleep(2)
        resource.prlimit(other, resource.RLIMIT_NOFILE, before)
    await scene.at(8)
    with scene.fault("kill -9 PostgreSQL backend"):
        await _kill_backend(scene, "client backend")
        await scene.database_is_back()
    await scene.at(-1)
    await _kill_servers(scene, ["server-2"])


# Storage of tablets


async def spoil_storages(scene: Scene) -> None:
    """F24: tablets reload with their storage wiped, corrupted, another candidate's, full."""
    centre = scene.centres[0]
    await scene.at(3)
    with scene.fault("storages spoilt", centre):
        numbers = scene.numbers(centre)[6:]
        await scene.crowds[centre].ask(
            "reload", numbers=numbers, storages=["kept", "wiped", "corrupt", "foreign", "full"]
        )


CATALOGUE: tuple[Drill, ...] = (
    Drill("F01", "P1 P2 P3 P4", kill_one_server, pairable=True),
    Drill("F02", "P1 P2 P3", kill_all_servers, pairable=True),
    Drill("F03", "P2 P3", kill_postgresql, pairable=True),
    Drill("F04", "P1 P2 P3", lose_redis, pairable=True),
    Drill("F05", "P2 P5", kill_workers, marks=True),
    Drill("F06", "P2", fail_fsync, needs=("root", "strace")),
    Drill("F08", "P2", fill_disks, needs=("root", "mount"), disks=DISKS),
    Drill("F10", "P2", move_a_servers_clock, variant="server", needs=("faketime",)),
    Drill("F10", "P2", move_the_databases_clock, variant="database", needs=("faketime",)),
    Drill("F10", "P1 P2 P3", leave_clocks_wrong, variant="tablets", needs=("faketime",), clock="+3600"),
    Drill("F11", "P2 P3", cut_a_centre, proxied=True, pairable=True),
    Drill("F12", "P2 P3", cut_the_uplink, proxied=True, pairable=True),
    Drill("F13", "P1 P2 P3", weaken_networks, proxied=True, pairable=True),
    Drill("F14", "P2", silence_sockets, proxied=True, pairable=True),
    Drill("F15", "P2", put_tablets_to_sleep, pairable=True),
    Drill("F16", "P2 P3 P4", replay_messages, pairable=True),
    Drill("F17", "P2", slow_the_database, needs=("root", "strace")),
    Drill("F20", "P2", reach_limits, latecomers=True),
    Drill("F22", "P2", restart_in_turn, pairable=True),
    Drill("F23", "P2 P3", reconnect_together, pairable=True),
    Drill("F24", "P2", spoil_storages, pairable=True),
    Drill("F25", "P1", open_without_the_rest),
    Drill("F27", "P2 P3", have_staff_err),
    Drill("F29", "P2", loop_a_centre, pairable=True),
    Drill("F30", "P2", flood_logs),
    Drill("F31", "P2 P3", starve_memory),
)


def pairs(seed: int) -> list[Drill]:
    """Return ten pairs of faults drawn at random."""
    rng = random.Random(seed)
    able = [drill for drill in CATALOGUE if drill.pairable]
    return [_pair(*rng.sample(able, 2)) for _ in range(PAIRS)]


def _pair(one: Drill, other: Drill) -> Drill:
    async def both(scene: Scene) -> None:
        await asyncio.gather(one.inject(scene), other.inject(scene))

    return Drill(
        "F35",
        " ".join(sorted(set(f"{one.phases} {other.phases}".split()))),
        both,
        variant=f"{one.fault}+{other.fault}",
        needs=(*one.needs, *other.needs),
        proxied=one.proxied or other.proxied,
    )
