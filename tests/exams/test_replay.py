"""The fold has one definition, whatever the way in which acts come to it."""

import random

import numpy as np
import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from exams.enums import OpKind
from exams.models import JournalEntry
from exams.queries.journal import _folded, replays
from exams.rules.ops import Op, genesis_digest
from exams.rules.replay import Replay, replay
from tests.exams.sitting import NOON, opened

VALUES = st.sampled_from(["", "A", "AC", "1", "0", "NULL", "l’aorte", 'un "mot", {deux}', "a\\b", "50.0,50.0;1.0,2.0"])
ACTS = st.lists(st.tuples(st.sampled_from(OpKind), st.integers(0, 1000), VALUES), min_size=1, max_size=40)


def ops_of(acts):
    return [Op(seq, *act, 0, bytes([seq % 256]) * 32) for seq, act in enumerate(acts, start=1)]


@given(ACTS)
def test_acts_folded_together_are_ops_applied_one_by_one(acts):
    one_by_one = replay(b"genesis", ops_of(acts))
    together = Replay(len(acts), one_by_one.digest)
    together.fold(acts)
    assert together == one_by_one


@given(ACTS, st.randoms(use_true_random=False))
def test_the_fold_does_not_depend_on_the_order_in_which_rows_come(acts, rng):
    ops = ops_of(acts)
    rng.shuffle(shuffled := list(ops))
    packed = np.array([op.seq << 32 | op.kind.value << 16 | op.question for op in shuffled], dtype=np.int64)
    assert _folded(packed, [op.value for op in shuffled], ops[-1].digest) == replay(b"genesis", ops)


@pytest.mark.django_db
def test_the_journal_is_folded_as_it_was_written():
    sheets = list(opened(count=4).sheets.order_by("pk"))
    rng = random.Random(1)
    kinds = list(OpKind)
    values = ["", "A", "NULL", "l’aorte", 'un "mot", {deux}', "a\\b"]
    written = {
        sheet.pk: ops_of([(rng.choice(kinds), rng.randrange(1001), rng.choice(values)) for _ in range(30 * position)])
        for position, sheet in enumerate(sheets)
    }
    rows = [
        JournalEntry(
            sitting_id=sheet.sitting_id,
            sheet_id=sheet.pk,
            seq=op.seq,
            epoch=1,
            kind=op.kind.value,
            question=op.question,
            value=op.value,
            made_at=0,
            received_at=NOON,
            digest=op.digest,
        )
        for sheet in sheets
        for op in written[sheet.pk]
    ]
    rng.shuffle(rows)
    JournalEntry.objects.bulk_create(rows)
    expected = {sheet.pk: replay(genesis_digest(sheet.sitting_id, sheet.number), written[sheet.pk]) for sheet in sheets}
    assert replays(sheets) == expected
    with connection.cursor() as cursor:  # nor on the plan
        cursor.execute("SET LOCAL enable_indexscan TO off; SET LOCAL enable_sort TO off")
    assert replays(sheets) == expected
