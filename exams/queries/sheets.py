"""Reads of sheets and centre sittings, for consoles and for the rules of time."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, DateTimeField, ExpressionWrapper, F

from exams.enums import CentreSittingState, GrantCause, SheetState
from exams.models import CentreSitting, Pause, Sheet, TimeGrant
from exams.rules.states import LIVE_STATES
from exams.rules.timing import Allowance, PauseSpan, closing_reasons


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One sheet as a console shows it."""

    sheet_id: int
    number: str
    state: SheetState
    epoch: int
    extra_seconds: int
    ends_at: datetime | None
    admitted_at: datetime | None
    ready_at: datetime | None
    submitted_at: datetime | None


def room_sheets(centre_sitting_id: int) -> list[SheetRow]:
    """Return the sheets of one centre sitting, in the order of their anonymous numbers."""
    return [
        SheetRow(
            sheet_id=sheet.pk,
            number=sheet.number,
            state=SheetState(sheet.state),
            epoch=sheet.epoch,
            extra_seconds=sheet.extra_seconds,
            ends_at=sheet.ends_at,
            admitted_at=sheet.admitted_at,
            ready_at=sheet.ready_at,
            submitted_at=sheet.submitted_at,
        )
        for sheet in Sheet.objects.filter(centre_sitting_id=centre_sitting_id).order_by("number")
    ]


def closing_obstacles(centre_sitting_id: int, now: datetime) -> list[str]:
    """Return, in French, each reason why a centre sitting cannot be closed yet; an empty list means it can."""
    states = CentreSitting.objects.values_list("state", "sitting__grace_seconds")
    state, grace_seconds = states.get(pk=centre_sitting_id)
    live = Sheet.objects.filter(centre_sitting_id=centre_sitting_id, state__in=LIVE_STATES)
    ends = live.values_list("ends_at", flat=True)
    is_paused = state == CentreSittingState.PAUSED
    return closing_reasons(ends, now, grace_seconds=grace_seconds, is_paused=is_paused)


def pause_spans(centre_sitting_id: int) -> tuple[PauseSpan, ...]:
    """Return the pauses of a centre sitting, in order."""
    pauses = Pause.objects.filter(centre_sitting_id=centre_sitting_id).order_by("started_at")
    return tuple(PauseSpan(pause.started_at, pause.ended_at) for pause in pauses)


def time_allowances(sheets: Sequence[Sheet]) -> dict[int, Allowance]:
    """Return what each sheet's end is made of, by sheet; all are of one centre sitting, which has opened."""
    if not sheets:
        return {}
    centre_sitting = CentreSitting.objects.select_related("sitting").get(pk=sheets[0].centre_sitting_id)
    opened_at = centre_sitting.opened_at
    if opened_at is None:
        msg = f"{centre_sitting} has not opened"
        raise ValueError(msg)
    pauses = pause_spans(centre_sitting.pk)
    grants = TimeGrant.objects.filter(sitting_id=centre_sitting.sitting_id).order_by("pk")
    common: list[int] = []
    personal: dict[int, list[int]] = defaultdict(list)
    outages: dict[int, list[int]] = defaultdict(list)
    for grant in grants:
        if grant.sheet_id is not None and grant.cause == GrantCause.OUTAGE:
            outages[grant.sheet_id].append(grant.seconds)
        elif grant.sheet_id is not None:
            personal[grant.sheet_id].append(grant.seconds)
        elif grant.centre_sitting_id in {None, centre_sitting.pk}:
            common.append(grant.seconds)
    return {
        sheet.pk: Allowance(
            opened_at=opened_at,
            duration_seconds=centre_sitting.sitting.duration_seconds,
            extra_seconds=sheet.extra_seconds,
            granted_seconds=(*common, *personal[sheet.pk]),
            outage_seconds=tuple(outages[sheet.pk]),
            pauses=pauses,
        )
        for sheet in sheets
    }


def sheets_of_next_sitting(now: datetime) -> dict[int, int]:
    """Return how many sheets each centre sitting has, of the first sitting that is not over; empty without any."""
    seconds = F("sitting__duration_seconds") * timedelta(seconds=1)
    ends = ExpressionWrapper(F("sitting__starts_at") + seconds, output_field=DateTimeField())
    rows = (
        Sheet.objects.annotate(planned_end=ends)
        .filter(planned_end__gt=now)
        .values_list("sitting_id", "centre_sitting_id")
        .annotate(count=Count("pk"))
        .order_by("sitting__starts_at", "sitting_id")
    )
    found = list(rows)
    return {pk: count for sitting_id, pk, count in found if sitting_id == found[0][0]}
