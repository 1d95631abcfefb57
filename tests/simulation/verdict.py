"""The statement that decides an op (`exams/actions/journal.py`), as one pure function.

`test_verdict.py` holds it against the real statement on a real PostgreSQL.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from exams.actions.journal import HELD, REPEATED, STORED, PendingOp
from exams.enums import SheetState
from exams.rules.timing import MADE_TOLERANCE_MS

BY_STATE = {SheetState.SUBMITTED: "submitted", SheetState.PAUSED: "paused", SheetState.CLOSED: "late"}


@dataclass(frozen=True, slots=True)
class Situation:
    """What PostgreSQL holds when an op comes.

    Attributes:
        held: digest stored under the op's own number, or None.
        before: digest stored under the number before it, or None.
        is_owned: whether the staff owns the centre sitting at this instant.
        epoch, state, ends_at: of the sheet.
    """

    held: bytes | None
    before: bytes | None
    is_owned: bool
    epoch: int
    state: SheetState
    ends_at: datetime | None


def verdict(  # noqa: PLR0911 one line for each line of the statement
    pending: PendingOp, found: Situation, now: datetime, caller: datetime, grace_seconds: int
) -> str:
    """Return what becomes of an op; `now` and `caller` are PostgreSQL's clock and that of the process."""
    op = pending.op
    if found.held is not None:
        return REPEATED if found.held == op.digest else "contradiction"
    if found.is_owned:
        return HELD
    if found.epoch != pending.epoch:
        return "replaced"
    if found.state is not SheetState.COMPOSING:
        return BY_STATE.get(found.state, "not-open")
    over = found.ends_at + timedelta(seconds=grace_seconds)
    if (now >= over) != (caller >= over):
        return "busy"
    made_at = None if pending.skew is None else op.made_at + pending.skew
    if is_late(made_at, found.ends_at, now, grace_seconds):
        return "late"
    if op.seq > 1 and found.before != pending.previous:
        return "contradiction"
    return STORED


def is_late(made_at: int | None, ends_at: datetime, now: datetime, grace_seconds: int) -> bool:
    """Whether an op arrives after the grace, or after the end and was made after it.

    `made_at` is in milliseconds on the server's clock, None when nobody can tell.
    """
    if now >= ends_at + timedelta(seconds=grace_seconds):
        return True
    return now >= ends_at and made_at is not None and made_at > ends_at.timestamp() * 1000 + MADE_TOLERANCE_MS
