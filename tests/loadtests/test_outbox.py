"""The simulated tablet's outbox: what is durable leaves, the rest follows the server's head, storage may fail."""

import json
from pathlib import Path

import pytest

from loadtests.outbox import Outbox, Storage, chained

SHEET, SITTING = "K7-4302", 3
CHAIN = json.loads((Path(__file__).parents[1] / "wire" / "chain.json").read_text(encoding="utf-8"))


OPENED = []


@pytest.fixture
def path(tmp_path):
    yield tmp_path / "storage" / "tablet.jsonl"
    while OPENED:
        OPENED.pop().close()


def outbox_on(path, sheet=SHEET):
    outbox = Outbox(Storage(path))
    OPENED.append(outbox.storage)
    return outbox, outbox.belong(SITTING, sheet)


def filled(path, count=3):
    outbox, _ = outbox_on(path)
    return outbox, [outbox.make("answer", number, "A", 1000 + number) for number in range(1, count + 1)]


def test_the_chain_is_that_of_the_wire():
    outbox = Outbox(Storage(None))
    outbox.belong(SITTING, SHEET)
    made = [outbox.make(op["kind"], op["q"], op["value"], op["at"]).digest for op in CHAIN["ops"]]
    assert made == [op["digest"] for op in CHAIN["ops"]]


def follows(outbox):
    previous = outbox.head
    for place, op in enumerate(outbox.pending, start=1):
        if (op.seq, op.digest) != (outbox.seq + place, chained(previous, op).digest):
            return False
        previous = bytes.fromhex(op.digest)
    return True


def test_acts_survive_the_death_of_the_process(path):
    _, ops = filled(path)
    again, ours = outbox_on(path)
    assert ours
    assert again.pending == ops
    again.settle(1)
    later, _ = outbox_on(path)
    assert ([op.seq for op in later.pending], later.seq, later.acts) == ([2, 3], 1, 3)


def test_a_head_of_ours_covers_what_is_before_it(path):
    outbox, ops = filled(path)
    covered, remade = outbox.rebase(2, ops[1].digest, ())
    assert (covered, remade, outbox.pending) == (ops[:2], [], ops[2:])
    assert follows(outbox)


def test_on_a_foreign_head_acts_are_chained_anew_but_those_on_sealed_questions(path):
    outbox, _ = filled(path)
    covered, remade = outbox.rebase(7, "ab" * 32, (2,))
    assert covered == []
    assert [(op.act, op.seq, op.question) for op in remade] == [(1, 8, 1), (3, 9, 3)]
    assert follows(outbox)


def test_what_follows_a_refused_op_is_chained_anew(path):
    outbox, ops = filled(path)
    outbox.drop(ops[1])
    _, remade = outbox.rebase(0, outbox.head.hex(), ())
    assert [(op.act, op.seq) for op in remade] == [(1, 1), (3, 2)]
    assert follows(outbox)


@pytest.mark.parametrize("spoilt", [b"\x00\xff{{{\n", b'{"sheet":"ZZ-0000","head":[3,"00"]}\n', b"[]\n"])
def test_a_spoilt_storage_is_told_and_begun_again(path, spoilt):
    filled(path)
    path.write_bytes(spoilt)
    again, ours = outbox_on(path)
    assert not ours
    assert (again.pending, again.seq) == ([], 0)
    assert outbox_on(path)[1]


def test_a_full_storage_keeps_acts_in_memory(path):
    outbox, _ = filled(path)
    outbox.storage.full = True
    outbox.make("answer", 4, "A", 2000)
    assert len(outbox.pending) == 4
    assert len(outbox_on(path)[0].pending) == 3


def test_one_candidate_finds_nothing_of_another(path):
    filled(path)
    other, ours = outbox_on(path, "B1-0001")
    assert not ours
    assert other.pending == []
