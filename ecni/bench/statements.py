"""What one answer asks of PostgreSQL with few candidates and with many: round trips, rows written, rows read by key."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from ecni.bench.measures import Measure, Target
from ecni.bench.stand import Stand
from exams.actions.centre_sitting import create_centre_sitting
from exams.actions.journal import PendingOp, append_ops
from exams.enums import OpKind, SheetState
from exams.models import Exam, Sheet, Sitting
from exams.queries.clock import database_now
from exams.rules.ops import Op, chain_digest, genesis_digest
from exams.rules.states import SheetPlace

SIZES = (10, 1_000, 10_000)
ROWS = """
SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0), coalesce(sum(seq_tup_read), 0),
    coalesce(sum(idx_tup_fetch), 0)
FROM pg_stat_xact_user_tables WHERE relname = 'exams_sheet' OR relname LIKE 'exams_journalentry%'"""


@dataclass(frozen=True, slots=True)
class Asked:
    """What one answer asks: round trips; rows written, read by scanning a table, read by key."""

    round_trips: int
    written: int
    scanned: int
    by_key: int

    @property
    def total(self) -> int:
        """Round trips and rows."""
        return self.round_trips + self.written + self.scanned + self.by_key


def statements(stand: Stand) -> list[Measure]:
    """Return what one answer asks at each size, beside what it asks with the fewest candidates: the same."""
    found = {size: asked(size) for size in SIZES if size <= max(stand.size.candidates, SIZES[0])}
    least = found[SIZES[0]]
    return [
        Measure(
            name=f"one answer among {size}",
            value=one.total,
            unit="round trips and rows",
            floor=f"among {SIZES[0]}",
            floor_value=least.total,
            target=Target("ratio", 1.0),
            details={
                "round trips": one.round_trips,
                "rows written": one.written,
                "rows scanned": one.scanned,
                "rows by key": one.by_key,
            },
        )
        for size, one in found.items()
    ]


def asked(candidates: int) -> Asked:
    """Have everybody answer twice, then one of them once more; return what that one answer asks."""
    sheets, now = composing(candidates), database_now()
    with transaction.atomic():
        heads = {sheet.pk: genesis_digest(sheet.sitting_id, sheet.number) for sheet in sheets}
        for seq in (1, 2):
            heads = append(sheets, heads, seq, now)
        before, trips = rows(), RoundTrips()
        with connection.execute_wrapper(trips):
            append([sheets[candidates // 2]], heads, 3, now)
        written, scanned, by_key = (after - earlier for after, earlier in zip(rows(), before, strict=True))
        transaction.set_rollback(True)
    return Asked(trips.count, written, scanned, by_key)


class RoundTrips:
    """Counts what is sent to PostgreSQL."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, execute: Any, sql: Any, params: Any, many: Any, context: Any) -> Any:
        """Count one, and send it."""
        self.count += 1
        return execute(sql, params, many, context)


def composing(candidates: int) -> list[Sheet]:
    """Make a sitting of one centre, where everybody composes."""
    exam = Exam.objects.create(name="Banc d’essai", slug=f"actes-{Exam.objects.count()}")
    now = database_now()
    sitting = Sitting.objects.create(exam=exam, number=1, title="Banc d’essai", starts_at=now, duration_seconds=10_800)
    create_centre_sitting(sitting_id=sitting.pk, places=[SheetPlace(f"A{at:05}", 0) for at in range(candidates)])
    sheets = Sheet.objects.filter(sitting=sitting)
    sheets.update(state=SheetState.COMPOSING, ends_at=now + timedelta(hours=3))
    return list(sheets.order_by("pk"))


def append(sheets: Sequence[Sheet], heads: dict[int, bytes], seq: int, now: datetime) -> dict[int, bytes]:
    """Store one more op of each sheet; return the heads that follow.

    Raises:
        RuntimeError: an op was refused.
    """
    ops = {
        sheet.pk: Op(seq, OpKind.ANSWER, 1, "A", 0, chain_digest(heads[sheet.pk], seq, OpKind.ANSWER, 1, "A", 0))
        for sheet in sheets
    }
    batch = [PendingOp(s.pk, s.centre_sitting_id, s.epoch, heads[s.pk], 0, ops[s.pk]) for s in sheets]
    verdicts = append_ops(sitting_id=sheets[0].sitting_id, grace_seconds=30, pending=batch, now=now)
    if set(verdicts.values()) != {"stored"}:
        raise RuntimeError(f"refused: {set(verdicts.values())}")
    return heads | {pk: op.digest for pk, op in ops.items()}


def rows() -> tuple[int, int, int]:
    """Return the rows written, scanned and read by key so far in this transaction."""
    with connection.cursor() as cursor:
        cursor.execute(ROWS)
        ((written, scanned, by_key),) = cursor.fetchall()
    return int(written), int(scanned), int(by_key)
