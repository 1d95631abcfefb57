"""Marking by columns gives, cell by cell, what the scorers give."""

from fractions import Fraction
from time import process_time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exams.enums import QuestionKind
from exams.rules.answers import letters_of
from grading.rules.columns import (
    Column,
    DenominatorTooLarge,
    common_denominator,
    mark_choices,
    mark_texts,
    possible_scores,
)
from grading.rules.keys import InvalidKey, TcsKey
from grading.rules.kinds import score
from grading.rules.parameters import PUBLISHED
from grading.rules.scores import UnmarkableValue
from tests.factories import marking
from tests.factories.marking import AT_LEISURE, choice_key

QRU, QRM, QRP, QRPL = marking.CHOICE_KINDS
points_of_a_question = st.fractions(0, 420, max_denominator=50)


@pytest.mark.parametrize("kind", [QRU, QRM, QRP])
@AT_LEISURE
@given(data=st.data(), parameters=marking.parameters, points=points_of_a_question, is_given=st.booleans())
def test_every_mask_of_a_choice_is_marked_as_its_letters_are(kind, data, parameters, points, is_given):
    column = Column(kind, data.draw(marking.choice_keys(kind)), points, is_given)
    masks = np.arange(2 ** len(column.key.statuses), dtype=np.uint32)
    denominator = common_denominator([column], parameters)
    marks = mark_choices(masks, column, denominator, parameters)
    expected = [
        points if is_given else points * score(kind, column.key, letters_of(mask), parameters).value
        for mask in masks.tolist()
    ]
    assert [Fraction(mark, denominator) for mark in marks.tolist()] == expected


@AT_LEISURE
@given(st.data(), points_of_a_question)
def test_masks_of_a_long_list_are_marked_as_its_letters_are(data, points):
    column = Column(QRPL, data.draw(marking.choice_keys(QRPL)), points)
    masks = data.draw(st.lists(st.integers(0, 2 ** len(column.key.statuses) - 1), max_size=20))
    denominator = common_denominator([column], PUBLISHED)
    marks = mark_choices(np.array(masks, dtype=np.uint32), column, denominator, PUBLISHED)
    expected = [points * score(QRPL, column.key, letters_of(mask)).value for mask in masks]
    assert [Fraction(mark, denominator) for mark in marks.tolist()] == expected


@pytest.mark.parametrize("kind", [QuestionKind.QROC, QuestionKind.TCS, QuestionKind.ZAP])
@AT_LEISURE
@given(data=st.data(), points=points_of_a_question, is_given=st.booleans())
def test_texts_are_marked_as_one_by_one(kind, data, points, is_given):
    column = Column(kind, data.draw(marking.keys(kind)), points, is_given)
    values = data.draw(st.lists(marking.answers(kind, column.key), max_size=6))
    denominator = common_denominator([column], PUBLISHED)
    marks = mark_texts(values, column, denominator, PUBLISHED)
    expected = [points if is_given else points * score(kind, column.key, value).value for value in values]
    assert [Fraction(mark, denominator) for mark in marks.tolist()] == expected


@AT_LEISURE
@given(
    marking.kinds_with_keys.flatmap(lambda pair: st.tuples(st.just(pair), marking.answers(*pair))), marking.parameters
)
def test_every_score_given_is_one_foreseen(question, parameters):
    (kind, key), value = question
    assert score(kind, key, value, parameters).value in possible_scores(Column(kind, key, Fraction(1)), parameters)


def test_common_denominator_of_an_ecni_case_of_fourteen_questions():
    columns = [Column(QRM, choice_key("TTFFF"), Fraction(420, 14)), Column(QRP, choice_key("TTTFF", 3), Fraction(18))]
    assert common_denominator(columns, PUBLISHED) == 1
    columns.append(Column(QRM, choice_key("TTFFF"), Fraction(420, 13)))
    assert common_denominator(columns, PUBLISHED) == 13


def test_common_denominator_of_nothing_is_one():
    assert common_denominator([], PUBLISHED) == 1


def test_common_denominator_refuses_what_overflows():
    primes = (101, 103, 107, 109, 113, 127, 131, 137, 139)
    columns = [Column(QuestionKind.TCS, TcsKey((1, prime, 0, 0, 0)), Fraction(18)) for prime in primes]
    with pytest.raises(DenominatorTooLarge, match="64 bits"):
        common_denominator(columns, PUBLISHED)


def test_marks_refuse_a_tick_beyond_the_propositions():
    column = Column(QRM, choice_key("TTFFF"), Fraction(18))
    with pytest.raises(UnmarkableValue):
        mark_choices(np.array([32], dtype=np.uint32), column, 10, PUBLISHED)


def test_marks_refuse_a_denominator_that_does_not_fit():
    with pytest.raises(ValueError, match="whole number"):
        mark_choices(np.array([1], dtype=np.uint32), Column(QRM, choice_key("TTFFF"), Fraction(1, 7)), 10, PUBLISHED)


def test_column_refuses_the_key_of_another_kind():
    with pytest.raises(InvalidKey):
        Column(QuestionKind.TCS, choice_key("TF"), Fraction(1))


def test_marks_of_a_national_exam_are_made_in_a_second_of_processor():
    column = Column(QRM, choice_key("IXTFT"), Fraction(18))
    masks = np.random.default_rng(7).integers(0, 32, (450, 10_000), dtype=np.uint32)
    start = process_time()
    total = sum(mark_choices(answers, column, 10, PUBLISHED) for answers in masks)
    assert (total.shape, process_time() - start < 1) == ((10_000,), True)
