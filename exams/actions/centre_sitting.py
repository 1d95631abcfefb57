"""What the staff does to a whole centre sitting: welcome, open, pause, resume, grant time, close."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import OperationalError, transaction
from django.db.models import F
from psycopg2.errors import LockNotAvailable

from ecni.accounts.actions import log_deed, log_deeds
from ecni.accounts.models import User
from exams.actions.freezing import freeze_sheets
from exams.actions.journal import own_centre_sitting, prepare_journal
from exams.broadcast import announce_change
from exams.enums import CentreSittingState, PaperState, SheetState
from exams.models import CentreSitting, Paper, Pause, Sheet, Sitting, TimeGrant
from exams.queries.sheets import closing_obstacles, time_allowances
from exams.rules.states import (
    LIVE_STATES,
    WAITING_STATES,
    BadDuration,
    NoPaper,
    NotFinished,
    ReasonMissing,
    SheetPlace,
    TooEarly,
    WrongState,
    check_passage,
)
from exams.rules.timing import effective_end

GRANT_SECONDS = range(60, 3 * 3600 + 1)
CLOSED_STATES = frozenset({CentreSittingState.CLOSED, CentreSittingState.SIGNED})
PATIENCE_MS = 1_000
"""How long an opening everywhere waits for a centre that somebody else is moving."""


@dataclass(frozen=True, slots=True)
class OpenedSitting:
    """How many centre sittings an opening everywhere opened, and which it left since somebody else was moving them."""

    count: int
    held: Sequence[int]


@transaction.atomic
def create_centre_sitting(
    *, sitting_id: int, places: Sequence[SheetPlace], networks: Sequence[str] = ()
) -> CentreSitting:
    """Prepare one centre's sheets for a sitting, and the partition of the journal that will hold their ops.

    Args:
        sitting_id: of the sitting.
        places: its sheets.
        networks: where its tablets may come from, none for anywhere.
    """
    prepare_journal(sitting_id=sitting_id)
    centre_sitting = CentreSitting.objects.create(sitting_id=sitting_id, networks=list(networks))
    Sheet.objects.bulk_create(
        Sheet(
            sitting_id=sitting_id,
            centre_sitting=centre_sitting,
            number=place.number,
            extra_seconds=place.extra_seconds,
        )
        for place in places
    )
    return centre_sitting


@transaction.atomic
def welcome(*, centre_sitting_id: int, actor: User, now: datetime) -> None:
    """Open the doors: candidates may be admitted. Requires a sealed paper.

    Raises:
        Already, WrongState: as `check_passage`.
        NoPaper: the sitting has no sealed paper.
    """
    centre_sitting = _own(centre_sitting_id)
    check_passage(CentreSittingState(centre_sitting.state), CentreSittingState.LOBBY)
    if not Paper.objects.filter(
        sitting_id=centre_sitting.sitting_id, is_reserve=False, state=PaperState.SEALED
    ).exists():
        raise NoPaper
    _pass(centre_sitting, CentreSittingState.LOBBY, actor=actor, now=now, verb="welcome")


@transaction.atomic
def open_centre_sitting(*, centre_sitting_id: int, actor: User, now: datetime) -> None:
    """Start the time of every admitted sheet and let the opening key out.

    Raises:
        Already, WrongState: as `check_passage`.
        TooEarly: before the hour of the sitting.
    """
    centre_sitting = _own(centre_sitting_id)
    _open(centre_sitting, actor=actor, now=now)


@transaction.atomic
def open_sitting(*, sitting_id: int, actor: User, now: datetime) -> OpenedSitting:
    """Open every centre sitting that is in its lobby, at the same instant.

    One that somebody else is moving for longer than a moment is left, and named: the others do not wait for it.

    Raises:
        TooEarly: before the hour of the sitting.
    """
    waiting = CentreSitting.objects.filter(sitting_id=sitting_id, state=CentreSittingState.LOBBY)
    lobbies, held = [], []
    for centre_sitting_id in waiting.order_by("pk").values_list("pk", flat=True):
        try:
            with transaction.atomic():
                own_centre_sitting(centre_sitting_id, patience_ms=PATIENCE_MS)
                centre_sitting = _own(centre_sitting_id)
        except OperationalError as error:
            if not isinstance(error.__cause__, LockNotAvailable):
                raise
            held.append(centre_sitting_id)
            continue
        if centre_sitting.state == CentreSittingState.LOBBY:
            lobbies.append(centre_sitting)
    for centre_sitting in lobbies:
        _open(centre_sitting, actor=actor, now=now)
    return OpenedSitting(len(lobbies), held)


@transaction.atomic
def pause_centre_sitting(*, centre_sitting_id: int, reason: str, actor: User, now: datetime) -> None:
    """Stop the time of every sheet that composes.

    Raises:
        Already, WrongState: as `check_passage`.
        ReasonMissing: no reason given.
    """
    _require(reason)
    centre_sitting = _own(centre_sitting_id)
    check_passage(CentreSittingState(centre_sitting.state), CentreSittingState.PAUSED)
    Pause.objects.create(centre_sitting=centre_sitting, started_at=now, reason=reason)
    centre_sitting.sheets.filter(state=SheetState.COMPOSING).update(state=SheetState.PAUSED)
    _pass(centre_sitting, CentreSittingState.PAUSED, actor=actor, now=now, verb="pause", reason=reason)


@transaction.atomic
def resume_centre_sitting(*, centre_sitting_id: int, actor: User, now: datetime) -> None:
    """Start the time again; every second of the pause is given back.

    Raises:
        Already, WrongState: as `check_passage`.
    """
    centre_sitting = _own(centre_sitting_id)
    check_passage(CentreSittingState(centre_sitting.state), CentreSittingState.OPEN)
    if centre_sitting.state != CentreSittingState.PAUSED:
        msg = "L’épreuve n’est pas en pause dans ce centre."
        raise WrongState(msg)
    centre_sitting.pauses.filter(ended_at__isnull=True).update(ended_at=now)
    centre_sitting.sheets.filter(state=SheetState.PAUSED).update(state=SheetState.COMPOSING)
    refresh_ends(centre_sitting_id=centre_sitting_id, now=now)
    _pass(centre_sitting, CentreSittingState.OPEN, actor=actor, now=now, verb="resume")


@transaction.atomic
def grant_time(
    *, centre_sitting_id: int, sheet_ids: Collection[int] | None, seconds: int, reason: str, actor: User, now: datetime
) -> None:
    """Give seconds to some sheets, or to every sheet of the centre sitting when `sheet_ids` is None.

    Raises:
        ReasonMissing: no reason given.
        BadDuration: outside 1 minute to 3 hours.
        NotFinished: the centre sitting is closed.
        Sheet.DoesNotExist: one of them is not of this centre sitting, or there is none.
    """
    _require(reason)
    if seconds not in GRANT_SECONDS:
        raise BadDuration
    centre_sitting = _own(centre_sitting_id)
    if centre_sitting.state in CLOSED_STATES:
        msg = "L’épreuve est close dans ce centre : plus aucun temps ne peut être accordé."
        raise NotFinished(msg)
    sheets = [] if sheet_ids is None else list(centre_sitting.sheets.filter(pk__in=sheet_ids).order_by("pk"))
    if sheet_ids is not None and (not sheets or len(sheets) < len(set(sheet_ids))):
        raise Sheet.DoesNotExist
    common = {
        "sitting_id": centre_sitting.sitting_id,
        "seconds": seconds,
        "reason": reason,
        "granted_by": actor,
        "granted_at": now,
    }
    grants = [TimeGrant(sheet=sheet, **common) for sheet in sheets] or [
        TimeGrant(centre_sitting=centre_sitting, **common)
    ]
    TimeGrant.objects.bulk_create(grants)
    refresh_ends(centre_sitting_id=centre_sitting_id, now=now)
    touch(centre_sitting_id)
    targets = [f"sheet:{sheet.pk}" for sheet in sheets] or [f"centre_sitting:{centre_sitting_id}"]
    log_deeds(actor=actor, verb="grant_time", targets=targets, reason=reason, now=now, data={"seconds": seconds})


@transaction.atomic
def grant_time_everywhere(*, sitting_id: int, seconds: int, reason: str, actor: User, now: datetime) -> TimeGrant:
    """Give seconds to every sheet of a sitting, in the centres that are open and in those that have not opened yet.

    Raises:
        ReasonMissing: no reason given.
        BadDuration: outside 1 minute to 3 hours.
        NotFinished: a centre has closed already: its candidates would not have the same time.
    """
    _require(reason)
    if seconds not in GRANT_SECONDS:
        raise BadDuration
    ids = CentreSitting.objects.filter(sitting_id=sitting_id).order_by("pk").values_list("pk", flat=True)
    owned = [_own(centre_sitting_id) for centre_sitting_id in ids]
    closed = sum(centre_sitting.state in CLOSED_STATES for centre_sitting in owned)
    if closed:
        msg = f"{closed} centre(s) ont déjà clos : le temps ne peut plus être le même pour tous."
        raise NotFinished(msg)
    grant = TimeGrant.objects.create(
        sitting_id=sitting_id, seconds=seconds, reason=reason, granted_by=actor, granted_at=now
    )
    for centre_sitting in owned:
        refresh_ends(centre_sitting_id=centre_sitting.pk, now=now)
        touch(centre_sitting.pk)
    target = f"sitting:{sitting_id}"
    log_deed(actor=actor, verb="grant_time", target=target, reason=reason, now=now, data={"seconds": seconds})
    return grant


@transaction.atomic
def close_centre_sitting(*, centre_sitting_id: int, actor: User, now: datetime, reason: str = "") -> int:
    """Close, freeze every sheet that was opened, and return how many were frozen.

    Nothing is recorded on them any more.

    With a reason, closing goes through although somebody composes (evacuation); what they did is frozen.

    Raises:
        Already, WrongState: as `check_passage`.
        NotFinished: a box of the checklist is open and no reason is given; the text names each.
    """
    centre_sitting = _own(centre_sitting_id)
    check_passage(CentreSittingState(centre_sitting.state), CentreSittingState.CLOSED)
    obstacles = closing_obstacles(centre_sitting_id, now)
    if obstacles and not reason:
        raise NotFinished(" ".join(obstacles))
    centre_sitting.pauses.filter(ended_at__isnull=True).update(ended_at=now)
    centre_sitting.sheets.filter(state__in=LIVE_STATES).update(state=SheetState.CLOSED)
    centre_sitting.sheets.filter(state__in=[SheetState.EXPECTED, *WAITING_STATES]).update(state=SheetState.ABSENT)
    frozen = freeze_sheets(centre_sitting_id=centre_sitting_id, now=now)
    centre_sitting.closed_at = now
    _pass(centre_sitting, CentreSittingState.CLOSED, actor=actor, now=now, verb="close", reason=reason)
    return frozen


def refresh_ends(*, centre_sitting_id: int, now: datetime) -> None:
    """Compute again the end of every live sheet of a centre sitting, by the one rule that decides it."""
    sheets = list(Sheet.objects.filter(centre_sitting_id=centre_sitting_id, state__in=LIVE_STATES))
    allowances = time_allowances(sheets)
    for sheet in sheets:
        sheet.ends_at = effective_end(allowances[sheet.pk], now)
    Sheet.objects.bulk_update(sheets, ["ends_at"], batch_size=1000)


def touch(centre_sitting_id: int) -> None:
    """Raise the revision that server processes watch, and announce it after commit."""
    CentreSitting.objects.filter(pk=centre_sitting_id).update(revision=F("revision") + 1)
    announce_change(centre_sitting_id)


def _own(centre_sitting_id: int) -> CentreSitting:
    own_centre_sitting(centre_sitting_id)
    return CentreSitting.objects.select_for_update(of=("self",), no_key=True).get(pk=centre_sitting_id)


def _open(centre_sitting: CentreSitting, *, actor: User, now: datetime) -> None:
    check_passage(CentreSittingState(centre_sitting.state), CentreSittingState.OPEN)
    if centre_sitting.state == CentreSittingState.PAUSED:
        msg = "L’épreuve est en pause dans ce centre : il faut la reprendre."
        raise WrongState(msg)
    starts_at = Sitting.objects.values_list("starts_at", flat=True).get(pk=centre_sitting.sitting_id)
    if now < starts_at:
        msg = "L’heure prévue de l’épreuve n’est pas venue."
        raise TooEarly(msg)
    centre_sitting.opened_at = now
    centre_sitting.save(update_fields=["opened_at"])
    _start_waiting_sheets(centre_sitting, now=now)
    _pass(centre_sitting, CentreSittingState.OPEN, actor=actor, now=now, verb="open")


def _start_waiting_sheets(centre_sitting: CentreSitting, *, now: datetime) -> None:
    start_sheets(centre_sitting.sheets.filter(state__in=WAITING_STATES), now=now)


def start_sheets(sheets: Iterable[Sheet], *, now: datetime) -> None:
    """Make sheets of an open centre sitting compose, until the end that the rule gives."""
    started = list(sheets)
    allowances = time_allowances(started)
    for sheet in started:
        sheet.state = SheetState.COMPOSING
        sheet.ends_at = effective_end(allowances[sheet.pk], now)
    write_alike(started, "state", "ends_at")


def write_alike(sheets: Iterable[Sheet], *fields: str) -> None:
    """Write fields of sheets, in one statement for all that hold the same values: most of a centre do."""
    alike: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for sheet in sheets:
        alike[tuple(getattr(sheet, field) for field in fields)].append(sheet.pk)
    for values, ids in alike.items():
        Sheet.objects.filter(pk__in=ids).update(**dict(zip(fields, values, strict=True)))


def _pass(
    centre_sitting: CentreSitting,
    state: CentreSittingState,
    *,
    actor: User,
    now: datetime,
    verb: str,
    reason: str = "",
) -> None:
    centre_sitting.state = state
    centre_sitting.save(update_fields=["state", "closed_at"])
    touch(centre_sitting.pk)
    target = f"centre_sitting:{centre_sitting.pk}"
    log_deed(actor=actor, verb=f"{verb}_centre_sitting", target=target, reason=reason, now=now)


def _require(reason: str) -> None:
    if not reason.strip():
        raise ReasonMissing
