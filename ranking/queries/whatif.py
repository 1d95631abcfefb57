"""The ranking that a decision would give, and two rankings side by side. Nothing here is written."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from grading.models import Proposal
from grading.queries.decisions import adopted_of, decisions_in_force
from grading.queries.hypothesis import hypothetical_marks
from ranking.models import RankingRun
from ranking.queries.rows import RankingInputs, ranking_inputs, tie_keys_of
from ranking.rules import Ranked, rank
from ranking.rules.comparison import Comparison, Place, compare


def current_ranking(exam_id: int) -> tuple[tuple[Ranked, ...], int]:
    """Return the ranking that the newest marks give, and its denominator.

    Raises:
        UnfitRanking, InvalidRanking: the marks cannot be ranked.
    """
    return _ranked(ranking_inputs(exam_id))


def hypothetical_ranking(exam_id: int, proposals: Iterable[Proposal]) -> tuple[tuple[Ranked, ...], int]:
    """Return the ranking as if these proposals were adopted, in this order, after the decisions in force.

    Adopted in this order and marked, the exam has exactly this ranking.

    Raises:
        InvalidKey, InvalidStructure, InvalidRun, DenominatorTooLarge, UnmarkableValue: the exam could not be marked.
        UnfitRanking, InvalidRanking: the marks could not be ranked.
    """
    adopted = [*decisions_in_force(exam_id), *(adopted_of(proposal) for proposal in proposals)]
    return _ranked(ranking_inputs(exam_id, hypothetical_marks(exam_id, adopted)))


def _ranked(inputs: RankingInputs) -> tuple[tuple[Ranked, ...], int]:
    return rank(inputs.rows, tie_keys_of(inputs)), inputs.denominator


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """Some proposals taken together, by their keys, and what they would change."""

    proposals: tuple[int, ...]
    comparison: Comparison

    @property
    def crossing(self) -> int:
        """How many candidates cross a limit, in either direction, limits added up."""
        return sum(len(one.entering) + len(one.leaving) for one in self.comparison.crossings)


def hypotheses(exam_id: int, proposals: Sequence[Proposal], limits: Sequence[int]) -> list[Hypothesis]:
    """Return what each proposal would change alone and, when there are several, what all would change together, last.

    Raises: what `current_ranking` and `hypothetical_ranking` do.
    """
    present = places_of(current_ranking(exam_id)[0])
    sets: list[tuple[Proposal, ...]] = [(proposal,) for proposal in proposals]
    if len(proposals) > 1:
        sets.append(tuple(proposals))
    return [
        Hypothesis(
            proposals=tuple(proposal.pk for proposal in together),
            comparison=compare(present, places_of(hypothetical_ranking(exam_id, together)[0]), limits),
        )
        for together in sets
    ]


def places_of(ranked: Sequence[Ranked]) -> list[Place]:
    """Return a ranking as what is compared."""
    return [Place(one.number, one.rank, one.total) for one in ranked]


def run_comparison(before: RankingRun, after: RankingRun, limits: Iterable[int]) -> Comparison:
    """Compare two rankings that were computed."""
    return compare(_run_places(before), _run_places(after), limits)


def _run_places(run: RankingRun) -> list[Place]:
    return [Place(*row) for row in run.places.values_list("number", "rank", "total")]
