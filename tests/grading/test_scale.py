"""Marking a national sitting, both scorers included, takes seconds."""

from random import Random
from time import perf_counter

import pytest

from ecni.accounts.enums import Role
from exams.enums import CentreSittingState, SheetState
from exams.models import CentreSitting, FrozenSheet, Sheet
from grading.actions.chunks import mark_chunk
from grading.actions.runs import start_marking
from grading.enums import MarkingState
from tests.factories.exams import NOW, make_exam, user

SHEETS, QUESTIONS = 9_800, 90
LIMIT_SECONDS = 60


@pytest.mark.slow
@pytest.mark.django_db
def test_national_sitting_is_marked_in_seconds(record_property):
    units = [("QI", [("QRM", "TFTFF")])] * 45 + [("DP", [("QRM", "FTTFF")] * 15)] * 3
    sitting = make_exam([units]).sittings.get()
    place = CentreSitting.objects.create(sitting=sitting, state=CentreSittingState.CLOSED, opened_at=NOW)
    sheets = Sheet.objects.bulk_create(
        Sheet(sitting=sitting, centre_sitting=place, number=f"N{number:05}", state=SheetState.SUBMITTED)
        for number in range(SHEETS)
    )
    draw = Random(2026)
    FrozenSheet.objects.bulk_create(
        FrozenSheet(
            sheet=sheet,
            masks=b"".join(draw.randrange(32).to_bytes(4, "little") for _ in range(QUESTIONS)),
            last_seq=1,
            head_digest=b"x",
            frozen_at=NOW,
        )
        for sheet in sheets
    )
    start = perf_counter()
    run = start_marking(sitting_id=sitting.pk, actor=user("agence", Role.AGENCY), now=NOW)
    for chunk in run.chunks.order_by("number"):
        mark_chunk(chunk_id=chunk.pk, now=NOW)
    seconds = perf_counter() - start
    record_property("seconds", seconds)
    print(f"{SHEETS} sheets x {QUESTIONS} questions marked twice in {seconds:.1f} s")  # noqa: T201
    run.refresh_from_db()
    assert run.state == MarkingState.DONE
    assert seconds < LIMIT_SECONDS
