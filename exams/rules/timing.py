"""Who may compose until when: one pure function, whatever granted the time."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta


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
        pauses: pauses of the centre sitting.
    """

    opened_at: datetime
    duration_seconds: int
    extra_seconds: int
    granted_seconds: tuple[int, ...]
    pauses: tuple[PauseSpan, ...]


def effective_end(allowance: Allowance, now: datetime) -> datetime:
    """Return the instant after which nothing more may be composed.

    Every second of a pause is given back; while a pause lasts, the end moves with `now`.
    """
    seconds = allowance.duration_seconds + allowance.extra_seconds + sum(allowance.granted_seconds)
    return allowance.opened_at + timedelta(seconds=seconds) + _paused(allowance.pauses, now)


def _paused(pauses: Iterable[PauseSpan], now: datetime) -> timedelta:
    return sum(((pause.ended_at or now) - pause.started_at for pause in pauses), timedelta())
