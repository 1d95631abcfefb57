"""Two scorers written apart give the same points; and the comparison sees it when they do not."""

import inspect
from fractions import Fraction
from random import Random

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from exams.enums import QuestionKind
from exams.rules.answers import mask_of
from grading.rules import second
from grading.rules.engine import (
    Disagreement,
    InvalidRun,
    Neutralised,
    Responses,
    disagreements,
    mark_responses,
    plan_run,
    totals,
)
from grading.rules.second import second_marks
from grading.rules.texts import normalised
from grading.rules.units import InvalidStructure, Unit, structure_of
from tests.factories import marking
from tests.factories.marking import AT_LEISURE, choice_key

PAPERS = settings(AT_LEISURE, max_examples=60)
CHOICES = frozenset(marking.CHOICE_KINDS)


def responses(keys, sheets):
    """The sheets turned into columns."""
    values = {question: [sheet.get(question, "") for sheet in sheets] for question in keys}
    choice = {question for question, (kind, _) in keys.items() if kind in CHOICES}
    masks = {question: np.array([mask_of(value) for value in values[question]], dtype=np.uint32) for question in choice}
    return Responses(masks, {question: values[question] for question in keys.keys() - choice})


@st.composite
def runs(draw):
    structure, keys = draw(marking.exams())
    sheets = draw(st.lists(marking.sheets(keys), min_size=1, max_size=3))
    spare = [unit.questions[-1] for unit in structure.units if len(unit.questions) > 1]
    dropped = draw(st.sets(st.sampled_from(spare)) if spare else st.just(set()))
    given_to_all = draw(st.sets(st.sampled_from(structure.questions))) - dropped
    return structure, keys, sheets, draw(marking.parameters), Neutralised(frozenset(dropped), frozenset(given_to_all))


def test_two_scorers_agree_on_a_thousand_papers():
    rng = Random(20_260_614)
    for _ in range(1_000):
        structure, keys, sheets = marking.random_paper(rng, sheet_count=4)
        plan = plan_run(structure, keys)
        marks = mark_responses(plan, responses(keys, sheets))
        assert list(disagreements(plan, marks, second_marks(structure, keys, sheets))) == []


@PAPERS
@given(runs())
def test_two_scorers_agree_on_random_papers(run):
    structure, keys, sheets, parameters, neutralised = run
    plan = plan_run(structure, keys, parameters, neutralised)
    marks = mark_responses(plan, responses(keys, sheets))
    again = list(second_marks(structure, keys, sheets, parameters, neutralised.dropped, neutralised.given))
    assert list(disagreements(plan, marks, again)) == []
    added = totals(plan, marks)
    assert [plan.points(total) for total in added.total] == [sum(sheet.values()) for sheet in again]


@settings(AT_LEISURE, max_examples=500)
@given(marking.short_texts | st.text(max_size=6))
@example("ʼ−1")
def test_two_readings_of_a_short_answer_agree(text):
    assert normalised(text) == second._plain(text)


def test_second_scorer_shares_no_code_with_the_first():
    source = inspect.getsource(second)
    shared = [line for line in source.splitlines() if line.startswith("from grading.rules.")]
    assert shared == [
        "from grading.rules.keys import ChoiceKey, Key, QrocKey, TcsKey, ZapKey",
        "from grading.rules.parameters import PUBLISHED, MarkingParameters",
        "from grading.rules.units import Structure",
    ]


STRUCTURE = structure_of("ECNI", {"DP": [Unit("DP-1", (1, 2)), Unit("DP-2", (3,))], "QI": [Unit("QI-1", (4,))]})
KEYS = {
    1: (QuestionKind.QRM, choice_key("TTFFF")),
    2: (QuestionKind.QRU, choice_key("TFFF")),
    3: (QuestionKind.QROC, marking.QrocKey(frozenset({"aorte"}))),
    4: (QuestionKind.TCS, marking.TcsKey((0, 1, 3, 0, 0))),
}
SHEETS = [{1: "AB", 2: "A", 3: "Aorte", 4: "0"}, {1: "AC", 2: "B", 4: "-1"}]


def test_totals_add_up_by_unit_and_part():
    plan = plan_run(STRUCTURE, KEYS)
    added = totals(plan, mark_responses(plan, responses(KEYS, SHEETS)))
    points = {code: [plan.points(mark) for mark in marks] for code, marks in (added.parts | added.units).items()}
    assert points == {
        "DP": [7560, 378],
        "QI": [2160, 720],
        "DP-1": [3780, 378],
        "DP-2": [3780, 0],
        "QI-1": [2160, 720],
    }
    assert [plan.points(total) for total in added.total] == [9720, 1098]


def test_marks_are_the_same_whatever_the_sharding():
    plan = plan_run(STRUCTURE, KEYS)
    whole = totals(plan, mark_responses(plan, responses(KEYS, SHEETS)))
    apart = [totals(plan, mark_responses(plan, responses(KEYS, [sheet]))) for sheet in SHEETS]
    assert np.concatenate([shard.total for shard in apart]).tobytes() == whole.total.tobytes()


def test_disagreement_names_candidate_question_and_both_marks():
    plan = plan_run(STRUCTURE, KEYS)
    marks = mark_responses(plan, responses(KEYS, SHEETS))
    again = list(second_marks(STRUCTURE, KEYS, SHEETS))
    again[1][4] += 1
    assert list(disagreements(plan, marks, again)) == [Disagreement(1, 4, Fraction(720), Fraction(721))]


@pytest.mark.parametrize(
    ("dropped", "given_to_all", "expected"),
    [((1,), (), [9720, 720]), ((), (1,), [9720, 2610]), ((3,), (), [9720, 1476]), ((), (3, 4), [9720, 6318])],
)
def test_neutralised_questions_leave_the_part_its_points(dropped, given_to_all, expected):
    plan = plan_run(STRUCTURE, KEYS, neutralised=Neutralised(frozenset(dropped), frozenset(given_to_all)))
    added = totals(plan, mark_responses(plan, responses(KEYS, SHEETS)))
    assert [plan.points(total) for total in added.total] == expected
    again = second_marks(STRUCTURE, KEYS, SHEETS, dropped=set(dropped), given=set(given_to_all))
    assert [sum(sheet.values()) for sheet in again] == expected


def test_question_cannot_be_dropped_and_given():
    with pytest.raises(InvalidRun):
        Neutralised(frozenset({1}), frozenset({1}))


def test_plan_refuses_a_question_without_key_or_outside_the_exam():
    with pytest.raises(InvalidRun, match="4"):
        plan_run(STRUCTURE, {number: key for number, key in KEYS.items() if number != 4})
    with pytest.raises(InvalidRun, match="9"):
        plan_run(STRUCTURE, KEYS | {9: KEYS[1]}, neutralised=Neutralised(given=frozenset({9})))
    with pytest.raises(InvalidStructure, match="9"):
        plan_run(STRUCTURE, KEYS, neutralised=Neutralised(dropped=frozenset({9})))


def test_marking_refuses_answers_of_another_form_or_exam():
    plan = plan_run(STRUCTURE, KEYS)
    masks = np.array([1], dtype=np.uint32)
    for strange in (Responses({4: masks}, {}), Responses({9: masks}, {}), Responses({}, {1: ["A"]})):
        with pytest.raises(InvalidRun):
            mark_responses(plan, strange)


def test_totals_refuse_a_question_without_marks():
    plan = plan_run(STRUCTURE, KEYS)
    with pytest.raises(InvalidRun, match="4"):
        totals(plan, mark_responses(plan, responses({1: KEYS[1], 2: KEYS[2], 3: KEYS[3]}, SHEETS)))
