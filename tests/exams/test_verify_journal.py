"""Whoever owns the database changes a copy: everything they can do is named."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from ecni.shared.clock import now
from exams.actions.checkpoints import take_checkpoint
from exams.enums import OpKind
from exams.exports import checkpoints_json
from exams.models import Checkpoint, FrozenSheet, JournalEntry
from exams.queries.checkpoints import last_checkpoint, signed
from exams.queries.evidence import sittings_with_sheets, verify_sitting
from exams.rules.checkpoint import public_bytes, signing_key
from exams.rules.ops import chain_digest, genesis_digest
from exams.rules.witness import parse_witness
from tests.exams.evidence import MINUTE, sat, superuser
from tests.exams.sitting import make_centre_sitting, make_sitting

pytestmark = pytest.mark.django_db
command = pytest.mark.django_db(transaction=True)


@pytest.fixture
def house():
    return sat()


def verify(*witnesses):
    """Return what is found in every sitting, as (code, number, seq, checkpoint)."""
    lines = [line for path in witnesses for line in parse_witness(path.name, path.read_bytes())]
    done = [
        verify_sitting(sitting_id, witness=lines, now=now(), told=lambda _read, _total: None)
        for sitting_id in sittings_with_sheets()
    ]
    return [(found.code, found.number, found.seq, found.checkpoint) for one in done for found in one.findings]


def rows(cursor, sql, *values):
    cursor.execute(sql, values)


def rebuild(cursor, sheet, changes):
    """Write a whole sheet again, consistently: what only its checkpoints can deny."""
    head = genesis_digest(sheet.sitting_id, sheet.number)
    for entry in JournalEntry.objects.filter(sitting_id=sheet.sitting_id, sheet_id=sheet.pk).order_by("seq"):
        value = changes.get(entry.seq, entry.value)
        head = chain_digest(head, entry.seq, OpKind(entry.kind), entry.question, value, entry.made_at)
        rows(
            cursor,
            "UPDATE exams_journalentry SET value = %s, digest = %s WHERE sheet_id = %s AND seq = %s",
            value,
            head,
            sheet.pk,
            entry.seq,
        )
    return head


def test_an_honest_journal_holds(house):
    assert verify() == []


def test_a_sitting_that_goes_on_holds_and_one_without_a_paper_too():
    sat(is_closed=False)
    unsealed = make_sitting()
    unsealed.papers.update(state="DRAFT", digest="", size=0, sealed_at=None)
    make_centre_sitting(unsealed)
    assert verify() == []


@command
def test_the_report_is_in_words_and_the_command_fails(house):
    sheet = house.chains[1].sheet
    with superuser() as cursor:
        rows(cursor, "UPDATE exams_journalentry SET value = 'BE' WHERE sheet_id = %s AND seq = 2", sheet.pk)
    out = StringIO()
    with pytest.raises(CommandError, match="2 anomalie") as refusal:
        call_command("verify_journal", "--sitting", house.sitting_id, stdout=out)
    assert refusal.value.returncode == 1
    assert out.getvalue().splitlines() == [
        (
            f"Épreuve {house.sitting_id}, copie K1-0002, acte 2 : son contenu n’est pas celui de son empreinte :"
            " l’un des deux a été changé."
        ),
        (
            f"Épreuve {house.sitting_id}, copie K1-0002, acte 7 : la copie figée n’est pas ce que dit le journal :"
            " question 2."
        ),
        f"Épreuve {house.sitting_id} : 3 copies, 15 actes, 3 points de contrôle ; 2 anomalie(s).",
    ]


@command
def test_the_report_may_be_json(house, tmp_path, capsys):
    witness = tmp_path / "rennes.json"
    witness.write_text(checkpoints_json(house.sitting_id))
    call_command("verify_journal", "--json", "--witness", str(witness))
    (one,) = json.loads(capsys.readouterr().out)
    assert one == {"sitting_id": house.sitting_id, "sheets": 3, "ops": 15, "checkpoints": 3, "findings": []}


def test_an_edited_value_is_named(house):
    """A flag decides nothing: only the chain knows it."""
    with superuser() as cursor:
        sheet = house.chains[1].sheet.pk
        rows(cursor, "UPDATE exams_journalentry SET value = '0' WHERE sheet_id = %s AND seq = 5", sheet)
    assert verify() == [("digest", "K1-0002", 5, None)]


def test_an_edited_digest_is_named(house):
    with superuser() as cursor:
        sheet = house.chains[1].sheet.pk
        rows(cursor, "UPDATE exams_journalentry SET digest = sha256('') WHERE sheet_id = %s AND seq = 3", sheet)
    assert verify() == [("digest", "K1-0002", 3, None)]


def test_an_edited_digest_that_a_checkpoint_saw_is_named_twice(house):
    with superuser() as cursor:
        sheet = house.chains[1].sheet.pk
        rows(cursor, "UPDATE exams_journalentry SET digest = sha256('') WHERE sheet_id = %s AND seq = 4", sheet)
    assert verify() == [("digest", "K1-0002", 4, None), ("rewritten", "K1-0002", 4, 1)]


def test_a_row_deleted_in_the_middle_is_named(house):
    with superuser() as cursor:
        sheet = house.chains[0].sheet.pk
        rows(cursor, "DELETE FROM exams_journalentry WHERE sheet_id = %s AND seq = 5", sheet)
    assert verify() == [("gap", "K1-0001", 5, None)]


def test_last_rows_deleted_are_named_thanks_to_checkpoints(house):
    sheet = house.chains[1].sheet.pk
    with superuser() as cursor:
        rows(cursor, "DELETE FROM exams_journalentry WHERE sheet_id = %s AND seq > 5", sheet)
        rows(cursor, "DELETE FROM exams_frozensheet WHERE sheet_id = %s", sheet)
    assert verify() == [("frozen-missing", "K1-0002", None, None), ("truncated", "K1-0002", 7, 2)]


def test_a_whole_journal_deleted_is_named(house):
    sheet = house.chains[1].sheet.pk
    with superuser() as cursor:
        rows(cursor, "DELETE FROM exams_journalentry WHERE sheet_id = %s", sheet)
    assert verify() == [("frozen", "K1-0002", None, None), ("truncated", "K1-0002", 4, 1)]


def test_two_rows_swapped_are_named(house):
    sheet = house.chains[1].sheet.pk
    with superuser() as cursor:
        for before, after in ((1, 100), (2, 1), (100, 2)):
            rows(
                cursor, "UPDATE exams_journalentry SET seq = %s WHERE sheet_id = %s AND seq = %s", after, sheet, before
            )
    assert verify() == [
        ("digest", "K1-0002", 1, None),
        ("order", "K1-0002", 2, None),
        ("digest", "K1-0002", 2, None),
        ("digest", "K1-0002", 3, None),
    ]


ADDED = """INSERT INTO exams_journalentry
    (sitting_id, sheet_id, seq, epoch, kind, question, value, made_at, received_at, digest)
    SELECT sitting_id, %s, %s, epoch, kind, question, 'E', made_at, received_at, %s
    FROM exams_journalentry WHERE sheet_id = %s AND seq = 1"""


def test_a_row_added_is_named(house):
    chain = house.chains[1]
    with superuser() as cursor:
        rows(cursor, ADDED, chain.sheet.pk, 8, bytes(32), chain.sheet.pk)
    found = verify()
    assert [one[0] for one in found] == ["order", "digest", "frozen"]
    assert {one[1:] for one in found} == {("K1-0002", 8, None)}


def test_a_row_added_after_the_hand_in_with_a_good_digest_is_named(house):
    chain = house.chains[0]
    op = chain.op(value="E")
    with superuser() as cursor:
        rows(cursor, ADDED, chain.sheet.pk, op.seq, op.digest, chain.sheet.pk)
        rows(cursor, "UPDATE exams_journalentry SET received_at = clock_timestamp() WHERE seq = %s", op.seq)
    assert verify() == [("submitted", "K1-0001", 9, None), ("frozen", "K1-0001", 9, None)]


def test_rows_of_no_sheet_are_named(house):
    with superuser() as cursor:
        rows(cursor, ADDED, 999_999, 1, bytes(32), house.chains[0].sheet.pk)
    assert verify() == [("foreign-rows", "", None, None)]


@pytest.mark.parametrize(
    ("kind", "question", "value", "code"),
    [
        (OpKind.ANSWER, 9, "A", "unknown-question"),
        (OpKind.ANSWER, 1, "Z", "bad-value"),
        (OpKind.ANSWER, 3, "A", "sealed"),
        (OpKind.ANSWER, 5, "A", "locked"),
        (OpKind.SEAL, 1, "", "not-progressive"),
    ],
)
def test_an_op_that_the_sheet_never_admits_is_named(kind, question, value, code):
    house = sat(is_closed=False)
    chain = house.chains[1]
    op = chain.op(kind, question, value)
    with superuser() as cursor:
        rows(cursor, ADDED, chain.sheet.pk, op.seq, op.digest, chain.sheet.pk)
        rows(
            cursor,
            "UPDATE exams_journalentry SET kind = %s, question = %s, value = %s, received_at = clock_timestamp()"
            " WHERE seq = 8 AND sheet_id = %s",
            kind.value,
            question,
            value,
            chain.sheet.pk,
        )
    assert verify() == [(code, "K1-0002", 8, None)]


def test_a_sheet_rebuilt_consistently_after_a_checkpoint_is_named(house):
    sheet = house.chains[1].sheet
    with superuser() as cursor:
        head = rebuild(cursor, sheet, {2: "AB"})
        masks = bytearray(FrozenSheet.objects.get(pk=sheet.pk).masks)
        masks[4:8] = (0b11).to_bytes(4, "little")
        rows(
            cursor,
            "UPDATE exams_frozensheet SET masks = %s, head_digest = %s WHERE sheet_id = %s",
            bytes(masks),
            head,
            sheet.pk,
        )
    assert verify() == [("rewritten", "K1-0002", 4, 1)]


def test_a_state_that_is_not_that_of_the_journal_is_named(house):
    with superuser() as cursor:
        rows(cursor, "UPDATE exams_sheet SET state = 'CLOSED' WHERE number = 'K1-0001'")
        rows(cursor, "UPDATE exams_sheet SET state = 'ABSENT' WHERE number = 'K1-0002'")
    assert verify() == [
        ("state", "K1-0001", 8, None),
        ("state", "K1-0002", 7, None),
        ("frozen-early", "K1-0002", None, None),
    ]


def test_a_sheet_that_vanished_is_named(house):
    sheet = house.chains[1].sheet.pk
    with superuser() as cursor:
        for table, key in (
            ("exams_frozensheet", "sheet_id"),
            ("exams_journalentry", "sheet_id"),
            ("exams_sheet", "id"),
        ):
            rows(cursor, f"DELETE FROM {table} WHERE {key} = %s", sheet)
    assert verify() == [("sheet-missing", "", None, index) for index in (1, 2, 3)]


def test_a_number_that_was_changed_is_named(house):
    with superuser() as cursor:
        rows(cursor, "UPDATE exams_sheet SET number = 'K1-9999' WHERE number = 'K1-0002'")
    found = verify()
    assert found == [("digest", "K1-9999", 1, None), ("rewritten", "K1-9999", 4, 1)]


@pytest.mark.parametrize(
    "change",
    [
        "masks = set_byte(masks, 4, 1)",
        "masks = substr(masks, 1, 16)",
        'texts = \'{"1": "ABC"}\'',
        'texts = \'{"6": "ABC"}\'',
        "last_seq = 6",
        "head_digest = sha256('')",
    ],
)
def test_a_frozen_row_that_is_not_the_replay_is_named(house, change):
    sheet = house.chains[1].sheet.pk
    with superuser() as cursor:
        rows(cursor, f"UPDATE exams_frozensheet SET {change} WHERE sheet_id = %s", sheet)
    assert verify() == [("frozen", "K1-0002", 7, None)]


@pytest.mark.parametrize(
    ("change", "codes", "breaks_the_chain"),
    [
        ("root = sha256('')", ["signature", "root"], True),
        ("heads = substr(heads, 1, 8), leaves = substr(leaves, 1, 32)", ["signature", "root"], True),
        ("made_at = made_at + interval '1 ms'", ["signature"], True),
        ("leaves = substr(leaves, 33) || substr(leaves, 1, 32)", ["root"], False),
        ("leaves = substr(leaves, 2)", ["checkpoint-shape"], False),
        ("heads = substr(heads, 9) || substr(heads, 1, 8)", ["checkpoint-shape"], False),
        ("signature = sha512('')", ["signature"], False),
        ("key_id = '0123456789abcdef'", ["foreign-key"], False),
    ],
)
def test_a_checkpoint_that_was_changed_is_named(house, change, codes, breaks_the_chain):
    with superuser() as cursor:
        rows(cursor, f"UPDATE exams_checkpoint SET {change} WHERE index = 1")
    found = [one for one in verify() if one[1] == ""]
    chain = [("checkpoint-chain", "", None, 2)] if breaks_the_chain else []
    assert found == [(code, "", None, 1) for code in codes] + chain


def test_a_deleted_checkpoint_is_named(house):
    with superuser() as cursor:
        rows(cursor, "DELETE FROM exams_checkpoint WHERE index = 2")
    assert verify() == [("checkpoint-gap", "", None, 3)]


def test_the_last_checkpoint_deleted_is_named(house, time_machine):
    with superuser() as cursor:
        rows(cursor, "DELETE FROM exams_checkpoint WHERE index = 3")
    time_machine.move_to(house.now + 10 * MINUTE)
    assert verify() == [("checkpoint-late", "", None, None)]


def resign(cursor, row, key, **changes):
    """Sign a checkpoint again."""
    for name, value in changes.items():
        setattr(row, name, value)
    statement = signed(row).statement
    rows(
        cursor,
        "UPDATE exams_checkpoint SET made_at = %s, root = %s, leaves = %s, previous = %s, signature = %s WHERE id = %s",
        row.made_at,
        row.root,
        row.leaves,
        row.previous,
        key.sign(statement.text),
        row.pk,
    )
    return statement.digest


def test_checkpoints_signed_again_with_another_key_are_named(house):
    with superuser() as cursor:
        for row in Checkpoint.objects.all():
            resign(cursor, row, signing_key("the key of somebody else"))
    assert verify() == [("signature", "", None, index) for index in (1, 2, 3)]


def test_a_fork_signed_with_our_key_is_named_by_a_witness(house, settings, tmp_path):
    """The worst: who owns the database and the key. Only what was printed before denies them."""
    witness = tmp_path / "rennes.json"
    witness.write_text(checkpoints_json(house.sitting_id))
    printed = tmp_path / "lille.txt"
    printed.write_text(last_checkpoint(house.sitting_id).witness)
    assert verify(witness, printed) == []
    previous, key = bytes(32), signing_key(settings.CHECKPOINT_KEY)
    with superuser() as cursor:
        for row in Checkpoint.objects.order_by("index"):
            made_at = row.made_at + timedelta(milliseconds=1)
            previous = resign(cursor, row, key, previous=previous, made_at=made_at)
    assert verify() == []
    assert verify(witness) == [("fork", "", None, index) for index in (1, 2, 3)]
    assert verify(printed) == [("fork", "", None, 3)]


def test_a_deletion_is_named_by_a_witness(house, tmp_path):
    witness = tmp_path / "rennes.json"
    witness.write_text(checkpoints_json(house.sitting_id))
    with superuser() as cursor:
        rows(cursor, "DELETE FROM exams_checkpoint WHERE index = 3")
    assert verify(witness) == [("witness-missing", "", None, 3)]


def test_a_witness_that_we_did_not_sign_proves_nothing(house, tmp_path):
    witness = tmp_path / "faux.json"
    document = json.loads(checkpoints_json(house.sitting_id))
    document["checkpoints"] = [document["checkpoints"][0] | {"signature": "00" * 64}, {"text": "x", "signature": ""}]
    witness.write_text(json.dumps(document))
    assert verify(witness) == [("witness-signature", "", None, 1), ("witness", "", None, None)]


def test_a_former_key_is_accepted_once_its_public_half_is_named(house, settings):
    former = settings.CHECKPOINT_KEY
    settings.CHECKPOINT_KEY = "the key of the next exam, thirty-two characters"
    assert verify() == [("foreign-key", "", None, index) for index in (1, 2, 3)]
    settings.CHECKPOINT_FORMER_KEYS = [public_bytes(signing_key(former)).hex()]
    assert verify() == []


def test_a_key_changed_in_mid_exam_changes_nothing_else(settings):
    house = sat(is_closed=False)
    settings.CHECKPOINT_FORMER_KEYS = [public_bytes(signing_key(settings.CHECKPOINT_KEY)).hex()]
    settings.CHECKPOINT_KEY = "the key of the afternoon, thirty-two characters"
    take_checkpoint(sitting_id=house.sitting_id, now=house.now + 3 * MINUTE)
    assert len(set(Checkpoint.objects.values_list("key_id", flat=True))) == 2
    assert verify() == []


@command
def test_what_cannot_be_read_is_refused_in_words(house, tmp_path):
    (tmp_path / "x").write_text("rien")
    for arguments, said in (
        (["--sitting", "999"], "cette épreuve n’existe pas, ou n’a pas de copie"),
        (["--witness", str(tmp_path / "x")], "x : ni JSON, ni texte d’un QR de point de contrôle"),
        (["--witness", str(tmp_path / "y")], "No such file"),
    ):
        with pytest.raises(CommandError, match=said):
            call_command("verify_journal", *arguments)


def test_superuser_is_one(house):
    """Else nothing above would have been changed."""
    with superuser() as cursor:
        cursor.execute("SHOW session_replication_role")
        assert cursor.fetchone() == ("replica",)
    with connection.cursor() as cursor:
        cursor.execute("SHOW session_replication_role")
        assert cursor.fetchone() == ("origin",)
