"""The decisions of the jury that are in force, and the marking runs that follow them or not."""

from collections import defaultdict

from exams.models import Sitting
from grading.enums import NeutralisationMode, ProposalKind, SpellingCategory
from grading.models import Decision, MarkingRun, Proposal, SpellingOpinion
from grading.queries.marking import UNMARKABLE, exam_parameters, latest_run, marking_plan
from grading.rules.decisions import Adopted
from grading.rules.parameters import MarkingParameters, parameters_from
from grading.rules.spellings import Opinion, standing


def adopted_of(proposal: Proposal) -> Adopted:
    """Return what a proposal becomes when it is adopted."""
    return Adopted(
        kind=ProposalKind(proposal.kind),
        paper_id=proposal.paper_id,
        questions=tuple(proposal.questions),
        mode=NeutralisationMode(proposal.mode) if proposal.mode else None,
        key=proposal.key,
    )


def decisions_in_force(exam_id: int) -> list[Adopted]:
    """Return the adopted decisions of an exam, oldest first, then the spellings that two people settled."""
    adopted = Decision.objects.filter(proposal__exam_id=exam_id, is_adopted=True).select_related("proposal")
    voted = [adopted_of(decision.proposal) for decision in adopted.order_by("pk")]
    return voted + _settled_spellings(exam_id)


def _settled_spellings(exam_id: int) -> list[Adopted]:
    opinions: defaultdict[tuple[int, int, str], list[SpellingOpinion]] = defaultdict(list)
    for row in SpellingOpinion.objects.filter(paper__sitting__exam_id=exam_id).order_by("pk"):
        opinions[row.paper_id, row.number, row.form].append(row)
    settled = []
    for (paper_id, number, _), rows in sorted(opinions.items()):
        category = standing(opinion_of(row) for row in rows).settled
        if category is not None:
            settled.append(Adopted(None, paper_id, (number,), spelling=(rows[-1].text, category)))
    return settled


def opinion_of(row: SpellingOpinion) -> Opinion:
    """Return an opinion as the rules read it."""
    return Opinion(row.round, SpellingCategory(row.category), row.given_by_id)


def is_current(run: MarkingRun, parameters: MarkingParameters, in_force: list[Adopted]) -> bool:
    """Whether marking again would be under the same decisions, the same parameters and the same points."""
    if run.decisions != [decision.data() for decision in in_force]:
        return False
    try:
        plan = marking_plan(run.paper_id, parameters, in_force)
    except UNMARKABLE:
        return False
    is_same_scale = (run.scale, run.denominator) == (plan.scale, plan.denominator)
    return is_same_scale and parameters_from(run.parameters) == parameters


def counting_runs(exam_id: int) -> list[MarkingRun]:
    """Return the newest finished run of each sitting of an exam that has one, in the order of the sittings."""
    sittings = Sitting.objects.filter(exam_id=exam_id, is_reserve=False).order_by("number")
    return [run for sitting in sittings if (run := latest_run(sitting.pk))]


def sittings_behind(exam_id: int) -> list[Sitting]:
    """Return the sittings of an exam whose newest marks are not under today's decisions, parameters and points."""
    parameters, in_force = exam_parameters(exam_id), decisions_in_force(exam_id)
    return [run.paper.sitting for run in counting_runs(exam_id) if not is_current(run, parameters, in_force)]
