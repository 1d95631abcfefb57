import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecni.supervisor import nginx
from exams.rules.admission import (
    LATEST_MS,
    PATIENCE_SECONDS,
    SOCKET_KNOCK_MS_PER_PLACE,
    SOONEST_MS,
    SPARE_DESCRIPTORS,
    Line,
    Places,
    Standing,
    may_pass,
    places,
    retry_ms,
)
from exams.rules.bucket import TokenBucket


@pytest.mark.parametrize(
    ("standing", "inside", "ahead", "expected"),
    [
        (Standing.NEW, 2, 0, True),
        (Standing.NEW, 3, 0, False),
        (Standing.NEW, 2, 1, False),
        (Standing.NEW, 0, 2, True),
        (Standing.RETURNING, 3, 9, True),
        (Standing.RETURNING, 4, 0, True),
        (Standing.RETURNING, 5, 0, False),
        (Standing.HOLDING, 99, 9, True),
    ],
)
def test_who_returns_passes_before_a_newcomer_up_to_the_reserve(standing, inside, ahead, expected):
    assert may_pass(standing, inside=inside, budget=3, reserve=2, ahead=ahead) is expected


@given(st.integers(0, 50), st.integers(1, 50), st.integers(0, 20))
def test_a_lowered_budget_turns_away_nobody_who_holds_a_socket(inside, budget, reserve):
    assert may_pass(Standing.HOLDING, inside=inside, budget=budget, reserve=reserve, ahead=0)


@pytest.mark.parametrize(
    ("descriptors", "expected"),
    [
        (65_536, Places(10_000, 2_500)),
        (12_756, Places(10_000, 2_500)),
        (12_000, Places(9_396, 2_348, lacks_descriptors=True)),
        (8_000, Places(6_196, 1_548, lacks_descriptors=True)),
        (1_024, Places(615, 153, lacks_descriptors=True)),
        (256, Places(103, 25, lacks_descriptors=True)),
    ],
)
def test_descriptors_leave_fewer_places_than_the_staff_allows(descriptors, expected):
    assert places(budget=10_000, reserve=2_500, descriptors=descriptors) == expected


@given(st.integers(1, 1_000_000), st.integers(1, 1_000_000), st.integers(16, 1_000_000))
def test_places_never_take_the_last_descriptors_and_keep_some_for_those_who_return(budget, reserve, descriptors):
    found = places(budget=budget, reserve=reserve, descriptors=descriptors)
    assert found.budget + found.reserve <= descriptors - min(SPARE_DESCRIPTORS, descriptors // 2)
    assert (found.budget <= budget, found.reserve <= reserve) == (True, True)
    assert found.reserve >= min(reserve, (found.budget + found.reserve) // 5)
    assert found.lacks_descriptors is (found.budget < budget)


def test_nginx_leaves_a_process_the_same_spare_descriptors():
    assert nginx.SPARE_OF_SERVER == SPARE_DESCRIPTORS


@given(st.integers(1, 100_000), st.floats(0, 1, exclude_max=True))
def test_retry_is_bounded_and_spread(place, draw):
    assert SOONEST_MS * 0.75 <= retry_ms(place, draw) <= LATEST_MS * 1.25


def test_retry_grows_with_the_place():
    places = (1, 40, 100, 300, 1_800)
    assert [retry_ms(place, 0.5) for place in places] == [2_000, 2_000, 5_000, 15_000, 15_000]
    at_sockets = [retry_ms(place, 0.5, SOCKET_KNOCK_MS_PER_PLACE) for place in places]
    assert at_sockets == [2_000, 4_000, 10_000, 15_000, 15_000]


def test_a_crowd_of_1800_knocks_less_than_200_times_a_second():
    assert sum(1000 / retry_ms(place, 0.5) for place in range(1, 1_801)) < 200


@pytest.mark.parametrize(("crowd", "most"), [(113, 30), (900, 85), (1_800, 145)])
def test_a_crowd_before_one_process_of_sockets_knocks_so_many_times_a_second_at_most(crowd, most):
    waits = (retry_ms(place, 0.5, SOCKET_KNOCK_MS_PER_PLACE) for place in range(1, crowd + 1))
    assert sum(1000 / wait for wait in waits) < most


def test_line_keeps_the_order_of_first_refusals():
    line = Line()
    assert [line.join(key, 1, now) for key, now in ((7, 0.0), (3, 1.0), (5, 2.0), (3, 3.0))] == [1, 2, 3, 2]
    line.leave(7)
    assert [line.ahead(key) for key in (3, 5, 9)] == [0, 1, 2]
    assert (7 in line, 3 in line, len(line)) == (False, True, 2)
    line.leave(7)


def test_line_forgets_those_who_stopped_knocking():
    line = Line()
    line.join(1, 1, 0.0)
    line.join(2, 2, 1.0)
    line.join(1, 1, PATIENCE_SECONDS)
    line.expire(PATIENCE_SECONDS + 2)
    assert (list(line.keys), line.ahead(1), line.rooms) == ([1], 0, {1: 1})


def test_line_takes_in_a_wait_that_began_before_another_process():
    line = Line()
    for key in (1, 2, 3):
        line.join(key, 1, float(key))
    line.learn({3: 0.5, 1: 9.0, 8: 0.0})
    assert line.firsts == {3: 0.5, 1: 1.0, 2: 2.0}
    assert [line.ahead(key) for key in (3, 1, 2)] == [0, 1, 2]
    assert line.join(8, 1, 10.0, since=0.0) == 1


@given(st.lists(st.tuples(st.sampled_from(["join", "leave", "expire"]), st.integers(0, 6)), max_size=60))
def test_line_is_a_queue_whatever_happens(steps):
    line, model = Line(), []
    for now, (step, key) in enumerate(steps):
        if step == "join":
            model += [] if key in model else [key]
            assert line.join(key, key % 2, float(now)) == model.index(key) + 1
        elif step == "leave":
            model = [other for other in model if other != key]
            line.leave(key)
        else:
            line.expire(float(now))
        assert [key for key, _ in sorted(line.firsts.items(), key=lambda pair: pair[1])] == model
        assert sum(line.rooms.values()) == len(line) == len(model)


def test_bucket_follows_a_rate_that_is_raised():
    bucket = TokenBucket(0.0, burst=2)
    assert [bucket.take(0.0, rate=1, burst=2) for _ in range(3)] == [True, True, False]
    assert [bucket.take(1.0, rate=3, burst=3) for _ in range(4)] == [True, True, True, False]
