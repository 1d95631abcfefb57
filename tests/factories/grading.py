"""Marked exams: every sitting closed, marked and, if asked, ranked and published."""

from datetime import date, timedelta

from centres.models import Candidate, Centre
from grading.actions.chunks import mark_chunk
from grading.actions.runs import start_marking
from ranking.actions.computing import compute_ranking
from ranking.actions.publication import confirm_publication, propose_publication
from tests.factories.exams import NOW, make_exam, sit

PERFECT = (("B", "AC", "AB", "E", "AC"), ("BD", "AE", "A"))
BLANK = (("",) * 5, ("",) * 3)


def mark_exam(exam, actor, answers):
    """Sit and mark every sitting: `answers` gives each number its values by sitting, None where absent."""
    for index, sitting in enumerate(exam.sittings.order_by("number")):
        sit(sitting, {number: values[index] for number, values in answers.items()})
        mark_sitting(sitting, actor)


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


def ranked_exam(actor, answers, slug="blanc"):
    exam = make_exam(slug=slug)
    register(exam, {number: date(2001, 1, 1) + timedelta(days=place) for place, number in enumerate(answers)})
    mark_exam(exam, actor, answers)
    return compute_ranking(exam_id=exam.pk, actor=actor, now=NOW)


def publish(run, proposer, confirmer):
    publication = propose_publication(run_id=run.pk, not_before=NOW, actor=proposer, now=NOW, reason="Jury réuni")
    return confirm_publication(publication_id=publication.pk, actor=confirmer, now=NOW, reason="Signé")
