"""What the staff does to one sheet: admit, declare absent, release to another tablet."""

from datetime import datetime

from django.db import transaction
from django.db.models import F

from ecni.accounts.actions import log_deed
from ecni.accounts.models import User
from exams.actions.centre_sitting import start_sheets, touch
from exams.actions.journal import own_centre_sitting
from exams.enums import CentreSittingState, SheetState
from exams.models import Sheet
from exams.rules.states import LIVE_STATES, WAITING_STATES, Already, ReasonMissing, WrongState

ADMITTING_STATES = frozenset({CentreSittingState.LOBBY, CentreSittingState.OPEN})


@transaction.atomic
def admit_sheet(*, sheet_id: int, actor: User, now: datetime) -> None:
    """Let the holder of a sheet in, identity checked.

    In an open sitting, a latecomer composes at once, until the common end.

    Raises:
        Already: admitted before.
        WrongState: the doors are not open, or the sheet cannot be admitted any more.
    """
    sheet = _own_sheet(sheet_id)
    if sheet.state in WAITING_STATES | LIVE_STATES:
        raise Already
    if sheet.state not in {SheetState.EXPECTED, SheetState.ABSENT}:
        msg = "Cette copie ne peut plus être admise."
        raise WrongState(msg)
    if sheet.centre_sitting.state not in ADMITTING_STATES:
        msg = "L’accueil n’est pas ouvert dans ce centre."
        raise WrongState(msg)
    sheet.admitted_at = now
    sheet.state = SheetState.READY if sheet.ready_at else SheetState.ADMITTED
    sheet.save(update_fields=["state", "admitted_at"])
    if sheet.centre_sitting.state == CentreSittingState.OPEN:
        start_sheets([sheet], now=now)
    _finish(sheet, actor=actor, verb="admit_sheet", now=now)


@transaction.atomic
def mark_absent(*, sheet_id: int, actor: User, now: datetime, reason: str) -> None:
    """Declare that nobody came for this sheet; admitting it later is still possible.

    Raises:
        Already: declared before.
        WrongState: somebody holds the sheet.
    """
    sheet = _own_sheet(sheet_id)
    if sheet.state == SheetState.ABSENT:
        raise Already
    if sheet.state != SheetState.EXPECTED:
        msg = "Cette copie a déjà été admise."
        raise WrongState(msg)
    sheet.state = SheetState.ABSENT
    sheet.save(update_fields=["state"])
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


def _own_sheet(sheet_id: int) -> Sheet:
    centre_sitting_id = Sheet.objects.values_list("centre_sitting_id", flat=True).get(pk=sheet_id)
    own_centre_sitting(centre_sitting_id)
    return Sheet.objects.select_for_update(of=("self",), no_key=True).select_related("centre_sitting").get(pk=sheet_id)


def _finish(sheet: Sheet, *, actor: User, verb: str, now: datetime, reason: str = "") -> None:
    touch(sheet.centre_sitting_id)
    log_deed(actor=actor, verb=verb, target=f"sheet:{sheet.pk}", reason=reason, now=now)
