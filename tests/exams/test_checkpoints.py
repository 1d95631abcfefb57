import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from exams.actions.checkpoints import LOCK_SPACE, take_checkpoint
from exams.models import Checkpoint, FrozenSheet
from exams.queries.checkpoints import due_sittings, heads_of, last_checkpoint, trusted_keys
from exams.rules.checkpoint import Statement, head_leaf, is_signed
from exams.rules.merkle import merkle_root
from exams.tasks import take_checkpoints
from tests.exams.evidence import MINUTE, sat
from tests.exams.sitting import make_centre_sitting, make_sitting

pytestmark = pytest.mark.django_db


def test_a_checkpoint_says_the_heads_of_every_sheet_with_an_op():
    house = sat(is_closed=False)
    one, two = (chain.sheet for chain in house.chains[:2])
    row = Checkpoint.objects.get(index=2)
    assert [int.from_bytes(row.heads[at : at + 4], "little") for at in range(0, 16, 4)] == [one.pk, 7, two.pk, 7]
    leaves = [head_leaf(chain.sheet.number, 7, chain.digests[7]) for chain in house.chains[:2]]
    assert bytes(row.root) == merkle_root(leaves)
    shown = last_checkpoint(house.sitting_id)
    assert (shown.statement.sheets, shown.statement.ops, shown.statement.index) == (2, 14, 2)
    assert is_signed(shown.statement.text, shown.signature, trusted_keys()[shown.key_id])


def test_checkpoints_chain():
    house = sat()
    first, second, third = (row for row in Checkpoint.objects.order_by("index"))
    assert bytes(first.previous) == bytes(32)
    statements = [
        Statement(house.sitting_id, row.index, int(row.made_at.timestamp() * 1000), 2, ops, row.root, row.previous)
        for row, ops in ((first, 8), (second, 14))
    ]
    assert [bytes(row.previous) for row in (second, third)] == [one.digest for one in statements]


def test_a_repeated_task_takes_one_checkpoint_a_minute():
    house = sat(is_closed=False)
    taken = [take_checkpoint(sitting_id=house.sitting_id, now=house.now + 3 * MINUTE) for _ in range(2)]
    assert [one and one.index for one in taken] == [3, None]


def test_the_last_checkpoint_is_taken_once_all_has_closed_and_no_other_follows():
    house = sat()
    assert Checkpoint.objects.order_by("-index").values_list("index", flat=True)[0] == 3
    assert [house.checkpoint(minute) for minute in (5, 60)] == [None, None]
    heads = {head.sheet_id: (head.seq, head.digest) for head in heads_of(house.sitting_id)}
    frozen = FrozenSheet.objects.exclude(last_seq=0).values_list("sheet_id", "last_seq", "head_digest")
    assert heads == {sheet_id: (seq, bytes(digest)) for sheet_id, seq, digest in frozen}


def test_a_sitting_that_nobody_sits_has_no_checkpoint():
    sitting = make_sitting()
    make_centre_sitting(sitting)
    assert due_sittings(sitting.starts_at) == []
    assert take_checkpoint(sitting_id=sitting.pk, now=sitting.starts_at) is None


def test_the_task_takes_one_of_each_sitting(time_machine):
    houses = [sat(is_closed=False), sat(is_closed=False)]
    time_machine.move_to(houses[1].now + 5 * MINUTE, tick=False)
    take_checkpoints()
    assert [last_checkpoint(house.sitting_id).statement.index for house in houses] == [3, 3]


def test_the_number_of_queries_does_not_grow_with_the_sheets():
    counts = []
    for count in (3, 60):
        house = sat(count=count, is_closed=False)
        with CaptureQueriesContext(connection) as queries:
            house.checkpoint(3)
        counts.append(len(queries))
    assert counts[0] == counts[1]


@pytest.mark.django_db(transaction=True)
def test_two_workers_take_one_checkpoint():
    house = sat(is_closed=False)
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s, %s)", [LOCK_SPACE, house.sitting_id])
            assert house.checkpoint(3) is None
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [LOCK_SPACE, house.sitting_id])
    finally:
        other.close()
    assert house.checkpoint(3).index == 3
