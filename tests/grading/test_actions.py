from datetime import timedelta
from fractions import Fraction
from random import Random

import numpy as np
import pytest
from django.db import IntegrityError, transaction

from ecni.accounts.enums import Role
from ecni.accounts.models import Deed
from exams.enums import CentreSittingState, PaperState, SheetState
from exams.models import ExamPart, FrozenSheet, Paper, Sheet
from exams.rules.states import Already
from grading.actions import chunks, runs, scoring
from grading.enums import MarkingState
from grading.models import MarkingChunk, MarkingRun, SheetMark
from grading.queries import FrozenAnswers, exam_marking, marking_plan, run_progress, sheet_numerators
from grading.rules.engine import Responses, mark_responses
from grading.rules.parameters import PUBLISHED
from tests.factories.exams import NOW, freeze, make_exam, sit, user

pytestmark = pytest.mark.django_db

PERFECT = ("B", "AC", "AB", "E", "AC")
ANSWERS = {
    "K2-0001": PERFECT,
    "K2-0002": ("", "", "", "", ""),
    "K2-0003": ("A", "A", "ABC", "E", "C"),
    "K2-0004": ("B", "ACE", "A", "D", "ABC"),
    "K2-0005": None,
}


@pytest.fixture
def agency():
    return user("agence", Role.AGENCY)


@pytest.fixture
def exam():
    return make_exam()


@pytest.fixture
def sitting(exam):
    return exam.sittings.get(number=1)


def start(sitting, agency, **options):
    return runs.start_marking(sitting_id=sitting.pk, actor=agency, now=NOW, **options)


def mark(run, now=NOW):
    for chunk in run.chunks.order_by("number"):
        chunks.mark_chunk(chunk_id=chunk.pk, now=now)
    run.refresh_from_db()
    return run


def points(run):
    rows = sheet_numerators(run.pk).items()
    return {number: [Fraction(int(one), run.denominator) for one in row] for number, row in rows}


def test_run_gives_each_sheet_its_exact_points(sitting, agency):
    sit(sitting, ANSWERS)
    run = mark(start(sitting, agency, reason="Première notation"))
    assert run.state == MarkingState.DONE
    assert run.scale == ["1080", "1080", "1260", "1260", "1260"]
    assert points(run) == {
        "K2-0001": [1080, 1080, 1260, 1260, 1260],
        "K2-0002": [0, 0, 0, 0, 0],
        "K2-0003": [0, 540, 630, 1260, 0],
        "K2-0004": [1080, 0, 630, 0, 630],
    }
    assert (run.sheets, run.absent) == (4, 1)
    totals = dict(SheetMark.objects.values_list("number", "total"))
    assert totals["K2-0001"] == 5940 * run.denominator
    assert Deed.objects.values_list("verb", "target", "reason").get() == (
        "start_marking",
        f"sitting:{sitting.pk}",
        "Première notation",
    )


def test_digest_depends_neither_on_the_chunks_nor_on_the_order_of_the_sheets(agency):
    digests = set()
    for slug, size in (("un", 500), ("deux", 1), ("trois", 3)):
        sitting = make_exam(slug=slug).sittings.get(number=1)
        items = list(ANSWERS.items())
        Random(slug).shuffle(items)
        sit(sitting, dict(items))
        run = mark(start(sitting, agency, chunk_sheets=size))
        digests.add(run.digest)
    assert len(digests) == 1


def test_run_made_again_supersedes_with_the_same_digests(sitting, agency):
    sit(sitting, ANSWERS)
    first = mark(start(sitting, agency))
    second = mark(start(sitting, agency, chunk_sheets=2))
    assert second.supersedes == first
    assert (second.digest, second.inputs_digest) == (first.digest, first.inputs_digest)


