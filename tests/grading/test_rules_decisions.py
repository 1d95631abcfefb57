"""Decisions as data: what is in force after each, the keys they give, and the words that say them."""

import json
from decimal import Decimal

import pytest
from hypothesis import given

from exams.enums import QuestionKind
from exams.rules.content import AcceptedAnswers, Circle, Point, Polygon, Proposition, QuestionContent, Script
from grading.enums import NeutralisationMode, ProposalKind, SpellingCategory
from grading.rules.decisions import (
    Adopted,
    Effect,
    adopted_from,
    changed_key,
    content_under,
    effects,
    key_data,
    zone_from,
    zone_text,
)
from grading.rules.keys import InvalidKey, QrocKey, TcsKey, ZapKey
from grading.rules.wording import sentence
from tests.factories import marking
from tests.factories.marking import AT_LEISURE, choice_key

DROP = Adopted(ProposalKind.NEUTRALISE, 1, (2, 3), mode=NeutralisationMode.RESCALE)
GIVE = Adopted(ProposalKind.NEUTRALISE, 1, (3,), mode=NeutralisationMode.FULL)
REKEY = Adopted(ProposalKind.REKEY, 1, (2,), key={"statuses": ["TRUE", "FALSE"], "expected_count": None})
RESTORE = Adopted(ProposalKind.RESTORE, 1, (2, 3))
SPELL = Adopted(None, 2, (5,), spelling=("l'aortte", SpellingCategory.EXACT))


@pytest.mark.parametrize(
    ("adopted", "dropped", "given_to_all", "keys"),
    [
        ([], set(), set(), []),
        ([DROP], {2, 3}, set(), []),
        ([DROP, GIVE], {2}, {3}, []),
        ([GIVE, DROP], {2, 3}, set(), []),
        ([DROP, REKEY], {2, 3}, set(), [2]),
        ([DROP, REKEY, GIVE, RESTORE], set(), set(), []),
        ([RESTORE, GIVE], set(), {3}, []),
    ],
)
def test_last_word_counts(adopted, dropped, given_to_all, keys):
    effect = effects(adopted).get(1, Effect())
    assert (effect.dropped, effect.given, list(effect.keys)) == (dropped, given_to_all, keys)


def test_papers_do_not_mix():
    assert set(effects([DROP, SPELL])) == {1, 2}
    assert effects([DROP, SPELL])[2] == Effect(spellings={5: [SPELL.spelling]})


@pytest.mark.parametrize("one", [DROP, GIVE, REKEY, RESTORE, SPELL])
def test_decision_survives_its_storage(one):
    assert adopted_from(json.loads(json.dumps(one.data()))) == one


@AT_LEISURE
@given(marking.kinds_with_keys)
def test_key_written_and_read_is_the_same_key(pair):
    kind, key = pair
    assert changed_key(kind, key, json.loads(json.dumps(key_data(key)))) == key


def test_new_key_keeps_the_size_of_the_image():
    zone = Circle(Point(Decimal(10), Decimal(20)), Decimal(5))
    key = ZapKey((zone,), 1, (200, 100))
    data = {"zones": ["polygone 0;0 10;0 10;10.5"], "expected_count": 1}
    corners = (Point(Decimal(0), Decimal(0)), Point(Decimal(10), Decimal(0)), Point(Decimal(10), Decimal("10.5")))
    assert changed_key(QuestionKind.ZAP, key, data) == ZapKey((Polygon(corners),), 1, (200, 100))


@pytest.mark.parametrize(
    ("kind", "key", "data"),
    [
        (QuestionKind.QRM, choice_key("TFFF"), {"statuses": ["TRUE"] * 5, "expected_count": None}),
        (QuestionKind.QRM, choice_key("TFFF"), {"statuses": ["FALSE"] * 4, "expected_count": None}),
        (
            QuestionKind.QRM,
            choice_key("TFFF"),
            {"statuses": ["TRUE", "MAYBE", "FALSE", "FALSE"], "expected_count": None},
        ),
        (QuestionKind.QRM, choice_key("TFFF"), {"votes": [1]}),
        (QuestionKind.QRP, choice_key("TTFF", 2), {"statuses": ["TRUE"] * 4, "expected_count": None}),
        (QuestionKind.TCS, TcsKey((1, 0, 0, 0, 0)), {"votes": [0, 0, 0, 0, 0]}),
        (QuestionKind.TCS, TcsKey((1, 0, 0, 0, 0)), {"votes": [1, 2]}),
        (QuestionKind.QROC, QrocKey(frozenset({"a"})), {"exact": [], "acceptable": [], "refused": []}),
    ],
)
def test_key_that_cannot_mark_is_refused(kind, key, data):
    with pytest.raises(InvalidKey):
        changed_key(kind, key, data)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "rond 1;2",
        "cercle 1;2",
        "cercle 1;2 rayon",
        "polygone 1;2 3;4",
        "cercle a;b rayon 1",
        "cercle 1,5;2 rayon 3",
    ],
)
def test_zone_that_cannot_be_read_is_refused(text):
    with pytest.raises(InvalidKey, match="Zone illisible"):
        zone_from(text)


