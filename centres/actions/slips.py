"""Slips: issued with the seats, used once by one device, replaced by the staff."""

from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Coalesce

from centres.models import Seat, Slip
from centres.queries.slips import Entry, EntryRefused
from centres.rules.codes import code_digest, slip_code
from ecni.accounts.models import User
from exams.actions.sheet import release_sheet
from exams.tickets import Ticket


class OtherDevice(EntryRefused):
    """The slip already opened the sheet on another tablet."""

    code = "other-device"
    text = "Ce coupon a déjà servi sur une autre tablette. Appelez un surveillant : il vous en remettra un nouveau."


def issue_first_slips(seats: Iterable[Seat], *, now: datetime) -> None:
    """Issue the first slip of each seat."""
    Slip.objects.bulk_create([_slip(seat.pk, 1, now) for seat in seats], batch_size=1000)


def use_slip(*, entry: Entry, device: str, now: datetime) -> Ticket:
    """Bind the slip to a device, the first time, and return the ticket of its sheet. One statement decides.

    Args:
        entry: the slip, as `open_entry` returned it.
        device: the random identity that the tablet keeps in a cookie.
        now: when.

    Raises:
        OtherDevice: another device used it first, or the slip was replaced meanwhile.
    """
    digest = sha256(device.encode()).hexdigest()
    bound = Slip.objects.filter(pk=entry.slip_id, replaced_at__isnull=True, device__in=["", digest]).update(
        used_at=Coalesce("used_at", now), device=digest
    )
    if not bound:
        raise OtherDevice
    return entry.ticket


@transaction.atomic
def reissue_slip(*, seat_id: int, reason: str, actor: User, now: datetime) -> str:
    """Kill the seat's slip, take the sheet from its tablet, and return the code of a new slip.

    Raises:
        exams.rules.states.ReasonMissing: no reason given.
        exams.rules.states.WrongState: the sheet is finished.
    """
    seat = Seat.objects.select_for_update(of=("self",), no_key=True).get(pk=seat_id)
    release_sheet(sheet_id=seat.sheet_id, actor=actor, now=now, reason=reason)
    alive = seat.slips.get(replaced_at__isnull=True)
    Slip.objects.filter(pk=alive.pk).update(replaced_at=now)
    _slip(seat_id, alive.serial + 1, now).save(force_insert=True)
    return slip_code(settings.SLIP_SECRET, seat_id, alive.serial + 1)


def _slip(seat_id: int, serial: int, now: datetime) -> Slip:
    code = slip_code(settings.SLIP_SECRET, seat_id, serial)
    return Slip(seat_id=seat_id, serial=serial, code_hmac=code_digest(settings.SLIP_SECRET, code), issued_at=now)
