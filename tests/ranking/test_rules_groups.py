"""Weighted rankings by group of specialties: vectors 34 to 36 of the domain reference, then the laws of any of them."""

from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grading.rules.edn import global_mark, passes_rank_a
from ranking.rules.groups import (
    Asked,
    Group,
    InvalidGroup,
    Scores,
    common_denominator,
    common_scores,
    mark,
    rank_group,
    weights,
)

GROUP = Group(3, "Médecine aiguë", frozenset({200, 331}))
DAY = date(2001, 5, 7)


def test_vector_34_seventy_of_a_hundred_on_rank_a_passes():
    only_a = mark((7,) * 100, (1,) * 100, 10)
    assert only_a == 14
    assert passes_rank_a(only_a)
    questions = [Asked("A", 0)] * 100
    rows = [Scores("K1", (7,) * 100, DAY), Scores("K2", (7,) * 99 + (6,), DAY)]
    assert [place.number for place in rank_group(rows, questions, GROUP, 10)] == ["K1"]
    for minimum, numbers in ((Fraction(13), ["K1", "K2"]), (None, ["K1", "K2"]), (Fraction(15), [])):
        assert [place.number for place in rank_group(rows, questions, GROUP, 10, minimum)] == numbers


def test_vector_35_in_group_rank_b_counts_double():
    questions = [Asked("A", 331), Asked("B", 200), Asked("B", 12)]
    assert weights(questions, GROUP) == (1, 2, 1)
    assert mark((10, 5, 2), weights(questions, GROUP), 10) == 11


def test_vector_36_global_mark():
    assert global_mark(Fraction(15), Fraction(14), Fraction(30)) == Fraction(142, 10)


def test_equal_marks_follow_the_keys_of_the_group_then_share():
    questions = [Asked("A", 1), Asked("A", 1), Asked("B", 200), Asked("B", 5)]
    rows = [
        Scores("K3", (10, 10, 5, 8), DAY),
        Scores("K1", (10, 8, 5, 10), DAY),
        Scores("K2", (8, 10, 5, 10), DAY),
        Scores("K4", (10, 8, 5, 10), date(1999, 1, 1)),
    ]
    found = rank_group(rows, questions, GROUP, 10)
    assert [(place.rank, place.number) for place in found] == [(1, "K3"), (2, "K1"), (2, "K2"), (2, "K4")]
    older = Group(3, "", GROUP.items, ("RANK_A", "OLDER"))
    assert [place.number for place in rank_group(rows, questions, older, 10)] == ["K3", "K4", "K1", "K2"]


def test_group_without_its_items_ranks_by_the_plain_mean():
    questions = [Asked("A", 1), Asked("B", 200)]
    assert weights(questions, Group(1, "", frozenset())) == (1, 1)


@pytest.mark.parametrize(
    ("questions", "group", "words"),
    [
        ([Asked("B", 1)], GROUP, "Aucune question"),
        ([Asked("A", 1)], Group(1, "", frozenset(), ("ECOS",)), "ECOS"),
    ],
)
def test_group_that_cannot_be_ranked_says_why(questions, group, words):
    with pytest.raises(InvalidGroup, match=words):
        rank_group([Scores("K1", (1,), DAY)], questions, group, 1)


def test_scores_of_questions_worth_differently_are_written_over_one_denominator():
    worths = [18, 28, 0]
    denominator = common_denominator(worths)
    assert denominator == 252
    assert [Fraction(value, denominator) for value in common_scores([9, 7, 0], worths, denominator)] == [
        Fraction(1, 2),
        Fraction(1, 4),
    ]


questions = st.lists(st.builds(Asked, st.sampled_from("AB"), st.sampled_from([0, 200, 331, 12])), max_size=6).map(
    lambda drawn: [Asked("A", 1), *drawn]
)


@given(questions, st.data())
def test_group_ranking_does_not_depend_on_the_order_and_a_better_paper_is_never_below(asked, data):
    papers = st.tuples(*[st.integers(7, 10)] * len(asked))
    rows = [Scores(f"K{place}", values, DAY) for place, values in enumerate(data.draw(st.lists(papers, max_size=6)))]
    shuffled = data.draw(st.permutations(rows))
    found = rank_group(rows, asked, GROUP, 10)
    assert found == rank_group(shuffled, asked, GROUP, 10)
    ranks = {place.number: place.rank for place in found}
    for one in rows:
        for two in rows:
            if all(a >= b for a, b in zip(one.values, two.values, strict=True)):
                assert ranks[one.number] <= ranks[two.number]
