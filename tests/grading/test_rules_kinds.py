"""The rules of marking: the reference table, then the laws that hold for every key and every answer."""

import re
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from exams.enums import QuestionKind
from exams.rules.content import Circle, Point, Polygon
from grading.rules.edn import global_mark, mark_out_of_twenty, passes_rank_a
from grading.rules.keys import InvalidKey, QrocKey, TcsKey, ZapKey
from grading.rules.kinds import score, scorer
from grading.rules.parameters import PUBLISHED, MarkingParameters, parameters_from
from grading.rules.scores import REASONS, Reason, UnmarkableValue
from grading.rules.second import second_marks
from grading.rules.units import Unit, question_points, structure_of
from tests.factories import marking
from tests.factories.marking import AT_LEISURE, RIGHT, choice_key, letters_at

QRU, QRM, QRP, QRPL = marking.CHOICE_KINDS
QROC, TCS, ZAP = QuestionKind.QROC, QuestionKind.TCS, QuestionKind.ZAP
LITERAL = MarkingParameters(blank_is_zero=False)

STK, OFFICIAL_1, OFFICIAL_2 = "studik", "official-qrm-1", "official-qrm-2"
QRU_KEY = choice_key("TFFF")
QRM_1, QRM_2, QRM_5 = choice_key("IXTF"), choice_key("IFTF"), choice_key("TTFFF")
QRP_3 = choice_key("IXTFT", 3)
QRPL_4 = choice_key("TTTT" + "F" * 18, 4)
QRPL_5 = choice_key("TTTTT" + "F" * 15, 5)
CENTRE = Point(Decimal(50), Decimal(50))
SQUARE = Polygon(tuple(Point(Decimal(x), Decimal(y)) for x, y in ((0, 0), (20, 0), (20, 20), (0, 20))))
TWO_ZONES = ZapKey((Circle(CENTRE, Decimal(10)), SQUARE), 2, (200, 100))
ONE_CIRCLE = ZapKey((Circle(CENTRE, Decimal(10)),), 1, (200, 100))
AORTA = QrocKey(frozenset({"Aorte"}), frozenset({"Aorte thoracique"}), frozenset({"veine cave"}))
PANEL_1, PANEL_2, PANEL_TIE = TcsKey((0, 9, 7, 3, 0)), TcsKey((0, 1, 15, 4, 0)), TcsKey((0, 5, 5, 0, 0))

VECTORS = [
    ("01", STK, QRU, QRU_KEY, "A", "1"),
    ("02", STK, QRU, QRU_KEY, "AB", "0"),
    ("03", STK, QRU, QRU_KEY, "", "0"),
    ("04", OFFICIAL_1, QRM, QRM_1, "AC", "1"),
    ("05", OFFICIAL_1, QRM, QRM_1, "A", "1/2"),
    ("06", OFFICIAL_1, QRM, QRM_1, "C", "0"),
    ("07", OFFICIAL_1, QRM, QRM_1, "ABC", "0"),
    ("08", OFFICIAL_1, QRM, QRM_1, "ACD", "1/2"),
    ("09", OFFICIAL_2, QRM, QRM_2, "ABC", "1/2"),
    ("10", OFFICIAL_2, QRM, QRM_2, "ABD", "0"),
    ("11", OFFICIAL_2, QRM, QRM_2, "ABCD", "1/5"),
    ("12-blank-rule", "derived", QRM, QRM_5, "", "0"),
    ("13", "derived", QRM, QRM_5, "ABCDE", "0"),
    ("14", "derived", QRM, QRM_5, "AC", "1/5"),
    ("15", "official-qrp", QRP, QRP_3, "ACE", "1"),
    ("16", "official-qrp", QRP, QRP_3, "ACD", "2/3"),
    ("17", "official-qrp", QRP, QRP_3, "ABC", "0"),
    ("18", "official-qrp", QRP, QRP_3, "CDE", "0"),
    ("19-too-many", "derived", QRP, QRP_3, "ACDE", "0"),
    ("20-four", "r2c", QRPL, QRPL_4, "ABCD", "1"),
    ("20-three", "r2c", QRPL, QRPL_4, "ABCV", "3/4"),
    ("20-two", "r2c", QRPL, QRPL_4, "ABUV", "1/2"),
    ("20-none", "r2c", QRPL, QRPL_4, "STUV", "0"),
    ("21", "uness-91", QRPL, QRPL_5, "ABCST", "3/5"),
    ("22-same-zone-twice", STK, ZAP, TWO_ZONES, "50,50;51,50", "1/2"),
    ("23", STK, ZAP, ONE_CIRCLE, "57.5,50", "1"),
    ("24", "derived", ZAP, ONE_CIRCLE, "80,50", "0"),
    ("25", "derived", QROC, AORTA, "l'aorte", "1"),
    ("26", STK, QROC, AORTA, "l'aorte thoracique", "1/2"),
    ("27", STK, QROC, AORTA, "l'artère pulmonaire", "0"),
    ("28-mode", "official-tcs-1", TCS, PANEL_1, "-1", "1"),
    ("28-zero", "official-tcs-1", TCS, PANEL_1, "0", "7/9"),
    ("28-plus", "official-tcs-1", TCS, PANEL_1, "1", "1/3"),
    ("28-nobody", "official-tcs-1", TCS, PANEL_1, "-2", "0"),
    ("29-mode", "official-tcs-2", TCS, PANEL_2, "0", "1"),
    ("29-minus", "official-tcs-2", TCS, PANEL_2, "-1", "1/15"),
    ("29-plus", "official-tcs-2", TCS, PANEL_2, "1", "4/15"),
    ("30-minus", STK, TCS, PANEL_TIE, "-1", "1"),
    ("30-zero", STK, TCS, PANEL_TIE, "0", "1"),
]


