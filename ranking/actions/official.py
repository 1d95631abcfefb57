"""Taking the official list out of the house: a deed with its reason."""

from datetime import datetime

from django.db import transaction

from ecni.accounts.actions import log_deed
from ecni.accounts.models import User
from exams.rules.states import ReasonMissing
from ranking.actions.access import NotPublished
from ranking.queries.official import OfficialRow, official_list


@transaction.atomic
def export_official_list(*, exam_id: int, actor: User, now: datetime, reason: str) -> list[OfficialRow]:
    """Return the published ranking with names, and write who took it and why.

    Raises:
        ReasonMissing: no reason given.
        NotPublished: the ranking is not published.
    """
    if not reason.strip():
        raise ReasonMissing
    rows = official_list(exam_id)
    if rows is None:
        raise NotPublished
    log_deed(actor=actor, verb="export_official_list", target=f"exam:{exam_id}", now=now, reason=reason)
    return rows