@given(marking.circles | marking.polygons)
def test_zone_written_and_read_is_the_same_zone(zone):
    assert zone_from(zone_text(zone)) == zone


def test_spelling_joins_its_list_unless_a_vote_already_listed_it():
    key = QrocKey(frozenset({"Aorte"}))
    found = Effect(spellings={5: [SPELL.spelling]}).key_under(5, QuestionKind.QROC, key)
    assert found == QrocKey(frozenset({"Aorte", "l'aortte"}))
    lists = {"exact": ["Aorte"], "acceptable": [], "refused": ["AORTTE"]}
    voted = Effect(keys={5: lists}, spellings={5: [SPELL.spelling]})
    assert voted.key_under(5, QuestionKind.QROC, key) == QrocKey(frozenset({"Aorte"}), refused=frozenset({"AORTTE"}))


@pytest.mark.parametrize(
    ("decision", "before", "words"),
    [
        (DROP, None, "Neutraliser : dossier des questions 2 à 3, points répartis sur les autres."),
        (GIVE, None, "Neutraliser : question 3, points accordés à tous."),
        (RESTORE, None, "Rétablir le sujet : dossier des questions 2 à 3, avec la clé d’origine."),
        (
            REKEY,
            {"statuses": ["FALSE", "REQUIRED"], "expected_count": None},
            "Changer la clé : question 2, A fausse devient vraie, B indispensable devient fausse.",
        ),
        (SPELL, None, "Réponse « l'aortte » : exacte, question 5."),
    ],
)
def test_decision_is_said_in_french(decision, before, words):
    assert sentence(decision, before) == words


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ({"votes": [0, 1, 2, 0, 0]}, {"votes": [0, 3, 2, 0, 0]}, "votes du panel 0 3 2 0 0 (de −2 à +2)"),
        (
            {"exact": ["a"], "acceptable": [], "refused": []},
            {"exact": ["a"], "acceptable": ["b"], "refused": []},
            "réponses acceptables : b",
        ),
        (
            {"zones": ["cercle 1;1 rayon 2"], "expected_count": 1},
            {"zones": ["cercle 1;1 rayon 3"], "expected_count": 1},
            "zones cercle 1;1 rayon 3",
        ),
        (
            {"statuses": ["TRUE"], "expected_count": 2},
            {"statuses": ["TRUE"], "expected_count": 3},
            "3 réponses attendues au lieu de 2",
        ),
    ],
)
def test_new_key_is_said_by_what_differs(before, after, words):
    found = sentence(Adopted(ProposalKind.REKEY, 1, (4,), key=after), before)
    assert found == f"Changer la clé : question 4, {words}."


@AT_LEISURE
@given(marking.choice_keys(QuestionKind.QRM), marking.choice_keys(QuestionKind.QRM))
def test_question_is_shown_with_the_key_that_marks_it(printed, counted):
    if len(printed.statuses) == len(counted.statuses):
        lines = tuple(Proposition(str(place), status) for place, status in enumerate(printed.statuses))
        shown = content_under(QuestionContent("?", propositions=lines), counted)
        assert tuple(line.status for line in shown.propositions) == counted.statuses
        assert [line.text for line in shown.propositions] == [line.text for line in lines]


def test_other_kinds_are_shown_with_the_key_that_marks_them():
    script = Script("h", "n", ("a",) * 5, (0, 0, 9, 0, 0))
    assert content_under(QuestionContent("?", script=script), TcsKey((1, 2, 3, 4, 5))).script.panel == (1, 2, 3, 4, 5)
    key = QrocKey(frozenset({"b", "a"}), frozenset({"c"}))
    assert content_under(QuestionContent("?"), key).accepted == AcceptedAnswers(("a", "b"), ("c",))
    zone = Circle(Point(Decimal(1), Decimal(2)), Decimal(3))
    assert content_under(QuestionContent("?"), ZapKey((zone,), 1, (1, 1))).zones == (zone,)
