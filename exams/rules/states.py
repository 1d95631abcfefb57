"""Which passages between states exist; anything else is refused."""

from exams.enums import CentreSittingState as C
from exams.enums import SheetState as S

CENTRE_SITTING_PASSAGES: dict[C, frozenset[C]] = {
    C.PLANNED: frozenset({C.LOBBY}),
    C.LOBBY: frozenset({C.OPEN}),
    C.OPEN: frozenset({C.PAUSED, C.CLOSED}),
    C.PAUSED: frozenset({C.OPEN, C.CLOSED}),
    C.CLOSED: frozenset({C.SIGNED}),
    C.SIGNED: frozenset(),
}

WAITING_STATES = frozenset({S.ADMITTED, S.READY})
"""Sheets that start composing when their centre sitting opens."""

LIVE_STATES = frozenset({S.COMPOSING, S.PAUSED})
"""Sheets on which time runs or stands still."""

OUT_STATES = frozenset({S.ABSENT, S.WITHDRAWN, S.EXCLUDED})
"""Side exits, reversible until the centre sitting is closed."""


def may_pass(before: C, after: C) -> bool:
    """Whether a centre sitting may go from one state to the other."""
    return after in CENTRE_SITTING_PASSAGES[before]
