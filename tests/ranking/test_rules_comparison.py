"""Two rankings side by side: exact counts, checked against the definition, pair by pair."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ranking.rules.comparison import (
    Comparison,
    Crossing,
    GainClass,
    Kendall,
    Move,
    Place,
    Ties,
    compare,
    gain_classes,
    kendall,
)

ranks = st.integers(1, 8)
rank_pairs = st.lists(st.tuples(ranks, ranks), max_size=30)


def naive(pairs):
    """Count each pair of candidates by looking at it."""
    found = dict.fromkeys(("concordant", "discordant", "tied_before", "tied_after", "tied_twice"), 0)
    for one, two in combinations(pairs, 2):
        before, after = one[0] - two[0], one[1] - two[1]
        if before == after == 0:
            found["tied_twice"] += 1
        elif before == 0:
            found["tied_before"] += 1
        elif after == 0:
            found["tied_after"] += 1
        else:
            found["concordant" if before * after > 0 else "discordant"] += 1
    return Kendall(**found)


@given(rank_pairs)
def test_kendall_counts_every_pair(pairs):
    assert kendall(pairs) == naive(pairs)


@given(st.lists(ranks, max_size=30))
def test_a_ranking_is_exactly_like_itself(values):
    assert kendall([(value, value) for value in values]).tau == 1


@given(rank_pairs)
def test_tau_is_between_minus_one_and_one_and_symmetric(pairs):
    tau = kendall(pairs).tau
    assert -1.000001 <= tau <= 1.000001
    assert tau == pytest.approx(kendall([(after, before) for before, after in pairs]).tau)


def test_reversed_ranking_is_the_contrary():
    assert kendall([(rank, 6 - rank) for rank in range(1, 6)]) == Kendall(0, 10, 0, 0, 0)
    assert kendall([(rank, 6 - rank) for rank in range(1, 6)]).tau == -1


def test_comparison_says_who_moves_what_is_shared_and_who_crosses():
    before = [Place("A", 1, 90), Place("B", 2, 80), Place("C", 3, 80), Place("D", 4, 70), Place("E", 5, 60)]
    after = [Place("B", 1, 99), Place("A", 2, 95), Place("C", 3, 80), Place("D", 3, 80), Place("F", 5, 10)]
    assert compare(before, after, [3, 1, 9]) == Comparison(
        moves=(Move("A", 1, 2), Move("B", 2, 1), Move("D", 4, 3), Move("C", 3, 3)),
        kendall=Kendall(4, 1, 0, 1, 0),
        shared_ranks=Ties(created=1, broken=0),
        equal_totals=Ties(created=1, broken=1),
        crossings=(Crossing(1, ("B",), ("A",)), Crossing(3, ("D",), ()), Crossing(9, ("F",), ("E",))),
        appearing=("F",),
        disappearing=("E",),
    )


@given(rank_pairs)
def test_comparison_does_not_depend_on_the_order_of_the_places(pairs):
    before = [Place(f"N{index}", rank, -rank) for index, (rank, _) in enumerate(pairs)]
    after = [Place(f"N{index}", rank, -rank) for index, (_, rank) in enumerate(pairs)]
    found = compare(before, after, [3])
    assert found == compare(before[::-1], after[::-1], [3])
    assert found.shared_ranks == found.equal_totals
    assert compare(before, before, [3]).moved == ()


@given(st.lists(st.integers(-2000, 2000)))
def test_every_gain_is_in_one_class(gains):
    classes = gain_classes([Move(str(index), 5000 + gain, 5000) for index, gain in enumerate(gains)])
    assert [one.candidates for one in classes] == [
        sum((one.least is None or gain >= one.least) and (one.most is None or gain <= one.most) for gain in gains)
        for one in classes
    ]
    assert sum(one.candidates for one in classes) == len(gains)


def test_classes_go_from_the_most_lost_to_the_most_won():
    classes = gain_classes([Move("A", 10, 7), Move("B", 7, 8), Move("C", 1, 1)])
    assert [one for one in classes if one.candidates] == [
        GainClass(-1, -1, 1),
        GainClass(0, 0, 1),
        GainClass(2, 5, 1),
    ]
    assert (classes[0].least, classes[0].most, classes[-1].least, classes[-1].most) == (None, -501, 501, None)
