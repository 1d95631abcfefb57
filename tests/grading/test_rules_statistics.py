"""Item statistics: against published figures of real exams, against a slow reckoning, and whatever the order."""

import csv
import json
from fractions import Fraction
from itertools import permutations
from statistics import correlation, fmean, variance

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exams.enums import QuestionKind
from exams.rules.answers import mask_of
from grading.rules.columns import Column, common_denominator, mark_choices
from grading.rules.parameters import MarkingParameters
from grading.rules.statistics import (
    FIFTHS,
    Standing,
    TooFew,
    choice_frequencies,
    exam_statistics,
    question_statistics,
)
from tests.factories.marking import AT_LEISURE, choice_key
from tests.factories.others import folder_of

SETS = ("msatb", "hci", "lsat6", "lsat7", "iqitems")
ALL_OR_NOTHING = MarkingParameters(discordances=(Fraction(1),))
SCALES = {
    "exact": ALL_OR_NOTHING,
    "discordance": MarkingParameters(),
    "discordance_blank_by_d": MarkingParameters(blank_is_zero=False),
}
CLOSE = {"abs": 1.1e-6}


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(params=SETS)
def folder(request):
    return folder_of("item_response", request.param)


@pytest.fixture(params=SCALES)
def exam(request, folder):
    """A real exam marked by our own columns: its masks, its marks, and what an independent script found."""
    summary = json.loads((folder / "expected" / "summary.json").read_text())
    options = len(summary["options"])
    answers = rows_of(folder / "responses.csv")
    keys = {row["item"]: row["key"] for row in rows_of(folder / "key.csv")}
    masks, marks = {}, {}
    columns = {
        item: Column(
            QuestionKind.QRM,
            choice_key("".join("T" if letter in right else "F" for letter in summary["options"])),
            Fraction(1),
        )
        for item, right in keys.items()
    }
    denominator = common_denominator(columns.values(), SCALES[request.param])
    for item, column in columns.items():
        masks[item] = np.array([mask_of(row[item]) for row in answers], dtype=np.uint32)
        marks[item] = mark_choices(masks[item], column, denominator, SCALES[request.param])
    expected = rows_of(folder / "expected" / f"items_{request.param}.csv")
    return masks, marks, denominator, options, summary, request.param, expected


def test_totals_of_real_exams_are_described_as_an_independent_script_does(exam):
    _, marks, denominator, _, summary, scale, expected = exam
    found = exam_statistics(marks, denominator)
    assert found.candidates == summary["persons"]
    assert {
        "mean": float(found.mean),
        "sd": found.deviation,
        "median": float(found.median),
        "min": float(found.least),
        "max": float(found.most),
        "skew": found.skewness,
        "alpha": found.alpha,
        "sem": found.error,
    } == pytest.approx(summary[scale], **CLOSE)
    assert found.alpha_without == pytest.approx(
        {row["item"]: float(row["alpha_if_deleted"]) for row in expected}, **CLOSE
    )


def test_questions_of_real_exams_are_described_as_an_independent_script_does(exam):
    masks, marks, denominator, options, _, _, expected = exam
    totals = sum(marks.values())
    for row in expected:
        item = row["item"]
        found = question_statistics(marks[item], denominator, totals)
        frequencies = choice_frequencies(masks[item], options)
        ticked = [row[name] for name in row if name.startswith("p_") and name != "p_blank"]
        assert [
            float(found.difficulty),
            found.deviation,
            found.item_total,
            found.item_rest,
            *map(float, frequencies.ticked),
            float(frequencies.blank),
        ] == pytest.approx(
            [
                float(row["difficulty"]),
                float(row["sd"]),
                float(row["r_item_total"]),
                float(row["r_item_rest"]),
                *map(float, ticked),
                float(row["p_blank"]),
            ],
            **CLOSE,
        )


def test_persons_of_real_exams_have_the_totals_an_independent_script_gives(exam, folder):
    _, marks, denominator, _, _, scale, _ = exam
    column = {"exact": "score_exact", "discordance": "score_discordance", "discordance_blank_by_d": "score_blank_by_d"}
    expected = [Fraction(row[column[scale]]) for row in rows_of(folder / "expected" / "persons.csv")]
    assert [Fraction(total, denominator) for total in sum(marks.values()).tolist()] == expected


SMALL = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 4)), min_size=2, max_size=6)


@AT_LEISURE
@given(SMALL)
def test_fifths_share_equal_totals_as_the_mean_of_every_order_would(rows):
    values = np.array([value for value, _ in rows], dtype=np.int64)
    totals = np.array([total for _, total in rows], dtype=np.int64)
    expected = [fmean(means) for means in zip(*_fifths_of_every_order(rows), strict=True)]
    assert Standing.of(totals).means(values)[:FIFTHS].tolist() == pytest.approx(expected)


def _fifths_of_every_order(rows):
    """Each candidate five times, so that a fifth is a whole number of them; ties in every order."""
    for order in permutations(rows):
        ranked = [value for value, _ in sorted(order, key=lambda row: row[1]) for _ in range(5)]
        yield [fmean(ranked[i * len(rows) : (i + 1) * len(rows)]) for i in range(5)]


