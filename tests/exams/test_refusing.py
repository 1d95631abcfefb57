"""What is refused is kept with its evidence; what waited without network is given back by the sitting's rule."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction

from exams.actions.centre_sitting import close_centre_sitting, pause_centre_sitting
from exams.actions.journal import append_ops
from exams.actions.outage import credit_outages
from exams.actions.refusing import Refusal, keep_refusals
from exams.enums import GrantCause, OfflineClock
from exams.models import RefusedOp, Sheet, Sitting, TimeGrant
from tests.exams.sitting import Chain, opened, staff
from tests.exams.test_journal_actions import pending

pytestmark = pytest.mark.django_db


@pytest.fixture
def now(django_db_setup):
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]


@pytest.fixture
def sheet(db, now):
    return opened(count=2, now=now - timedelta(minutes=30)).sheets.order_by("pk").first()


def milliseconds(moment):
    return int(moment.timestamp() * 1000)


def refusal(sheet, code="late", made_at=0, skew=0, epoch=1):
    return Refusal(sheet.pk, epoch, skew, Chain(sheet).op(made_at=made_at), code)


def end(sheet, at):
    Sheet.objects.filter(pk=sheet.pk).update(ends_at=at)


@pytest.mark.parametrize(
    ("seconds", "skew_ms", "told"),
    [(-1, 0, "quarantined"), (5, 0, "late"), (3605, -3_600_000, "late"), (3595, -3_600_000, "quarantined")],
)
def test_an_op_made_in_time_that_arrives_late_is_quarantined(sheet, now, seconds, skew_ms, told):
    ended = now - timedelta(minutes=10)
    end(sheet, ended)
    made = milliseconds(ended + timedelta(seconds=seconds))
    assert keep_refusals(refusals=[refusal(sheet, made_at=made, skew=skew_ms)], now=now) == [told]
    kept = RefusedOp.objects.get()
    assert (kept.code, kept.made_at, kept.skew, kept.ends_at, kept.received_at) == (told, made, skew_ms, ended, now)


def test_what_was_made_after_an_early_closing_is_late(sheet, now):
    close_centre_sitting(
        centre_sitting_id=sheet.centre_sitting_id, actor=staff(), now=now, reason="évacuation sans retour"
    )
    before, after = (milliseconds(now + timedelta(seconds=seconds)) for seconds in (-5, 5))
    told = keep_refusals(refusals=[refusal(sheet, made_at=at) for at in (before, after)], now=now)
    assert told == ["quarantined", "late"]


def test_what_a_replaced_tablet_had_not_sent_is_quarantined(sheet, now):
    assert keep_refusals(refusals=[refusal(sheet, "replaced", milliseconds(now))], now=now) == ["quarantined"]


def test_what_a_replaced_tablet_sends_again_after_its_acknowledgement_was_lost_is_in_the_sheet(sheet, now):
    chain = Chain(sheet)
    stored, lost = chain.op(made_at=1), chain.op(made_at=2)
    batch = [pending(sheet, stored, chain.digests[0])]
    assert append_ops(sitting_id=sheet.sitting_id, grace_seconds=30, pending=batch, now=now) == {sheet.pk: "stored"}
    refusals = [Refusal(sheet.pk, 1, 0, op, "replaced") for op in (stored, lost)]
    assert keep_refusals(refusals=refusals, now=now) == ["repeated", "quarantined"]
    assert RefusedOp.objects.get().seq == 2


@pytest.mark.parametrize(("minutes", "told"), [(29, "quarantined"), (31, "late")])
def test_where_a_wait_is_given_back_the_jury_has_what_was_made_during_it(sheet, now, minutes, told):
    Sitting.objects.filter(pk=sheet.sitting_id).update(offline_clock=OfflineClock.STOP)
    ended = now - timedelta(minutes=40)
    end(sheet, ended)
    made = milliseconds(ended + timedelta(minutes=minutes))
    assert keep_refusals(refusals=[refusal(sheet, made_at=made)], now=now) == [told]
    assert RefusedOp.objects.get().ends_at == ended


@pytest.mark.parametrize("code", ["contradiction", "bad-value", "sealed", "submitted"])
def test_other_refusals_keep_their_code(sheet, now, code):
    assert keep_refusals(refusals=[refusal(sheet, code)], now=now) == [code]
    assert RefusedOp.objects.get().code == code


def test_a_refusal_that_comes_again_is_kept_once(sheet, now):
    twice = [refusal(sheet, made_at=0), refusal(sheet, made_at=0)]
    assert keep_refusals(refusals=twice, now=now) == ["quarantined", "quarantined"]
    assert keep_refusals(refusals=twice[:1], now=now) == ["quarantined"]
    assert RefusedOp.objects.count() == 1


@pytest.mark.parametrize("statement", ["UPDATE exams_refusedop SET value = 'E'", "DELETE FROM exams_refusedop"])
def test_what_was_refused_only_grows(sheet, now, statement):
    keep_refusals(refusals=[refusal(sheet)], now=now)
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def append(sheet, op, previous, skew=0):
    item = pending(sheet, op, previous, skew=skew)
    now = datetime.now(UTC)
    return append_ops(sitting_id=sheet.sitting_id, grace_seconds=30, pending=[item], now=now)[sheet.pk]


@pytest.mark.parametrize(("made", "verdict"), [(-2, "stored"), (0, "stored"), (3, "late")])
def test_the_grace_carries_only_what_was_made_in_time(sheet, now, made, verdict):
    ended = now - timedelta(seconds=10)
    end(sheet, ended)
    chain = Chain(sheet)
    made_at = milliseconds(ended + timedelta(seconds=made)) - 3_600_000
    assert append(sheet, chain.op(made_at=made_at), chain.digests[0], skew=3_600_000) == verdict


def test_the_grace_holds_nothing_against_an_op_whose_time_nobody_knows(sheet, now):
    end(sheet, now - timedelta(seconds=10))
    chain = Chain(sheet)
    assert (
        append(sheet, chain.op(made_at=milliseconds(now + timedelta(hours=1))), chain.digests[0], skew=None) == "stored"
    )


def test_before_its_end_a_sheet_takes_what_a_wild_clock_says(sheet, now):
    chain = Chain(sheet)
    assert append(sheet, chain.op(made_at=milliseconds(now + timedelta(days=9))), chain.digests[0]) == "stored"


def stop_the_clock(sheet):
    Sitting.objects.filter(pk=sheet.sitting_id).update(offline_clock=OfflineClock.STOP)


def test_a_wait_without_network_is_given_back_once(sheet, now):
    stop_the_clock(sheet)
    before, revision = Sheet.objects.get(pk=sheet.pk).ends_at, sheet.centre_sitting.revision
    credit_outages(waits={sheet.pk: 120}, now=now)
    credit_outages(waits={sheet.pk: 125}, now=now + timedelta(seconds=5))
    sheet.refresh_from_db()
    sheet.centre_sitting.refresh_from_db()
    grants = TimeGrant.objects.values_list("cause", "sheet_id", "seconds", "granted_by")
    assert list(grants) == [(GrantCause.OUTAGE, sheet.pk, 120, None), (GrantCause.OUTAGE, sheet.pk, 5, None)]
    assert sheet.ends_at - before == timedelta(seconds=125)
    assert sheet.centre_sitting.revision == revision + 2


def test_a_wait_is_believed_since_the_last_op_at_most(sheet, now):
    stop_the_clock(sheet)
    chain = Chain(sheet)
    append(sheet, chain.op(), chain.digests[0])
    credit_outages(waits={sheet.pk: 1200}, now=now + timedelta(seconds=60))
    assert 55 <= TimeGrant.objects.get().seconds <= 60


def test_no_wait_is_given_back_where_the_time_runs_or_the_sheet_is_over(sheet, now):
    credit_outages(waits={sheet.pk: 120}, now=now)
    stop_the_clock(sheet)
    close_centre_sitting(centre_sitting_id=sheet.centre_sitting_id, actor=staff(), now=now, reason="évacuation")
    credit_outages(waits={sheet.pk: 120}, now=now)
    assert TimeGrant.objects.count() == 0


def test_a_wait_during_a_pause_is_not_given_back_twice(sheet, now):
    stop_the_clock(sheet)
    pause_centre_sitting(
        centre_sitting_id=sheet.centre_sitting_id, reason="alarme", actor=staff(), now=now - timedelta(seconds=60)
    )
    credit_outages(waits={sheet.pk: 100}, now=now)
    assert TimeGrant.objects.get().seconds == 40
