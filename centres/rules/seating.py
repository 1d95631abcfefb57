"""Who sits where: the same people and rooms always give the same seats."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Person:
    """A candidate to seat, in the order of `rank` (the official number)."""

    candidate_id: int
    rank: str
    has_extra_time: bool


@dataclass(frozen=True, slots=True)
class RoomShape:
    """A room and its seats, numbered from 1 to `capacity`."""

    room_id: int
    capacity: int
    is_for_extra_time: bool


@dataclass(frozen=True, slots=True)
class Placement:
    """One candidate at one seat."""

    candidate_id: int
    room_id: int
    seat_number: int


class NotEnoughSeats(Exception):
    """More candidates than seats; `missing` is how many seats lack."""

    def __init__(self, missing: int) -> None:
        super().__init__(missing)
        self.missing = missing


def place(people: Iterable[Person], rooms: Sequence[RoomShape]) -> list[Placement]:
    """Seat everybody, rooms in the order given.

    Candidates with extra time fill the rooms reserved for them, then follow the others; others fill the ordinary rooms,
    then what is left of the reserved ones.

    Raises:
        NotEnoughSeats: the rooms hold fewer seats than there are people.
    """
    ordered = sorted(people, key=lambda person: (person.rank, person.candidate_id))
    missing = len(ordered) - sum(room.capacity for room in rooms)
    if missing > 0:
        raise NotEnoughSeats(missing)
    reserved = list(_seats(room for room in rooms if room.is_for_extra_time))
    ordinary = list(_seats(room for room in rooms if not room.is_for_extra_time))
    slower = [person for person in ordered if person.has_extra_time]
    settled, waiting = slower[: len(reserved)], slower[len(reserved) :]
    others = sorted(
        [person for person in ordered if not person.has_extra_time] + waiting,
        key=lambda person: (person.rank, person.candidate_id),
    )
    pairs = [
        *zip(settled, reserved, strict=False),
        *zip(others, ordinary + reserved[len(settled) :], strict=False),
    ]
    return [Placement(person.candidate_id, room_id, number) for person, (room_id, number) in pairs]


def extra_seconds(duration_seconds: int, extra_percent: int) -> int:
    """Return the personal extra time of one sitting, in whole seconds, rounded up in the candidate's favour."""
    return -(-duration_seconds * extra_percent // 100)


def missing_seconds(expected: int, extra: int, granted: int) -> int:
    """Return the seconds of extra time that a sheet lacks, of those expected."""
    return max(0, expected - extra - granted)


def _seats(rooms: Iterable[RoomShape]) -> Iterator[tuple[int, int]]:
    for room in rooms:
        for number in range(1, room.capacity + 1):
            yield room.room_id, number
