"""What is refused is not in the sheet, but it is not lost: the jury finds it with its evidence."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from exams.actions.journal import REPEATED
from exams.enums import OfflineClock
from exams.models import JournalEntry, RefusedOp, Sheet
from exams.rules.ops import Op
from exams.rules.timing import OUTAGE_SECONDS, was_made_in_time

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

    `quarantined` takes the place of `late` for an op made in time by its own clock, and of `replaced`. An op of a
    replaced tablet whose acknowledgement was lost is `repeated`: it is in the sheet already, and not kept apart.
    """
    sheets = Sheet.objects.select_related("centre_sitting", "sitting").in_bulk({one.sheet_id for one in refusals})
    stored = _stored([one for one in refusals if one.code == "replaced"], sheets.values())
    rows = [
        None if (one.sheet_id, one.op.digest) in stored else _row(one, sheets[one.sheet_id], now) for one in refusals
    ]
    RefusedOp.objects.bulk_create(filter(None, rows), ignore_conflicts=True)
    for row in filter(None, rows):
        if row.code == "contradiction":
            logger.error("sheet %d: another op %d contradicts the one that is stored", row.sheet_id, row.seq)
    return [REPEATED if row is None else row.code for row in rows]


def _stored(refusals: Sequence[Refusal], sheets: Iterable[Sheet]) -> set[tuple[int, bytes]]:
    """Which of these ops are in the journal, by sheet and digest."""
    if not refusals:
        return set()
    entries = JournalEntry.objects.filter(
        sitting_id__in={sheet.sitting_id for sheet in sheets},
        sheet_id__in={one.sheet_id for one in refusals},
        seq__in={one.op.seq for one in refusals},
    )
    return {(sheet_id, bytes(digest)) for sheet_id, digest in entries.values_list("sheet_id", "digest")}


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
        code=_code(refusal, sheet, ends_at),
        ends_at=ends_at,
        received_at=now,
    )


def _end(sheet: Sheet) -> datetime | None:
    """The sheet's own end, or the closing of its centre when that came first."""
    return min(filter(None, (sheet.ends_at, sheet.centre_sitting.closed_at)), default=None)


def _code(refusal: Refusal, sheet: Sheet, ends_at: datetime | None) -> str:
    if refusal.code == "replaced":
        return QUARANTINED
    if refusal.code != "late" or ends_at is None:
        return refusal.code
    if sheet.sitting.offline_clock == OfflineClock.STOP:  # a tablet without network goes on by the wait it is promised
        ends_at += timedelta(seconds=OUTAGE_SECONDS[-1])
    is_in_time = was_made_in_time(refusal.op.made_at, refusal.skew, ends_at)
    return QUARANTINED if is_in_time else refusal.code
