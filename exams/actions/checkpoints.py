"""Taking checkpoints: every sheet of a sitting, fixed by one signed line."""

from datetime import datetime

from django.conf import settings
from django.db import connection, transaction

from exams.models import Checkpoint
from exams.queries.checkpoints import due_sittings, heads_of, last_checkpoint
from exams.rules.checkpoint import (
    key_name,
    pack_heads,
    pack_leaves,
    public_bytes,
    signing_key,
    state_heads,
    whole_milliseconds,
)

LOCK_SPACE = 0x45434E6A
"""First key of the advisory locks of checkpoints, by sitting. No writer of answers ever takes them."""


@transaction.atomic
def take_checkpoint(*, sitting_id: int, now: datetime) -> Checkpoint | None:
    """Fix the heads of a sitting if a checkpoint is due; return None when it is not, or when another one is at it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [LOCK_SPACE, sitting_id])
        (is_ours,) = cursor.fetchone()
    if not is_ours or sitting_id not in due_sittings(now):
        return None
    before = last_checkpoint(sitting_id)
    made_at = whole_milliseconds(now)
    heads = heads_of(sitting_id)
    statement = state_heads(heads, sitting_id=sitting_id, at=made_at, before=before.statement if before else None)
    key = signing_key(settings.CHECKPOINT_KEY)
    return Checkpoint.objects.create(
        sitting_id=sitting_id,
        index=statement.index,
        made_at=made_at,
        heads=pack_heads(heads),
        leaves=pack_leaves(heads),
        root=statement.root,
        previous=statement.previous,
        signature=key.sign(statement.text),
        key_id=key_name(public_bytes(key)),
    )
