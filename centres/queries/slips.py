"""Reads of slips: by the code a candidate types, and all those of a centre to print."""

import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection

from centres.models import Candidate, Slip
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


# What an entry needs, in two statements: one join of eight tables took PostgreSQL 30 ms to plan. In SQL, for each cost
# Django more to write again than all the rest of the page, and thousands come at once.
_SLIP = """
SELECT slip.id, slip.replaced_at, seat.hosting_id, seat.seat_number, room.name, candidate.last_name,
  candidate.first_name, candidate.born_on, sheet.id, sheet.state, sheet.epoch, sheet.centre_sitting_id,
  sheet.sitting_id, sheet.number
FROM centres_slip slip
JOIN centres_seat seat ON seat.id = slip.seat_id
JOIN centres_room room ON room.id = seat.room_id
JOIN centres_candidate candidate ON candidate.id = seat.candidate_id
JOIN exams_sheet sheet ON sheet.id = seat.sheet_id
WHERE slip.code_hmac = %s
"""
_PLACE = """
SELECT centre.name, centre_sitting.state, centre_sitting.networks, sitting.title, sitting.starts_at, exam.seb_config_key
FROM centres_hosting hosting
JOIN centres_centre centre ON centre.id = hosting.centre_id
JOIN exams_centresitting centre_sitting ON centre_sitting.id = hosting.centre_sitting_id
JOIN exams_sitting sitting ON sitting.id = hosting.sitting_id
JOIN exams_exam exam ON exam.id = sitting.exam_id
WHERE hosting.id = %s
"""
_WAITING_SHEET = """
SELECT sheet.centre_sitting_id, sheet.state
FROM centres_slip slip
JOIN centres_seat seat ON seat.id = slip.seat_id
JOIN exams_sheet sheet ON sheet.id = seat.sheet_id
WHERE slip.code_hmac = %s AND slip.replaced_at IS NULL
"""


class _Slip(NamedTuple):
    """One row of `_SLIP`."""

    slip_id: int
    replaced_at: datetime | None
    hosting_id: int
    seat_number: int
    room: str
    last_name: str
    first_name: str
    born_on: date
    sheet_id: int
    state: str
    epoch: int
    centre_sitting_id: int
    sitting_id: int
    number: str


class _Place(NamedTuple):
    """One row of `_PLACE`; `networks` is JSON."""

    centre: str
    state: str
    networks: str
    sitting: str
    starts_at: datetime
    seb_config_key: str


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
    rows = _rows(_SLIP, code_digest(settings.SLIP_SECRET, code)) if code else []
    if not rows:
        raise UnknownCode
    slip = _Slip(*rows[0])
    if slip.replaced_at is not None:
        raise SlipReplaced
    place = _Place(*_rows(_PLACE, slip.hosting_id)[0])
    if place.state not in ENTRANCE_STATES:
        raise DoorsClosed
    if slip.state in {SheetState.EXCLUDED, SheetState.WITHDRAWN, SheetState.CLOSED}:
        raise SheetEnded
    return _entry(slip, place)


def waiting_sheet(typed: str) -> tuple[int, SheetState | None]:
    """Return the centre sitting of the slip that has this code and the state of its sheet; 0 and None for none."""
    code = normalise_code(typed)
    if code is None:
        return 0, None
    rows = _rows(_WAITING_SHEET, code_digest(settings.SLIP_SECRET, code))
    return (rows[0][0], SheetState(rows[0][1])) if rows else (0, None)


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


def _rows(statement: str, value: bytes | int) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, [value])
        return list(cursor.fetchall())


def _entry(slip: _Slip, place: _Place) -> Entry:
    return Entry(
        slip_id=slip.slip_id,
        last_name=slip.last_name,
        first_name=slip.first_name,
        born_on=slip.born_on,
        centre=place.centre,
        room=slip.room,
        seat_number=slip.seat_number,
        sitting=place.sitting,
        starts_at=place.starts_at,
        networks=parse_networks(json.loads(place.networks)),
        seb_config_key=place.seb_config_key,
        ticket=Ticket(
            sheet_id=slip.sheet_id,
            epoch=slip.epoch,
            centre_sitting_id=slip.centre_sitting_id,
            sitting_id=slip.sitting_id,
            number=slip.number,
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
