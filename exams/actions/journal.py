"""The only writer of the journal: one statement decides and stores a whole batch of ops.

What each answer costs is here, and does not depend on the number of candidates: one row written, two rows read by key.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from weakref import WeakSet

from django.db import connection

from exams.enums import OpKind, SheetState
from exams.rules.ops import Op
from exams.rules.timing import MADE_TOLERANCE_MS

LOCK_SPACE = 0x45434E69
"""First key of the advisory locks of centre sittings: writers share them, who freezes or moves a sheet owns them."""

STORED = "stored"
REPEATED = "repeated"
HELD = "held"


@dataclass(frozen=True, slots=True)
class PendingOp:
    """One op waiting to be made durable. A batch holds at most one per sheet.

    Attributes:
        sheet_id, centre_sitting_id: where it goes.
        epoch: fencing token of the tablet's ticket.
        previous: digest that the op chains to, as the process knows it; PostgreSQL compares it with what is stored.
        skew: the server's clock less the tablet's, milliseconds; None when never measured: when the op was made is then
            not known, and is not held against it.
        op: the op itself.
    """

    sheet_id: int
    centre_sitting_id: int
    epoch: int
    previous: bytes
    skew: int | None
    op: Op


_STATEMENT = f"""
WITH op AS (
    SELECT * FROM unnest(%(sheet)s::int[], %(seq)s::int[], %(epoch)s::smallint[], %(kind)s::smallint[],
        %(question)s::smallint[], %(value)s::text[], %(made_at)s::bigint[], %(skew)s::bigint[], %(previous)s::bytea[],
        %(digest)s::bytea[]) AS op(sheet_id, seq, epoch, kind, question, value, made_at, skew, previous, digest)
), judged AS (
    SELECT op.*, CASE
        WHEN held.digest = op.digest THEN '{REPEATED}'
        WHEN held.digest IS NOT NULL THEN 'contradiction'
        WHEN sheet.centre_sitting_id::text <> ALL (string_to_array(current_setting('ecni.free'), ',')) THEN '{HELD}'
        WHEN sheet.epoch <> op.epoch THEN 'replaced'
        WHEN sheet.state = '{SheetState.SUBMITTED}' THEN 'submitted'
        WHEN sheet.state = '{SheetState.PAUSED}' THEN 'paused'
        WHEN sheet.state = '{SheetState.CLOSED}' THEN 'late'
        WHEN sheet.state <> '{SheetState.COMPOSING}' THEN 'not-open'
        WHEN (clock_timestamp() >= sheet.ends_at + make_interval(secs => %(grace)s))
            <> (%(now)s >= sheet.ends_at + make_interval(secs => %(grace)s)) THEN 'busy'
        WHEN clock_timestamp() >= sheet.ends_at + make_interval(secs => %(grace)s) THEN 'late'
        WHEN clock_timestamp() >= sheet.ends_at
            AND op.made_at + op.skew > extract(epoch FROM sheet.ends_at) * 1000 + {MADE_TOLERANCE_MS} THEN 'late'
        WHEN op.seq > 1 AND before.digest IS DISTINCT FROM op.previous THEN 'contradiction'
        ELSE '{STORED}' END AS verdict
    FROM op
    CROSS JOIN LATERAL (SELECT state, epoch, ends_at, centre_sitting_id FROM exams_sheet
        WHERE id = op.sheet_id AND sitting_id IS NOT DISTINCT FROM %(sitting)s OFFSET 0) AS sheet
    LEFT JOIN LATERAL (SELECT digest FROM exams_journalentry
        WHERE sitting_id = %(sitting)s AND sheet_id = op.sheet_id AND seq = op.seq OFFSET 0) AS held ON true
    LEFT JOIN LATERAL (SELECT digest FROM exams_journalentry
        WHERE sitting_id = %(sitting)s AND sheet_id = op.sheet_id AND seq = op.seq - 1 OFFSET 0) AS before ON true
), written AS (
    INSERT INTO exams_journalentry
        (sitting_id, sheet_id, seq, epoch, kind, question, value, made_at, received_at, digest)
    SELECT %(sitting)s, sheet_id, seq, epoch, kind, question, value, made_at, clock_timestamp(), digest
    FROM judged WHERE verdict = '{STORED}'
    ON CONFLICT DO NOTHING
    RETURNING sheet_id, kind, received_at
), handed_in AS (
    UPDATE exams_sheet SET state = '{SheetState.SUBMITTED}', submitted_at = written.received_at
    FROM written WHERE written.kind = {OpKind.SUBMIT.value} AND exams_sheet.id = written.sheet_id
        AND exams_sheet.id = ANY(ARRAY(SELECT sheet_id FROM written WHERE kind = {OpKind.SUBMIT.value}))
)
SELECT judged.sheet_id,
    CASE WHEN verdict = '{STORED}' AND written.sheet_id IS NULL THEN 'busy' ELSE verdict END
