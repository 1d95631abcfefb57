"""One drill from a clean start to the verdict of the checker, and the preparation that all of them share."""

import asyncio
import json
import shutil
import subprocess
import sys
import time
from base64 import b64decode
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any, Protocol

import psycopg2

from loadtests.drills.export import export
from loadtests.drills.faults import Drill
from loadtests.drills.looking import look_around, take_checkpoint
from loadtests.drills.marking import mark_twice
from loadtests.drills.scene import ROOT, House, Scene
from loadtests.drills.tools import faketime, missing
from loadtests.staff import log_in

PACE, ACTS_A_SECOND = 0.5, 600
"""Mean seconds between two acts of a candidate, and how many acts a second are asked of a small machine in all."""
SECONDS = 15
"""How long the sitting lasts at that pace."""
GRACE_SECONDS = 4
LATE_SECONDS = 1.2
"""After the grace: late tablets come back 0.4 s after it, before their centre closes."""

Say = Callable[[str], None]


class Folders(Protocol):
    """The prepared folder and its copies."""

    root: Path
    guide: dict[str, Any]

    def house(self, *, copied: bool = True) -> AbstractContextManager[House]:
        """Run a house on a copy, or on the prepared folder itself."""

    def prepare(self) -> None:
        """Make the prepared folder."""

    def small_disks(self, disks: tuple[tuple[str, int], ...]) -> AbstractContextManager[None]:
        """Put engine folders of the next copy on small disks."""


def seconds_for(candidates: int) -> int:
    """Return how long the sitting must last for so many candidates: many of them act more slowly."""
    return max(SECONDS, round(SECONDS * candidates / ACTS_A_SECOND / PACE))


def pace(seconds: int) -> float:
    """Return the mean seconds between two acts at which a paper is finished in a sitting of so many seconds."""
    return max(PACE, PACE * seconds / SECONDS)


def prepare(folders: Folders, *, seconds: int, seed: int, say: Say) -> None:
    """Prepare once: database, sealed paper, slips; every tablet entered, every head logged in, the paper kept."""
    folders.prepare()
    folders.guide |= {"duration": seconds, "grace": GRACE_SECONDS, "pace": pace(seconds), "staff": {}}
    say("Chaque tablette entre une fois, chaque responsable se connecte…")
    with folders.house(copied=False) as house:
        asyncio.run(_enter_once(folders, house, seed))


async def _enter_once(folders: Folders, house: House, seed: int) -> None:
    guide = folders.guide
    folder = folders.root / "entering"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    scene = Scene(house, guide, folder, str(seed))
    extras = dict(scene.sql("SELECT number, extra_seconds FROM exams_sheet WHERE sitting_id = %s", guide["sitting"]))
    for login in ["agence", *(centre["login"] for centre in guide["centres"])]:
        guide["staff"][login] = (await log_in(scene.base, login, guide["password"])).cookies
    await scene.arrive(proxied=False)
    cookies: dict[str, dict[str, str]] = {}
    for answer in await scene.everybody("enter"):
        cookies |= answer["cookies"]
    paper = folders.root / "paper.ecni"
    paper.write_bytes(b64decode((await next(iter(scene.crowds.values())).ask("paper"))["paper"]))
    guide["paper"] = str(paper)
    for centre in guide["centres"]:
        for slip in centre["slips"]:
            slip |= {"cookies": cookies[slip["number"]], "extra": extras[slip["number"]]}
    for crowd in scene.crowds.values():
        await crowd.kill()


def play(drill: Drill, folders: Folders, *, seed: int) -> dict[str, Any]:
    """Play one drill and return its line of the report."""
    name = f"{drill.fault}-{drill.variant}" if drill.variant else drill.fault
    folder = folders.root / "evidence" / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    line: dict[str, Any] = {
        "fault": drill.fault,
        "variant": drill.variant,
        "phase": drill.phases,
        "candidates": sum(len(centre["slips"]) for centre in folders.guide["centres"]),
        "skipped": missing(drill.needs),
    }
    if line["skipped"]:
        return line | {"ok": True, "invariants": {}}
    started = time.monotonic()
    troubles: list[str] = []
    try:
        with ExitStack() as stack:
            stack.enter_context(folders.small_disks(drill.disks))
            house = stack.enter_context(folders.house())
            scene = Scene(house, folders.guide, folder, f"{seed}/{name}")
            troubles = asyncio.run(_live(drill, scene))
            keep_logs(house, folder)
    except (OSError, RuntimeError, psycopg2.Error) as error:
        troubles = [f"{type(error).__name__}: {error}"]
    verdict = judge(folder)
    if "error" in verdict:
        troubles.append(f"le vérificateur n’a pas conclu : {verdict['error']}")
    (folder / "verdict.json").write_text(json.dumps(verdict, indent=1), encoding="utf-8")
    line |= summary(verdict) | {"seconds": round(time.monotonic() - started, 1), "troubles": troubles}
    line["ok"] = is_held(line)
    return line


def is_held(line: dict[str, Any]) -> bool:
    """Whether a drill that was played held: something was acknowledged, nothing was broken, nothing went wrong."""
    return bool(line["acknowledged"]) and not line["troubles"] and "broken" not in line["invariants"].values()


async def _live(drill: Drill, scene: Scene) -> list[str]:
    crowd_env = faketime(drill.clock) if drill.clock else None
    await scene.arrive(proxied=drill.proxied, env=crowd_env)
    inside = scene.centres[:-1] if drill.latecomers else scene.centres
    await scene.enter(inside)
    injecting = asyncio.create_task(drill.inject(scene))
    checkpoint = asyncio.create_task(take_checkpoint(scene))
    await scene.open()
    await scene.after_end(float(scene.guide["grace"]) + LATE_SECONDS)
    await scene.close()
    await scene.everybody("closed")
    await asyncio.gather(injecting, checkpoint)
    ended = await scene.everybody("finish")
    if drill.marks:
        await mark_twice(scene)
    await look_around(scene)
    scene.write_notes()
    export(scene.house.database_url, scene.guide["sitting"], scene.folder / "export")
    for crowd in scene.crowds.values():
        await crowd.kill()
    stuck = sum(answer["stuck"] for answer in ended)
    troubles = [trouble for answer in ended for trouble in answer["troubles"]]
    return [*troubles[:5], *([f"{stuck} tablettes n’ont pas fini"] if stuck else [])]


def judge(folder: Path) -> dict[str, Any]:
    """Have the checker decide, in a process of its own."""
    done = subprocess.run(  # noqa: S603 -- our own command
        [sys.executable, "-m", "loadtests.checker", str(folder), "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        found: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        return {"error": done.stderr[-1500:], "invariants": {}, "counts": {}}
    return found


def summary(verdict: dict[str, Any]) -> dict[str, Any]:
    """Return what the report keeps of a verdict."""
    counts = verdict["counts"]
    kept = ("acknowledged", "lost", "duplicated", "foreign", "false_saved", "recovery_s", "others_p99_change")
    return {
        "invariants": {name: found["verdict"] for name, found in verdict["invariants"].items()},
        **{name: counts.get(name) for name in kept},
        "p99_ms": counts.get("p99_ms"),
    }


def keep_logs(house: House, folder: Path) -> None:
    """Keep the logs of servers and engines beside the evidence."""
    for log in (*house.logs.glob("*.log"), *house.engine_folder.glob("*.log")):
        if log.is_file():
            shutil.copy(log, folder / log.name)
