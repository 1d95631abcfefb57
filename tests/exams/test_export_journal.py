import json
from hashlib import sha256

import pytest
from django.core.management import CommandError, call_command

from exams.enums import OpKind
from exams.exports import ExportRefused, write_public_log
from exams.models import Sitting
from exams.rules.checkpoint import Statement, head_leaf
from exams.rules.merkle import root_of_proof
from exams.rules.ops import genesis_digest
from exams.rules.replay import replay
from exams.rules.verification import StoredOp
from tests.exams.evidence import sat, superuser

pytestmark = pytest.mark.django_db
command = pytest.mark.django_db(transaction=True)


@pytest.fixture
def house():
    return sat()


def export(house, folder):
    sitting = Sitting.objects.get(pk=house.sitting_id)
    write_public_log(sitting=sitting, folder=folder, now=house.now, told=lambda _written, _total: None)
    return [json.loads(line) for line in (folder / "journal.jsonl").read_text().splitlines()]


def test_each_line_is_a_chain_in_the_order_of_heads(house, tmp_path):
    lines = export(house, tmp_path / "public")
    chains = sorted(house.chains[:2], key=lambda chain: chain.head)
    assert [line["head"] for line in lines] == [chain.head.hex() for chain in chains]
    for line, chain in zip(lines, chains, strict=True):
        assert line["genesis"] == genesis_digest(house.sitting_id, chain.sheet.number).hex()
        assert [op[0] for op in line["ops"]] == list(range(1, chain.seq + 1))
        assert [op[5] for op in line["ops"]] == [digest.hex() for digest in chain.digests[1:]]
    first = next(line for line in lines if len(line["ops"]) == 8)["ops"]
    assert [[*op[:3], op[4]] for op in first] == [
        [1, "answer", 1, "B"],
        [2, "answer", 2, "AE"],
        [3, "answer", 3, "C"],
        [4, "seal", 3, ""],
        [5, "flag", 2, "1"],
        [6, "answer", 4, "D"],
        [7, "answer", 1, ""],
        [8, "submit", 0, ""],
    ]


def test_each_line_proves_that_the_last_checkpoint_holds_it(house, tmp_path):
    lines = export(house, tmp_path / "public")
    document = json.loads((tmp_path / "public" / "checkpoints.json").read_text())
    statement = Statement.read(document["checkpoints"][-1]["text"].encode())
    assert (statement.index, statement.sheets, statement.ops) == (3, 2, 15)
    for chain in house.chains[:2]:
        proof = next(line["proof"] for line in lines if line["head"] == chain.head.hex())
        leaf = head_leaf(chain.sheet.number, chain.seq, chain.head)
        path = [bytes.fromhex(node) for node in proof["path"]]
        assert root_of_proof(leaf, proof["index"], proof["size"], path) == statement.root


def test_nothing_of_a_person_or_of_a_place_is_written(house, tmp_path):
    export(house, tmp_path / "public")
    log = (tmp_path / "public" / "journal.jsonl").read_text()
    assert set(json.loads(log.splitlines()[0])) == {"head", "sitting", "genesis", "ops", "proof"}
    text = "".join(path.read_text() for path in (tmp_path / "public").glob("*.json*"))
    assert [chain.sheet.number for chain in house.chains if chain.sheet.number in text] == []


def test_the_manifest_describes_every_file(house, tmp_path):
    folder = tmp_path / "public"
    export(house, folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    assert (manifest["format"], manifest["sheets"], manifest["ops"]) == ("ecni-journal/1", 2, 15)
    assert manifest["checkpoint"]["index"] == 3
    assert {path.name for path in folder.iterdir()} == {*manifest["files"], "manifest.json"}
    for name, described in manifest["files"].items():
        data = (folder / name).read_bytes()
        assert described == {"bytes": len(data), "sha256": sha256(data).hexdigest()}


def test_the_folder_may_exist_if_it_is_empty(house, tmp_path):
    (tmp_path / "public").mkdir()
    assert len(export(house, tmp_path / "public")) == 2


def test_a_sitting_that_goes_on_is_not_public(tmp_path):
    with pytest.raises(ExportRefused, match="un journal ouvert n’est pas public"):
        export(sat(is_closed=False), tmp_path / "public")
    assert list(tmp_path.iterdir()) == []


def test_an_end_that_no_checkpoint_saw_is_not_public(house, tmp_path):
    with superuser() as cursor:
        cursor.execute("DELETE FROM exams_checkpoint WHERE index = 3")
    with pytest.raises(ExportRefused, match="attendez deux minutes après la clôture"):
        export(house, tmp_path / "public")
    assert list(tmp_path.iterdir()) == []


@command
def test_the_command_writes_the_folder_or_says_why_not(house, tmp_path, capsys):
    folder = tmp_path / "public"
    call_command("export_journal", "--sitting", house.sitting_id, str(folder))
    assert capsys.readouterr().out.splitlines()[0] == f"{folder} : 2 copies, 15 actes."
    with pytest.raises(CommandError, match="n’est pas vide"):
        call_command("export_journal", "--sitting", house.sitting_id, str(folder))
    with pytest.raises(CommandError, match="cette épreuve n’existe pas"):
        call_command("export_journal", "--sitting", "999", str(tmp_path / "other"))


def test_the_fold_of_a_line_is_that_of_the_journal(house, tmp_path):
    lines = export(house, tmp_path / "public")
    line = next(line for line in lines if len(line["ops"]) == 8)
    ops = [
        StoredOp(seq, OpKind[kind.upper()], question, value, at, None, bytes.fromhex(digest))
        for seq, kind, question, at, value, digest in line["ops"]
    ]
    assert replay(bytes.fromhex(line["genesis"]), ops).answers == {1: "", 2: "AE", 3: "C", 4: "D"}
