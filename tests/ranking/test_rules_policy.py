"""Published parameters: lots that anybody draws again, who is ranked how, cells that hide few people."""

import hmac
from collections import Counter
from dataclasses import replace
from datetime import date
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from centres.enums import CandidateCategory, CandidateStanding
from ranking.enums import Status, Treatment
from ranking.rules import (
    Policy,
    Row,
    TieKey,
    TieSource,
    lot,
    own_sentence,
    policy_from_json,
    policy_to_json,
    sentence,
    treated,
)
from ranking.rules import rank as rank_rows
from ranking.rules.cells import shown_cells
from ranking.rules.lots import distinct_lots
from ranking.rules.policy import InvalidPolicy, check_policy, key_of_word, word_of_key

SEED = "tirage public du 1er juin 2026"


def row(number, seed=SEED):
    return Row(number, 100, {"DP": 70, "QI": 20, "LCA": 10}, (40, 30), date(2000, 6, 1), lot=lot(seed, number))


def test_lot_is_the_hmac_of_the_number_under_the_public_seed():
    expected = hmac.new(SEED.encode(), b"K7-4302", sha256).hexdigest()
    assert f"{lot(SEED, 'K7-4302'):064x}" == expected


def test_lots_separate_those_whom_every_key_leaves_equal():
    numbers = ["A-1", "B-2", "C-3"]
    placed = rank_rows([row(number) for number in numbers], Policy(seed=SEED).keys)
    assert [place.number for place in placed] == sorted(numbers, key=lambda number: lot(SEED, number))
    assert [place.rank for place in placed] == [1, 2, 3]
    above, below = (f"{lot(SEED, place.number):064x}"[:8] for place in placed[:2])
    assert sentence(placed[1].decision, 1) == (
        f"Même total que {placed[0].number}, placé avant : tirage au sort, lot {below} contre {above}."
    )


def test_without_seed_equal_candidates_share_their_rank():
    assert [place.rank for place in rank_rows([row("A", ""), row("A2", "")], Policy().keys[:-1])] == [1, 1]
    assert Policy().keys == Policy().tie_keys


def test_lots_are_told_apart_however_alike():
    assert distinct_lots(0, 1) == (f"{0:064x}", f"{1:064x}")


@given(st.sets(st.integers(0, 10**6), min_size=2, max_size=30))
def test_no_number_is_favoured_by_the_order_of_the_file(numbers):
    names = [f"K{number}" for number in numbers]
    forward, backward = ([place.number for place in rank_rows([row(n) for n in order], Policy(seed=SEED).keys)]
                         for order in (names, names[::-1]))  # fmt: skip
    assert forward == backward


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ([Status.STUDENT], (Treatment.RANKED, Status.STUDENT)),
        ([Status.MILITARY, Status.ABSENT_ONCE], (Treatment.RANKED, Status.ABSENT_ONCE)),
        ([Status.EUROPEAN, Status.ABSENT], (Treatment.UNRANKED, Status.ABSENT)),
        ([Status.STUDENT, Status.ABSENT, Status.EXCLUDED], (Treatment.UNRANKED, Status.EXCLUDED)),
        ([Status.STUDENT, Status.CYCLE_NOT_VALIDATED], (Treatment.RANKED, Status.CYCLE_NOT_VALIDATED)),
        ([Status.AUDITOR, Status.WITHDRAWN], (Treatment.UNRANKED, Status.WITHDRAWN)),
    ],
)
def test_most_severe_treatment_wins(statuses, expected):
    assert treated(statuses, Policy()) == expected
    assert treated(statuses[::-1], Policy()) == expected


def test_treatments_are_data():
    policy = Policy(treatments={**Policy().treatments, Status.MILITARY: Treatment.APART})
    assert treated([Status.MILITARY], policy) == (Treatment.APART, Status.MILITARY)
    assert treated([Status.MILITARY, Status.ABSENT], policy) == (Treatment.UNRANKED, Status.ABSENT)


def test_every_category_and_standing_has_its_status():
    known = {*CandidateCategory, *CandidateStanding} - {CandidateStanding.REGULAR}
    assert {str(name) for name in known} <= {str(status) for status in Status}


@pytest.mark.parametrize("seed", ["", SEED])
def test_policy_is_published_whole(seed):
    policy = Policy(
        tie_keys=tuple(key_of_word(word) for word in ("QI", "cases", "YOUNGER")),
        treatments={**Policy().treatments, Status.INTERN: Treatment.APART},
        seed=seed,
        smallest_cell=7,
        complaint_days=30,
    )
    assert policy_from_json(policy_to_json(policy)) == policy
    assert policy_to_json(policy)["tie_keys"] == ["QI", "CASES", "YOUNGER"]
    assert [word_of_key(key) for key in Policy().tie_keys] == ["DP", "QI", "LCA", "CASES", "OLDER"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"seed": "courte"}, "graine"),
        ({"tie_keys": (TieKey(TieSource.EACH_CASE),) * 2}, "double"),
        ({"smallest_cell": 0}, "case"),
        ({"complaint_days": 0}, "délai"),
        ({"complaint_days": 121}, "délai"),
        ({"treatments": {**Policy().treatments, Status.EXCLUDED: Treatment.RANKED}}, "Exclu"),
    ],
)
def test_parameters_that_make_no_ranking_are_refused(change, words):
    with pytest.raises(InvalidPolicy, match=words):
        check_policy(replace(Policy(), **change))


def test_unknown_key_is_refused_with_those_that_exist():
    with pytest.raises(InvalidPolicy, match="« ECOS » n’est pas une clé de départage"):
        key_of_word("ECOS")


counts = st.dictionaries(st.sampled_from("ABCDEFGH"), st.integers(0, 40), max_size=8)


@given(counts, st.integers(1, 12))
def test_hidden_cells_cannot_be_found_by_subtraction(people, smallest):
    shown = shown_cells(people, smallest)
    hidden = [cell for cell, count in shown.items() if count is None]
    assert all(0 < people[cell] < smallest or len(hidden) > 1 for cell in hidden)
    assert all(count is None or count == people[cell] for cell, count in shown.items())
    assert all(shown[cell] is None for cell, count in people.items() if 0 < count < smallest)
    assert len(hidden) != 1 or all(count == 0 or cell in hidden for cell, count in people.items())


def test_next_smallest_cell_is_hidden_with_a_lone_one():
    assert shown_cells({"A": 3, "B": 9, "C": 40}, 5) == {"A": None, "B": None, "C": 40}
    assert shown_cells({"A": 3, "B": 4, "C": 40}, 5) == {"A": None, "B": None, "C": 40}
    assert shown_cells({"A": 0, "B": 9}, 5) == {"A": 0, "B": 9}


@pytest.mark.parametrize(
    ("source", "is_above", "words"),
    [
        ("", True, "vous partagez le même rang"),
        ("BIRTH", False, "juste avant vous : la date de naissance"),
        ("LOT", True, "juste après vous : tout est égal par ailleurs"),
        ("EACH_CASE", True, "juste après vous : dossier 3 vous départage, vous y obtenez plus de points"),
        ("PART", False, "juste avant vous : dossier 3 vous départage, il y obtient plus de points"),
    ],
)
def test_candidate_is_told_in_words_of_their_own(source, is_above, words):
    assert words in own_sentence(source, "dossier 3", is_above=is_above)


def test_lots_spread_evenly():
    wins = Counter(lot(SEED, f"K1-{n:04}") < lot(SEED, f"K2-{n:04}") for n in range(2000))
    assert 900 < wins[True] < 1100
