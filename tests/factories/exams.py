"""A small exam, sealed, sat and closed, written row by row: two sittings, every part, a progressive case."""

from datetime import UTC, datetime, timedelta

from ecni.accounts.models import User
from exams.enums import CaseKind, CentreSittingState, PaperState, PropositionStatus, QuestionKind, SheetState
from exams.models import (
    Case,
    CentreSitting,
    Exam,
    ExamPart,
    FrozenSheet,
    Paper,
    PaperQuestion,
    PaperUnit,
    Question,
    Sheet,
    Sitting,
)
from exams.rules.answers import mask_of
from exams.rules.content import CaseContent, Proposition, QuestionContent, case_to_json, to_json
from exams.rules.ops import genesis_digest

NOW = datetime(2026, 6, 15, 16, 0, tzinfo=UTC)
STATUSES = {"T": PropositionStatus.TRUE, "F": PropositionStatus.FALSE}
STATUSES |= {"R": PropositionStatus.REQUIRED, "X": PropositionStatus.FORBIDDEN}

SITTINGS = (
    [
        ("QI", [("QRU", "FTFFF")]),
        ("QI", [("QRM", "TFTFX")]),
        ("DP", [("QRM", "TTFFF"), ("QRU", "FFFFT"), ("QRM", "RFTFF")]),
    ],
    [("DP", [("QRM", "FTFTF")]), ("LCA", [("QRM", "TFFFT"), ("QRU", "TFFFF")])],
)
"""By sitting, its units: their part, and the kind and key of each question. A unit of DP or LCA is a case."""


def user(username, role, **fields):
    return User.objects.create(username=username, role=role, **fields)


def make_exam(sittings=SITTINGS, slug="blanc"):
    exam = Exam.objects.create(name="Concours blanc", slug=slug)
    for code, points in (("DP", 7560), ("QI", 2160), ("LCA", 1080)):
        ExamPart.objects.create(exam=exam, code=code, points=points)
    for number, units in enumerate(sittings, start=1):
        sitting = Sitting.objects.create(exam=exam, number=number, title=f"Épreuve {number}", starts_at=NOW)
        make_paper(sitting, units)
    return exam


def make_paper(sitting, units):
    paper = Paper.objects.create(
        sitting=sitting, title="Sujet", state=PaperState.SEALED, digest=f"{sitting.pk:064x}", sealed_at=NOW
    )
    number = 0
    for position, (part, questions) in enumerate(units, start=1):
        code = f"{sitting.exam.slug}-{sitting.number}-{position}"
        case = None if part == "QI" else make_case(code, "LCA" if part == "LCA" else "DP")
        rows = [
            make_question(f"{code}-{place}", kind, key, case, place) for place, (kind, key) in enumerate(questions, 1)
        ]
        unit = PaperUnit.objects.create(
            paper=paper,
            position=position,
            part=ExamPart.objects.get(exam=sitting.exam, code=part),
            case=case,
            question=None if case else rows[0],
        )
        for row in rows:
            number += 1
            PaperQuestion.objects.create(
                paper=paper,
                number=number,
                unit=unit,
                question=row,
                kind=row.kind,
                propositions=5,
                is_progressive=part == "DP",
            )
    return paper


def make_case(identifier, kind):
    content = CaseContent(title="Titre", vignette=f"<p>Vignette {identifier}</p>", article="")
    return Case.objects.create(
        identifier=identifier, kind=CaseKind(kind), content=case_to_json(content), created_at=NOW
    )


def make_question(identifier, kind, key, case=None, place=None):
    content = QuestionContent(
        stem=f"<p>Question {identifier} ?</p>",
        propositions=tuple(Proposition(f"{identifier} {at}", STATUSES[letter]) for at, letter in enumerate(key)),
        explanation=f"<p>Explication {identifier}</p>",
    )
    return Question.objects.create(
        identifier=identifier,
        kind=QuestionKind(kind),
        rank="A",
        case=case,
        position=place if case else None,
        content=to_json(content),
        created_at=NOW,
    )


def sit(sitting, answers, state=CentreSittingState.CLOSED):
    """Close a sitting in one centre: `answers` gives each number its values in order, or None when absent."""
    centre_sitting = CentreSitting.objects.create(sitting=sitting, state=state, opened_at=NOW - timedelta(hours=3))
    for number, values in answers.items():
        absent = values is None
        sheet = Sheet.objects.create(
            sitting=sitting,
            centre_sitting=centre_sitting,
            number=number,
            state=SheetState.ABSENT if absent else SheetState.SUBMITTED,
        )
        if not absent:
            freeze(sheet, values)
    return centre_sitting


def freeze(sheet, values):
    masks = b"".join(mask_of(value).to_bytes(4, "little") for value in values)
    head = genesis_digest(sheet.sitting_id, sheet.number)
    return FrozenSheet.objects.create(sheet=sheet, masks=masks, texts={}, last_seq=0, head_digest=head, frozen_at=NOW)
