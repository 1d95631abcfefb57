"""A whole sitting read again, row by row, and held against all that vouches for it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from django.db import connection, transaction
from django.db.models import Count

from exams.enums import CentreSittingState, SheetState
from exams.models import CentreSitting, Checkpoint, FrozenSheet, JournalEntry, Paper, Sheet
from exams.queries.checkpoints import SAT_STATES, signed, trusted_keys
from exams.queries.papers import main_paper, paper_shapes
from exams.rules.answers import QuestionShape
from exams.rules.checkpoint import is_due
from exams.rules.final import FinalAnswers
from exams.rules.verification import (
    Attested,
    Finding,
    FrozenRow,
    SheetFacts,
    StoredCheckpoint,
    StoredOp,
    WitnessLine,
    attest,
    check_attested,
    check_checkpoints,
    check_frozen,
    check_state,
    check_witness,
    read_sheet,
)

SHEETS_AT_ONCE = 100
"""Sheets whose ops are in memory together: some 50,000 rows."""
LATE_CHECKPOINT = timedelta(minutes=3)
"""How long the last checkpoint of a sitting may let itself be waited for."""
OVER = (CentreSittingState.CLOSED, CentreSittingState.SIGNED)


@dataclass(slots=True)
class Verification:
    """What was read of a sitting, and what is wrong in it."""

    sitting_id: int
    sheets: int = 0
    ops: int = 0
    checkpoints: int = 0
    findings: list[Finding] = field(default_factory=list)


@contextmanager
def one_snapshot() -> Iterator[None]:
    """Read everything as it is at one instant, without keeping anybody waiting."""
    with transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def sittings_with_sheets() -> list[int]:
    """Return every sitting that may have a journal."""
    return list(Sheet.objects.order_by("sitting_id").values_list("sitting_id", flat=True).distinct())


def verify_sitting(
    sitting_id: int, *, witness: Sequence[WitnessLine], now: datetime, told: Callable[[int, int], None]
) -> Verification:
    """Read a sitting from the genesis of each sheet; to be called in `one_snapshot`.

    Args:
        sitting_id: the sitting.
        witness: signed texts kept outside.
        now: the present.
        told: called with the sheets read and their total, now and then.

    Raises:
        Sheet.DoesNotExist: the sitting has no sheet.
    """
    shapes = _shapes(sitting_id)
    facts = list(_facts(sitting_id))
    if not facts:
        raise Sheet.DoesNotExist
    stored = list(_checkpoints(sitting_id))
    attested = [one for checkpoint in stored if (one := attest(checkpoint))]
    done = Verification(sitting_id, sheets=len(facts), checkpoints=len(stored))
    numbers = {sheet.sheet_id: sheet.number for sheet in facts}
    keys = trusted_keys()
    done.findings += check_checkpoints(stored, keys, numbers)
    done.findings += check_witness(witness, stored, keys, sitting_id)
    for start in range(0, len(facts), SHEETS_AT_ONCE):
        told(start, len(facts))
        for ops, findings in _read(facts[start : start + SHEETS_AT_ONCE], sitting_id, shapes, attested):
            done.ops += ops
            done.findings += findings
    done.findings += _foreign_rows(sitting_id)
    done.findings += _late_checkpoint(sitting_id, done, now)
    return done


def _shapes(sitting_id: int) -> dict[int, QuestionShape]:
    """Return what the sitting asks: nothing before its paper is sealed, and then no act is admitted."""
    try:
        return paper_shapes(main_paper(sitting_id).pk)
    except Paper.DoesNotExist:
        return {}


def stored_ops(sitting_id: int, sheet_ids: Iterable[int]) -> dict[int, list[StoredOp]]:
    """Return the rows of some sheets, in order, as they are stored."""
    rows = (
        JournalEntry.objects.filter(sitting_id=sitting_id, sheet_id__in=list(sheet_ids))
        .order_by("sheet_id", "seq")
        .values_list("sheet_id", "seq", "kind", "question", "value", "made_at", "received_at", "digest")
    )
    return {sheet_id: [_stored_op(*row) for row in group] for sheet_id, group in groupby(rows, key=lambda row: row[0])}


def _stored_op(_sheet_id: int, seq: int, kind: int, question: int, value: str, made_at: int, *rest: Any) -> StoredOp:
    received_at, digest = rest
    return StoredOp(seq, kind, question, value, made_at, received_at, bytes(digest))


def _read(
    facts: Sequence[SheetFacts], sitting_id: int, shapes: dict[int, QuestionShape], attested: Sequence[Attested]
) -> Iterator[tuple[int, list[Finding]]]:
    ops = stored_ops(sitting_id, [sheet.sheet_id for sheet in facts])
    for sheet in facts:
        rows = ops.get(sheet.sheet_id, [])
        reading = read_sheet(sheet, sitting_id, rows, shapes)
        check_state(reading)
        check_frozen(reading, shapes)
        check_attested(reading, attested)
        yield len(rows), reading.findings


def _facts(sitting_id: int) -> Iterator[SheetFacts]:
    over = set(CentreSitting.objects.filter(sitting_id=sitting_id, state__in=OVER).values_list("pk", flat=True))
    frozen = {row.pk: _frozen(row) for row in FrozenSheet.objects.filter(sheet__sitting_id=sitting_id)}
    sheets = Sheet.objects.filter(sitting_id=sitting_id).values_list("pk", "number", "state", "centre_sitting_id")
    for pk, number, state, centre_sitting_id in sheets.order_by("number"):
        yield SheetFacts(pk, number, SheetState(state), centre_sitting_id in over, frozen.get(pk))


def _frozen(row: FrozenSheet) -> FrozenRow:
    return FrozenRow(FinalAnswers(bytes(row.masks), row.texts), row.last_seq, bytes(row.head_digest))


def _checkpoints(sitting_id: int) -> Iterator[StoredCheckpoint]:
    for row in Checkpoint.objects.filter(sitting_id=sitting_id).order_by("index", "pk"):
        one = signed(row)
        yield StoredCheckpoint(one.statement, one.signature, one.key_id, bytes(row.heads), bytes(row.leaves))


def _foreign_rows(sitting_id: int) -> Iterator[Finding]:
    counts = JournalEntry.objects.filter(sitting_id=sitting_id).order_by().values("sheet_id").annotate(ops=Count("*"))
    known = Sheet.objects.filter(sitting_id=sitting_id).values("pk")
    for row in counts.exclude(sheet_id__in=known).order_by("sheet_id"):
        text = f"le journal contient {row['ops']} acte(s) d’une copie {row['sheet_id']} qui n’est pas de cette épreuve"
        yield Finding("foreign-rows", text)


def _late_checkpoint(sitting_id: int, done: Verification, now: datetime) -> Iterator[Finding]:
    states = CentreSitting.objects.filter(sitting_id=sitting_id).values_list("state", "closed_at")
    closed = [closed_at for _, closed_at in states if closed_at]
    last = Checkpoint.objects.filter(sitting_id=sitting_id).order_by("-index").values_list("made_at", flat=True).first()
    is_late = is_due(
        last=last,
        is_sat=any(state in SAT_STATES for state, _ in states),
        closed_at=max(closed, default=None),
        now=now - LATE_CHECKPOINT,
    )
    if done.ops and is_late:
        text = "aucun point de contrôle n’atteste la fin du journal : il n’a pas été pris, ou il a été supprimé"
        yield Finding("checkpoint-late", text)
