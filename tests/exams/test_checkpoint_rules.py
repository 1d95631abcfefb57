from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exams.rules.checkpoint import (
    NO_PREVIOUS,
    Head,
    Statement,
    is_due,
    is_signed,
    key_name,
    known_keys,
    pack_heads,
    pack_leaves,
    public_bytes,
    receipt_text,
    signing_key,
    state_heads,
    unpack_heads,
    whole_milliseconds,
    witness_text,
)
from exams.rules.merkle import leaf_hash, node_hash
from exams.rules.witness import BadWitness, parse_witness

NOON = datetime(2026, 6, 15, 12, 0, tzinfo=UTC)
HEADS = [Head(7, "K9-0001", 3, bytes([1] * 32)), Head(4, "K9-0002", 5, bytes([2] * 32))]
UINT32 = st.integers(0, 2**32 - 1)


def test_the_signed_text_is_that_of_the_document():
    before = state_heads([], sitting_id=3, at=NOON - timedelta(minutes=1), before=None)
    said = state_heads(HEADS, sitting_id=3, at=NOON, before=before)
    left, right = (leaf_hash(f"{h.number}|{h.seq}|{h.digest.hex()}".encode()) for h in HEADS)
    empty = sha256().hexdigest()
    assert before.text.decode() == f"ecni-checkpoint/1\n3\n1\n1781524740000\n0\n0\n{empty}\n{'00' * 32}\n"
    assert said.text.decode() == (
        f"ecni-checkpoint/1\n3\n2\n1781524800000\n2\n8\n{node_hash(left, right).hex()}\n"
        f"{sha256(before.text).hexdigest()}\n"
    )


def test_heads_are_packed_by_sheet_and_leaves_follow_them():
    assert pack_heads(HEADS) == bytes([4, 0, 0, 0, 5, 0, 0, 0, 7, 0, 0, 0, 3, 0, 0, 0])
    assert pack_leaves(HEADS) == HEADS[1].leaf + HEADS[0].leaf
    assert unpack_heads(pack_heads(HEADS)) == [(4, 5), (7, 3)]
    assert unpack_heads(b"1234567") is None


@given(UINT32, UINT32, st.integers(0, 2**50), UINT32, UINT32, st.binary(min_size=32, max_size=32))
def test_a_text_is_read_as_it_was_written(sitting, index, at, sheets, ops, root):
    statement = Statement(sitting, index, at, sheets, ops, root, NO_PREVIOUS)
    assert Statement.read(statement.text) == statement


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"ecni-checkpoint/2\n3\n1\n0\n0\n0\n" + b"00" * 32 + b"\n" + b"00" * 32 + b"\n",
        b"ecni-checkpoint/1\n03\n1\n0\n0\n0\n" + b"00" * 32 + b"\n" + b"00" * 32 + b"\n",
        b"ecni-checkpoint/1\n3\n1\n0\n0\n0\n" + b"AA" * 32 + b"\n" + b"00" * 32 + b"\n",
        b"ecni-checkpoint/1\n3\n1\n0\n0\n0\n" + b"00" * 32 + b"\n" + b"00" * 32 + b"\nmore",
        "ecni-checkpoint/1\n٣\n".encode(),
    ],
)
def test_another_text_says_nothing(text):
    assert Statement.read(text) is None


def test_a_signature_is_of_one_text_by_one_key():
    ours, other = signing_key("a" * 32), signing_key("b" * 32)
    signature = ours.sign(b"text")
    assert is_signed(b"text", signature, public_bytes(ours))
    assert not is_signed(b"texts", signature, public_bytes(ours))
    assert not is_signed(b"text", signature, public_bytes(other))
    assert not is_signed(b"text", b"short", public_bytes(ours))


def test_former_keys_are_trusted_by_their_name():
    ours, former = signing_key("a" * 32), public_bytes(signing_key("b" * 32))
    assert known_keys(ours, [former.hex()]) == {
        sha256(public_bytes(ours)).hexdigest()[:16]: public_bytes(ours),
        key_name(former): former,
    }


MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("last", "is_sat", "closed_at", "due"),
    [
        (None, False, None, False),
        (None, True, None, True),
        (NOON - timedelta(seconds=29), True, None, False),
        (NOON - timedelta(seconds=30), True, None, True),
        (NOON + timedelta(hours=1), True, None, False),  # the clock went back
        (NOON - timedelta(hours=1), True, NOON - timedelta(minutes=30), True),
        (NOON - 3 * MINUTE, False, NOON - timedelta(seconds=59), False),
        (NOON - 3 * MINUTE, False, NOON - MINUTE, True),
        (NOON - MINUTE, False, NOON - MINUTE, True),
        (NOON, False, NOON - MINUTE, False),
        (NOON - timedelta(days=1), False, NOON - timedelta(days=2), False),
    ],
)
def test_a_checkpoint_is_due_each_minute_and_once_more_when_all_has_closed(last, is_sat, closed_at, due):
    assert is_due(last=last, is_sat=is_sat, closed_at=closed_at, now=NOON) is due


def test_instants_lose_what_a_text_cannot_say():
    assert whole_milliseconds(NOON.replace(microsecond=123_999)) == NOON.replace(microsecond=123_000)


def test_receipt_text():
    assert receipt_text(3, "K7-4302", bytes(32)) == f"ECNI1:3:K7-4302:{'00' * 32}"


def test_a_witness_is_a_file_or_a_printed_qr():
    text = state_heads(HEADS, sitting_id=3, at=NOON, before=None).text
    signature = signing_key("a" * 32).sign(text)
    entry = f'{{"text": "{text.decode()}", "signature": "{signature.hex()}"}}'.replace("\n", "\\n")
    for data in (witness_text(text, signature), f"[{entry}]", f'{{"checkpoints": [{entry}]}}'):
        (line,) = parse_witness("feuille", data.encode())
        assert (line.source, line.text, line.signature) == ("feuille", text, signature)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\xff", "feuille : ni JSON, ni texte d’un QR de point de contrôle"),
        (b"bonjour", "feuille : ni JSON, ni texte d’un QR de point de contrôle"),
        (b"ecni-checkpoint/1\n!!", "feuille : ni JSON, ni texte d’un QR de point de contrôle"),
        (b"3", "feuille : la liste « checkpoints » est attendue"),
        (b"[3]", "feuille, entrée 1 : « text » et « signature » sont attendus"),
        (b'[{"text": "", "signature": "0"}]', "feuille, entrée 1 : « text » et « signature » sont attendus"),
    ],
)
def test_what_is_no_witness_is_refused_with_its_place(data, said):
    with pytest.raises(BadWitness) as refusal:
        parse_witness("feuille", data)
    assert str(refusal.value) == said
