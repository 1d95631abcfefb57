"""The deeds of the jury: open a session, propose, remark, vote, close a vote. Rows are added; none is changed."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db import transaction

from ecni.accounts.actions import log_deed
from ecni.accounts.enums import Role
from ecni.accounts.models import User
from exams.actions.exam import own_exam
from exams.models import Paper
from exams.rules.states import Already, ReasonMissing, Refused
from grading.actions.runs import NotMarkable
from grading.enums import BallotChoice
from grading.models import Ballot, Decision, JurySession, Presence, Proposal, Remark
from grading.queries.decisions import adopted_of, counting_runs, decisions_in_force
from grading.queries.jury import members, open_session_of
from grading.queries.marking import UNMARKABLE, exam_papers, exam_parameters, marking_plan
from grading.rules.decisions import Adopted
from grading.rules.deliberation import NoQuorum, Vote, VotingRules, outcome


class NoSession(Refused):
    """The jury does not sit."""

    code = "no-session"
    text = "Aucune séance du jury n’est ouverte pour cet examen."


class NotPresent(Refused):
    """Only the members present vote."""

    code = "not-present"
    text = "Seuls les membres présents à la séance votent."


@transaction.atomic
def open_session(
    *, exam_id: int, present: Collection[int], rules: VotingRules, actor: User, now: datetime
) -> JurySession:
    """Open a session of the jury with the members present, the actor among them.

    Raises:
        Already: a session is open.
        NotPresent: one of those present is not of the jury.
        NoQuorum: they are fewer than the quorum.
    """
    exam = own_exam(exam_id)
    if open_session_of(exam_id) is not None:
        raise Already("Une séance du jury est déjà ouverte pour cet examen.")
    there = set(present) | {actor.pk}
    if there - {member.pk for member in members()}:
        raise NotPresent("Une personne désignée n’est pas membre du jury.")
    if len(there) < rules.quorum:
        raise NoQuorum(f"Le quorum est de {rules.quorum} membres ; présents : {len(there)}.")
    session = JurySession.objects.create(
        exam=exam,
        quorum=rules.quorum,
        casting_vote=rules.casting_vote,
        runs=[run.pk for run in counting_runs(exam_id)],
        opened_by=actor,
        opened_at=now,
    )
    Presence.objects.bulk_create(Presence(session=session, member_id=pk) for pk in sorted(there))
    log_deed(
        actor=actor,
        verb="open_jury_session",
        target=f"session:{session.pk}",
        now=now,
        data={"present": len(there), "quorum": rules.quorum},
    )
    return session


@transaction.atomic
def submit_proposal(*, paper_id: int, change: Adopted, reason: str, actor: User, now: datetime) -> Proposal:
    """Put a proposal to the jury, once it is known that the exam could be marked under it.

    Raises:
        ReasonMissing: no reason given.
        NotMarkable: the exam could not be marked under it.
    """
    if not reason.strip():
        raise ReasonMissing
    paper = Paper.objects.select_related("sitting").get(pk=paper_id)
    ensure_markable(paper.sitting.exam_id, change)
    proposal = Proposal.objects.create(
        exam_id=paper.sitting.exam_id,
        paper=paper,
        kind=change.kind or "",
        questions=list(change.questions),
        mode=change.mode or "",
        key=change.key,
        reason=reason.strip(),
        proposed_by=actor,
        proposed_at=now,
    )
    _log("submit_proposal", proposal, actor=actor, now=now, data={"questions": proposal.questions})
    return proposal


def ensure_markable(exam_id: int, change: Adopted) -> None:
    """Refuse a decision under which a paper of the exam could not be marked.

    Raises:
        NotMarkable: with its cause.
    """
    adopted = [*decisions_in_force(exam_id), change]
    parameters = exam_parameters(exam_id)
    try:
        for paper in exam_papers(exam_id):
            marking_plan(paper.pk, parameters, adopted)
    except UNMARKABLE as error:
        raise NotMarkable(f"L’examen ne pourrait plus être noté : {error}") from error


@transaction.atomic
def cast_ballot(*, proposal_id: int, choice: BallotChoice, actor: User, now: datetime) -> Ballot:
    """Vote, in one's own name, once in a session.

    Raises:
        NoSession: the jury does not sit.
        NotPresent: the actor is not present.
        Already: the vote is closed, or the actor has voted.
    """
    proposal, session = _in_session(proposal_id)
    if not session.presences.filter(member=actor).exists():
        raise NotPresent
    if proposal.ballots.filter(session=session, member=actor).exists():
        raise Already("Vous avez déjà voté sur cette proposition.")
    ballot = Ballot.objects.create(proposal=proposal, session=session, member=actor, choice=choice, cast_at=now)
    _log("cast_ballot", proposal, actor=actor, now=now)
    return ballot


@transaction.atomic
def close_vote(*, proposal_id: int, actor: User, now: datetime) -> Decision:
    """Count the vote and write what it decided.

    Raises:
        NoSession: the jury does not sit.
        NotPresent: the actor is not present.
        Already: the vote is closed.
        NoQuorum: fewer ballots than the quorum.
        NotMarkable: adopted, it would leave an exam that cannot be marked; what was decided since forbids it.
    """
    proposal, session = _in_session(proposal_id)
    if not session.presences.filter(member=actor).exists():
        raise NotPresent
    votes = [
        Vote(BallotChoice(choice), role == Role.PRESIDENT)
        for choice, role in proposal.ballots.filter(session=session).values_list("choice", "member__role")
    ]
    found = outcome(votes, VotingRules(session.quorum, session.casting_vote))
    if found.is_adopted:
        ensure_markable(proposal.exam_id, adopted_of(proposal))
    decision = Decision.objects.create(
        proposal=proposal,
        session=session,
        is_adopted=found.is_adopted,
        votes_for=found.votes_for,
        votes_against=found.votes_against,
        abstentions=found.abstentions,
        by_casting_vote=found.by_casting_vote,
        decided_by=actor,
        decided_at=now,
    )
    data = {"adopted": found.is_adopted, "for": found.votes_for, "against": found.votes_against}
    _log("close_vote", proposal, actor=actor, now=now, data=data)
    return decision


@transaction.atomic
def write_remark(*, paper_id: int, number: int, text: str, actor: User, now: datetime) -> Remark:
    """Write a remark on a question, for the other members.

    Raises:
        ReasonMissing: an empty remark.
    """
    if not text.strip():
        raise ReasonMissing("Écrivez la remarque.")
    remark = Remark.objects.create(
        paper_id=paper_id, number=number, text=text.strip(), written_by=actor, written_at=now
    )
    log_deed(actor=actor, verb="write_remark", target=f"paper:{paper_id}/{number}", now=now)
    return remark


def _in_session(proposal_id: int) -> tuple[Proposal, JurySession]:
    """Lock the exam, so that nobody votes, closes or signs at the same time, and return what is voted on."""
    exam_id = Proposal.objects.values_list("exam_id", flat=True).get(pk=proposal_id)
    own_exam(exam_id)
    session = open_session_of(exam_id)
    if session is None:
        raise NoSession
    if Decision.objects.filter(proposal_id=proposal_id).exists():
        raise Already("Le vote sur cette proposition est clos.")
    return Proposal.objects.get(pk=proposal_id), session


def _log(verb: str, proposal: Proposal, *, actor: User, now: datetime, data: dict[str, Any] | None = None) -> None:
    log_deed(actor=actor, verb=verb, target=f"proposal:{proposal.pk}", now=now, data=data)
