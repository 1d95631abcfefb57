"""Heads of chains, and the checkpoints that fixed them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import connection
from django.db.models import Max, Q

from exams.enums import CentreSittingState
from exams.models import CentreSitting, Checkpoint
from exams.rules.checkpoint import (
    Head,
    Statement,
    is_due,
    known_keys,
    milliseconds,
    signing_key,
    unpack_heads,
    witness_text,
)

SAT_STATES = (CentreSittingState.OPEN, CentreSittingState.PAUSED)

# One descent of the journal's key per sheet, in one snapshot: nothing is locked, whatever is being written.
_HEADS = """
SELECT sheet.id, sheet.number, head.seq, head.digest
FROM exams_sheet sheet CROSS JOIN LATERAL (
    SELECT seq, digest FROM exams_journalentry
    WHERE sitting_id = %(sitting)s AND sheet_id = sheet.id ORDER BY seq DESC LIMIT 1
) head
WHERE sheet.sitting_id = %(sitting)s
"""


@dataclass(frozen=True, slots=True)
class SignedCheckpoint:
    """A checkpoint as it is shown and printed."""

    statement: Statement
    made_at: datetime
    signature: bytes
    key_id: str

    @property
    def text(self) -> str:
        """What is signed."""
        return self.statement.text.decode()

    @property
    def witness(self) -> str:
        """What the QR says: enough to verify it elsewhere."""
        return witness_text(self.statement.text, self.signature)


def heads_of(sitting_id: int) -> list[Head]:
    """Return the head of every sheet of a sitting that has at least one op."""
    with connection.cursor() as cursor:
        cursor.execute(_HEADS, {"sitting": sitting_id})
        return [Head(sheet_id, number, seq, bytes(digest)) for sheet_id, number, seq, digest in cursor.fetchall()]


def due_sittings(now: datetime) -> list[int]:
    """Return the sittings that need a checkpoint now."""
    opened = (
        CentreSitting.objects.filter(opened_at__isnull=False)
        .values("sitting_id")
        .annotate(sat=Max("pk", filter=Q(state__in=SAT_STATES)), closed_at=Max("closed_at"))
        .order_by("sitting_id")
    )
    last = dict(Checkpoint.objects.values("sitting_id").annotate(at=Max("made_at")).values_list("sitting_id", "at"))
    return [
        row["sitting_id"]
        for row in opened
        if is_due(last=last.get(row["sitting_id"]), is_sat=row["sat"] is not None, closed_at=row["closed_at"], now=now)
    ]


def last_checkpoint(sitting_id: int) -> SignedCheckpoint | None:
    """Return the latest checkpoint of a sitting, if there is one."""
    row = Checkpoint.objects.filter(sitting_id=sitting_id).order_by("-index").first()
    return signed(row) if row else None


def checkpoints_of(sitting_id: int) -> Iterator[SignedCheckpoint]:
    """Return every checkpoint of a sitting, in order."""
    for row in Checkpoint.objects.filter(sitting_id=sitting_id).order_by("index"):
        yield signed(row)


def signed(row: Checkpoint) -> SignedCheckpoint:
    """Return what a stored checkpoint says."""
    heads = unpack_heads(bytes(row.heads)) or []
    statement = Statement(
        sitting_id=row.sitting_id,
        index=row.index,
        made_at_ms=milliseconds(row.made_at),
        sheets=len(heads),
        ops=sum(seq for _, seq in heads),
        root=bytes(row.root),
        previous=bytes(row.previous),
    )
    return SignedCheckpoint(statement, row.made_at, bytes(row.signature), row.key_id)


def trusted_keys() -> dict[str, bytes]:
    """Return the public keys whose signatures are accepted, by name."""
    return dict(known_keys(signing_key(settings.CHECKPOINT_KEY), settings.CHECKPOINT_FORMER_KEYS))
