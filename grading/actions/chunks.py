"""One chunk of a run: claimed, marked all or nothing, fenced off from a worker that was taken for dead."""

from datetime import datetime

from django.db import transaction

from grading.actions.runs import CHUNK_DEADLINE, FAULTS, complete_run, fail_run
from grading.actions.scoring import MarkingFault, marked
from grading.enums import MarkingState
from grading.models import ACTIVE, MarkingChunk, MarkingRun, SheetMark
from grading.queries import POINTS_DTYPE, chunk_answers, run_plan

MAX_ATTEMPTS = 3


def mark_chunk(*, chunk_id: int, now: datetime) -> None:
    """Mark one chunk, all or nothing, and finish the run when it was the last one. Doing it again changes nothing.

    A fault of the marking itself fails the run at once; any other error leaves the chunk to be taken up by `sweep`.
    """
    attempt = _claim(chunk_id=chunk_id, now=now)
    if attempt is None:
        return
    run_id = MarkingChunk.objects.values_list("run_id", flat=True).get(pk=chunk_id)
    try:
        _mark(chunk_id=chunk_id, attempt=attempt, now=now)
        complete_run(run_id=run_id, now=now)
    except FAULTS as fault:
        fail_run(run_id=run_id, chunk_id=chunk_id, cause=str(fault), now=now)


@transaction.atomic
def _claim(*, chunk_id: int, now: datetime) -> int | None:
    """Take the chunk for one attempt and return its number, or None when there is nothing to do."""
    chunk = MarkingChunk.objects.select_for_update(of=("self",), no_key=True).select_related("run").get(pk=chunk_id)
    if chunk.run.state not in ACTIVE or chunk.state in {MarkingState.DONE, MarkingState.FAILED}:
        return None
    if chunk.started_at is not None and chunk.started_at > now - CHUNK_DEADLINE:
        return None
    if chunk.attempts >= MAX_ATTEMPTS:
        cause = f"Le lot {chunk.number} a été abandonné après {chunk.attempts} essais."
        fail_run(run_id=chunk.run_id, chunk_id=chunk_id, cause=cause, now=now)
        return None
    chunk.state, chunk.started_at, chunk.attempts = MarkingState.RUNNING, now, chunk.attempts + 1
    chunk.save(update_fields=["state", "started_at", "attempts"])
    MarkingRun.objects.filter(pk=chunk.run_id, state=MarkingState.PENDING).update(state=MarkingState.RUNNING)
    return chunk.attempts


@transaction.atomic
def _mark(*, chunk_id: int, attempt: int, now: datetime) -> None:
    """Write the marks of a chunk, unless another worker has taken it over since the claim."""
    owned = MarkingChunk.objects.select_for_update(of=("self",), no_key=True).select_related("run__paper")
    chunk = owned.filter(pk=chunk_id, attempts=attempt, state=MarkingState.RUNNING).first()
    if chunk is None:
        return
    plan = run_plan(chunk.run)
    if plan.scale != chunk.run.scale or plan.denominator != chunk.run.denominator:
        raise MarkingFault("Le barème a changé depuis le lancement de la notation.")
    answers = chunk_answers(chunk)
    if len(answers) != chunk.sheets:
        raise MarkingFault(f"Le lot {chunk.number} n’a plus le même nombre de copies.")
    SheetMark.objects.bulk_create(
        SheetMark(run=chunk.run, number=sheet.number, points=row.astype(POINTS_DTYPE).tobytes(), total=int(row.sum()))
        for sheet, row in zip(answers, marked(answers, plan), strict=True)
    )
    chunk.state, chunk.finished_at = MarkingState.DONE, now
    chunk.save(update_fields=["state", "finished_at"])
