"""Answers: one canonical text for one meaning, whatever the kind; anything else is no answer."""

import json
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exams.enums import OpKind, QuestionKind
from exams.rules.answers import LETTERS, MASKED_KINDS, SCALE, QuestionShape, is_valid_answer, letters_of, mask_of
from exams.rules.progression import op_objection
from exams.rules.replay import Replay
from grading.rules.geometry import points_of

GOLDEN = Path(__file__).parents[1] / "wire" / "values.json"


def shape(kind, propositions=5, expected=None):
    return QuestionShape(QuestionKind(kind), propositions, expected, is_progressive=False, previous=0)


SHAPES = {
    "QRU": shape("QRU"),
    "QRM": shape("QRM"),
    "QRP": shape("QRP", expected=3),
    "QRPL": shape("QRPL", 25, 4),
    "QROC": shape("QROC", 0),
    "TCS": shape("TCS", 0),
    "ZAP": shape("ZAP", 0, 2),
}


def letters(propositions, most):
    allowed = LETTERS[:propositions]
    return st.sets(st.sampled_from(allowed), max_size=most).map(lambda found: "".join(sorted(found)))


coordinates = st.integers(0, 1000).map(lambda tenths: f"{tenths // 10}.{tenths % 10}")
points = st.tuples(coordinates, coordinates).map(",".join)
words = st.text(st.characters(categories=["L", "N", "P", "S", "M"]), min_size=1, max_size=12)
VALUES = {
    "QRU": letters(5, 1),
    "QRM": letters(5, 5),
    "QRP": letters(5, 3),
    "QRPL": letters(25, 4),
    "QROC": st.lists(words, max_size=5).map(lambda found: unicodedata.normalize("NFC", " ".join(found))),
    "TCS": st.sampled_from(["", *SCALE]),
    "ZAP": st.lists(points, max_size=2).map(";".join),
}


def test_every_kind_has_its_values():
    assert set(SHAPES) == set(VALUES) == set(QuestionKind)


@pytest.mark.parametrize("kind", QuestionKind)
@given(data=st.data())
def test_canonical_value_is_an_answer(kind, data):
    value = data.draw(VALUES[kind])
    assert is_valid_answer(value, SHAPES[kind]) or (kind == "QROC" and len(value.split(" ")) > 5)


@pytest.mark.parametrize("kind", sorted(MASKED_KINDS))
@given(data=st.data())
def test_choice_survives_its_mask(kind, data):
    value = data.draw(VALUES[kind])
    assert letters_of(mask_of(value)) == value
    assert mask_of(value) < 2**32


@given(VALUES["ZAP"])
def test_points_survive_their_reading(value):
    assert ";".join(f"{point.x},{point.y}" for point in points_of(value)) == value


@pytest.mark.parametrize("kind", QuestionKind)
@given(value=st.one_of(st.text(max_size=40), st.text("ABCD0123456789.,;-+ ", max_size=12)))
def test_any_text_is_judged(kind, value):
    assert is_valid_answer(value, SHAPES[kind]) in {True, False}


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("QRU", "AB"),
        ("QRU", "F"),
        ("QRM", "BA"),
        ("QRM", "AA"),
        ("QRM", "a"),
        ("QRP", "ABCD"),
        ("QRP", "ABF"),
        ("QRPL", "ABCDE"),
        ("QRPL", "Z"),
        ("QROC", " aorte"),
        ("QROC", "aorte "),
        ("QROC", "aorte  thoracique"),
        ("QROC", "un deux trois quatre cinq six"),
        ("QROC", "aorte\tthoracique"),
        ("QROC", "aorte\u00a0thoracique"),
        ("QROC", "aorte\u200b"),
        ("QROC", "e\u0301piphyse"),
        ("QROC", "x" * 101),
        ("TCS", "+1"),
        ("TCS", "−1"),
        ("TCS", "3"),
        ("TCS", "-0"),
        ("ZAP", "50,50"),
        ("ZAP", "50.0,50.00"),
        ("ZAP", "100.1,0.0"),
        ("ZAP", "-1.0,0.0"),
        ("ZAP", "050.0,0.0"),
        ("ZAP", "50.0;50.0"),
        ("ZAP", "1.0,1.0;"),
        ("ZAP", "1.0,1.0;2.0,2.0;3.0,3.0"),
        ("ZAP", "٥.٠,1.0"),
    ],
)
def test_other_texts_are_refused_by_the_session(kind, value):
    progress = Replay(seq=0, digest=b"")
    assert op_objection(OpKind.ANSWER, 1, value, {1: SHAPES[kind]}, progress) == "bad-value"
    assert op_objection(OpKind.ANSWER, 1, "", {1: SHAPES[kind]}, progress) is None


@pytest.mark.parametrize(
    "golden", json.loads(GOLDEN.read_text())["values"], ids=lambda one: f"{one['kind']} {one['value']}"
)
def test_golden_values_are_judged_as_the_tablet_does(golden):
    announced = json.loads(GOLDEN.read_text())["shapes"][golden["kind"]]
    judged = shape(golden["kind"], announced["propositions"], announced["expected_count"])
    assert is_valid_answer(golden["value"], judged) is golden["valid"]
