"""Marking and ranking under fault, then again undisturbed: the rankings must be the same bytes."""

import asyncio
import time

from loadtests.drills.scene import REASON, Scene
from loadtests.http import Browser
from loadtests.staff import StaffRefused, do

PATIENCE = 60.0


async def mark_twice(scene: Scene) -> None:
    """Mark and rank while workers die and messages come twice; then once more in peace."""
    agency = Browser(scene.base, dict(scene.guide["staff"]["agence"]))
    with scene.fault("workers killed, Redis lost, tasks sent again"):
        breaking = asyncio.create_task(_break_workers(scene))
        await _mark_and_rank(scene, agency, "under fault")
        await breaking
    await _mark_and_rank(scene, agency, "undisturbed")


async def _break_workers(scene: Scene) -> None:
    await asyncio.sleep(0.3)
    scene.house.stop("worker", cleanly=False)
    scene.house.kill_redis(empty=True)
    await asyncio.sleep(0.5)
    scene.house.start_redis()
    scene.house.start("worker")
    # A worker that died leaves its claim for two minutes: here they have passed.
    scene.sql(
        "UPDATE grading_markingchunk SET started_at = started_at - interval '10 minutes' WHERE finished_at IS NULL",
        fetch=False,
    )
    for (chunk,) in scene.sql("SELECT id FROM grading_markingchunk"):
        for _ in range(3):
            await asyncio.to_thread(scene.house.send_task, "grading.tasks.mark_chunk", chunk_id=chunk)


async def _mark_and_rank(scene: Scene, agency: Browser, label: str) -> None:
    done = "SELECT count(*) FROM grading_markingrun WHERE state = 'DONE'"
    before = scene.sql(done)[0][0]
    await _insist(agency, f"/notation/epreuve/{scene.guide['sitting']}/noter/")
    await _until(scene, done, before + 1)
    ranked = "SELECT count(*) FROM ranking_rankingrun WHERE digest <> ''"
    before = scene.sql(ranked)[0][0]
    await _insist(agency, f"/classement/{scene.guide['exam']}/calculer/")
    await _until(scene, ranked, before + 1)
    ((digest,),) = scene.sql("SELECT digest FROM ranking_rankingrun ORDER BY id DESC LIMIT 1")
    scene.probe("ranking", label=label, digest=digest)


async def _insist(agency: Browser, path: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            await do(agency, path, reason=REASON)
        except (OSError, StaffRefused):
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.5)
        else:
            return


async def _until(scene: Scene, question: str, least: int) -> None:
    deadline = time.monotonic() + 2 * PATIENCE
    while True:
        if (await scene.ask(question))[0][0] >= least:
            return
        if time.monotonic() > deadline:
            raise TimeoutError(question)
        await asyncio.sleep(0.2)