def test_marking_is_refused_until_all_is_closed_and_frozen(exam, sitting, agency):
    with pytest.raises(runs.NotReady) as refusal:
        start(sitting, agency)
    assert refusal.value.obstacles == ("Aucun centre n’a accueilli cette épreuve.",)
    open_place = sit(sitting, {"K2-0001": None}, state=CentreSittingState.OPEN)
    closed_place = sit(sitting, {})
    Sheet.objects.create(sitting=sitting, centre_sitting=closed_place, number="K2-0007", state=SheetState.SUBMITTED)
    last = Paper.objects.filter(sitting__number=2)
    last.update(state=PaperState.DRAFT, digest="", sealed_at=None)
    with pytest.raises(runs.NotReady) as refusal:
        start(sitting, agency)
    assert refusal.value.obstacles == (
        "Le sujet de « Épreuve 2 » n’est pas scellé : le barème de l’examen n’est pas connu.",
        f"L’épreuve en centre n° {open_place.pk} n’est pas close (état « Ouverte »).",
        "Copies non figées : K2-0007.",
    )
    assert [row.run for row in exam_marking(exam.pk)] == [None, None]


def test_marking_is_refused_while_a_run_is_under_way(sitting, agency):
    sit(sitting, ANSWERS)
    start(sitting, agency)
    with pytest.raises(Already):
        start(sitting, agency)


def test_chunk_marked_twice_changes_nothing(sitting, agency):
    sit(sitting, ANSWERS)
    run = mark(start(sitting, agency))
    before = list(SheetMark.objects.order_by("pk").values())
    assert mark(run, NOW + timedelta(hours=1)).digest == run.digest
    assert list(SheetMark.objects.order_by("pk").values()) == before


def test_chunk_of_a_dead_worker_is_swept_up_and_the_dead_one_is_fenced_off(sitting, agency):
    sit(sitting, ANSWERS)
    run = start(sitting, agency)
    chunk = run.chunks.get()
    assert runs.sweep(now=NOW) == [chunk.pk]
    lost = chunks._claim(chunk_id=chunk.pk, now=NOW)
    assert runs.sweep(now=NOW) == []
    later = NOW + runs.CHUNK_DEADLINE
    assert runs.sweep(now=later) == [chunk.pk]
    chunks._claim(chunk_id=chunk.pk, now=later)
    chunks._mark(chunk_id=chunk.pk, attempt=lost, now=later)
    assert not SheetMark.objects.exists()
    assert mark(run, later + runs.CHUNK_DEADLINE).state == MarkingState.DONE


def test_run_killed_before_its_end_is_finished_by_the_sweep(sitting, agency):
    sit(sitting, ANSWERS)
    run = start(sitting, agency)
    chunk = run.chunks.get()
    chunks._mark(chunk_id=chunk.pk, attempt=chunks._claim(chunk_id=chunk.pk, now=NOW), now=NOW)
    assert runs.sweep(now=NOW) == []
    run.refresh_from_db()
    assert run.state == MarkingState.DONE


def test_a_run_that_cannot_be_finished_fails_and_keeps_no_other_waiting(exam, agency):
    first, second = exam.sittings.order_by("number")[:2]
    sit(first, ANSWERS)
    sit(second, {"K2-0001": ("AC", "A", "B")})
    faulty, other = start(first, agency), start(second, agency)
    chunk = faulty.chunks.get()
    chunks._mark(chunk_id=chunk.pk, attempt=chunks._claim(chunk_id=chunk.pk, now=NOW), now=NOW)
    MarkingRun.objects.filter(pk=faulty.pk).update(sheets=9)
    assert runs.sweep(now=NOW) == [other.chunks.get().pk]
    faulty.refresh_from_db()
    assert (faulty.state, "Il manque des notes" in faulty.failure) == (MarkingState.FAILED, True)


def test_a_sitting_where_nobody_composed_is_marked_at_once(sitting, agency):
    sit(sitting, dict.fromkeys(ANSWERS))
    run = start(sitting, agency)
    assert (run.state, run.sheets, run.absent) == (MarkingState.DONE, 0, len(ANSWERS))
    assert start(sitting, agency).digest == run.digest


