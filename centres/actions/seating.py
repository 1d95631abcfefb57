"""Seating: from registered candidates to sheets, seats and slips."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import transaction

from centres.actions.slips import issue_first_slips
from centres.models import Candidate, Centre, Hosting, Room, Seat
from centres.rules.seating import NotEnoughSeats, Person, RoomShape, extra_seconds, place
from ecni.accounts.actions import log_deed
from ecni.accounts.models import User
from exams.actions.centre_sitting import create_centre_sitting
from exams.models import Sitting
from exams.queries.sheets import room_sheets
from exams.rules.states import Already, Refused, SheetPlace


class NobodyToSeat(Refused):
    """The exam has no candidate."""

    code = "nobody"
    text = "Aucun candidat n’est inscrit à cet examen."


class CapacityLacking(Refused):
    """At least one centre has more candidates than seats; the text names each."""

    code = "capacity"


@transaction.atomic
def seat_candidates(*, sitting_id: int, actor: User, now: datetime) -> list[Hosting]:
    """Seat every candidate of the sitting's exam, in every centre not yet prepared, and issue their slips.

    All or nothing: when one centre lacks seats, no centre is prepared.

    Raises:
        NobodyToSeat: no candidate is registered.
        CapacityLacking: some centres lack seats.
        Already: every centre that has candidates is prepared.
    """
    sitting = Sitting.objects.select_for_update(of=("self",), no_key=True).get(pk=sitting_id)
    groups = _candidates_by_centre(sitting.exam_id)
    if not groups:
        raise NobodyToSeat
    prepared = set(Hosting.objects.filter(sitting_id=sitting_id).values_list("centre_id", flat=True))
    waiting = {centre_id: people for centre_id, people in groups.items() if centre_id not in prepared}
    if not waiting:
        raise Already
    rooms = _rooms_by_centre(waiting)
    _check_capacity(waiting, rooms)
    hostings = [
        _seat_centre(sitting, centre_id, people, rooms[centre_id], now=now) for centre_id, people in waiting.items()
    ]
    log_deed(
        actor=actor,
        verb="seat_candidates",
        target=f"sitting:{sitting_id}",
        now=now,
        data={"centres": len(waiting), "candidates": sum(map(len, waiting.values()))},
    )
    return hostings


def _candidates_by_centre(exam_id: int) -> dict[int, list[Candidate]]:
    groups: dict[int, list[Candidate]] = defaultdict(list)
    candidates = Candidate.objects.filter(exam_id=exam_id).select_related("accommodation")
    for candidate in candidates.order_by("centre__code", "official_number"):
        groups[candidate.centre_id].append(candidate)
    return groups


def _rooms_by_centre(centre_ids: Iterable[int]) -> dict[int, list[RoomShape]]:
    rooms: dict[int, list[RoomShape]] = defaultdict(list)
    for room in Room.objects.filter(centre_id__in=list(centre_ids)).order_by("name", "pk"):
        rooms[room.centre_id].append(RoomShape(room.pk, room.capacity, room.is_for_extra_time))
    return rooms


def _check_capacity(groups: dict[int, list[Candidate]], rooms: dict[int, list[RoomShape]]) -> None:
    missing = {}
    for centre_id, people in groups.items():
        try:
            place(_persons(people), rooms[centre_id])
        except NotEnoughSeats as error:
            missing[centre_id] = error.missing
    if missing:
        names = Centre.objects.in_bulk(list(missing))
        raise CapacityLacking(
            " ".join(f"{names[centre_id].name} : il manque {seats} place(s)." for centre_id, seats in missing.items())
        )


def _seat_centre(
    sitting: Sitting, centre_id: int, people: Sequence[Candidate], rooms: Sequence[RoomShape], *, now: datetime
) -> Hosting:
    places = [SheetPlace(candidate.number, _personal_seconds(candidate, sitting)) for candidate in people]
    networks = Centre.objects.values_list("networks", flat=True).get(pk=centre_id)
    centre_sitting = create_centre_sitting(sitting_id=sitting.pk, places=places, networks=networks.split())
    hosting = Hosting.objects.create(centre_id=centre_id, sitting=sitting, centre_sitting=centre_sitting)
    sheets = {sheet.number: sheet.sheet_id for sheet in room_sheets(centre_sitting.pk)}
    numbers = {candidate.pk: candidate.number for candidate in people}
    seats = Seat.objects.bulk_create(
        Seat(
            hosting=hosting,
            room_id=placement.room_id,
            seat_number=placement.seat_number,
            candidate_id=placement.candidate_id,
            sheet_id=sheets[numbers[placement.candidate_id]],
        )
        for placement in place(_persons(people), rooms)
    )
    issue_first_slips(seats, now=now)
    return hosting


def _persons(candidates: Iterable[Candidate]) -> list[Person]:
    return [
        Person(candidate.pk, candidate.official_number, has_extra_time=_percent(candidate) > 0)
        for candidate in candidates
    ]


def _percent(candidate: Candidate) -> int:
    accommodation = getattr(candidate, "accommodation", None)
    return accommodation.extra_percent if accommodation else 0


def _personal_seconds(candidate: Candidate, sitting: Sitting) -> int:
    return extra_seconds(sitting.duration_seconds, _percent(candidate))