FROM judged LEFT JOIN written ON written.sheet_id = judged.sheet_id
"""
_TYPES = {
    "sitting": "int",
    "grace": "int",
    "now": "timestamptz",
    "sheet": "int[]",
    "seq": "int[]",
    "epoch": "smallint[]",
    "kind": "smallint[]",
    "question": "smallint[]",
    "value": "text[]",
    "made_at": "bigint[]",
    "skew": "bigint[]",
    "previous": "bytea[]",
    "digest": "bytea[]",
}
# Planning the statement costs PostgreSQL several times what running it does: each connection prepares it once.
_PREPARE = f"PREPARE ecni_append ({', '.join(_TYPES.values())}) AS" + _STATEMENT % {
    name: f"${place}" for place, name in enumerate(_TYPES, start=1)
}
# Rows are found by key, whatever the planner thinks of the size of the tables: an answer must cost the same with any
# number of candidates. `OFFSET 0` keeps each look-up apart, for each op; an index is all that is left to it. The
# array does so for who hands in: where statistics know of no live sheet, the whole index seemed as cheap as one key.
_EXECUTE = f"""
SET LOCAL enable_seqscan TO off; SET LOCAL enable_hashjoin TO off; SET LOCAL enable_mergejoin TO off;
SET LOCAL plan_cache_mode TO force_generic_plan;
SELECT set_config('ecni.free', coalesce(string_agg(c::text, ','), ''), true)
FROM unnest(%(centres)s::int[]) AS c WHERE pg_try_advisory_xact_lock_shared({LOCK_SPACE}, c);
EXECUTE ecni_append ({", ".join(f"%({name})s::{kind}" for name, kind in _TYPES.items())})
"""
_prepared: WeakSet[Any] = WeakSet()
"""Connections that hold the prepared statement."""


def append_ops(*, sitting_id: int, grace_seconds: int, pending: Sequence[PendingOp], now: datetime) -> dict[int, str]:
    """Make a batch of ops of one sitting durable; return the verdict of each, by sheet.

    Called outside any transaction: when it returns, what it calls `stored` is committed. Verdicts: `stored`, `repeated`
    (this very op was stored before), `held` (the staff is moving this centre sitting: ask again in an instant, others
    do not wait), or a refusal code of `exams.protocol.REFUSALS`. `busy` means that another process stored an op
    with the same number in the same instant, or that PostgreSQL's clock and the caller's do not agree on whether the
    time is over: ask again.

    Args:
        sitting_id: sitting of every op of the batch (its partition of the journal).
        grace_seconds: how long after its end a sheet still receives what was made before.
        pending: at most one op per sheet.
        now: the caller's clock, held against PostgreSQL's.

    Raises:
        django.db.Error: nothing is known of the batch; it must be sent again.
    """
    ops = [item.op for item in pending]
    with connection.cursor() as cursor:
        if connection.connection not in _prepared:
            cursor.execute(_PREPARE)
            _prepared.add(connection.connection)
        cursor.execute(
            _EXECUTE,
            {
                "sitting": sitting_id,
                "grace": grace_seconds,
                "now": now,
                "centres": list({item.centre_sitting_id for item in pending}),
                "sheet": [item.sheet_id for item in pending],
                "epoch": [item.epoch for item in pending],
                "skew": [item.skew for item in pending],
                "previous": [item.previous for item in pending],
                "seq": [op.seq for op in ops],
                "kind": [op.kind.value for op in ops],
                "question": [op.question for op in ops],
                "value": [op.value for op in ops],
                "made_at": [op.made_at for op in ops],
                "digest": [op.digest for op in ops],
            },
        )
        return dict(cursor.fetchall())


def prepare_journal(*, sitting_id: int) -> None:
    """Create the partition of the journal that will hold one sitting."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TABLE IF NOT EXISTS exams_journalentry_s{int(sitting_id)}"
            f" PARTITION OF exams_journalentry FOR VALUES IN ({int(sitting_id)})"
        )


def own_centre_sitting(centre_sitting_id: int, *, patience_ms: int | None = None) -> None:
    """Wait until no batch is being written for this centre sitting; keep new ones out until the transaction ends.

    Args:
        centre_sitting_id: which one.
        patience_ms: how long to wait; None for as long as the settings say.

    Raises:
        django.db.OperationalError: somebody else has it for longer.
    """
    with connection.cursor() as cursor:
        if patience_ms is not None:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{patience_ms}ms"])
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCK_SPACE, centre_sitting_id])
        if patience_ms is not None:
            cursor.execute("SET LOCAL lock_timeout TO DEFAULT")


def mark_ready(*, sheets: Sequence[tuple[int, int]], now: datetime) -> None:
    """Record that tablets hold their verified paper; `sheets` are pairs of sheet and epoch."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""UPDATE exams_sheet SET ready_at = %(now)s,
                state = CASE WHEN state = '{SheetState.ADMITTED}' THEN '{SheetState.READY}' ELSE state END
            FROM unnest(%(sheet)s::int[], %(epoch)s::smallint[]) AS r(sheet_id, epoch)
            WHERE exams_sheet.id = r.sheet_id AND exams_sheet.epoch = r.epoch AND ready_at IS NULL""",
            {"now": now, "sheet": [sheet for sheet, _ in sheets], "epoch": [epoch for _, epoch in sheets]},
        )
