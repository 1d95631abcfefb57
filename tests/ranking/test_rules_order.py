"""The order of the candidates: tables for ties, then the laws of any ranking."""

from dataclasses import replace
from datetime import date
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ranking.rules import (
    DEFAULT_TIE_KEYS,
    Comparison,
    Decision,
    Direction,
    InvalidRanking,
    Row,
    TieKey,
    TieSource,
    canonical_bytes,
    digest,
    distinct_texts,
    key_text,
    points_text,
    rank,
    sentence,
    ties,
)
from tests.factories.marking import AT_LEISURE

DP, QI, LCA, CASES, OLDER = DEFAULT_TIE_KEYS


def row(number, *, total=100, dp=70, qi=20, lca=10, cases=(40, 30), born_on=date(2000, 6, 1)):
    return Row(number, total, {"DP": dp, "QI": qi, "LCA": lca}, cases, born_on)


ABOVE = row("A-1")


@pytest.mark.parametrize(
    ("below", "rank_of_below", "decided_by"),
    [
        pytest.param(row("B-2", total=99, dp=99), 2, None, id="total-decides-alone"),
        pytest.param(row("B-2", dp=69, qi=21), 2, Comparison(DP, 0, 70, 69), id="dp"),
        pytest.param(row("B-2", qi=19, lca=11), 2, Comparison(QI, 0, 20, 19), id="qi"),
        pytest.param(row("B-2", lca=9), 2, Comparison(LCA, 0, 10, 9), id="lca"),
        pytest.param(row("B-2", cases=(39, 31)), 2, Comparison(CASES, 1, 40, 39), id="first-case"),
        pytest.param(row("B-2", cases=(40, 29)), 2, Comparison(CASES, 2, 30, 29), id="second-case"),
        pytest.param(
            row("B-2", born_on=date(2000, 6, 2)),
            2,
            Comparison(OLDER, 0, date(2000, 6, 1).toordinal(), date(2000, 6, 2).toordinal()),
            id="older-first",
        ),
        pytest.param(row("B-2"), 1, None, id="equal-on-every-key"),
    ],
)
def test_first_key_that_differs_decides(below, rank_of_below, decided_by):
    first, second = rank([below, ABOVE])
    assert (first.number, first.rank, first.decision) == ("A-1", 1, None)
    assert (second.number, second.rank) == ("B-2", rank_of_below)
    assert second.decision == (Decision("A-1", decided_by) if below.total == ABOVE.total else None)


def test_rank_shared_skips_the_ranks_it_fills():
    rows = [row("A"), row("B"), row("C", total=90), row("D", total=110)]
    assert [(place.rank, place.number) for place in rank(rows)] == [(1, "D"), (2, "A"), (2, "B"), (4, "C")]


def test_rank_of_nobody_is_empty():
    assert rank([]) == ()


def test_keys_are_data_with_their_direction():
    younger = (TieKey(TieSource.BIRTH, direction=Direction.HIGHEST),)
    rows = [row("old", born_on=date(1999, 1, 1)), row("young", born_on=date(2001, 1, 1), dp=0)]
    assert [place.number for place in rank(rows, younger)] == ["young", "old"]


def test_without_keys_equal_totals_share_their_rank():
    assert [place.rank for place in rank([row("A"), row("B", dp=0)], ())] == [1, 1]


def test_ties_are_the_groups_of_equal_totals():
    ranked = rank([row("A"), row("B", dp=60), row("C", total=90), row("D", total=80), row("E", total=80)])
    assert [[place.number for place in group] for group in ties(ranked)] == [["A", "B"], ["D", "E"]]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([row("A"), row("A", total=1)], "deux fois"),
        ([row("A"), row("B", cases=(1,))], "mêmes dossiers"),
        ([row("A"), Row("B", 1, {"DP": 1}, (1, 2), date(2000, 1, 1))], "mêmes parties"),
        ([Row("A", 1, {"DP": 1}, (), date(2000, 1, 1))], "partie QI"),
    ],
)
def test_rows_that_cannot_be_compared_are_refused(rows, words):
    with pytest.raises(InvalidRanking, match=words):
        rank(rows)


few = st.integers(0, 2)
rows_of_any_kind = st.lists(
    st.builds(
        row,
        st.text("ABC-123", min_size=1, max_size=4),
        total=few,
        dp=few,
        qi=few,
        lca=few,
        cases=st.tuples(few, few),
        born_on=st.dates(date(2000, 1, 1), date(2000, 1, 3)),
    ),
    unique_by=lambda drawn: drawn.number,
    max_size=12,
)
tie_keys = st.lists(
    st.builds(TieKey, st.just(TieSource.PART), st.sampled_from(["DP", "QI", "LCA"]), st.sampled_from(Direction))
    | st.builds(TieKey, st.sampled_from([TieSource.EACH_CASE, TieSource.BIRTH]), direction=st.sampled_from(Direction)),
    max_size=4,
)


@AT_LEISURE
@given(rows_of_any_kind, tie_keys, st.randoms(use_true_random=False))
def test_ranking_does_not_depend_on_the_order_of_the_rows(rows, keys, random):
    shuffled = random.sample(rows, len(rows))
    assert canonical_bytes(rank(rows, keys), 7) == canonical_bytes(rank(shuffled, keys), 7)


