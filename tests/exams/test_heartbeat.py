"""How often a tablet shows that it lives, and from when on it may be gone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exams.rules.heartbeat import (
    LATEST_SECONDS,
    SIGNS_PER_SECOND,
    SOONEST_SECONDS,
    beat_seconds,
    is_silent,
)


@pytest.mark.parametrize(
    ("tablets", "seconds"),
    [(0, 10), (1, 10), (5000, 10), (5001, 11), (10_000, 20), (12_000, 24), (15_000, 30), (19_000, 30)],
)
def test_a_process_that_holds_many_is_shown_life_less_often(tablets, seconds):
    assert beat_seconds(tablets) == seconds


@given(st.integers(1, 40_000))
def test_a_process_hears_no_more_than_it_can_unless_silence_would_last_too_long(tablets):
    beat = beat_seconds(tablets)
    assert SOONEST_SECONDS <= beat_seconds(tablets - 1) <= beat <= LATEST_SECONDS
    assert tablets / beat <= SIGNS_PER_SECOND or beat == LATEST_SECONDS


@pytest.mark.parametrize(("beat", "last", "first"), [(10, 30, 31), (24, 44, 45), (30, 50, 51)])
def test_nobody_is_silent_before_the_sign_that_is_awaited_and_a_while_more(beat, last, first):
    assert not is_silent(last, beat)
    assert is_silent(first, beat)
