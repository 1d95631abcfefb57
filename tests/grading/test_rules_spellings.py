"""Short answers in no list: grouped, suggested, settled by two people who agree."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grading.enums import SpellingCategory
from grading.rules.keys import QrocKey
from grading.rules.kinds import score
from grading.rules.scores import Reason
from grading.rules.spellings import Group, Opinion, Standing, standing, suggestion, unlisted_groups
from tests.factories.marking import qroc_keys, short_texts

EXACT, ACCEPTABLE, WRONG = SpellingCategory
KEY = QrocKey(frozenset({"Aorte abdominale"}), frozenset({"aorte"}), frozenset({"veine cave"}))


def test_answers_are_grouped_once_normalised_the_most_frequent_first():
    values = ["", "Aortte", "l’aortte", "AORTTE", "AORTTE", "aorte", "Veine cave.", "artère", "...", "foie"]
    assert unlisted_groups(values, KEY) == [
        Group("aortte", "AORTTE", 4),
        Group("artere", "artère", 1),
        Group("foie", "foie", 1),
    ]


@given(st.lists(short_texts), qroc_keys)
def test_groups_hold_exactly_the_answers_that_the_scorer_finds_unlisted(values, key):
    groups = unlisted_groups(values, key)
    unlisted = [value for value in values if score("QROC", key, value).reason is Reason.UNLISTED]
    assert sum(group.copies for group in groups) == len(unlisted)
    assert groups == unlisted_groups(values[::-1], key)


@pytest.mark.parametrize(
    ("form", "text", "category"),
    [
        ("aortte", "aorte", ACCEPTABLE),
        ("aorte abdominal", "Aorte abdominale", EXACT),
        ("vene cave", "veine cave", WRONG),
    ],
)
def test_likeness_suggests_a_listed_answer(form, text, category):
    found = suggestion(form, KEY)
    assert (found.text, found.category) == (text, category)
    assert 0.72 <= found.likeness < 1


def test_nothing_alike_is_suggested_nothing():
    assert suggestion("foie", KEY) is None


def said(*opinions):
    return [Opinion(*opinion) for opinion in opinions]


@pytest.mark.parametrize(
    ("opinions", "stands", "next_round"),
    [
        (said(), Standing(), 1),
        (said((1, EXACT, 7)), Standing(pending=Opinion(1, EXACT, 7)), 1),
        (said((1, EXACT, 7), (1, EXACT, 8)), Standing(settled=EXACT), 2),
        (said((1, EXACT, 7), (1, WRONG, 8)), Standing(contradicted=(EXACT, WRONG)), 2),
        (said((1, EXACT, 7), (1, WRONG, 8), (2, WRONG, 9)), Standing(pending=Opinion(2, WRONG, 9)), 2),
        (said((1, EXACT, 7), (1, WRONG, 8), (2, WRONG, 9), (2, WRONG, 7)), Standing(settled=WRONG), 3),
    ],
)
def test_two_people_who_agree_settle_a_spelling(opinions, stands, next_round):
    assert standing(opinions) == stands
    assert stands.round(opinions) == next_round
