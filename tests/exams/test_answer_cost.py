"""Promise 8: an answer costs the same with 10 or 1,000 candidates (in 2015 each one was compared with everybody's)."""

from datetime import UTC, datetime

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from ecni.shared.clock import now
from exams.actions.journal import PendingOp, append_ops
from tests.exams.sitting import Chain, opened

COUNTED = "n_tup_ins + n_tup_upd + n_tup_del, seq_tup_read, idx_tup_fetch"


def rows():
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT relname, {COUNTED} FROM pg_stat_xact_user_tables"
            " WHERE relname = 'exams_sheet' OR relname LIKE 'exams_journalentry%'"
        )
        written = read_whole = by_key = 0
        for _name, changed, scanned, fetched in cursor.fetchall():
            written, read_whole, by_key = written + changed, read_whole + scanned, by_key + (fetched or 0)
    return written, read_whole, by_key


def cost_of_one_answer(candidates):
    """Statements sent, then rows written, read by scanning and read by key, for the third answer of one candidate."""
    sheets = list(opened(count=candidates, now=now()).sheets.order_by("pk"))
    chains = [Chain(sheet) for sheet in sheets]
    for _ in range(2):
        batch = [
            PendingOp(chain.sheet.pk, chain.sheet.centre_sitting_id, 1, chain.head, 0, chain.op()) for chain in chains
        ]
        append_ops(sitting_id=sheets[0].sitting_id, grace_seconds=30, pending=batch, now=datetime.now(UTC))
    chain = chains[candidates // 2]
    one = PendingOp(chain.sheet.pk, chain.sheet.centre_sitting_id, 1, chain.head, 0, chain.op())
    before = rows()
    with CaptureQueriesContext(connection) as queries:
        verdicts = append_ops(sitting_id=chain.sheet.sitting_id, grace_seconds=30, pending=[one], now=datetime.now(UTC))
    assert verdicts == {chain.sheet.pk: "stored"}
    return len(queries), *(after - earlier for after, earlier in zip(rows(), before, strict=True))


@pytest.mark.django_db(transaction=True)
def test_an_answer_reads_its_own_rows_when_statistics_know_of_no_sheet():
    with transaction.atomic():
        opened(count=1000, now=now())
        transaction.set_rollback(True)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE exams_sheet")
    assert cost_of_one_answer(1000) == (1, 1, 0, 2)


@pytest.mark.django_db
def test_answer_costs_the_same_with_ten_and_a_thousand_candidates():
    few, many = cost_of_one_answer(10), cost_of_one_answer(1000)
    assert few == many == (1, 1, 0, few[3])
    assert few[3] <= 3
