"""Evidence in the background. A message lost or repeated does no harm: the next minute's covers it."""

from celery import shared_task

from ecni.shared.clock import now as present
from exams.actions.checkpoints import take_checkpoint
from exams.queries.checkpoints import due_sittings


@shared_task
def take_checkpoints() -> None:
    """Take a checkpoint of every sitting that needs one."""
    now = present()
    for sitting_id in due_sittings(now):
        take_checkpoint(sitting_id=sitting_id, now=now)
