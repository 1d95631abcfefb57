import json
from io import BytesIO, StringIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from django.core.management import CommandError, call_command

from exams.imports import ARCHIVE_BYTES, read_bank, read_bank_folder
from exams.models import Question
from exams.rules.bank import BankErrors
from tests.factories.papers import staff

DEMO = Path(__file__).parents[2] / "ecni" / "demo" / "bank"


def archive(files):
    stream = BytesIO()
    with ZipFile(stream, "w", ZIP_DEFLATED) as out:
        for name, data in files.items():
            out.writestr(name, data)
    return stream.getvalue()


def demo_files():
    paths = [path for path in DEMO.rglob("*") if path.is_file()]
    return {path.relative_to(DEMO).as_posix(): path.read_bytes() for path in paths}


def reasons(name, data):
    with pytest.raises(BankErrors) as refusal:
        read_bank(name, data)
    return [str(error) for error in refusal.value.errors]


def test_read_bank_folder_takes_the_demo_bank_whole():
    bank, media = read_bank_folder(DEMO)
    assert len(bank.cases) == 22
    assert sorted(media) == sorted(name for name in demo_files() if name.startswith("media/"))


def test_read_bank_of_a_zip_is_that_of_its_folder():
    assert read_bank("banque.zip", archive(demo_files())) == read_bank_folder(DEMO)


def test_read_bank_folder_takes_one_file():
    bank, media = read_bank_folder(DEMO / "isolated-1.json")
    assert (bank.questions[0].identifier, media) == ("QI-101", {})


def test_read_bank_says_where_a_file_is_wrong():
    files = {"a.json": b"{", "b.json": json.dumps({"format": "ecni-bank/9", "questions": []}).encode()}
    errors = reasons("banque.zip", archive(files))
    assert [error.split(",")[0] for error in errors] == ["a.json", "b.json"]


def test_read_bank_refuses_an_identifier_in_two_files():
    files = demo_files()
    files["copie.json"] = files["isolated-1.json"]
    assert "QI-101" in reasons("banque.zip", archive(files))[0]


@pytest.mark.parametrize("name", ["../evil.json", "sous/dossier.json", "articles/x.exe", "programme.py"])
def test_read_bank_refuses_an_unexpected_file(name):
    assert reasons("banque.zip", archive({name: b"x"}))[0].startswith(f"banque.zip, {name}")


def test_read_bank_refuses_a_bomb():
    assert "archive trop lourde" in reasons("banque.zip", archive({"a.json": bytes(ARCHIVE_BYTES + 1)}))[0]


@pytest.mark.parametrize(
    "data",
    [b"", b"PK\x03\x04 tronquee", archive({"a.json": b"{}" * 500})[:-40]],
    ids=["empty", "only a beginning", "without its end"],
)
def test_read_bank_refuses_what_is_not_an_archive(data):
    assert reasons("banque.zip", data) == ["banque.zip\u00a0: archive illisible"]


@pytest.mark.django_db
def test_import_bank_command_says_what_it_would_do_and_does_it():
    staff()
    said = StringIO()
    call_command("import_bank", DEMO, "--dry-run", stdout=said)
    assert not Question.objects.exists()
    call_command("import_bank", DEMO, "--actor", "agency", stdout=said)
    first, second = (line for line in said.getvalue().splitlines() if line.startswith("nouveaux"))
    assert first == second
    assert Question.objects.exists()


@pytest.mark.django_db
def test_import_bank_command_refuses_in_words(tmp_path):
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(CommandError, match="JSON mal formé"):
        call_command("import_bank", tmp_path, "--dry-run")
    with pytest.raises(CommandError, match="--actor doit nommer"):
        call_command("import_bank", DEMO)
