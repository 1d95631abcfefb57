"""What is looked for after a drill, for the invariants that only a look can observe."""

import asyncio
from contextlib import suppress

from kombu.exceptions import OperationalError

from loadtests.drills.scene import Scene
from loadtests.rehearsal import reads_own_copy

READERS = 3


async def take_checkpoint(scene: Scene) -> None:
    """Have a checkpoint taken in mid composition, without waiting for the minute; without Redis there is none."""
    await scene.at(8)
    with suppress(OSError, OperationalError):
        await asyncio.to_thread(scene.house.send_task, "exams.tasks.take_checkpoints")


async def look_around(scene: Scene) -> None:
    """Ask for results, which are not out; search the servers' logs for candidates."""
    slips = [slip for centre in scene.guide["centres"] for slip in centre["slips"]]
    for slip in scene.rng.sample(slips, min(READERS, len(slips))):
        scene.probe("result", bytes=int(await reads_own_copy(scene.base, slip)))
    secrets = {slip[name] for slip in slips for name in ("official_number", "code", "results_code")}
    for log in scene.house.logs.glob("*.log"):
        if log.is_file():
            text = log.read_text(encoding="utf-8", errors="replace")
            scene.probe("identity", where=log.name, found=sum(secret in text for secret in secrets))
