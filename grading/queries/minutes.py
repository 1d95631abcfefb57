"""What the minutes of a session say: plain values, the same each time they are read after the signature."""

from datetime import datetime
from typing import Any

from django.utils.formats import date_format
from django.utils.timezone import localtime

from grading.models import JurySession, MarkingRun
from grading.queries.decisions import counting_runs, decisions_in_force
from grading.queries.jury import proposal_sentence
from grading.queries.marking import printed_keys
from grading.rules.wording import sentence


def session_content(session: JurySession) -> dict[str, Any]:
    """Return what a session was: rules, members present, votes, spellings settled, marks before and after."""
    present = session.presences.select_related("member").order_by("pk")
    return {
        "exam": session.exam.name,
        "session": session.pk,
        "opened_at": french(session.opened_at),
        "opened_by": str(session.opened_by),
        "quorum": session.quorum,
        "casting_vote": session.casting_vote,
        "present": [{"name": str(one.member), "role": one.member.get_role_display()} for one in present],
        "votes": _votes(session),
        "spellings": [sentence(one) for one in decisions_in_force(session.exam_id) if one.spelling],
        "runs": _runs(session),
    }


def french(at: datetime) -> str:
    """Return an instant in French words and French time."""
    local = localtime(at)
    return f"{date_format(local, 'l j F Y')}, {local:%H h %M}"


def _votes(session: JurySession) -> list[dict[str, Any]]:
    decisions = session.decisions.select_related("proposal__paper__sitting", "proposal__proposed_by").order_by("pk")
    keys = {paper_id: printed_keys(paper_id) for paper_id in {one.proposal.paper_id for one in decisions}}
    return [
        {
            "proposal": one.proposal_id,
            "sitting": one.proposal.paper.sitting.title,
            "sentence": proposal_sentence(one.proposal, keys[one.proposal.paper_id]),
            "reason": one.proposal.reason,
            "proposed_by": str(one.proposal.proposed_by),
            "for": one.votes_for,
            "against": one.votes_against,
            "abstentions": one.abstentions,
            "by_casting_vote": one.by_casting_vote,
            "is_adopted": one.is_adopted,
            "decided_at": french(one.decided_at),
        }
        for one in decisions
    ]


def _runs(session: JurySession) -> list[dict[str, Any]]:
    before = {run.paper_id: run for run in MarkingRun.objects.filter(pk__in=session.runs)}
    return [
        {"sitting": run.paper.sitting.title, "before": _run_data(before.get(run.paper_id)), "after": _run_data(run)}
        for run in counting_runs(session.exam_id)
    ]


def _run_data(run: MarkingRun | None) -> dict[str, Any] | None:
    return None if run is None else {"run": run.pk, "inputs": run.inputs_digest, "marks": run.digest}
