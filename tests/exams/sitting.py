"""A small sitting, ready to open: two isolated questions and a case of three steps, without any text."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from ecni.accounts.enums import Role
from ecni.accounts.models import User
from ecni.shared.vault import encrypt, new_key, officers_key
from exams.actions.centre_sitting import create_centre_sitting, open_centre_sitting, welcome
from exams.actions.sheet import admit_sheet
from exams.enums import CaseKind, OpKind, PaperState, PartCode, QuestionKind
from exams.models import (
    Case,
    CentreSitting,
    Exam,
    ExamPart,
    Paper,
    PaperKey,
    PaperQuestion,
    PaperUnit,
    Question,
    Sheet,
    Sitting,
)
from exams.queries.papers import KEY_PURPOSE, key_context
from exams.rules.ops import Op, chain_digest, genesis_digest
from exams.rules.states import SheetPlace

NOON = datetime(2026, 6, 15, 12, 0, tzinfo=UTC)


def staff(role=Role.CENTRE_HEAD, username="responsable"):
    return User.objects.get_or_create(username=username, defaults={"role": role, "is_staff": role == Role.AGENCY})[0]


def make_sitting(starts_at=NOON, duration_seconds=3600, grace_seconds=30):
    """A sitting with a sealed paper: 1 QRU, 1 QRM, then a DP of QRM, QRU, QRM (numbers 3 to 5)."""
    count = Exam.objects.count() + 1
    exam = Exam.objects.create(name=f"Concours blanc {count}", slug=f"blanc-{count}")
    parts = {
        code: ExamPart.objects.create(exam=exam, code=code, points=points)
        for code, points in {PartCode.DP: 7560, PartCode.QI: 2160}.items()
    }
    sitting = Sitting.objects.create(
        exam=exam,
        number=1,
        title="Épreuve 1",
        starts_at=starts_at,
        duration_seconds=duration_seconds,
        grace_seconds=grace_seconds,
    )
    paper = Paper.objects.create(
        sitting=sitting,
        title="Sujet 1",
        state=PaperState.SEALED,
        digest=sha256(str(count).encode()).hexdigest(),
        size=1000,
        sealed_at=starts_at - timedelta(days=1),
    )
    case = Case.objects.create(identifier=f"DP-{count}", kind=CaseKind.DP, content={}, created_at=starts_at)
    kinds = [QuestionKind.QRU, QuestionKind.QRM, QuestionKind.QRM, QuestionKind.QRU, QuestionKind.QRM]
    questions = [
        Question.objects.create(
            identifier=f"Q-{count}-{number}",
            kind=kind,
            rank="A",
            content={},
            created_at=starts_at,
            case=case if number > 2 else None,
            position=number - 2 if number > 2 else None,
        )
        for number, kind in enumerate(kinds, start=1)
    ]
    units = [
        PaperUnit.objects.create(paper=paper, position=1, part=parts[PartCode.QI], question=questions[0]),
        PaperUnit.objects.create(paper=paper, position=2, part=parts[PartCode.QI], question=questions[1]),
        PaperUnit.objects.create(paper=paper, position=3, part=parts[PartCode.DP], case=case),
    ]
    for number, question in enumerate(questions, start=1):
        PaperQuestion.objects.create(
            paper=paper,
            number=number,
            unit=units[min(number, 3) - 1],
            question=question,
            kind=question.kind,
            propositions=5,
            is_progressive=number > 2,
            previous=number - 1 if number > 3 else 0,
        )
    for step in (0, 4, 5):
        wrapped = encrypt(officers_key(KEY_PURPOSE), new_key(), key_context(paper.pk, step))
        PaperKey.objects.create(paper=paper, step=step, wrapped=wrapped)
    return sitting


def make_centre_sitting(sitting, count=2, extra_seconds=0, prefix="K1"):
    places = [SheetPlace(f"{prefix}-{number:04d}", extra_seconds) for number in range(1, count + 1)]
    return create_centre_sitting(sitting_id=sitting.pk, places=places)


def opened(count=2, now=NOON, **options):
    """An open centre sitting, every sheet composing."""
    sitting = make_sitting(starts_at=now, **options)
    centre_sitting = make_centre_sitting(sitting, count)
    open_all(centre_sitting, now=now)
    return CentreSitting.objects.get(pk=centre_sitting.pk)


def open_all(centre_sitting, now=NOON):
    actor = staff()
    welcome(centre_sitting_id=centre_sitting.pk, actor=actor, now=now)
    for sheet in centre_sitting.sheets.all():
        admit_sheet(sheet_id=sheet.pk, actor=actor, now=now)
    open_centre_sitting(centre_sitting_id=centre_sitting.pk, actor=actor, now=now)


@dataclass
class Chain:
    """Makes the ops of one sheet, one after the other."""

    sheet: Sheet
    seq: int = 0
    digests: list[bytes] = field(default_factory=list)

    def __post_init__(self):
        self.digests.append(genesis_digest(self.sheet.sitting_id, self.sheet.number))

    @property
    def head(self):
        return self.digests[-1]

    def op(self, kind=OpKind.ANSWER, question=1, value="A", made_at=1_782_307_800_000):
        self.seq += 1
        digest = chain_digest(self.head, self.seq, kind, question, value, made_at)
        self.digests.append(digest)
        return Op(self.seq, kind, question, value, made_at, digest)
