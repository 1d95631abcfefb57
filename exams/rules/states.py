"""Which passages between states exist, and the exceptions that refuse the others."""

from dataclasses import dataclass

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

FROZEN_STATES = frozenset({S.SUBMITTED, S.CLOSED})
"""Sheets that were opened, once their centre sitting is closed: each has its frozen row."""

OUT_STATES = frozenset({S.ABSENT, S.WITHDRAWN, S.EXCLUDED})
"""Side exits: nothing more is recorded on the sheet."""


@dataclass(frozen=True, slots=True)
class SheetPlace:
    """A sheet to prepare: its anonymous number and its personal extra time, in seconds."""

    number: str
    extra_seconds: int


class Refused(Exception):
    """An act that a rule refuses. `code` is stable; the text, in French, is for the person who tried."""

    code = "refused"
    text = "Cet acte n’est pas possible."

    def __init__(self, text: str | None = None) -> None:
        super().__init__(text or self.text)


class Already(Refused):
    """Somebody has done it before: no harm, nothing to do again."""

    code = "already"
    text = "C’est déjà fait."


class Busy(Refused):
    """Somebody else is acting on the same thing."""

    code = "busy"
    text = "Une autre personne agit sur cet examen en ce moment : recommencez dans quelques secondes."


class WrongState(Refused):
    """The passage does not exist from the present state."""

    code = "wrong-state"


class TooEarly(Refused):
    """The hour of the sitting has not come."""

    code = "too-early"


class NoPaper(Refused):
    """The sitting has no sealed paper."""

    code = "no-paper"
    text = "Le sujet de cette épreuve n’est pas scellé."


class NotFinished(Refused):
    """Closing is refused while a box of the checklist is open."""

    code = "not-finished"


class ReasonMissing(Refused):
    """The act needs a reason in words."""

    code = "reason-missing"
    text = "Indiquez le motif."


class ClocksDisagree(Refused):
    """Two servers' clocks tell different times: no end may be computed."""

    code = "clocks-disagree"
    text = "Les horloges des serveurs ne sont pas d’accord : rien n’a été fait. Prévenez l’exploitation."


class BadDuration(Refused):
    """Seconds outside what is plausible."""

    code = "bad-duration"
    text = "La durée doit être comprise entre 1 minute et 3 heures."


def check_passage(before: C, after: C) -> None:
    """Accept the passage of a centre sitting from one state to another.

    Raises:
        Already: it is in that state.
        WrongState: the passage does not exist.
    """
    if before is after:
        raise Already
    if after not in CENTRE_SITTING_PASSAGES[before]:
        msg = f"Impossible depuis l’état « {before.label} »."
        raise WrongState(msg)
