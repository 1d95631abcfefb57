"""The life of a complaint: filed within a delay, taken, answered, closed; each step once, and none goes back."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from exams.rules.states import Refused, TooEarly
from ranking.enums import ComplaintState

LONGEST_TEXT = 4000
MOST_OPEN = 5
"""Complaints of one candidate that are not closed."""

_NEXT: Mapping[ComplaintState, frozenset[ComplaintState]] = {
    ComplaintState.FILED: frozenset({ComplaintState.TAKEN}),
    ComplaintState.TAKEN: frozenset({ComplaintState.ANSWERED}),
    ComplaintState.ANSWERED: frozenset({ComplaintState.CLOSED}),
    ComplaintState.CLOSED: frozenset(),
}


class TooLate(Refused):
    """The delay to complain is over."""

    code = "complaint-too-late"
    text = "Le délai de réclamation est passé."


class TooMany(Refused):
    """The candidate has many complaints that wait."""

    code = "complaint-too-many"
    text = f"Vous avez déjà {MOST_OPEN} réclamations en cours : attendez qu’une d’elles soit close."


class WrongStep(Refused):
    """This step does not follow the last one."""

    code = "complaint-step"
    text = "Cette étape n’est pas possible maintenant : une autre personne a peut-être déjà répondu."


class TextMissing(Refused):
    """Nothing was written, or too much."""

    code = "complaint-text"
    text = f"Écrivez votre texte ({LONGEST_TEXT} caractères au plus)."


def window_end(published_at: datetime, days: int) -> datetime:
    """Return when complaints stop being accepted."""
    return published_at + timedelta(days=days)


def check_filing(text: str, *, published_at: datetime | None, days: int, waiting: int, now: datetime) -> None:
    """Refuse a complaint that may not be filed.

    Raises:
        TooEarly, TooLate: outside the delay.
        TextMissing, TooMany: why not.
    """
    if published_at is None or now < published_at:
        raise TooEarly("Les résultats ne sont pas encore publiés.")
    if now >= window_end(published_at, days):
        raise TooLate
    check_text(text)
    if waiting >= MOST_OPEN:
        raise TooMany


def check_text(text: str) -> None:
    """Refuse an empty text, or one that is too long.

    Raises:
        TextMissing: which it is.
    """
    if not text.strip() or len(text) > LONGEST_TEXT:
        raise TextMissing


def check_step(current: ComplaintState, step: ComplaintState) -> None:
    """Refuse a step that does not follow.

    Raises:
        WrongStep: it does not.
    """
    if step not in _NEXT[current]:
        raise WrongStep


def next_steps(current: ComplaintState) -> tuple[ComplaintState, ...]:
    """Return the steps that may follow."""
    return tuple(step for step in ComplaintState if step in _NEXT[current])
