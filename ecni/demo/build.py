"""Build the concours blanc: staff, centres, candidates, bank, a sealed paper, seats and slips."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.contrib.auth.hashers import make_password

from centres.actions.candidates import register_candidates
from centres.actions.seating import seat_candidates
from centres.enums import CandidateCategory
from centres.models import Centre, CentreMembership, Hosting, Room
from centres.rules.intake import CandidateLine
from ecni.accounts.enums import Role
from ecni.accounts.models import User
from ecni.demo.cities import CITIES
from ecni.demo.people import people
from exams.actions.bank import import_bank
from exams.actions.centre_sitting import welcome
from exams.actions.sealing import seal_paper
from exams.enums import CaseKind, PartCode
from exams.imports import read_bank_folder
from exams.models import Exam, ExamPart, Paper, PaperUnit, Sitting
from exams.queries.bank import latest_cases, latest_questions

BANK = Path(__file__).parent / "bank"
SLUG = "concours-blanc"
PASSWORD = "concours-blanc"  # noqa: S105 -- of a demonstration, printed on the screen
POINTS = {PartCode.DP: 7560, PartCode.QI: 2160, PartCode.LCA: 1080}
NOT_TOGETHER = frozenset({"QI-114", "QI-127", "QI-216"})
"""Questions that would give away another one of the paper (ecni/demo/bank/README.md)."""
ROOM_SEATS = 30

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Shape:
    """How big a concours blanc is.

    Attributes:
        candidates: how many people, shared between the centres.
        centres: how many centres, 35 at most.
        duration_seconds, grace_seconds: of the sitting.
        isolated: how many isolated questions its paper asks at most; None for all of the bank's.
        cases: the kinds of case that it asks, articles apart.
        articles: how many articles (LCA) it asks.
        bank: the folder of its bank.
    """

    candidates: int
    centres: int = len(CITIES)
    duration_seconds: int = 10_800
    grace_seconds: int = 30
    isolated: int | None = None
    cases: tuple[CaseKind, ...] = (CaseKind.DP, CaseKind.MINI_DP, CaseKind.KFP, CaseKind.TCS)
    articles: int = 1
    bank: Path = BANK


def build_concours(*, shape: Shape, now: datetime, say: Say) -> Exam:
    """Build everything up to the lobby of the first sitting, whose hour has just come.

    Args:
        shape: how big it is.
        now: the hour of the sitting.
        say: told, in French, what is being done.
    """
    agency = _staff()
    say(f"{shape.centres} centres et {shape.candidates} candidats…")
    exam = _exam(shape, now)
    _centres(shape)
    register_candidates(exam_id=exam.pk, lines=list(_lines(shape)), actor=agency, now=now)
    say("Banque de démonstration…")
    bank, media = read_bank_folder(shape.bank)
    report = import_bank(bank=bank, media=media, actor=agency, now=now)
    say(f"{len(report.questions)} questions isolées et {len(report.cases)} dossiers.")
    sitting = exam.sittings.get(number=1)
    paper = _paper(exam, sitting, shape)
    say("Scellement du sujet, places et coupons…")
    seal_paper(paper_id=paper.pk, actor=agency, now=now, reason="concours blanc de démonstration")
    for hosting in seat_candidates(sitting_id=sitting.pk, actor=agency, now=now):
        welcome(centre_sitting_id=hosting.centre_sitting_id, actor=agency, now=now)
    return exam


def _staff() -> User:
    password = make_password(PASSWORD)
    roles = {
        "agence": Role.AGENCY,
        "agence2": Role.AGENCY,
        "conseil": Role.COUNCIL,
        "presidente": Role.PRESIDENT,
        "jury": Role.JURY,
        "jury2": Role.JURY,
        "exploitation": Role.OPS,
    }
    roles |= {f"centre-{code.lower()}": Role.CENTRE_HEAD for code, _ in CITIES}
    roles["surveillant-ami"] = Role.INVIGILATOR
    User.objects.bulk_create(
        User(username=name, role=role, password=password, is_staff=role in {Role.AGENCY, Role.COUNCIL})
        for name, role in roles.items()
    )
    return User.objects.get(username="agence")


def _exam(shape: Shape, now: datetime) -> Exam:
    exam = Exam.objects.create(name="Concours blanc national", slug=SLUG)
    ExamPart.objects.bulk_create(ExamPart(exam=exam, code=code, points=points) for code, points in POINTS.items())
    Sitting.objects.create(
        exam=exam,
        number=1,
        title="Épreuve 1 · dossiers et questions",
        starts_at=now,
        duration_seconds=shape.duration_seconds,
        grace_seconds=shape.grace_seconds,
    )
    Sitting.objects.create(
        exam=exam, number=2, title="Créneau de réserve", starts_at=now + timedelta(days=1), is_reserve=True
    )
    return exam


def _centres(shape: Shape) -> None:
    share = -(-shape.candidates // shape.centres)
    for code, city in CITIES[: shape.centres]:
        centre = Centre.objects.create(code=code, name=city, city=city.split(" ")[0])
        Room.objects.create(centre=centre, name="Salle du temps majoré", capacity=10, is_for_extra_time=True)
        Room.objects.bulk_create(
            Room(centre=centre, name=f"Amphithéâtre {number}", capacity=ROOM_SEATS)
            for number in range(1, -(-share // ROOM_SEATS) + 1)
        )
        names = [f"centre-{code.lower()}", *(["surveillant-ami"] if code == "AMI" else [])]
        CentreMembership.objects.bulk_create(
            CentreMembership(user=user, centre=centre) for user in User.objects.filter(username__in=names)
        )


def _lines(shape: Shape) -> Iterator[CandidateLine]:
    for position, person in enumerate(people(shape.candidates)):
        yield CandidateLine(
            line=position + 2,
            official_number=f"2026{position + 1:05d}",
            last_name=person.last_name,
            first_name=person.first_name,
            born_on=person.born_on,
            centre=CITIES[position % shape.centres][0].lower(),
            extra_percent=person.extra_percent,
            email="",
            category=CandidateCategory.STUDENT,
        )


def _paper(exam: Exam, sitting: Sitting, shape: Shape) -> Paper:
    paper = Paper.objects.create(sitting=sitting, title="Sujet 1")
    parts = {part.code: part for part in exam.parts.all()}
    isolated = latest_questions().filter(case__isnull=True).exclude(identifier__in=NOT_TOGETHER).order_by("identifier")
    cases = latest_cases().filter(kind__in=shape.cases).order_by("identifier")
    articles = latest_cases().filter(kind=CaseKind.LCA).order_by("identifier")[: shape.articles]
    asked = isolated[: shape.isolated]
    units = [PaperUnit(paper=paper, part=parts[PartCode.QI], question=question) for question in asked]
    units += [PaperUnit(paper=paper, part=parts[PartCode.DP], case=case) for case in cases]
    units += [PaperUnit(paper=paper, part=parts[PartCode.LCA], case=case) for case in articles]
    for position, unit in enumerate(units, start=1):
        unit.position = position
    PaperUnit.objects.bulk_create(units)
    return paper


def demo_hostings(exam: Exam) -> list[Hosting]:
    """Return the hostings of the first sitting, in the order of the centres' codes."""
    return list(
        Hosting.objects.filter(sitting__exam=exam, sitting__number=1).select_related("centre").order_by("centre__code")
    )
