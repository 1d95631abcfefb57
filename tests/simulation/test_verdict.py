"""The pure verdict of the simulation decides as the real statement does on a real PostgreSQL."""

from datetime import timedelta

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exams.actions.journal import LOCK_SPACE, PendingOp, append_ops
from exams.enums import OpKind, SheetState
from exams.models import JournalEntry, Sheet
from exams.rules.ops import Op, chain_digest, genesis_digest
from tests.exams.sitting import NOON, opened
from tests.simulation.verdict import Situation, verdict

STATES = [SheetState.COMPOSING] * 6 + list(SheetState)
GRACE = 30
AWAY_MS = 900
"""Far enough from an edge for the real clock to go from the one look to the other; near edges are `FROZEN`'s."""


@st.composite
def situations(draw):
    """An op, what is stored before it, the row of its sheet, whether the staff owns the centre."""
    return {
        "stored": draw(st.integers(0, 3)),
        "seq": draw(st.integers(1, 5)),
        "is_repeat": draw(st.booleans()),
        "is_chained": draw(st.sampled_from([True, True, False])),
        "epoch": draw(st.sampled_from([1, 1, 1, 2])),
        "state": draw(st.sampled_from(STATES)),
        "ends_in": draw(st.sampled_from([-GRACE * 1000 - AWAY_MS, -GRACE * 1000 + AWAY_MS, -AWAY_MS, AWAY_MS, 60_000])),
        "made_after": draw(st.sampled_from([-5_000, 0, 999, 1_000, 1_001, 5_000])),
        "skew": draw(st.sampled_from([-3_600_000, 0, 250, None])),
        "apart": draw(st.sampled_from([0, 0, 0, -60_000, 60_000])),
        "is_owned": draw(st.sampled_from([False, False, False, True])),
    }


@pytest.fixture
def sheet(transactional_db):
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return opened(count=1, now=cursor.fetchone()[0]).sheets.get()


@pytest.fixture
def staff_connection(transactional_db):
    """Another session of the database, as the staff's."""
    other = connection.copy()
    other.set_autocommit(True)
    yield other
    other.close()


class Undone(Exception):
    """Take back what an example did."""


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(case=situations())
def test_the_twin_decides_as_the_statement(sheet, staff_connection, case):
    with pytest.raises(Undone), transaction.atomic():  # noqa: PT012 each example leaves nothing
        real, twin = decided_twice(sheet, staff_connection, case)
        raise Undone
    assert twin == real


def decided_twice(sheet, staff_connection, case):
    chain = [genesis_digest(sheet.sitting_id, sheet.number)]
    for seq in range(1, case["stored"] + 1):
        chain.append(chain_digest(chain[-1], seq, OpKind.ANSWER, 1, "A", 0))
        JournalEntry.objects.create(
            sitting_id=sheet.sitting_id, sheet_id=sheet.pk, seq=seq, epoch=1, kind=1, question=1, value="A", made_at=0,
            received_at=NOON, digest=chain[-1],
        )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now = rounded(cursor.fetchone()[0])
    ends_at = now + timedelta(milliseconds=case["ends_in"])
    Sheet.objects.filter(pk=sheet.pk).update(state=case["state"], epoch=1, ends_at=ends_at)
    caller = now + timedelta(milliseconds=case["apart"])
    item = pending(sheet, chain, case, round(ends_at.timestamp() * 1000))
    seq = item.op.seq
    found = Situation(
        held=chain[seq] if seq < len(chain) else None,
        before=chain[seq - 1] if 2 <= seq <= len(chain) else None,
        is_owned=case["is_owned"],
        epoch=1,
        state=case["state"],
        ends_at=ends_at,
    )
    with owned(staff_connection, sheet.centre_sitting_id, is_owned=case["is_owned"]):
        real = append_ops(sitting_id=sheet.sitting_id, grace_seconds=GRACE, pending=[item], now=caller)[sheet.pk]
    return real, verdict(item, found, now, caller, GRACE)


def rounded(moment):
    """An end is in milliseconds on the tablet's side of the comparison."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def pending(sheet, chain, case, end_ms):
    seq = case["seq"]
    previous = chain[seq - 1] if seq <= len(chain) and case["is_chained"] else b"\x01" * 32
    made_at = end_ms + case["made_after"] - (case["skew"] or 0)
    digest = chain_digest(previous, seq, OpKind.ANSWER, 1, "B", made_at)
    if case["is_repeat"] and seq < len(chain):
        digest = chain[seq]
    return PendingOp(
        sheet.pk,
        sheet.centre_sitting_id,
        case["epoch"],
        previous,
        case["skew"],
        Op(seq, OpKind.ANSWER, 1, "B", made_at, digest),
    )


class owned:  # noqa: N801 reads as a context
    """The staff owns the centre sitting meanwhile, in its own transaction."""

    def __init__(self, other, centre_sitting_id, *, is_owned):
        self._cursor, self._id, self._is_owned = other.cursor(), centre_sitting_id, is_owned

    def __enter__(self):
        if self._is_owned:
            self._cursor.execute("SELECT pg_advisory_lock(%s, %s)", [LOCK_SPACE, self._id])

    def __exit__(self, *_):
        if self._is_owned:
            self._cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [LOCK_SPACE, self._id])
        self._cursor.close()
