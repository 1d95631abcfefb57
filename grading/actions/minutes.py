"""The president's signature, which closes a session and freezes what its minutes say."""

import json
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

from django.db import transaction

from ecni.accounts.actions import log_deed
from ecni.accounts.models import User
from exams.actions.exam import own_exam
from exams.rules.states import Already, Refused
from grading.models import JurySession, Minutes
from grading.queries.decisions import sittings_behind
from grading.queries.minutes import session_content


class NotApplied(Refused):
    """An adopted decision is not in the marks yet."""

    code = "not-applied"


@transaction.atomic
def sign_minutes(*, session_id: int, actor: User, now: datetime) -> Minutes:
    """Sign the minutes of a session: nothing is voted in it any more.

    Raises:
        Already: they are signed.
        NotApplied: the marks do not follow the decisions yet, so that the minutes could not say what they became.
    """
    exam_id = JurySession.objects.values_list("exam_id", flat=True).get(pk=session_id)
    own_exam(exam_id)
    if Minutes.objects.filter(session_id=session_id).exists():
        raise Already("Le procès-verbal de cette séance est déjà signé.")
    behind = sittings_behind(exam_id)
    if behind:
        titles = ", ".join(f"« {sitting.title} »" for sitting in behind)
        raise NotApplied(f"Notez d’abord à nouveau : {titles} ne suit pas les décisions adoptées.")
    content = session_content(JurySession.objects.get(pk=session_id))
    minutes = Minutes.objects.create(
        session_id=session_id, content=content, digest=content_digest(content), signed_by=actor, signed_at=now
    )
    log_deed(actor=actor, verb="sign_minutes", target=f"session:{session_id}", now=now, data={"digest": minutes.digest})
    return minutes


def content_digest(content: Mapping[str, Any]) -> str:
    """Return the SHA-256, in hexadecimal, of what minutes say: UTF-8 of its JSON, keys sorted, without spaces."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return sha256(text.encode()).hexdigest()
