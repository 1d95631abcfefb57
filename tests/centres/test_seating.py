"""Seating: the pure rule by its laws, the action on a real PostgreSQL, two people at once."""

from threading import Barrier, Thread

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from centres.actions.seating import CapacityLacking, NobodyToSeat, seat_candidates
from centres.models import Hosting, Seat, Slip
from centres.rules.seating import NotEnoughSeats, Person, RoomShape, extra_seconds, place
from ecni.accounts.models import Deed
from exams.models import CentreSitting, Sheet
from exams.rules.states import Already
from tests.factories.centres import NOW, make_candidates, make_centre, make_sitting, make_staff

people = st.lists(st.booleans(), max_size=40).map(
    lambda extra: [Person(index, f"{index:04}", has_extra_time=slow) for index, slow in enumerate(extra)]
)
rooms = st.lists(st.tuples(st.integers(1, 15), st.booleans()), max_size=6).map(
    lambda shapes: [RoomShape(index, capacity, slow) for index, (capacity, slow) in enumerate(shapes)]
)


@given(people, rooms, st.randoms())
def test_place_gives_everybody_one_seat_of_a_room_whatever_the_order_of_people(people, rooms, random):
    capacity = sum(room.capacity for room in rooms)
    if len(people) > capacity:
        with pytest.raises(NotEnoughSeats) as refusal:
            place(people, rooms)
        assert refusal.value.missing == len(people) - capacity
        return
    placements = place(people, rooms)
    shuffled = random.sample(people, len(people))
    assert place(shuffled, rooms) == placements
    assert sorted(item.candidate_id for item in placements) == [person.candidate_id for person in people]
    seats = [(item.room_id, item.seat_number) for item in placements]
    assert len(set(seats)) == len(seats)
    assert all(1 <= number <= rooms[room].capacity for room, number in seats)


@given(people, rooms)
def test_place_fills_reserved_rooms_with_extra_time_first(people, rooms):
    try:
        placements = place(people, rooms)
    except NotEnoughSeats:
        return
    reserved = {room.room_id for room in rooms if room.is_for_extra_time}
    seats = sum(room.capacity for room in rooms if room.is_for_extra_time)
    slow = {person.candidate_id for person in people if person.has_extra_time}
    inside = {item.candidate_id for item in placements if item.room_id in reserved}
    assert len(inside & slow) == min(len(slow), seats)


@pytest.mark.parametrize(("percent", "seconds"), [(0, 0), (33, 3564), (34, 3672), (100, 10_800), (1, 108)])
def test_extra_seconds_are_a_share_of_the_sitting(percent, seconds):
    assert extra_seconds(10_800, percent) == seconds


def test_extra_seconds_round_in_the_candidates_favour():
    assert extra_seconds(100, 33) == 33
    assert extra_seconds(101, 33) == 34


@pytest.mark.django_db
def test_seat_candidates_prepares_every_centre_with_its_sheets_and_slips():
    sitting, agency = make_sitting(), make_staff()
    rennes, lille = make_centre("rennes", 2, 2, extra_time=1), make_centre("lille", 5)
    make_candidates(sitting.exam, rennes, 4, extra={2})
    make_candidates(sitting.exam, lille, 3)
    assert len(seat_candidates(sitting_id=sitting.pk, actor=agency, now=NOW)) == 2
    assert Seat.objects.count() == Sheet.objects.count() == Slip.objects.count() == 7
    slow = Seat.objects.get(candidate__official_number="RENNES0002")
    assert slow.room.name == "Salle T"
    assert slow.sheet.extra_seconds == 3564
    assert all(seat.sheet.number == seat.candidate.number for seat in Seat.objects.select_related("sheet", "candidate"))
    assert Deed.objects.get().data == {"centres": 2, "candidates": 7}


@pytest.mark.django_db
def test_seat_candidates_refuses_all_when_one_centre_lacks_seats():
    sitting, agency = make_sitting(), make_staff()
    make_candidates(sitting.exam, make_centre("rennes", 2), 4)
    make_candidates(sitting.exam, make_centre("lille", 5), 3)
    with pytest.raises(CapacityLacking, match=r"Rennes : il manque 2 place\(s\)"):
        seat_candidates(sitting_id=sitting.pk, actor=agency, now=NOW)
    assert not Hosting.objects.exists()
    assert not CentreSitting.objects.exists()


@pytest.mark.django_db
def test_seat_candidates_refuses_an_exam_without_candidates():
    with pytest.raises(NobodyToSeat):
        seat_candidates(sitting_id=make_sitting().pk, actor=make_staff(), now=NOW)


@pytest.mark.django_db
def test_seat_candidates_keeps_the_number_across_sittings():
    agency, centre = make_staff(), make_centre()
    first, second = make_sitting(number=1), make_sitting(number=2)
    make_candidates(first.exam, centre, 3)
    for sitting in (first, second):
        seat_candidates(sitting_id=sitting.pk, actor=agency, now=NOW)
    numbers = [
        set(Sheet.objects.filter(sitting=sitting).values_list("number", flat=True)) for sitting in (first, second)
    ]
    assert numbers[0] == numbers[1]


@pytest.mark.django_db
def test_seat_candidates_costs_the_same_statements_whatever_the_candidates(django_assert_num_queries):
    agency, sitting = make_staff(), make_sitting()
    other = make_sitting(number=2)
    centre = make_centre("rennes", 40)
    make_candidates(sitting.exam, centre, 1)
    with connection.execute_wrapper(counter := Counter()):
        seat_candidates(sitting_id=sitting.pk, actor=agency, now=NOW)
    make_candidates(sitting.exam, centre, 30, start=2)
    with django_assert_num_queries(counter.count):
        seat_candidates(sitting_id=other.pk, actor=agency, now=NOW)


class Counter:
    count = 0

    def __call__(self, execute, sql, params, many, context):
        self.count += 1
        return execute(sql, params, many, context)


@pytest.mark.django_db(transaction=True)
def test_seat_candidates_by_two_people_at_once_seats_once():
    sitting, agency = make_sitting(), make_staff()
    make_candidates(sitting.exam, make_centre(), 5)
    outcomes, barrier = [], Barrier(2)

    def attempt():
        barrier.wait()
        try:
            outcomes.append(len(seat_candidates(sitting_id=sitting.pk, actor=agency, now=NOW)))
        except Already:
            outcomes.append("already")
        finally:
            connection.close()

    threads = [Thread(target=attempt) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, outcomes)) == ["1", "already"]
    assert Seat.objects.count() == 5
