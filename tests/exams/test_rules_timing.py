"""Who composes until when: tables, then laws."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exams.rules.timing import (
    MADE_TOLERANCE_MS,
    OUTAGE_SECONDS,
    Allowance,
    PauseSpan,
    closing_reasons,
    effective_end,
    outage_credit,
    was_made_in_time,
)

OPENED = datetime(2026, 6, 15, 12, 30, tzinfo=UTC)
HOUR = 3600


def at(seconds):
    return OPENED + timedelta(seconds=seconds)


def pause(start, end=None):
    return PauseSpan(at(start), None if end is None else at(end))


def allowance(extra=0, granted=(), outages=(), pauses=()):
    return Allowance(OPENED, 3 * HOUR, extra, tuple(granted), tuple(outages), tuple(pauses))


@pytest.mark.parametrize(
    ("given_time", "now", "end"),
    [
        pytest.param(allowance(), 0, 3 * HOUR, id="the duration of the sitting"),
        pytest.param(allowance(extra=HOUR), 0, 4 * HOUR, id="a third more (tiers temps)"),
        pytest.param(allowance(granted=[300]), 0, 3 * HOUR + 300, id="a grant"),
        pytest.param(allowance(granted=[300, 600, 60]), 0, 3 * HOUR + 960, id="grants to sheet, centre, nation add up"),
        pytest.param(allowance(outages=[120, 30]), 0, 3 * HOUR + 150, id="credited outages"),
        pytest.param(allowance(pauses=[pause(600, 900)]), 1000, 3 * HOUR + 300, id="a pause is given back"),
        pytest.param(allowance(pauses=[pause(600)]), 700, 3 * HOUR + 100, id="while a pause lasts the end moves"),
        pytest.param(allowance(pauses=[pause(600, 900), pause(1000)]), 1060, 3 * HOUR + 360, id="two pauses"),
        pytest.param(
            allowance(HOUR, [300], [60], [pause(60, 120)]), 200, 4 * HOUR + 300 + 60 + 60, id="everything together"
        ),
    ],
)
def test_effective_end_adds_up_all_that_gives_time(given_time, now, end):
    assert effective_end(given_time, at(now)) == at(end)


@given(
    st.integers(0, 7200),
    st.lists(st.integers(60, 10_800), max_size=4),
    st.lists(st.integers(OUTAGE_SECONDS[0], OUTAGE_SECONDS[-1]), max_size=4),
    st.permutations([300, 60, 900]),
)
def test_effective_end_depends_on_no_order(extra, granted, outages, shuffled):
    ends = {
        effective_end(allowance(extra, [*granted, *grants], outages), OPENED) for grants in (shuffled, sorted(shuffled))
    }
    assert ends == {at(3 * HOUR + extra + sum(granted) + sum(outages) + 1260)}


@pytest.mark.parametrize(
    ("waited", "since", "pauses", "credit"),
    [
        pytest.param(120, 0, (), 120, id="what it says it waited"),
        pytest.param(900, 400, (), 600, id="not before the last sign of life"),
        pytest.param(4, 0, (), 0, id="too short for a row"),
        pytest.param(5, 0, (), 5, id="just long enough"),
        pytest.param(200, 0, (pause(900, 950),), 150, id="less the pause that is given back already"),
        pytest.param(200, 0, (pause(900),), 100, id="less the pause that lasts"),
        pytest.param(200, 0, (pause(100, 300),), 200, id="an older pause takes nothing"),
        pytest.param(50, 1000, (), 0, id="it was there the whole time"),
    ],
)
def test_outage_credit_believes_within_what_the_server_knows(waited, since, pauses, credit):
    assert outage_credit(waited, at(since), pauses, at(1000)) == credit


@given(st.integers(0, 10**6), st.integers(0, 10**5), st.integers(0, 10**5))
def test_outage_credit_never_passes_the_silence_nor_the_bound(waited, since, later):
    credit = outage_credit(waited, at(since), (), at(since + later))
    assert 0 <= credit <= min(waited, later, OUTAGE_SECONDS[-1])


END_MS = int(at(0).timestamp() * 1000)


@pytest.mark.parametrize(
    ("made_at", "skew", "in_time"),
    [
        (END_MS - 1, 0, True),
        (END_MS + MADE_TOLERANCE_MS, 0, True),
        (END_MS + MADE_TOLERANCE_MS + 1, 0, False),
        (END_MS + 3_600_000, -3_600_000, True),
        (END_MS - 3_600_000, 3_602_000, False),
        (END_MS, None, True),
        (END_MS + 3_600_000, None, True),
    ],
)
def test_was_made_in_time_brings_the_tablets_clock_to_the_servers(made_at, skew, in_time):
    assert was_made_in_time(made_at, skew, at(0)) is in_time


@pytest.mark.parametrize(
    ("ends", "told"),
    [
        ([], []),
        ([None], []),
        ([-60], []),
        ([-61, -120], []),
        ([-59, 0], ["2 copie(s) peuvent encore recevoir des réponses en route."]),
        ([1, 300], ["2 copie(s) composent encore."]),
        (
            [-60, -30, 30],
            ["1 copie(s) composent encore.", "1 copie(s) peuvent encore recevoir des réponses en route."],
        ),
    ],
)
def test_a_centre_closes_once_no_sheet_composes_or_may_still_receive(ends, told):
    instants = [None if end is None else at(end) for end in ends]
    assert closing_reasons(instants, OPENED, grace_seconds=60, is_paused=False) == told


def test_a_paused_centre_is_resumed_before_it_closes():
    (told,) = closing_reasons([OPENED], OPENED, grace_seconds=60, is_paused=True)
    assert "en pause" in told
