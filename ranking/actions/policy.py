"""Publishing the parameters of a ranking, the seed of the lots among them, before any mark is known."""

from datetime import datetime

from django.db import transaction

from ecni.accounts.actions import log_deed
from ecni.accounts.models import User
from exams.actions.exam import own_exam
from exams.rules.states import ReasonMissing, Refused
from ranking.models import RankingPolicy
from ranking.queries.policy import marks_are_known
from ranking.rules import Policy, policy_to_json
from ranking.rules.policy import check_policy


class MarksKnown(Refused):
    """A marking was started."""

    code = "marks-known"
    text = "Une notation de cet examen a commencé : les règles du classement ne changent plus."


@transaction.atomic
def publish_policy(*, exam_id: int, policy: Policy, actor: User, now: datetime, reason: str) -> RankingPolicy:
    """Publish the parameters of the rankings of an exam; former ones stay, the newest count.

    Raises:
        ReasonMissing: no reason given.
        MarksKnown: a marking of the exam was started.
        InvalidPolicy: parameters that make no ranking.
    """
    if not reason.strip():
        raise ReasonMissing
    own_exam(exam_id)
    if marks_are_known(exam_id):
        raise MarksKnown
    check_policy(policy)
    row = RankingPolicy.objects.create(
        exam_id=exam_id, data=policy_to_json(policy), reason=reason, created_by=actor, created_at=now
    )
    log_deed(
        actor=actor, verb="publish_policy", target=f"exam:{exam_id}", now=now, reason=reason, data={"policy": row.pk}
    )
    return row
