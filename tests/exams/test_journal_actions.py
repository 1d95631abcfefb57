from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from exams.actions.centre_sitting import close_centre_sitting, grant_time, pause_centre_sitting, resume_centre_sitting
from exams.actions.journal import PendingOp, append_ops, own_centre_sitting
from exams.actions.sheet import release_sheet
from exams.enums import OpKind, SheetState
from exams.models import FrozenSheet, JournalEntry, Sheet
from exams.queries.journal import replays
from tests.exams.sitting import Chain, make_centre_sitting, open_all, opened, staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def now(django_db_setup):
    """PostgreSQL's clock decides in the statement: tests of it live in the present."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]


@pytest.fixture
def centre_sitting(db, now):
    return opened(count=3, now=now)


def pending(sheet, op, previous, epoch=1, skew=0):
    return PendingOp(sheet.pk, sheet.centre_sitting_id, epoch, previous, skew, op)


def append(sheet, op, previous, epoch=1, clock=None):
    verdicts = append_ops(
        sitting_id=sheet.sitting_id,
        grace_seconds=30,
        pending=[pending(sheet, op, previous, epoch)],
        now=clock or datetime.now(UTC),
    )
    return verdicts[sheet.pk]


def rows(sheet):
    return JournalEntry.objects.filter(sitting_id=sheet.sitting_id, sheet_id=sheet.pk).count()


@pytest.fixture
def sheet(centre_sitting):
    return centre_sitting.sheets.first()


def test_append_ops_stores_a_chain(sheet):
    chain = Chain(sheet)
    for value in ("A", "B", ""):
        previous = chain.head
        assert append(sheet, chain.op(value=value), previous) == "stored"
    folded = replays([sheet])[sheet.pk]
    assert (folded.seq, folded.answers, folded.digest) == (3, {1: ""}, chain.head)


def test_append_ops_acknowledges_a_repeat_and_stores_it_once(sheet):
    chain = Chain(sheet)
    genesis = chain.head
    op = chain.op()
    assert [append(sheet, op, genesis), append(sheet, op, genesis)] == ["stored", "repeated"]
    assert rows(sheet) == 1


def test_append_ops_refuses_another_op_with_the_same_number(sheet):
    first, second = Chain(sheet), Chain(sheet)
    assert append(sheet, first.op(value="A"), first.digests[0]) == "stored"
    assert append(sheet, second.op(value="B"), second.digests[0]) == "contradiction"
    assert replays([sheet])[sheet.pk].answers == {1: "A"}


def test_append_ops_refuses_a_fork(sheet):
    chain, fork = Chain(sheet), Chain(sheet)
    append(sheet, chain.op(value="A"), chain.digests[0])
    fork.op(value="B")
    assert append(sheet, fork.op(value="C"), fork.digests[1]) == "contradiction"
    assert rows(sheet) == 1


def test_append_ops_refuses_a_gap(sheet):
    chain = Chain(sheet)
    chain.op()
    assert append(sheet, chain.op(), chain.digests[1]) == "contradiction"


def test_append_ops_refuses_an_old_epoch(sheet, now):
    release_sheet(sheet_id=sheet.pk, actor=staff(), now=now, reason="tablette en panne")
    chain = Chain(sheet)
    op = chain.op()
    assert append(sheet, op, chain.digests[0], epoch=1) == "replaced"
    assert append(sheet, op, chain.digests[0], epoch=2) == "stored"


@pytest.mark.parametrize(
    ("state", "verdict"),
    [
        (SheetState.ADMITTED, "not-open"),
        (SheetState.EXCLUDED, "not-open"),
        (SheetState.PAUSED, "paused"),
        (SheetState.CLOSED, "late"),
        (SheetState.SUBMITTED, "submitted"),
    ],
)
def test_append_ops_refuses_by_state(sheet, state, verdict):
    Sheet.objects.filter(pk=sheet.pk).update(state=state)
    chain = Chain(sheet)
    assert append(sheet, chain.op(), chain.digests[0]) == verdict
    assert rows(sheet) == 0


@pytest.mark.parametrize(("seconds_ago", "verdict"), [(29, "stored"), (31, "late")])
def test_append_ops_accepts_until_the_end_and_its_grace(sheet, now, seconds_ago, verdict):
    Sheet.objects.filter(pk=sheet.pk).update(ends_at=now - timedelta(seconds=seconds_ago))
    chain = Chain(sheet)
    assert append(sheet, chain.op(), chain.digests[0]) == verdict


@pytest.mark.parametrize(
    ("ended_seconds_ago", "clock_hours", "verdict"),
    [(31, -1, "busy"), (-1800, 1, "busy"), (-1800, -1, "stored"), (31, 1, "late")],
)
def test_nothing_is_late_on_the_word_of_one_clock(sheet, now, ended_seconds_ago, clock_hours, verdict):
    Sheet.objects.filter(pk=sheet.pk).update(ends_at=now - timedelta(seconds=ended_seconds_ago))
    chain = Chain(sheet)
    clock = now + timedelta(hours=clock_hours)
    assert append(sheet, chain.op(), chain.digests[0], clock=clock) == verdict


def test_append_ops_hands_the_sheet_in_with_the_same_statement(sheet):
    chain = Chain(sheet)
    assert append(sheet, chain.op(OpKind.SUBMIT, 0, ""), chain.digests[0]) == "stored"
    sheet.refresh_from_db()
    assert sheet.state == SheetState.SUBMITTED
    assert sheet.submitted_at is not None
    previous = chain.head
    assert append(sheet, chain.op(), previous) == "submitted"


def test_append_ops_does_not_mix_sittings(sheet, now):
    other = opened(count=1, now=now).sheets.first()
    chain = Chain(other)
    verdicts = append_ops(
        sitting_id=sheet.sitting_id, grace_seconds=30, pending=[pending(other, chain.op(), chain.digests[0])], now=now
    )
    assert verdicts == {}
    assert rows(other) == 0


@pytest.mark.parametrize("statement", ["UPDATE exams_journalentry SET value = 'E'", "DELETE FROM exams_journalentry"])
def test_journal_refuses_to_change(sheet, statement):
    chain = Chain(sheet)
    append(sheet, chain.op(), chain.digests[0])
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_close_freezes_every_opened_sheet(centre_sitting, now):
    sheets = list(centre_sitting.sheets.order_by("pk"))
    chain = Chain(sheets[0])
    for question, value in ((1, "B"), (2, "AE"), (3, "CD")):
        previous = chain.head
        append(sheets[0], chain.op(question=question, value=value), previous)
    frozen = close_centre_sitting(centre_sitting_id=centre_sitting.pk, actor=staff(), now=now, reason="évacuation")
    assert frozen == 3
    row = FrozenSheet.objects.get(sheet=sheets[0])
    masks = [int.from_bytes(row.masks[i : i + 4], "little") for i in range(0, 20, 4)]
    assert (masks, row.last_seq, bytes(row.head_digest)) == ([0b10, 0b10001, 0b1100, 0, 0], 3, chain.head)
    assert set(centre_sitting.sheets.values_list("state", flat=True)) == {SheetState.CLOSED}
    previous = chain.head
    assert append(sheets[0], chain.op(), previous) == "late"


def test_extra_minutes_in_the_last_second_reopen_the_sheet(sheet, now):
    ended = now + timedelta(hours=1, seconds=31)
    chain = Chain(sheet)
    Sheet.objects.filter(pk=sheet.pk).update(ends_at=now - timedelta(seconds=40))
    assert append(sheet, chain.op(), chain.digests[0]) == "late"
    grant_time(
        centre_sitting_id=sheet.centre_sitting_id,
        sheet_ids=[sheet.pk],
        seconds=300,
        reason="alarme incendie",
        actor=staff(),
        now=ended,
    )
    chain = Chain(sheet)
    assert append(sheet, chain.op(), chain.digests[0]) == "stored"


def test_pause_gives_its_seconds_back(sheet, now):
    before = Sheet.objects.get(pk=sheet.pk).ends_at
    later = now + timedelta(minutes=10)
    pause_centre_sitting(centre_sitting_id=sheet.centre_sitting_id, reason="panne", actor=staff(), now=now)
    resume_centre_sitting(centre_sitting_id=sheet.centre_sitting_id, actor=staff(), now=later)
    sheet.refresh_from_db()
    assert (sheet.state, sheet.ends_at - before) == (SheetState.COMPOSING, timedelta(minutes=10))


@pytest.mark.django_db(transaction=True)
def test_no_op_slips_between_the_fold_and_the_freeze(now):
    centre_sitting = opened(count=8, now=now)
    sheets = list(centre_sitting.sheets.order_by("pk"))

    def compose(sheet):
        chain, stored = Chain(sheet), 0
        try:
            while True:
                previous = chain.head
                if append(sheet, chain.op(), previous) != "stored":
                    return sheet.pk, stored
                stored += 1
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        composing = [threads.submit(compose, sheet) for sheet in sheets]
        close_centre_sitting(centre_sitting_id=centre_sitting.pk, actor=staff(), now=now, reason="évacuation")
        acknowledged = dict(future.result() for future in composing)
    frozen = dict(FrozenSheet.objects.values_list("sheet_id", "last_seq"))
    assert frozen == acknowledged


@pytest.mark.django_db(transaction=True)
def test_a_centre_that_the_staff_moves_keeps_no_other_waiting(now):
    held = opened(count=1, now=now)
    sitting = held.sitting
    free = make_centre_sitting(sitting, 1, prefix="K9")
    open_all(free, now=now)
    sheets = [held.sheets.get(), Sheet.objects.get(centre_sitting=free)]
    chains = [Chain(sheet) for sheet in sheets]
    batch = [pending(chain.sheet, chain.op(), chain.digests[0]) for chain in chains]

    def write():
        try:
            return append_ops(sitting_id=sitting.pk, grace_seconds=30, pending=batch, now=now)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as threads:
        with transaction.atomic():
            own_centre_sitting(held.pk)
            assert threads.submit(write).result(timeout=5) == {sheets[0].pk: "held", sheets[1].pk: "stored"}
        assert threads.submit(write).result(timeout=5) == {sheets[0].pk: "stored", sheets[1].pk: "repeated"}
