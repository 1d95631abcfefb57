"""Marked exams: every sitting closed, marked and, if asked, ranked and published."""

from datetime import date, timedelta

from centres.models import Candidate, Centre
from ecni.accounts.enums import Role
from ecni.accounts.models import User
from grading.actions.chunks import mark_chunk
from grading.actions.runs import start_marking
from ranking.actions.anonymity import lift_anonymity, sign_ranking
from ranking.actions.computing import compute_ranking
from ranking.actions.publication import confirm_publication, propose_publication
from ranking.queries.pages import run_owners
from ranking.queries.publication import is_lifted
from ranking.queries.results import entries, marked_sheets, question_result, register_of
from ranking.tasks import prepare_copies, prepare_official_list
from tests.factories.exams import NOW, SITTINGS, make_exam, sit

PERFECT = (("B", "AC", "AB", "E", "AC"), ("BD", "AE", "A"))
BLANK = (("",) * 5, ("",) * 3)


def mark_exam(exam, actor, answers, **options):
    """Sit and mark every sitting: `answers` gives each number its values by sitting, None where absent."""
    for index, sitting in enumerate(exam.sittings.order_by("number")):
        sit(sitting, {number: values[index] for number, values in answers.items()})
        mark_sitting(sitting, actor, **options)


def mark_sitting(sitting, actor, **options):
    run = start_marking(sitting_id=sitting.pk, actor=actor, now=NOW, **options)
    for chunk in run.chunks.order_by("number"):
        mark_chunk(chunk_id=chunk.pk, now=NOW)
    run.refresh_from_db()
    assert run.failure == ""
    return run


def register(exam, born):
    """Register a candidate behind each anonymous number, with their date of birth."""
    centre, _ = Centre.objects.get_or_create(code="C01", defaults={"name": "Centre"})
    return [
        Candidate.objects.create(
            exam=exam,
            centre=centre,
            official_number=f"2026-{place:04}",
            last_name=f"Nom{place}",
            first_name=f"Prénom{place}",
            born_on=day,
            number=number,
        )
        for place, (number, day) in enumerate(born.items(), start=1)
    ]


def ranked_exam(actor, answers, slug="blanc", sittings=SITTINGS):
    exam = make_exam(sittings, slug=slug)
    register(exam, {number: date(2001, 1, 1) + timedelta(days=place) for place, number in enumerate(answers)})
    mark_exam(exam, actor, answers)
    return compute_ranking(exam_id=exam.pk, actor=actor, now=NOW)


def lift(run, *people):
    """Sign a ranking and lift its anonymity, by a president and two people of their own unless given."""
    president, one, other = people or (
        User.objects.get_or_create(username=f"lift-{role}", defaults={"role": role})[0]
        for role in (Role.PRESIDENT, Role.JURY, Role.AGENCY)
    )
    sign_ranking(run_id=run.pk, actor=president, now=NOW, reason="Délibération close")
    for person in (one, other):
        lift_anonymity(run_id=run.pk, actor=person, now=NOW, reason="Classement signé")


def prepare(run):
    """Write the pages of a ranking whose anonymity is lifted."""
    prepare_official_list(run_id=run.pk)
    prepare_copies(run_id=run.pk, candidate_ids=run_owners(run))


def read_copy(run, number, sitting_number=1):
    """What a candidate reads of one sitting, question by question."""
    book = register_of(run).books[sitting_number]
    sheet = marked_sheets(book, [number])[number]
    return [question_result(book, *entry) for entry in entries(book, sheet)]


def publish(run, proposer, confirmer):
    """Do all that leads from a ranking to its publication."""
    if not is_lifted(run.exam_id):
        lift(run)
    prepare(run)
    publication = propose_publication(run_id=run.pk, not_before=NOW, actor=proposer, now=NOW, reason="Jury réuni")
    return confirm_publication(publication_id=publication.pk, actor=confirmer, now=NOW, reason="Signé")
