"""The page of limits and guards: what holds now, who said so, what is used, who waits, what was met."""

from dataclasses import dataclass
from datetime import datetime

from exams.broadcast import DoorSight, doors, guarded
from exams.enums import GuardMode, GuardName, LimitName
from exams.models import GuardProposal, LimitChange
from exams.queries.admission import default_limits, guard_modes, last_changes, open_proposals, present_limits

GUARD_NOTES = {
    GuardName.ORIGIN: (
        "Elle ne concerne que les websockets ouverts depuis la page d’un autre nom. Le nom d’hôte de chaque page "
        "(ALLOWED_HOSTS) est vérifié dans tous les cas, et refusé (400) même quand elle observe : "
        "l’ajouter demande un redémarrage."
    ),
}
"""What a guard does not cover, where its name does not say it."""


@dataclass(frozen=True, slots=True)
class LimitLine:
    """One limit. `last` is None while the setting holds; `doors` is empty when Redis is away or nothing serves."""

    name: LimitName
    value: int
    default: int
    last: LimitChange | None
    doors: list[DoorSight]

    @property
    def used(self) -> int | None:
        """Of the process that uses most of it; None when no process says."""
        return max((door.used for door in self.doors), default=None)

    @property
    def waiting(self) -> int:
        """How many wait, over all processes."""
        return sum(door.waiting for door in self.doors)


@dataclass(frozen=True, slots=True)
class GuardLine:
    """One guard. `refused` and `observed` count the last day; they are hints."""

    name: GuardName
    mode: GuardMode
    proposal: GuardProposal | None
    refused: int
    observed: int

    @property
    def note(self) -> str:
        """What it does not cover, in French; empty when its name says it."""
        return GUARD_NOTES.get(self.name, "")

    @property
    def other(self) -> GuardMode:
        """The mode that may be proposed."""
        return GuardMode.ENFORCE if self.mode is GuardMode.OBSERVE else GuardMode.OBSERVE


def limit_lines(now: datetime) -> list[LimitLine]:
    """Return every limit."""
    values, defaults = present_limits(), default_limits()
    lasts = {LimitName(change.name): change for change in last_changes()}
    told = doors(int(now.timestamp() * 1000))
    return [
        LimitLine(name, values[name], defaults[name], lasts.get(name), [door for door in told if door.limit == name])
        for name in LimitName
    ]


def guard_lines() -> list[GuardLine]:
    """Return every guard."""
    modes, proposals, met = guard_modes(), open_proposals(), guarded()
    return [
        GuardLine(
            name,
            modes[name],
            proposals.get(name),
            met.get((name, GuardMode.ENFORCE), 0),
            met.get((name, GuardMode.OBSERVE), 0),
        )
        for name in GuardName
    ]
