"""Reads of slips: by the code a candidate types, and all those of a centre to print."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.conf import settings

from centres.models import Candidate, Hosting, Slip
from centres.rules.codes import code_digest, normalise_code, results_code, slip_code
from exams.enums import CentreSittingState, SheetState
from exams.rules.networks import Network, parse_networks
from exams.rules.states import Refused
from exams.tickets import Ticket

ENTRANCE_STATES = frozenset({CentreSittingState.LOBBY, CentreSittingState.OPEN, CentreSittingState.PAUSED})


class EntryRefused(Refused):
    """Why a candidate may not enter; the text is for the candidate."""

    code = "entry"


class UnknownCode(EntryRefused):
    """No slip has this code."""

    code = "unknown-code"
    text = (
        "Ce code n’est pas reconnu. Vérifiez chaque caractère ; s’il est bien celui du coupon, appelez un surveillant."
    )


class SlipReplaced(EntryRefused):
    """The staff gave another slip for this seat."""

    code = "slip-replaced"
    text = "Ce coupon a été remplacé : utilisez le dernier qui vous a été remis, ou appelez un surveillant."


class DoorsClosed(EntryRefused):
    """The centre does not welcome candidates now."""

    code = "doors-closed"
    text = "L’accueil n’est pas ouvert dans votre centre. Attendez l’annonce, puis réessayez."


class SheetEnded(EntryRefused):
    """The sheet is over: excluded, withdrawn or closed."""

    code = "sheet-ended"
    text = "Cette copie est terminée. Appelez un surveillant."


# What an entry needs, in two statements of columns: one join of eight tables took PostgreSQL 30 ms to plan, and to make
# eight objects of it cost the server more than all the rest of the page.
_SLIP_FIELDS = (
    "pk",
    "replaced_at",
    "seat__hosting_id",
    "seat__seat_number",
    "seat__room__name",
    "seat__candidate__last_name",
    "seat__candidate__first_name",
    "seat__candidate__born_on",
    "seat__sheet_id",
    "seat__sheet__state",
    "seat__sheet__epoch",
    "seat__sheet__centre_sitting_id",
    "seat__sheet__sitting_id",
    "seat__sheet__number",
)
_HOSTING_FIELDS = (
    "centre__name",
    "centre_sitting__state",
    "centre_sitting__networks",
    "sitting__title",
    "sitting__starts_at",
    "sitting__exam__seb_config_key",
)


@dataclass(frozen=True, slots=True)
class Entry:
    """What the identity check shows, and the ticket that "Oui" gives.

    `networks` and `seb_config_key` are what the tablet must prove before; empty for nothing.
    """

    slip_id: int
    last_name: str
    first_name: str
    born_on: date
    centre: str
    room: str
    seat_number: int
    sitting: str
    starts_at: datetime
    networks: tuple[Network, ...]
    seb_config_key: str
    ticket: Ticket


@dataclass(frozen=True, slots=True)
class PrintedSlip:
    """One slip as it is printed. `results_code` is on the part that the candidate keeps."""

    seat_id: int
    sheet_id: int
    room: str
    seat_number: int
    number: str
    code: str
    results_code: str


def open_entry(typed: str) -> Entry:
    """Return the entry that a typed or scanned code opens; nothing is written.

    Raises:
        UnknownCode, SlipReplaced, DoorsClosed, SheetEnded: why not.
    """
    code = normalise_code(typed)
    slip = _slip_by_code(code) if code else None
    if slip is None:
        raise UnknownCode
    if slip.replaced_at is not None:
        raise SlipReplaced
    hosting = Hosting.objects.values_list(*_HOSTING_FIELDS, named=True).get(pk=slip.seat__hosting_id)
    if hosting.centre_sitting__state not in ENTRANCE_STATES:
        raise DoorsClosed
    if slip.seat__sheet__state in {SheetState.EXCLUDED, SheetState.WITHDRAWN, SheetState.CLOSED}:
        raise SheetEnded
    return _entry(slip, hosting)


def waiting_sheet(typed: str) -> tuple[int, SheetState | None]:
    """Return the centre sitting of the slip that has this code and the state of its sheet; 0 and None for none."""
    code = normalise_code(typed)
    if code is None:
        return 0, None
    slips = Slip.objects.filter(code_hmac=code_digest(settings.SLIP_SECRET, code), replaced_at__isnull=True)
    row = slips.values_list("seat__sheet__centre_sitting_id", "seat__sheet__state").first()
    return (0, None) if row is None else (row[0], SheetState(row[1]))


def printed_slips(hosting_id: int) -> list[PrintedSlip]:
    """Return the living slips of a hosting, by room and seat, with their codes derived again."""
    slips = (
        Slip.objects.filter(seat__hosting_id=hosting_id, replaced_at__isnull=True)
        .select_related("seat__room", "seat__sheet")
        .order_by("seat__room__name", "seat__seat_number")
    )
    return [_printed(slip) for slip in slips]


def printed_slip(seat_id: int) -> PrintedSlip:
    """Return the living slip of one seat."""
    return _printed(Slip.objects.select_related("seat__room", "seat__sheet").get(seat_id=seat_id, replaced_at=None))


def candidate_id_by_results_code(typed: str) -> int | None:
    """Return the candidate whose results code this is, or None; rate limits are the caller's."""
    code = normalise_code(typed)
    if code is None:
        return None
    digest = code_digest(settings.SLIP_SECRET, code)
    return Candidate.objects.filter(results_hmac=digest).values_list("pk", flat=True).first()


def _slip_by_code(code: str) -> Any:
    slips = Slip.objects.filter(code_hmac=code_digest(settings.SLIP_SECRET, code))
    return slips.values_list(*_SLIP_FIELDS, named=True).first()


def _entry(slip: Any, hosting: Any) -> Entry:
    return Entry(
        slip_id=slip.pk,
        last_name=slip.seat__candidate__last_name,
        first_name=slip.seat__candidate__first_name,
        born_on=slip.seat__candidate__born_on,
        centre=hosting.centre__name,
        room=slip.seat__room__name,
        seat_number=slip.seat__seat_number,
        sitting=hosting.sitting__title,
        starts_at=hosting.sitting__starts_at,
        networks=parse_networks(hosting.centre_sitting__networks),
        seb_config_key=hosting.sitting__exam__seb_config_key,
        ticket=Ticket(
            sheet_id=slip.seat__sheet_id,
            epoch=slip.seat__sheet__epoch,
            centre_sitting_id=slip.seat__sheet__centre_sitting_id,
            sitting_id=slip.seat__sheet__sitting_id,
            number=slip.seat__sheet__number,
        ),
    )


def _printed(slip: Slip) -> PrintedSlip:
    seat = slip.seat
    return PrintedSlip(
        seat_id=seat.pk,
        sheet_id=seat.sheet_id,
        room=seat.room.name,
        seat_number=seat.seat_number,
        number=seat.sheet.number,
        code=slip_code(settings.SLIP_SECRET, seat.pk, slip.serial),
        results_code=results_code(settings.SLIP_SECRET, seat.candidate_id),
    )