@AT_LEISURE
@given(SMALL, st.randoms(use_true_random=False))
def test_statistics_do_not_depend_on_the_order_of_candidates_to_the_last_bit(rows, random):
    shuffled = random.sample(rows, len(rows))
    assert question_statistics(*_column_of(rows)) == question_statistics(*_column_of(shuffled))
    one, two = (exam_statistics(_two_columns(drawn), 1) for drawn in (rows, shuffled))
    assert one == two


def _two_columns(rows):
    return {place: np.array([row[place] for row in rows], dtype=np.int64) for place in (0, 1)}


def test_sums_beyond_64_bits_stay_exact():
    huge = np.array([2**61, 2**62 + 1, 2**62, 3], dtype=np.int64)
    found = question_statistics(np.array([0, 1, 1, 0]), 1, huge)
    small = question_statistics(np.array([0, 1, 1, 0]), 1, huge // 2**40)
    assert found.item_total == pytest.approx(small.item_total, abs=1e-6)


def test_moodle_quiz_is_described_as_its_authors_spreadsheet_does():
    """Facility, deviation and item-rest index of 25 attempts at 7 slots; reliability as Moodle states it."""
    folder = folder_of("moodle", "stats")
    attempts = rows_of(folder / "results00.csv")
    expected = [row for row in rows_of(folder / "qstats00.csv") if not row["subqname"] and not row["variant"]]
    quiz = json.loads((folder / "expected_quiz_stats00.json").read_text())
    scale = 10**7
    marks = {
        slot: np.array([int(Fraction(row[f"slots.{slot}.mark"]) * scale) for row in attempts]) for slot in range(1, 8)
    }
    totals = sum(marks.values())
    for row in expected:
        found = question_statistics(marks[int(row["slot"])], scale, totals)
        figures = [float(found.difficulty), found.deviation, found.item_rest * 100]
        published = [float(row[name]) for name in ("facility", "sd", "discriminationindex")]
        assert figures == pytest.approx(published, rel=1.5e-5)
    whole = exam_statistics(marks, scale)
    figures = [whole.alpha * 100, float(whole.mean), float(whole.median), whole.deviation, whole.error]
    published = [quiz[name] for name in ("cic", "average", "median", "standarddeviation", "standarderror")]
    assert figures == pytest.approx(published, rel=1.5e-5)


def test_math_exam_that_has_credits_alone_is_described_as_a_slow_reckoning_does():
    folder = folder_of("item_response", "mathexam14w")
    solved = [int(row["nsolved"]) for row in rows_of(folder / "persons.csv")]
    for name, full in (("solved", 1), ("credits", 2)):
        rows = rows_of(folder / f"{name}.csv")
        items = [item for item in rows[0] if item != "person"]
        marks = {item: np.array([int(row[item]) for row in rows]) for item in items}
        found = exam_statistics(marks, full)
        totals = [sum(int(row[item]) for item in items) for row in rows]
        if full == 1:
            assert totals == solved
        spread = sum(variance(marks[item].tolist()) for item in items)
        alpha = len(items) / (len(items) - 1) * (1 - spread / variance(totals))
        assert (found.mean, found.alpha) == (Fraction(sum(totals), full * len(totals)), pytest.approx(alpha))
        for item in items:
            column = marks[item].tolist()
            rest = [total - mark for total, mark in zip(totals, column, strict=True)]
            described = question_statistics(marks[item], full, sum(marks.values()))
            assert described.item_rest == pytest.approx(correlation(column, rest))
            assert described.difficulty == Fraction(sum(column), full * len(column))


def _column_of(rows):
    marks = np.array([value for value, _ in rows], dtype=np.int64)
    return marks, 1, marks + np.array([rest for _, rest in rows], dtype=np.int64)


def test_question_that_sorts_candidates_perfectly():
    marks, totals = np.array([0, 0, 0, 0, 0, 2, 2, 2, 2, 2]), np.arange(10) * 3
    found = question_statistics(marks, 2, totals)
    assert (found.difficulty, found.upper_lower, found.fifths) == (Fraction(1, 2), 1.0, (0.0, 0.0, 0.5, 1.0, 1.0))


def test_correlation_with_what_never_varies_is_unknown():
    found = question_statistics(np.array([1, 1, 1]), 1, np.array([1, 2, 3]))
    assert (found.item_total, found.item_rest) == (None, None)


def test_exam_where_all_are_equal_has_no_alpha():
    found = exam_statistics({1: np.array([1, 1]), 2: np.array([0, 0])}, 1)
    assert (found.deviation, found.skewness, found.alpha, found.error) == (0.0, None, None, None)


def test_ticks_are_counted_by_proposition_and_by_fifth():
    masks = np.array([0b01, 0b11, 0b00, 0b11, 0b10], dtype=np.uint32)
    frequencies = choice_frequencies(masks, 2)
    assert (frequencies.ticked, frequencies.blank) == ((Fraction(3, 5), Fraction(3, 5)), Fraction(1, 5))


def test_too_few_candidates_or_questions_are_refused():
    with pytest.raises(TooFew):
        question_statistics(np.array([1]), 1, np.array([1]))
    with pytest.raises(TooFew):
        exam_statistics({1: np.array([1, 0])}, 1)