@pytest.mark.parametrize(
    ("kind", "key", "value", "expected"),
    [pytest.param(*vector, id=f"vector-{number}-{source}") for number, source, *vector in VECTORS],
)
def test_score_follows_the_reference_table(kind, key, value, expected):
    assert score(kind, key, value).value == Fraction(expected)


@pytest.mark.parametrize(
    ("kind", "key", "value", "expected"),
    [pytest.param(*vector, id=f"vector-{number}-{source}") for number, source, *vector in VECTORS],
)
def test_second_scorer_follows_the_reference_table(kind, key, value, expected):
    structure = structure_of("ECNI", {"QI": [Unit("QI-1", (1,))]})
    assert list(second_marks(structure, {1: (kind, key)}, [{1: value}])) == [{1: 2160 * Fraction(expected)}]


def test_every_vector_of_the_reference_is_here():
    """Of 36: 1 to 30 in the table above, 31 to 36 in tests of their own, named after them."""
    numbers = {int(number[:2]) for number, *_ in VECTORS}
    own = {int(found) for found in re.findall(r"vector[- ](\d+)", Path(__file__).read_text(encoding="utf-8"))}
    assert (numbers, own - {12}) == (set(range(1, 31)), set(range(31, 37)))


def test_blank_multiple_choice_is_paid_literally_when_the_blank_rule_is_off():
    assert score(QRM, QRM_5, "", LITERAL).value == Fraction(1, 5)  # vector 12


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        pytest.param(["1/2"] * 15, "210", id="vector-31-derived"),
        pytest.param(["1"] * 10 + ["1/5"] * 4, "324", id="vector-32-derived"),
    ],
)
def test_case_points_follow_the_reference_table(scores, expected):
    units = [Unit(f"DP-{place}", tuple(range(place * 100, place * 100 + len(scores)))) for place in range(18)]
    points = question_points(structure_of("ECNI", {"DP": units}))
    assert sum(points[question] * Fraction(worth) for question, worth in enumerate(scores)) == Fraction(expected)


@pytest.mark.parametrize(("worth", "expected"), [("1", "18"), ("1/2", "9"), ("1/5", "18/5")])
def test_isolated_question_points_follow_the_reference_table(worth, expected):  # vector 33
    points = question_points(structure_of("ECNI", {"QI": [Unit(f"QI-{place}", (place,)) for place in range(120)]}))
    assert points[7] * Fraction(worth) == Fraction(expected)


