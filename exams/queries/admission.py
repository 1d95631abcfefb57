"""The present limits and guards: what the staff decided last, else what the settings say."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Max, QuerySet

from exams.enums import CentreSittingState, GuardMode, GuardName, LimitName, SheetState
from exams.models import CentreSitting, GuardConfirmation, GuardProposal, LimitChange, Sheet
from exams.rules.networks import Network, parse_networks

_OVER = frozenset({CentreSittingState.CLOSED, CentreSittingState.SIGNED})
_RETURNING = frozenset({SheetState.COMPOSING, SheetState.PAUSED})


@dataclass(frozen=True, slots=True)
class Policy:
    """What the doors of every process apply now.

    Attributes:
        limits: value of every limit.
        modes: mode of every guard.
        networks: where the tablets of a centre sitting may come from, for those that say so.
    """

    limits: dict[LimitName, int]
    modes: dict[GuardName, GuardMode]
    networks: dict[int, tuple[Network, ...]]


def default_limits() -> dict[LimitName, int]:
    """Return what the settings say of every limit."""
    return {name: settings.ADMISSION_LIMITS[name.value] for name in LimitName}


def default_policy() -> Policy:
    """Return what holds before anything was read: the settings, every guard active, no network named."""
    return Policy(default_limits(), dict.fromkeys(GuardName, GuardMode.ENFORCE), {})


def present_policy() -> Policy:
    """Return what holds now; three statements."""
    return Policy(present_limits(), guard_modes(), centre_networks())


def present_limits() -> dict[LimitName, int]:
    """Return the value of every limit."""
    return default_limits() | {LimitName(row.name): row.value for row in last_changes()}


def last_changes() -> QuerySet[LimitChange]:
    """Return the last change of each limit that was ever changed."""
    last = LimitChange.objects.values("name").annotate(last=Max("pk")).values("last")
    return LimitChange.objects.filter(pk__in=last).select_related("set_by")


def guard_modes() -> dict[GuardName, GuardMode]:
    """Return the mode of every guard: that of its last proposal that was confirmed."""
    last = GuardConfirmation.objects.values("proposal__name").annotate(last=Max("pk")).values("last")
    rows = GuardConfirmation.objects.filter(pk__in=last).values_list("proposal__name", "proposal__mode")
    return dict.fromkeys(GuardName, GuardMode.ENFORCE) | {GuardName(name): GuardMode(mode) for name, mode in rows}


def open_proposals() -> dict[GuardName, GuardProposal]:
    """Return the last proposal of each guard, where nobody has confirmed it."""
    last = GuardProposal.objects.values("name").annotate(last=Max("pk")).values("last")
    rows = GuardProposal.objects.filter(pk__in=last, confirmation__isnull=True).select_related("proposed_by")
    return {GuardName(row.name): row for row in rows}


def centre_networks() -> dict[int, tuple[Network, ...]]:
    """Return the networks of the centre sittings that name some and are not over."""
    rows = CentreSitting.objects.exclude(networks=[]).exclude(state__in=_OVER).values_list("pk", "networks")
    return {pk: parse_networks(texts) for pk, texts in rows}


def returning_sheets(sheet_ids: Sequence[int]) -> set[int]:
    """Return those of these sheets on which time runs or stands still."""
    return set(Sheet.objects.filter(pk__in=sheet_ids, state__in=_RETURNING).values_list("pk", flat=True))
