"""What is refused is not in the sheet, but it is not lost: the jury finds it with its evidence."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from exams.models import RefusedOp, Sheet
from exams.rules.ops import Op
from exams.rules.timing import was_made_in_time

QUARANTINED = "quarantined"

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Refusal:
    """One op that was refused.

    Attributes:
        sheet_id: the sheet it was meant for.
        epoch: of the ticket with which it came.
        skew: the server's clock less the tablet's, milliseconds; None when never measured.
        op: the op itself.
        code: why, a key of `exams.protocol.REFUSALS`.
    """

    sheet_id: int
    epoch: int
    skew: int | None
    op: Op
    code: str


def keep_refusals(*, refusals: Sequence[Refusal], now: datetime) -> list[str]:
    """Keep ops that were refused, each once; return the code that each tablet must be told.

    `quarantined` takes the place of `late` for an op made in time by its own clock, and of `replaced`.
    """
    sheets = Sheet.objects.select_related("centre_sitting").in_bulk({refusal.sheet_id for refusal in refusals})
    rows = [_row(refusal, sheets[refusal.sheet_id], now) for refusal in refusals]
    RefusedOp.objects.bulk_create(rows, ignore_conflicts=True)
    for row in rows:
        if row.code == "contradiction":
            logger.error("sheet %d: another op %d contradicts the one that is stored", row.sheet_id, row.seq)
    return [row.code for row in rows]


def _row(refusal: Refusal, sheet: Sheet, now: datetime) -> RefusedOp:
    op = refusal.op
    ends_at = _end(sheet)
    return RefusedOp(
        sitting_id=sheet.sitting_id,
        sheet=sheet,
        seq=op.seq,
        epoch=refusal.epoch,
        kind=op.kind.value,
        question=op.question,
        value=op.value,
        made_at=op.made_at,
        skew=refusal.skew,
        digest=op.digest,
        code=_code(refusal, ends_at),
        ends_at=ends_at,
        received_at=now,
    )


def _end(sheet: Sheet) -> datetime | None:
    """The sheet's own end, or the closing of its centre when that came first."""
    return min(filter(None, (sheet.ends_at, sheet.centre_sitting.closed_at)), default=None)


def _code(refusal: Refusal, ends_at: datetime | None) -> str:
    is_late = refusal.code == "late" and ends_at is not None
    if is_late and ends_at is not None and was_made_in_time(refusal.op.made_at, refusal.skew, ends_at):
        return QUARANTINED
    return QUARANTINED if refusal.code == "replaced" else refusal.code