def is_before(one, two, keys):
    """Whether `one` is strictly before `two`, read again from the words of the rule."""
    if one.total != two.total:
        return one.total > two.total
    for key in keys:
        pairs = {
            TieSource.PART: [(one.parts.get(key.part), two.parts.get(key.part))],
            TieSource.EACH_CASE: list(zip(one.cases, two.cases, strict=True)),
            TieSource.BIRTH: [(one.born_on, two.born_on)],
        }[key.source]
        for mine, theirs in pairs:
            if mine != theirs:
                return (mine > theirs) == (key.direction is Direction.HIGHEST)
    return False


@AT_LEISURE
@given(rows_of_any_kind, tie_keys)
def test_rank_is_one_more_than_the_candidates_strictly_before(rows, keys):
    """With the law above, this makes it a total preorder: it says everything of every pair."""
    by_number = {drawn.number: drawn for drawn in rows}
    for place in rank(rows, keys):
        mine = by_number[place.number]
        assert place.rank == 1 + sum(is_before(other, mine, keys) for other in rows)


@AT_LEISURE
@given(rows_of_any_kind, tie_keys)
def test_every_tie_says_what_decided_it(rows, keys):
    ranked = rank(rows, keys)
    for above, below in pairwise(ranked):
        assert (below.decision is not None) == (above.total == below.total)
        if below.decision is not None:
            assert below.decision.above == above.number
            assert (below.decision.decided_by is None) == (above.rank == below.rank)


@AT_LEISURE
@given(rows_of_any_kind, st.integers(2, 5))
def test_bytes_do_not_depend_on_the_denominator_of_the_run(rows, factor):
    scaled = [
        replace(
            drawn,
            total=drawn.total * factor,
            parts={code: points * factor for code, points in drawn.parts.items()},
            cases=tuple(points * factor for points in drawn.cases),
        )
        for drawn in rows
    ]
    assert digest(rank(scaled), 3 * factor) == digest(rank(rows), 3)


def test_canonical_bytes_hold_ranks_totals_and_deciding_keys_only():
    rows = [row("A"), row("B", dp=60), row("C", cases=(39, 31)), row("D", cases=(39, 31)), row("E", total=50)]
    ranking = rank(rows)
    expected = (
        "ecni-ranking/2\n1\tA\t10/1\t\n2\tC\t10/1\tEACH_CASE:1\n2\tD\t10/1\tEQUAL\n4\tB\t10/1\tPART:DP\n5\tE\t5/1\t\n"
    )
    assert canonical_bytes(ranking, 10) == expected.encode()
    assert len(digest(ranking, 10)) == 32


THIN = "\N{NARROW NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("points", "digits", "text"),
    [
        ("7560", 2, f"7{THIN}560"),
        ("756025/100", 2, f"7{THIN}560,25"),
        ("36/10", 2, "3,6"),
        ("1/3", 2, "0,33"),
        ("1/3", 4, "0,3333"),
        ("5/2", 0, "2"),
        ("-7/4", 2, "-1,75"),
        ("0", 2, "0"),
        ("1/1000", 2, "0"),
    ],
)
def test_points_are_written_in_french(points, digits, text):
    assert points_text(Fraction(points), digits) == text


def test_unequal_points_are_written_with_enough_decimals_to_differ():
    assert distinct_texts(Fraction(1, 3), Fraction(333, 1000)) == ("0,3333", "0,333")
    tiny = Fraction(1, 10**20)
    assert distinct_texts(1 + tiny, Fraction(1)) == (str(1 + tiny), "1")


@pytest.mark.parametrize(
    ("key", "case", "text"),
    [
        (DP, 0, "Dossiers progressifs"),
        (TieKey(TieSource.PART, "ECOS"), 0, "ECOS"),
        (CASES, 3, "dossier 3"),
        (CASES, 0, "chaque dossier, dans l’ordre"),
        (OLDER, 0, "date de naissance"),
    ],
)
def test_keys_have_their_names(key, case, text):
    assert key_text(key, case) == text


@pytest.mark.parametrize(
    ("below", "text"),
    [
        (row("B-2", dp=69), "Même total que A-1, placé avant : Dossiers progressifs, 6,9 points contre 7."),
        (row("B-2", cases=(40, 29)), "Même total que A-1, placé avant : dossier 2, 2,9 points contre 3."),
        (row("B-2", born_on=date(2001, 1, 1)), "Même total que A-1, placé avant : c’est le plus âgé des deux."),
        (row("B-2"), "Ex æquo avec A-1 : toutes les clés sont égales, le rang est partagé."),
    ],
)
def test_ties_are_explained_in_french_without_any_date_of_birth(below, text):
    assert sentence(rank([ABOVE, below])[1].decision, 10) == text


def test_tie_in_favour_of_the_younger_is_said_so():
    keys = (TieKey(TieSource.BIRTH, direction=Direction.HIGHEST),)
    second = rank([row("A-1", born_on=date(2001, 1, 1)), row("B-2")], keys)[1]
    assert sentence(second.decision, 10) == "Même total que A-1, placé avant : c’est le plus jeune des deux."
