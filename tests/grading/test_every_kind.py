"""From the answers of every kind to marks: frozen, marked by both scorers, read by their candidate."""

from fractions import Fraction

import pytest

from ecni.accounts.models import User
from exams.actions.freezing import frozen_row
from exams.enums import CentreSittingState, PartShare, SheetState
from exams.models import PaperQuestion, Sheet
from exams.queries.papers import paper_shapes
from exams.rules.final import FinalForm
from exams.rules.replay import Replay
from grading.queries import marking_plan, sheet_numerators
from grading.rules.parameters import PUBLISHED
from ranking.actions.computing import compute_ranking
from tests.factories.exams import NOW
from tests.factories.grading import mark_sitting, read_copy
from tests.journeys.concours import make_concours

ISOLATED = ("QI-101", "QI-201", "QI-236", "QI-126", "QI-128", "ZAP-04")
ANSWERS = {1: "B", 2: "AC", 3: "ABC", 4: "BC", 5: "Janus kinase 2", 6: "46.0,32.4;58.5,69.0", 7: "1", 8: "-2"}


@pytest.fixture
def concours(db, settings, tmp_path):
    settings.PAPERS_ROOT = tmp_path
    return make_concours(ISOLATED, ("TCS-01",))


@pytest.fixture
def marked(concours):
    sheet = Sheet.objects.get(sitting=concours.sitting, number=concours.slips[0].number)
    Sheet.objects.exclude(pk=sheet.pk).update(state=SheetState.ABSENT)
    Sheet.objects.filter(pk=sheet.pk).update(state=SheetState.SUBMITTED)
    shapes = paper_shapes(concours.sitting.papers.get().pk)
    frozen_row(sheet.pk, Replay(seq=8, digest=b"x" * 32, answers=dict(ANSWERS)), FinalForm(shapes), NOW).save()
    concours.hosting.centre_sitting.state = CentreSittingState.CLOSED
    concours.hosting.centre_sitting.save()
    return mark_sitting(concours.sitting, User.objects.get(username="agence"))


def test_sealed_paper_keeps_the_size_of_the_image_to_point_on(concours):
    sizes = PaperQuestion.objects.order_by("number").values_list("image_width", "image_height")
    assert [size for size in sizes if size != (None, None)] == [(800, 600)]
    plan = marking_plan(concours.sitting.papers.get().pk, PUBLISHED)
    assert plan.columns[6].key.image_size == (800, 600)


def test_every_kind_is_frozen_and_marked(concours, marked):
    frozen = Sheet.objects.get(state=SheetState.SUBMITTED).frozen
    assert frozen.texts == {str(number): ANSWERS[number] for number in (5, 6, 7, 8)}
    points = sheet_numerators(marked.pk)[concours.slips[0].number]
    assert len(points) == 9
    assert points[4] == points[:6].max() > 0
    assert points[6] > points[7]
    assert points[8] == 0


def test_candidate_reads_every_kind(concours, marked):
    run = compute_ranking(exam_id=concours.exam.pk, actor=User.objects.get(username="agence"), now=NOW)
    questions = read_copy(run, concours.slips[0].number)
    assert [question.answer for question in questions] == [
        "B",
        "A, C",
        "A, B, C",
        "B, C",
        "«\u00a0Janus kinase 2\u00a0»",
        "2 points (46 % 32,4 % ; 58,5 % 69 %)",
        "+1 · Plus probable",
        "−2 · Beaucoup moins probable (presque éliminée)",
        "Sans réponse",
    ]
    assert questions[6].expected == "+1 · Plus probable"
    assert [(line.sign, line.worth, line.is_chosen) for line in questions[6].positions][2:] == [
        ("0", "0,31", False),
        ("+1", "1", True),
        ("+2", "0,23", False),
    ]
    assert (questions[5].picture.width, questions[5].picture.height) == (800, 600)
    assert [(mark.x, mark.y) for mark in questions[5].picture.points] == [("368", "194.4"), ("468", "414")]
    assert "JAK2" in questions[4].expected


def test_points_shared_between_questions_are_equal_whatever_the_case(concours):
    concours.exam.parts.update(shared_by=PartShare.QUESTION)
    plan = marking_plan(concours.sitting.papers.get().pk, PUBLISHED)
    assert {plan.columns[number].points for number in range(1, 7)} == {Fraction(2160, 6)}
    assert {plan.columns[number].points for number in range(7, 10)} == {Fraction(7560, 3)}
    concours.exam.parts.update(shared_by=PartShare.UNIT)
    assert marking_plan(concours.sitting.papers.get().pk, PUBLISHED).columns[7].points == Fraction(7560, 3)


def test_points_shared_between_questions_cross_cases_of_other_sizes(db, settings, tmp_path):
    settings.PAPERS_ROOT = tmp_path
    concours = make_concours((), ("TCS-01", "MD-01"))
    concours.exam.parts.update(shared_by=PartShare.QUESTION)
    plan = marking_plan(concours.sitting.papers.get().pk, PUBLISHED)
    assert [plan.columns[number].points for number in range(1, 8)] == [Fraction(1080)] * 7
