"""The published parameters that the rankings of an exam follow."""

from grading.models import MarkingRun
from ranking.models import RankingPolicy
from ranking.rules import Policy, policy_from_json


def policy_of(exam_id: int) -> Policy:
    """Return the newest published parameters of an exam, the default ones when none were published."""
    data = RankingPolicy.objects.filter(exam_id=exam_id).order_by("-pk").values_list("data", flat=True).first()
    return policy_from_json(data) if data else Policy()


def marks_are_known(exam_id: int) -> bool:
    """Whether a marking of the exam was started: from then on its parameters are fixed."""
    return MarkingRun.objects.filter(paper__sitting__exam_id=exam_id).exists()
