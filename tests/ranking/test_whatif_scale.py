"""Foreseeing a ranking, at a size that a test can bear."""

from datetime import date
from random import Random
from time import perf_counter

import pytest

from centres.models import Candidate, Centre
from ecni.accounts.enums import Role
from exams.enums import CentreSittingState, SheetState
from exams.models import CentreSitting, FrozenSheet, Sheet
from grading.actions.chunks import mark_chunk
from grading.actions.runs import start_marking
from ranking.queries.whatif import hypotheses
from tests.factories.exams import NOW, make_exam, user
from tests.factories.jury import make_jury, neutralise, paper_of, propose

CANDIDATES, SITTINGS, QUESTIONS = 1_000, 2, 90


def sit_everywhere(exam):
    """Have every candidate sit every sitting, each with one of 300 copies."""
    draw = Random(2026)
    numbers = [f"N{number:05}" for number in range(CANDIDATES)]
    centre = Centre.objects.create(code="C01", name="Centre")
    Candidate.objects.bulk_create(
        Candidate(exam=exam, centre=centre, official_number=number, born_on=date(2001, 1, 1), number=number)
        for number in numbers
    )
    answers = [b"".join(draw.randrange(32).to_bytes(4, "little") for _ in range(QUESTIONS)) for _ in range(300)]
    for sitting in exam.sittings.all():
        place = CentreSitting.objects.create(sitting=sitting, state=CentreSittingState.CLOSED, opened_at=NOW)
        sheets = Sheet.objects.bulk_create(
            Sheet(sitting=sitting, centre_sitting=place, number=number, state=SheetState.SUBMITTED)
            for number in numbers
        )
        FrozenSheet.objects.bulk_create(
            FrozenSheet(sheet=sheet, masks=draw.choice(answers), last_seq=1, head_digest=b"x", frozen_at=NOW)
            for sheet in sheets
        )


@pytest.mark.slow
@pytest.mark.django_db
def test_every_candidate_of_a_class_is_foreseen(record_property):
    agency, (_, members) = user("agence", Role.AGENCY), make_jury()
    units = [("QI", [("QRM", "TFTFF")])] * 45 + [("DP", [("QRM", "FTTFF")] * 15)] * 3
    exam = make_exam([units] * SITTINGS)
    sit_everywhere(exam)
    for sitting in exam.sittings.all():
        for chunk in start_marking(sitting_id=sitting.pk, actor=agency, now=NOW).chunks.all():
            mark_chunk(chunk_id=chunk.pk, now=NOW)
    proposal = propose(neutralise(paper_of(exam), 3), members[0])
    start = perf_counter()
    (found,) = hypotheses(exam.pk, [proposal], [800])
    seconds = perf_counter() - start
    record_property("seconds", seconds)
    print(f"{CANDIDATES} candidates x {SITTINGS * QUESTIONS} questions foreseen in {seconds:.1f} s")  # noqa: T201
    assert len(found.comparison.moves) == CANDIDATES
    assert found.comparison.moved