def test_rank_a_mark_at_the_limit_passes():  # vector 34
    mark = mark_out_of_twenty([(Fraction(1), 1)] * 70 + [(Fraction(0), 1)] * 30)
    assert (mark, passes_rank_a(mark), passes_rank_a(mark - Fraction(1, 1000))) == (14, True, False)


def test_group_mark_weighs_the_questions_of_the_group_twice():  # vector 35
    assert mark_out_of_twenty([(Fraction(1), 1), (Fraction(1, 2), 2), (Fraction(1, 5), 1)]) == 11


def test_global_mark_weighs_exam_stations_and_path():  # vector 36
    assert global_mark(Fraction(15), Fraction(14), Fraction(30)) == Fraction(142, 10)


@pytest.mark.parametrize(
    ("kind", "key", "value", "reason", "discordances", "right"),
    [
        (QRU, QRU_KEY, "", Reason.BLANK, None, None),
        (QRU, QRU_KEY, "B", Reason.WRONG, None, None),
        (QRU, QRU_KEY, "AB", Reason.TOO_MANY, None, None),
        (QRM, QRM_1, "", Reason.BLANK, 2, None),
        (QRM, QRM_1, "C", Reason.REQUIRED_MISSING, 1, None),
        (QRM, QRM_1, "ABC", Reason.FORBIDDEN_TICKED, 1, None),
        (QRM, QRM_1, "AD", Reason.PARTIAL, 2, None),
        (QRP, QRP_3, "", Reason.BLANK, None, 0),
        (QRP, QRP_3, "ACDE", Reason.TOO_MANY, None, 3),
        (QRP, QRP_3, "CDE", Reason.REQUIRED_MISSING, None, 2),
        (QRP, QRP_3, "ACE", Reason.EXACT, None, 3),
        (QROC, AORTA, " . ", Reason.BLANK, None, None),
        (QROC, AORTA, "AORTE", Reason.EXACT, None, None),
        (QROC, AORTA, "aorte, thoracique", Reason.ACCEPTABLE, None, None),
        (QROC, AORTA, "la veine cave", Reason.WRONG, None, None),
        (QROC, AORTA, "artère pulmonaire", Reason.UNLISTED, None, None),
        (TCS, PANEL_1, "", Reason.BLANK, None, None),
        (TCS, PANEL_1, "2", Reason.WRONG, None, None),
        (ZAP, ONE_CIRCLE, "", Reason.BLANK, None, 0),
        (ZAP, ONE_CIRCLE, "50,50;0,0", Reason.TOO_MANY, None, 1),
    ],
)
def test_score_says_why(kind, key, value, reason, discordances, right):
    given_score = score(kind, key, value)
    assert (given_score.reason, given_score.discordances, given_score.right) == (reason, discordances, right)


def test_every_reason_has_its_words():
    assert set(REASONS) == set(Reason)


@pytest.mark.parametrize(
    ("kind", "key", "value"),
    [
        (QRU, QRU_KEY, "E"),
        (QRM, QRM_1, "CA"),
        (QRM, QRM_1, "AA"),
        (QRP, QRP_3, "a"),
        (TCS, PANEL_1, "+1"),
        (TCS, PANEL_1, "3"),
        (ZAP, ONE_CIRCLE, "50"),
        (ZAP, ONE_CIRCLE, "50,101"),
        (ZAP, ONE_CIRCLE, "NaN,1"),
        (ZAP, ONE_CIRCLE, "50,50;"),
        (ZAP, ONE_CIRCLE, "x,y"),
    ],
)
def test_score_refuses_what_is_no_answer_to_the_question(kind, key, value):
    with pytest.raises(UnmarkableValue):
        score(kind, key, value)


@pytest.mark.parametrize(
    ("kind", "key"),
    [(QRM, PANEL_1), (TCS, QRM_1), (QROC, ONE_CIRCLE), (QRP, QRM_1), (QRPL, choice_key("TIF", 2))],
)
def test_scorer_refuses_the_key_of_another_kind(kind, key):
    with pytest.raises(InvalidKey):
        scorer(kind, key)


kinds_keys_answers = marking.kinds_with_keys.flatmap(
    lambda pair: st.tuples(st.just(pair[0]), st.just(pair[1]), marking.answers(*pair))
)


