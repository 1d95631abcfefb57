"""What the staff does to one sheet: admit, declare absent, release to another tablet."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import F

from ecni.accounts.actions import log_deed, log_deeds
from ecni.accounts.models import User
from exams.actions.centre_sitting import start_sheets, touch, write_alike
from exams.actions.journal import own_centre_sitting
from exams.enums import CentreSittingState, SheetState
from exams.models import JournalEntry, Sheet
from exams.rules.states import LIVE_STATES, WAITING_STATES, Already, ReasonMissing, Refused, WrongState

ADMITTING_STATES = frozenset({CentreSittingState.LOBBY, CentreSittingState.OPEN})
_NOT_FINISHED = WAITING_STATES | LIVE_STATES


@transaction.atomic
def admit_sheet(*, sheet_id: int, actor: User, now: datetime) -> None:
    """Let the holder of a sheet in, identity checked.

    In an open sitting, a latecomer composes at once, until the common end.

    Raises:
        Already: admitted before.
        WrongState: the doors are not open, or the sheet cannot be admitted any more.
    """
    centre_sitting_id = Sheet.objects.values_list("centre_sitting_id", flat=True).get(pk=sheet_id)
    refusals = admit_sheets(centre_sitting_id=centre_sitting_id, sheet_ids=[sheet_id], actor=actor, now=now)
    if refusals:
        raise refusals[sheet_id]


@transaction.atomic
def admit_sheets(*, centre_sitting_id: int, sheet_ids: Sequence[int], actor: User, now: datetime) -> dict[int, Refused]:
    """Let in the holders of several sheets of one centre sitting, as `admit_sheet`, in so many statements for them all.

    Returns:
        Why not, by sheet, for each that is not let in: `Already` or `WrongState`.
    """
    own_centre_sitting(centre_sitting_id)
    held = Sheet.objects.select_for_update(of=("self",), no_key=True).filter(centre_sitting_id=centre_sitting_id)
    sheets = list(held.select_related("centre_sitting").filter(pk__in=sheet_ids).order_by("pk"))
    refusals = {sheet.pk: refusal for sheet in sheets if (refusal := _objection_to_admit(sheet)) is not None}
    admitted = [sheet for sheet in sheets if sheet.pk not in refusals]
    if not admitted:
        return refusals
    for sheet in admitted:
        sheet.admitted_at = now
        sheet.state = SheetState.READY if sheet.ready_at else SheetState.ADMITTED
    write_alike(admitted, "state", "admitted_at")
    if admitted[0].centre_sitting.state == CentreSittingState.OPEN:
        start_sheets(admitted, now=now)
    touch(centre_sitting_id)
    log_deeds(actor=actor, verb="admit_sheet", targets=[f"sheet:{sheet.pk}" for sheet in admitted], now=now)
    return refusals


@transaction.atomic
def mark_absent(*, sheet_id: int, actor: User, now: datetime, reason: str) -> None:
    """Declare that nobody came for this sheet; admitting it later is still possible.

    One that was admitted by mistake, even one whose time runs, is declared too unless a tablet told that it has the
    paper, or an act came. That no slip was used is for the caller to know.

    Raises:
        Already: declared before.
        WrongState: somebody holds the sheet, or did.
    """
    sheet = _own_sheet(sheet_id)
    if sheet.state == SheetState.ABSENT:
        raise Already
    if sheet.state != SheetState.EXPECTED and (sheet.state not in _NOT_FINISHED or _was_held(sheet)):
        msg = "Une tablette tient ou a tenu cette copie, ou bien elle est finie."
        raise WrongState(msg)
    sheet.state, sheet.ends_at = SheetState.ABSENT, None
    sheet.save(update_fields=["state", "ends_at"])
    _finish(sheet, actor=actor, verb="mark_absent", now=now, reason=reason)


@transaction.atomic
def release_sheet(*, sheet_id: int, actor: User, now: datetime, reason: str) -> int:
    """Take the sheet away from its tablet and return the new epoch, with which another tablet may hold it.

    Raises:
        ReasonMissing: no reason given.
        WrongState: the sheet is finished.
    """
    if not reason.strip():
        raise ReasonMissing
    sheet = _own_sheet(sheet_id)
    if sheet.state not in {SheetState.EXPECTED, *WAITING_STATES, *LIVE_STATES}:
        msg = "Cette copie n’est plus en cours."
        raise WrongState(msg)
    Sheet.objects.filter(pk=sheet_id).update(epoch=F("epoch") + 1, ready_at=None)
    if sheet.state == SheetState.READY:
        Sheet.objects.filter(pk=sheet_id).update(state=SheetState.ADMITTED)
    _finish(sheet, actor=actor, verb="release_sheet", now=now, reason=reason)
    return sheet.epoch + 1


def _objection_to_admit(sheet: Sheet) -> Refused | None:
    if sheet.state in WAITING_STATES | LIVE_STATES:
        return Already()
    if sheet.state not in {SheetState.EXPECTED, SheetState.ABSENT}:
        return WrongState("Cette copie ne peut plus être admise.")
    if sheet.centre_sitting.state not in ADMITTING_STATES:
        return WrongState("L’accueil n’est pas ouvert dans ce centre.")
    return None


def _was_held(sheet: Sheet) -> bool:
    acts = JournalEntry.objects.filter(sitting_id=sheet.sitting_id, sheet_id=sheet.pk)
    return sheet.ready_at is not None or sheet.epoch > 1 or acts.exists()


def _own_sheet(sheet_id: int) -> Sheet:
    centre_sitting_id = Sheet.objects.values_list("centre_sitting_id", flat=True).get(pk=sheet_id)
    own_centre_sitting(centre_sitting_id)
    return Sheet.objects.select_for_update(of=("self",), no_key=True).select_related("centre_sitting").get(pk=sheet_id)


def _finish(sheet: Sheet, *, actor: User, verb: str, now: datetime, reason: str = "") -> None:
    touch(sheet.centre_sitting_id)
    log_deed(actor=actor, verb=verb, target=f"sheet:{sheet.pk}", reason=reason, now=now)
