"""A small concours blanc for browsers: one centre, two candidates, a few questions and cases of the demo bank."""

from dataclasses import dataclass
from datetime import date

from centres.actions.candidates import register_candidates
from centres.actions.seating import seat_candidates
from centres.enums import CandidateCategory
from centres.models import Centre, CentreMembership, Hosting, Room
from centres.queries.slips import PrintedSlip, printed_slips
from centres.rules.intake import CandidateLine
from ecni.accounts.enums import Role
from ecni.accounts.models import User
from ecni.demo.build import BANK
from ecni.shared.clock import now
from exams.actions.bank import import_bank
from exams.actions.sealing import seal_paper
from exams.enums import CaseKind, PartCode
from exams.imports import read_bank_folder
from exams.models import Exam, ExamPart, Paper, PaperUnit, Sitting
from exams.queries.bank import latest_cases, latest_questions

PASSWORD = "une longue phrase de passe"
ISOLATED = ("QI-101", "QI-102", "QI-201", "QIM-01")
CASES = ("MD-01",)


@dataclass(frozen=True)
class Concours:
    exam: Exam
    sitting: Sitting
    hosting: Hosting
    slips: list[PrintedSlip]


def make_concours(isolated=ISOLATED, cases=CASES):
    """Everything prepared up to the closed doors of the centre."""
    staff = {
        name: User.objects.create_user(
            username=name, password=PASSWORD, role=role, is_staff=role in {Role.AGENCY, Role.COUNCIL}
        )
        for name, role in {
            "agence": Role.AGENCY,
            "agence2": Role.AGENCY,
            "presidente": Role.PRESIDENT,
            "responsable": Role.CENTRE_HEAD,
        }.items()
    }
    agency, at = staff["agence"], now()
    exam = Exam.objects.create(name="Concours blanc", slug="concours-blanc")
    parts = {
        code: ExamPart.objects.create(exam=exam, code=code, points=points)
        for code, points in {PartCode.DP: 7560, PartCode.QI: 2160, PartCode.LCA: 1080}.items()
    }
    sitting = Sitting.objects.create(exam=exam, number=1, title="Épreuve 1", starts_at=at)
    centre = Centre.objects.create(code="ami", name="Amiens", city="Amiens")
    Room.objects.create(centre=centre, name="Amphithéâtre 1", capacity=4)
    CentreMembership.objects.create(user=staff["responsable"], centre=centre)
    people = [("20260001", "Lemoine", "Agathe"), ("20260002", "Traoré", "Simon")]
    lines = [
        CandidateLine(number + 2, official, last, first, date(2001, 5, 7), "ami", 0, "", CandidateCategory.STUDENT)
        for number, (official, last, first) in enumerate(people)
    ]
    register_candidates(exam_id=exam.pk, lines=lines, actor=agency, now=at)
    bank, media = read_bank_folder(BANK)
    import_bank(bank=bank, media=media, actor=agency, now=at)
    paper = Paper.objects.create(sitting=sitting, title="Sujet 1")
    questions = {question.identifier: question for question in latest_questions().filter(identifier__in=isolated)}
    for position, identifier in enumerate(isolated, start=1):
        PaperUnit.objects.create(
            paper=paper, position=position, part=parts[PartCode.QI], question=questions[identifier]
        )
    for position, case in enumerate(map(latest_case, cases), start=len(isolated) + 1):
        part = parts[PartCode.LCA if case.kind == CaseKind.LCA else PartCode.DP]
        PaperUnit.objects.create(paper=paper, position=position, part=part, case=case)
    seal_paper(paper_id=paper.pk, actor=agency, now=at, reason="répétition")
    (hosting,) = seat_candidates(sitting_id=sitting.pk, actor=agency, now=at)
    return Concours(exam, sitting, hosting, printed_slips(hosting.pk))


def latest_case(identifier):
    return latest_cases().get(identifier=identifier)