@AT_LEISURE
@given(kinds_keys_answers, marking.parameters)
def test_score_is_an_exact_share_from_nothing_to_all(question, parameters):
    worth = score(*question, parameters).value
    assert type(worth) is Fraction
    assert 0 <= worth <= 1


@pytest.mark.parametrize("kind", marking.CHOICE_KINDS)
@AT_LEISURE
@given(data=st.data(), parameters=marking.parameters)
def test_one_more_right_tick_never_lowers_the_score(kind, data, parameters):
    """It holds for a QRM always, and for the other kinds as long as the answer stays within the number announced."""
    key = data.draw(marking.choice_keys(kind))
    before = data.draw(marking.choices(key))
    missing = [
        place for place, status in enumerate(key.statuses) if status in RIGHT and letters_at([place]) not in before
    ]
    assume(missing)
    after = "".join(sorted(before + letters_at([data.draw(st.sampled_from(missing))])))
    announced = {QRU: 1, QRM: len(key.statuses)}.get(kind, key.expected_count)
    assume(len(after) <= announced)
    assert score(kind, key, after, parameters).value >= score(kind, key, before, parameters).value


@pytest.mark.parametrize(
    ("kind", "key", "before", "after"),
    [
        (QRU, QRU_KEY, "", "A"),
        (QRM, choice_key("TXTF"), "AB", "ABC"),  # a zero rule broken stays broken: 0, never lower
        (QRM, choice_key("ITFF"), "B", "AB"),  # the tick that mends a zero rule
        (QRP, QRP_3, "AC", "ACE"),
    ],
)
def test_right_tick_within_the_number_announced_does_not_lower(kind, key, before, after):
    assert score(kind, key, after).value >= score(kind, key, before).value


@pytest.mark.parametrize(
    ("kind", "key", "before", "after"),
    [
        (QRU, choice_key("TTFF"), "A", "AB"),  # two answers where one is asked
        (QRP, QRP_3, "ACD", "ACDE"),  # a fourth answer where three are announced, though it is right
        (QRPL, QRPL_4, "ABCV", "ABCDV"),
    ],
)
def test_right_tick_beyond_the_number_announced_costs_all(kind, key, before, after):
    assert score(kind, key, before).value > score(kind, key, after).value == 0


@pytest.mark.parametrize("kind", marking.CHOICE_KINDS)
@AT_LEISURE
@given(data=st.data(), parameters=marking.parameters)
def test_order_of_propositions_changes_nothing(kind, data, parameters):
    key = data.draw(marking.choice_keys(kind))
    value = data.draw(marking.choices(key))
    order = data.draw(st.permutations(range(len(key.statuses))))
    shuffled = type(key)(tuple(key.statuses[place] for place in order), key.expected_count)
    moved = letters_at(new for new, old in enumerate(order) if letters_at([old]) in value)
    assert score(kind, shuffled, moved, parameters) == score(kind, key, value, parameters)


@pytest.mark.parametrize("kind", marking.CHOICE_KINDS)
@AT_LEISURE
@given(data=st.data(), parameters=marking.parameters)
def test_ticking_the_key_is_worth_the_best_score(kind, data, parameters):
    key = data.draw(marking.choice_keys(kind))
    best = parameters.discordances[0] if kind == QRM else 1
    perfect = letters_at(place for place, status in enumerate(key.statuses) if status in RIGHT)
    assert score(kind, key, perfect, parameters).value == best


@AT_LEISURE
@given(marking.parameters)
def test_published_parameters_are_read_back(parameters):
    assert parameters_from(parameters.published()) == parameters


def test_published_parameters_of_an_ecni():
    assert PUBLISHED.published() == {
        "blank_is_zero": "1",
        "discordances": "1 1/2 1/5",
        "tcs_ties": "EVERY_MODE_FULL",
        "qroc_text": "qroc/1",
        "neutralisation": "RESCALE",
        "rules_version": "r2c-2023-01/1",
    }


@pytest.mark.parametrize("table", [(), ("3/2",), ("1/2", "1"), ("1", "-1/5")])
def test_parameters_refuse_a_table_that_rises_or_leaves_the_scale(table):
    with pytest.raises(ValueError, match="discordances"):
        MarkingParameters(discordances=tuple(marking.fractions(*table)))
