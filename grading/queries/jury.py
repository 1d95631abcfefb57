"""What the jury has before it: sessions, members, proposals with where they stand."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet

from ecni.accounts.enums import Role
from ecni.accounts.models import User
from exams.enums import QuestionKind
from grading.enums import BallotChoice
from grading.models import Ballot, Decision, JurySession, Proposal
from grading.queries.decisions import adopted_of
from grading.queries.marking import printed_keys
from grading.rules.access import may
from grading.rules.decisions import key_data
from grading.rules.keys import Key
from grading.rules.wording import sentence


@dataclass(frozen=True, slots=True)
class ProposalRow:
    """One proposal as it is shown.

    Attributes:
        proposal: the row.
        sitting: title of its sitting.
        sentence: what it does, in French.
        ballots: votes cast so far in the session that is open; what they say stays unknown until the vote is closed.
        own: the reader's own vote in it.
        decision: what the vote gave, once closed.
    """

    proposal: Proposal
    sitting: str
    sentence: str
    ballots: int
    own: BallotChoice | None
    decision: Decision | None


def members() -> QuerySet[User]:
    """Return the accounts that may sit in the jury, the president first."""
    return User.objects.filter(role__in=[Role.JURY, Role.PRESIDENT], is_active=True).order_by("-role", "pk")


def open_session_of(exam_id: int) -> JurySession | None:
    """Return the session that is open for an exam: the one whose minutes are not signed."""
    return JurySession.objects.filter(exam_id=exam_id, minutes__isnull=True).order_by("-pk").first()


def jury_sessions(exam_id: int) -> QuerySet[JurySession]:
    """Return the sessions of an exam, newest first."""
    sessions = JurySession.objects.filter(exam_id=exam_id).select_related("opened_by", "minutes__signed_by")
    return sessions.annotate(present=Count("presences")).order_by("-pk")


def is_present(session: JurySession | None, actor: User) -> bool:
    """Whether somebody sits in a session."""
    return session is not None and session.presences.filter(member=actor).exists()


def proposal_rows(exam_id: int, actor: User) -> list[ProposalRow]:
    """Return the proposals of an exam, newest first, for those who follow the marking; nothing for others."""
    if not may(actor.role, "follow-marking"):
        return []
    proposals = Proposal.objects.filter(exam_id=exam_id).select_related("paper__sitting", "decision", "proposed_by")
    session = open_session_of(exam_id)
    counted = list(proposals.annotate(cast=Count("ballots", filter=Q(ballots__session=session))).order_by("-pk"))
    cast = Ballot.objects.filter(proposal__in=counted, session=session, member=actor)
    own = dict(cast.values_list("proposal_id", "choice"))
    keys = {paper_id: printed_keys(paper_id) for paper_id in {proposal.paper_id for proposal in counted}}
    return [
        ProposalRow(
            proposal=proposal,
            sitting=proposal.paper.sitting.title,
            sentence=proposal_sentence(proposal, keys[proposal.paper_id]),
            ballots=proposal.cast,
            own=BallotChoice(own[proposal.pk]) if proposal.pk in own else None,
            decision=getattr(proposal, "decision", None),
        )
        for proposal in counted
    ]


def proposal_sentence(proposal: Proposal, keys: Mapping[int, tuple[QuestionKind, Key]]) -> str:
    """Return what a proposal does, in French, a new key being told by its differences with the printed one."""
    before = key_data(keys[proposal.questions[0]][1])
    return sentence(adopted_of(proposal), before)


def rows_about(rows: Iterable[ProposalRow], paper_id: int, number: int) -> list[ProposalRow]:
    """Return the proposals that touch one question."""
    return [row for row in rows if row.proposal.paper_id == paper_id and number in row.proposal.questions]
