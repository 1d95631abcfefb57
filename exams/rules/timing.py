"""Who may compose until when: one pure function, whatever granted the time."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

MADE_TOLERANCE_MS = 1000
"""How far a tablet's time, brought to the server's clock, may pass an end and still count as before it."""

CLOCKS_SECONDS = 5
"""How far two servers' clocks may be apart and still be said to agree."""

BELIEVABLE_MS = range(946_684_800_000, 4_102_444_800_000)
"""From 2000 to 2100."""

OUTAGE_SECONDS = range(5, 1801)
"""What one wait without network may be credited: less is not worth a row, more is for people to decide."""


@dataclass(frozen=True, slots=True)
class PauseSpan:
    """A pause of the whole centre sitting; `ended_at` is None while it lasts."""

    started_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Allowance:
    """All that decides a sheet's end.

    Attributes:
        opened_at: when the centre sitting opened.
        duration_seconds: length of the sitting, for everybody.
        extra_seconds: personal extra time (tiers temps), known before the start.
        granted_seconds: each grant made during the sitting to this sheet, its centre sitting or the whole sitting.
        outage_seconds: each wait without network that the sitting's rule credits to this sheet.
        pauses: pauses of the centre sitting.
    """

    opened_at: datetime
    duration_seconds: int
    extra_seconds: int
    granted_seconds: tuple[int, ...]
    outage_seconds: tuple[int, ...]
    pauses: tuple[PauseSpan, ...]


def effective_end(allowance: Allowance, now: datetime) -> datetime:
    """Return the instant after which nothing more may be composed.

    Every second of a pause is given back; while a pause lasts, the end moves with `now`.
    """
    seconds = (
        allowance.duration_seconds
        + allowance.extra_seconds
        + sum(allowance.granted_seconds)
        + sum(allowance.outage_seconds)
    )
    return allowance.opened_at + timedelta(seconds=seconds) + _paused(allowance.pauses, allowance.opened_at, now)


def outage_credit(waited_seconds: int, since: datetime, pauses: Iterable[PauseSpan], now: datetime) -> int:
    """Return the whole seconds to give back to a tablet that waited for a key without network; 0 for a wait too short.

    Args:
        waited_seconds: how long it says it has waited.
        since: last sign of life that the server has of it, or last wait already credited; nothing counts before.
        pauses: pauses of its centre sitting, given back already.
        now: the instant at which it is back.
    """
    start = max(now - timedelta(seconds=waited_seconds), since)
    idle = now - start - _paused(pauses, start, now)
    seconds = min(int(idle.total_seconds()), OUTAGE_SECONDS[-1])
    return seconds if seconds in OUTAGE_SECONDS else 0


def closing_reasons(
    ends: Iterable[datetime | None], now: datetime, *, grace_seconds: int, is_paused: bool
) -> list[str]:
    """Return, in French, each reason of time why a centre sitting cannot be closed yet; an empty list means it can.

    Args:
        ends: of the sheets on which time runs or stands still.
        now: the instant asked about.
        grace_seconds: how long after its end a sheet still receives what was made before.
        is_paused: whether the centre sitting is.
    """
    if is_paused:
        return ["L’épreuve est en pause : reprenez-la d’abord."]
    known = [end for end in ends if end]
    composing = sum(end > now for end in known)
    arriving = sum(end > now - timedelta(seconds=grace_seconds) for end in known) - composing
    reasons = []
    if composing:
        reasons.append(f"{composing} copie(s) composent encore.")
    if arriving:
        reasons.append(f"{arriving} copie(s) peuvent encore recevoir des réponses en route.")
    return reasons


def do_clocks_agree(one: datetime, other: datetime) -> bool:
    """Whether two clocks tell the same time, within what answering may take."""
    return abs(one - other) <= timedelta(seconds=CLOCKS_SECONDS)


def was_made_in_time(made_at: int, skew: int | None, end: datetime) -> bool:
    """Whether a tablet says that it made an op before an end.

    Args:
        made_at: the tablet's clock, milliseconds since 1970.
        skew: the server's clock less the tablet's, milliseconds; None when never measured: nothing is held against it.
        end: on the server's clock.
    """
    return skew is None or made_at + skew <= end.timestamp() * 1000 + MADE_TOLERANCE_MS


def moment_made(made_at: int, skew: int | None) -> datetime | None:
    """Return when a tablet says that it made an op, by the server's clock; None when what it says is no time.

    Args:
        made_at: as in `was_made_in_time`; a tablet may write any number.
        skew: likewise.
    """
    milliseconds = made_at + (skew or 0)
    return datetime.fromtimestamp(milliseconds / 1000, UTC) if milliseconds in BELIEVABLE_MS else None


def _paused(pauses: Iterable[PauseSpan], start: datetime, now: datetime) -> timedelta:
    spans = ((pause.ended_at or now) - max(pause.started_at, start) for pause in pauses)
    return sum((span for span in spans if span > timedelta()), timedelta())
