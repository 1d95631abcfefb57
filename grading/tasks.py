"""Marking in the background. A message lost or repeated does no harm: chunks are claimed, and swept up again."""

from datetime import datetime
from functools import partial

from celery import shared_task
from django.db import transaction

from ecni.accounts.models import User
from ecni.shared.clock import now as present
from grading.actions import chunks, runs
from grading.models import MarkingRun


@shared_task(acks_late=True)
def mark_chunk(*, chunk_id: int) -> None:
    """Mark one chunk of a run."""
    chunks.mark_chunk(chunk_id=chunk_id, now=present())


@shared_task(acks_late=True)
def sweep_marking() -> None:
    """Send again the chunks that no worker holds."""
    for chunk_id in runs.sweep(now=present()):
        mark_chunk.delay(chunk_id=chunk_id)


@transaction.atomic
def launch_marking(*, sitting_id: int, actor: User, now: datetime, reason: str) -> MarkingRun:
    """Start a run and, once it is committed, send its chunks; raises what `grading.actions.runs.start_marking` does."""
    run = runs.start_marking(sitting_id=sitting_id, actor=actor, now=now, reason=reason)
    for chunk_id in run.chunks.order_by("number").values_list("pk", flat=True):
        transaction.on_commit(partial(mark_chunk.delay, chunk_id=chunk_id), robust=True)
    return run
