"""What is written about the staff: the log of deeds."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ecni.accounts.models import Deed, User


def log_deed(
    *, actor: User, verb: str, target: str, now: datetime, reason: str = "", data: dict[str, Any] | None = None
) -> Deed:
    """Write one deed, in the transaction of the deed itself.

    Args:
        actor: who did it.
        verb: stable name of the action, such as `open_centre_sitting`.
        target: what it was done to, as `model:id`.
        now: when.
        reason: why, in the words of the actor.
        data: figures worth keeping; never a name of a candidate, never a text of a question.
    """
    return Deed.objects.create(actor=actor, verb=verb, target=target, at=now, reason=reason, data=data or {})


def log_deeds(
    *,
    actor: User,
    verb: str,
    targets: Sequence[str],
    now: datetime,
    reason: str = "",
    data: dict[str, Any] | None = None,
) -> None:
    """Write one deed for each thing that the same act was done to, as `log_deed`."""
    Deed.objects.bulk_create(
        Deed(actor=actor, verb=verb, target=target, at=now, reason=reason, data=data or {}) for target in targets
    )
