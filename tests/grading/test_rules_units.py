"""What questions are worth: parts, units and questions add up, whatever is neutralised."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grading.rules.units import PRESETS, InvalidStructure, Part, Structure, Unit, question_points, structure_of
from tests.factories import marking
from tests.factories.marking import AT_LEISURE


def test_an_ecni_is_worth_10_800_points():
    assert sum(PRESETS["ECNI"].values()) == 10_800


@pytest.mark.parametrize(
    ("part", "units", "size", "expected"),
    [("DP", 18, 15, "28"), ("DP", 18, 14, "30"), ("DP", 18, 13, "420/13"), ("QI", 120, 1, "18"), ("LCA", 2, 15, "36")],
)
def test_units_of_a_part_share_its_points_equally(part, units, size, expected):
    structure = structure_of(
        "ECNI", {part: [Unit(str(unit), tuple(range(unit * size, (unit + 1) * size))) for unit in range(units)]}
    )
    assert set(question_points(structure).values()) == {Fraction(expected)}


def test_cases_of_different_lengths_have_the_same_value():
    structure = structure_of("ECNI", {"DP": [Unit("DP-1", (1, 2, 3)), Unit("DP-2", (4,))]})
    assert question_points(structure) == {1: 1260, 2: 1260, 3: 1260, 4: 3780}


@AT_LEISURE
@given(marking.exams(), st.data())
def test_points_of_questions_add_up_to_the_points_of_the_part_whatever_is_dropped(exam, data):
    structure, _ = exam
    spare = sorted(set(structure.questions) - {part.units[0].questions[0] for part in structure.parts})
    dropped = data.draw(st.sets(st.sampled_from(spare)) if spare else st.just(set()))
    points = question_points(structure, dropped)
    sums = {part.code: sum(points[q] for unit in part.units for q in unit.questions) for part in structure.parts}
    assert sums == {part.code: part.points for part in structure.parts}
    assert all(points[question] == 0 for question in dropped)
    assert sum(points.values()) == structure.points


def test_unit_dropped_whole_gives_its_share_to_the_others():
    structure = structure_of("ECNI", {"QI": [Unit("QI-1", (1,)), Unit("QI-2", (2,)), Unit("QI-3", (3,))]})
    assert question_points(structure, {2}) == {1: 1080, 2: 0, 3: 1080}


def test_part_cannot_lose_all_its_questions():
    structure = structure_of("ECNI", {"QI": [Unit("QI-1", (1,))]})
    with pytest.raises(InvalidStructure, match="QI"):
        question_points(structure, {1})


def test_question_outside_the_exam_cannot_be_dropped():
    structure = structure_of("ECNI", {"QI": [Unit("QI-1", (1,))]})
    with pytest.raises(InvalidStructure, match="Question inconnue : 7"):
        question_points(structure, {7})


ONE = Fraction(1)


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ((), "Aucune partie"),
        ((Part("QI", ONE, ()),), "QI"),
        ((Part("QI", Fraction(-1), (Unit("a", (1,)),)),), "QI"),
        ((Part("QI", ONE, (Unit("a", ()),)),), "a n’a pas de question"),
        ((Part("QI", ONE, (Unit("a", (1,)), Unit("b", (1,)))),), "question en double : 1"),
        ((Part("QI", ONE, (Unit("a", (1,)), Unit("a", (2,)))),), "unité en double : a"),
        ((Part("QI", ONE, (Unit("a", (1,)),)), Part("QI", ONE, (Unit("b", (2,)),))), "partie en double : QI"),
    ],
)
def test_structure_refuses_what_cannot_be_shared_out(parts, words):
    with pytest.raises(InvalidStructure, match=words):
        Structure(parts)


def test_preset_refuses_a_part_it_does_not_have():
    with pytest.raises(InvalidStructure, match="ECOS"):
        structure_of("ECNI", {"ECOS": [Unit("a", (1,))]})
