"""A small exam to seal: two isolated questions (one with an image) and a progressive case of three, all canaries."""

import json
from base64 import b64decode
from datetime import UTC, datetime

from ecni.accounts.enums import Role
from ecni.accounts.models import User
from ecni.shared.vault import decrypt
from exams.actions.bank import import_bank
from exams.enums import CaseKind, PropositionStatus, QuestionKind
from exams.models import Case, Exam, ExamPart, Paper, PaperUnit, Question, Sitting
from exams.rules.bank import Bank, BankCase, BankQuestion
from exams.rules.content import CaseContent, MediaRef, Proposition, QuestionContent

NOW = datetime(2026, 6, 15, 12, 0, tzinfo=UTC)
CANARY = "CANARI-7f3a"
IMAGE = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><text>CANARI-7f3a</text></svg>'


def question(identifier, kind=QuestionKind.QRM, *, right="AC", news="", media=()):
    return BankQuestion(
        identifier=identifier,
        kind=kind,
        rank="A",
        item=235,
        specialty="Cardiologie",
        content=QuestionContent(
            stem=f"<p>Un patient {CANARY} consulte.</p><p>Que <em>faites-vous</em> pour {identifier} ?</p>",
            new_information=news,
            media=media,
            propositions=tuple(
                Proposition(
                    f"Proposition {letter} {CANARY} & <suite>",
                    PropositionStatus.TRUE if letter in right else PropositionStatus.FALSE,
                )
                for letter in "ABCDE"
            ),
            explanation=f"<p>EXPLICATION {CANARY}</p>",
        ),
    )


def small_bank(**changes):
    return Bank(
        questions=(
            question("QI-1", QuestionKind.QRU, right="B"),
            question("QI-2", media=(MediaRef("media/trace.svg", f"Tracé {CANARY}"),)),
        ),
        cases=(
            BankCase(
                identifier="DP-1",
                kind=CaseKind.DP,
                content=CaseContent(title=f"TITRE {CANARY}", vignette=f"<p>Vignette {CANARY}</p>"),
                questions=(
                    question("DP-1-1"),
                    question("DP-1-2", news=f"<p>Nouvelle {CANARY}</p>"),
                    question("DP-1-3", QuestionKind.QRU, right="E"),
                ),
            ),
        ),
    )


def staff(role=Role.AGENCY, **fields):
    name = fields.pop("username", role.value.lower())
    return User.objects.create_user(username=name, password="x" * 20, role=role, is_staff=True, **fields)


def draft_paper(actor, bank=None):
    import_bank(bank=bank or small_bank(), media={"media/trace.svg": IMAGE}, actor=actor, now=NOW)
    exam = Exam.objects.create(name="Concours blanc", slug="blanc")
    parts = {code: ExamPart.objects.create(exam=exam, code=code, points=points) for code, points in PARTS.items()}
    sitting = Sitting.objects.create(exam=exam, number=1, title="Épreuve 1", starts_at=NOW)
    paper = Paper.objects.create(sitting=sitting, title="Sujet 1")
    units = [{"question": q, "part": parts["QI"]} for q in Question.objects.filter(case=None).order_by("identifier")]
    units += [{"case": case, "part": parts["DP"]} for case in Case.objects.order_by("identifier")]
    for position, unit in enumerate(units, start=1):
        PaperUnit.objects.create(paper=paper, position=position, **unit)
    return paper


PARTS = {"DP": 7560, "QI": 2160, "LCA": 1080}


def open_file(data):
    """Return the header, and a function that decrypts the blob of a number with a key (docs/papers.md)."""
    assert data[:8] == b"ECNIPAP1"
    end = 12 + int.from_bytes(data[8:12], "big")
    header = json.loads(data[12:end])
    places = {entry["number"]: entry for entry in header["questions"]} | {0: header["opening"]}

    def read(number, key):
        start = end + places[number]["offset"]
        blob = data[start : start + places[number]["length"]]
        return json.loads(decrypt(key, blob, f"ecni-paper/1|{header['paper']}|{number}"))

    return header, read


def opening_keys(read, key):
    return {int(number): b64decode(text) for number, text in read(0, key)["keys"].items()}