def test_chunk_given_up_after_three_attempts_fails_the_run_with_its_cause(sitting, agency):
    sit(sitting, ANSWERS)
    run = start(sitting, agency)
    chunk = run.chunks.get()
    moment = NOW
    for _ in range(chunks.MAX_ATTEMPTS):
        chunks._claim(chunk_id=chunk.pk, now=moment)
        moment += runs.CHUNK_DEADLINE
    chunks.mark_chunk(chunk_id=chunk.pk, now=moment)
    run.refresh_from_db()
    assert (run.state, run.failure) == (MarkingState.FAILED, "Le lot 1 a été abandonné après 3 essais.")
    assert start(sitting, agency).state == MarkingState.PENDING


def test_points_changed_during_a_run_fail_it(sitting, agency):
    sit(sitting, ANSWERS)
    run = start(sitting, agency)
    ExamPart.objects.filter(code="QI").update(points=2161)
    assert mark(run).failure == "Le barème a changé depuis le lancement de la notation."
    assert not SheetMark.objects.exists()


def test_sheet_added_during_a_run_fails_it(sitting, agency):
    place = sit(sitting, ANSWERS)
    run = start(sitting, agency, chunk_sheets=10)
    sheet = Sheet.objects.create(sitting=sitting, centre_sitting=place, number="K2-9999", state=SheetState.SUBMITTED)
    freeze(sheet, PERFECT)
    assert mark(run).failure == "Les réponses ou les clés ne sont plus celles du lancement."
    assert run.digest == ""


def test_answer_beyond_the_propositions_fails_the_run(sitting, agency):
    sit(sitting, {"K2-0001": ("H", "", "", "", "")})
    run = mark(start(sitting, agency))
    assert (run.state, run.chunks.get().state) == (MarkingState.FAILED, MarkingState.FAILED)


def test_sheet_frozen_for_another_paper_fails_the_run(sitting, agency):
    sit(sitting, {"K2-0001": ("A",)})
    assert mark(start(sitting, agency)).failure == "Une copie n’a pas été figée pour ce sujet."


def test_scorers_who_disagree_are_named_with_the_sheet_and_the_question(exam, sitting):
    plan = marking_plan(sitting.papers.get().pk, PUBLISHED)
    masks = {number: np.array([mask], dtype=np.uint32) for number, mask in enumerate((2, 5, 3, 16, 5), start=1)}
    responses = Responses(masks, {})
    marks = mark_responses(plan, responses)
    marks[4] = marks[4] * 0
    sheet = FrozenAnswers(1, "K2-0001", b"", {})
    with pytest.raises(scoring.MarkingFault, match="copie K2-0001, question 4, 0 et 1260 points"):
        scoring._refuse_disagreement([sheet], plan, responses, marks)


def test_marks_are_written_once(sitting, agency):
    sit(sitting, ANSWERS)
    mark(start(sitting, agency))
    with pytest.raises(IntegrityError, match="only grows"), transaction.atomic():
        SheetMark.objects.update(total=0)


def test_progress_counts_the_sheets_marked(sitting, agency):
    sit(sitting, ANSWERS)
    run = start(sitting, agency, chunk_sheets=3)
    chunks.mark_chunk(chunk_id=run.chunks.get(number=1).pk, now=NOW)
    run.refresh_from_db()
    assert run_progress(run).marked == 3
    assert run_progress(run).chunks == {MarkingState.DONE: 1, MarkingState.PENDING: 1}


def test_sheet_of_an_excluded_candidate_is_not_marked(sitting, agency):
    place = sit(sitting, {"K2-0001": PERFECT})
    sheet = Sheet.objects.create(sitting=sitting, centre_sitting=place, number="K2-0002", state=SheetState.EXCLUDED)
    freeze(sheet, PERFECT)
    assert FrozenSheet.objects.count() == 2
    assert list(sheet_numerators(mark(start(sitting, agency)).pk)) == ["K2-0001"]
    assert MarkingRun.objects.get().sheets == MarkingChunk.objects.get().sheets == 1
