"""Taking the official list out of the house: a deed with its reason."""

from datetime import datetime

from django.db import transaction

from ecni.accounts.actions import log_deed
from ecni.accounts.models import User
from ranking.actions.access import NotPublished
from ranking.actions.anonymity import require_reason
from ranking.queries.pages import OFFICIAL_KINDS, OFFICIAL_OWNER, published_page


@transaction.atomic
def export_official_list(*, exam_id: int, form: str, actor: User, now: datetime, reason: str) -> bytes:
    """Return the prepared list in one of its formats (`csv`, `xlsx`, `pdf`), and write who took it and why.

    Raises:
        ReasonMissing: no reason given.
        NotPublished: the ranking is not published.
    """
    require_reason(reason)
    kind = f"official.{form}"
    content = published_page(exam_id, OFFICIAL_OWNER, kind) if kind in OFFICIAL_KINDS else None
    if content is None:
        raise NotPublished
    log_deed(
        actor=actor, verb="export_official_list", target=f"exam:{exam_id}", now=now, reason=reason, data={"form": form}
    )
    return content
