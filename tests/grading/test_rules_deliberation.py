"""The quorum, the majority and the president's casting vote."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grading.enums import BallotChoice
from grading.rules.deliberation import NoQuorum, Outcome, Vote, VotingRules, outcome

FOR, AGAINST, ABSTAIN = BallotChoice.FOR, BallotChoice.AGAINST, BallotChoice.ABSTAIN


def votes(text):
    """`votes("F a")`: capital for the president, f for, a against, n neither."""
    words = {"f": FOR, "a": AGAINST, "n": ABSTAIN}
    return [Vote(words[letter.lower()], letter.isupper()) for letter in text.replace(" ", "")]


@pytest.mark.parametrize(
    ("cast", "casting_vote", "is_adopted", "by_casting_vote"),
    [
        ("Fff", True, True, False),
        ("Faa", True, False, False),
        ("Fan", True, True, True),
        ("Afn", True, False, True),
        ("Fan", False, False, False),
        ("Nfa", True, False, False),
        ("fan", True, False, False),
        ("Nnn", True, False, False),
        ("fnn", True, True, False),
    ],
)
def test_majority_of_votes_for_and_against_then_the_president(cast, casting_vote, is_adopted, by_casting_vote):
    found = outcome(votes(cast), VotingRules(3, casting_vote))
    assert (found.is_adopted, found.by_casting_vote) == (is_adopted, by_casting_vote)


def test_abstentions_count_for_the_quorum_alone():
    assert outcome(votes("fnn"), VotingRules(3)) == Outcome(True, 1, 0, 2, by_casting_vote=False)
    with pytest.raises(NoQuorum, match="3 votants ; 2"):
        outcome(votes("ff"), VotingRules(3))


@given(st.lists(st.builds(Vote, st.sampled_from(BallotChoice), st.just(False)), min_size=1))
def test_order_of_the_votes_changes_nothing(cast):
    rules = VotingRules(1)
    assert outcome(cast, rules) == outcome(cast[::-1], rules)
    assert outcome(cast, rules).is_adopted == (
        sum(v.choice is FOR for v in cast) > sum(v.choice is AGAINST for v in cast)
    )
