"""One wrong clock decides nothing."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from exams.consumers.clock import ServerClock
from exams.queries.clock import agreed_now, database_now
from exams.rules.states import ClocksDisagree

HOUR = timedelta(hours=1)
NEARLY = timedelta(seconds=1)


def present():
    return datetime.now(UTC)


def test_tablets_are_told_the_time_of_the_database():
    clock = ServerClock(present() - HOUR)
    assert abs(clock.now() - (present() - HOUR)) < NEARLY
    clock.follow(present(), time.monotonic())
    assert abs(clock.now() - present()) < NEARLY
    assert abs(clock.milliseconds() / 1000 - present().timestamp()) < 1


@pytest.mark.parametrize("jump", [HOUR, -HOUR])
def test_a_jump_of_the_database_is_said_and_not_followed(jump, caplog):
    clock = ServerClock(present())
    clock.follow(present(), time.monotonic())
    clock.follow(present() + jump, time.monotonic())
    assert abs(clock.now() - present()) < NEARLY
    assert [record.levelname for record in caplog.records] == ["ERROR"]


def test_a_small_correction_is_followed():
    clock = ServerClock(present())
    clock.follow(present(), time.monotonic())
    clock.follow(present() + timedelta(seconds=3), time.monotonic())
    assert abs(clock.now() - present() - timedelta(seconds=3)) < NEARLY


@pytest.mark.parametrize(
    ("own", "database", "earlier"),
    [
        (0 * HOUR, HOUR, 0 * HOUR),
        (HOUR, 0 * HOUR, 0 * HOUR),
        (-HOUR, 0 * HOUR, -HOUR),
        (NEARLY, 3 * NEARLY, 3 * NEARLY),
    ],
)
def test_a_process_that_starts_while_a_clock_is_wrong_agrees_with_it_on_no_end(own, database, earlier, caplog):
    clock = ServerClock(present() + own)
    clock.follow(present() + database, time.monotonic())
    assert abs(clock.now() - present() - database) < NEARLY  # what tablets are told
    assert abs(clock.witness() - present() - earlier) < NEARLY
    assert len(caplog.records) == int(abs(own - database) >= HOUR)


def test_half_of_the_round_trip_is_taken_off():
    clock = ServerClock(present())
    clock.follow(present(), time.monotonic() - 20)
    assert abs(clock.now() - present() - timedelta(seconds=10)) < NEARLY


@pytest.mark.django_db
def test_an_act_takes_its_instant_from_the_database_and_only_when_clocks_agree():
    assert abs(agreed_now(present() + timedelta(seconds=3)) - database_now()) < NEARLY
    for wrong in (present() + HOUR, present() - HOUR):
        with pytest.raises(ClocksDisagree):
            agreed_now(wrong)
