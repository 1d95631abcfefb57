"""How the jury votes: the quorum, the majority, the president's casting vote.

Source: the jury decides every question or dispute, its president after the advice of the members (arrêté of
20 July 2015, article 11; EDN, article 19). Neither says how many must be there: both rules are parameters.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from exams.rules.states import Refused
from grading.enums import BallotChoice


class NoQuorum(Refused):
    """Too few members are present, or too few voted."""

    code = "no-quorum"


@dataclass(frozen=True, slots=True)
class VotingRules:
    """The rules of a session, frozen when it opens.

    Attributes:
        quorum: members who must be present, then vote, abstentions included; at least 1.
        casting_vote: when votes for and against are equal, that of the president decides; else nothing is adopted.
    """

    quorum: int = 3
    casting_vote: bool = True


PUBLISHED_RULES = VotingRules()
"""The rules of a jury that decides nothing else: an assumption, shown at the opening of each session."""


@dataclass(frozen=True, slots=True)
class Vote:
    """One ballot; `presides` when it is the president's."""

    choice: BallotChoice
    presides: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a vote gave."""

    is_adopted: bool
    votes_for: int
    votes_against: int
    abstentions: int
    by_casting_vote: bool


def outcome(votes: Iterable[Vote], rules: VotingRules) -> Outcome:
    """Count a vote.

    Raises:
        NoQuorum: fewer ballots than the quorum.
    """
    votes = tuple(votes)
    if len(votes) < rules.quorum:
        raise NoQuorum(f"Le quorum est de {rules.quorum} votants ; {len(votes)} à présent.")
    counts = {choice: sum(vote.choice is choice for vote in votes) for choice in BallotChoice}
    pros, cons = counts[BallotChoice.FOR], counts[BallotChoice.AGAINST]
    deciding = {vote.choice for vote in votes if vote.presides} & {BallotChoice.FOR, BallotChoice.AGAINST}
    by_casting_vote = pros == cons and rules.casting_vote and bool(deciding)
    return Outcome(
        is_adopted=pros > cons or (by_casting_vote and BallotChoice.FOR in deciding),
        votes_for=pros,
        votes_against=cons,
        abstentions=counts[BallotChoice.ABSTAIN],
        by_casting_vote=by_casting_vote,
    )
