"""Plans of load tests: what is refused, when everything happens, how people think; and who comes when."""

import json
import math
import random
from math import inf
from statistics import fmean, median, pstdev

import pytest

from loadtests.waves.orders import arrivals, write_slips
from loadtests.waves.pace import fitted, flick_seconds, think_seconds
from loadtests.waves.plan import (
    PLANS,
    BadPlan,
    centre_sizes,
    parse_plan,
    promise_for,
    read_plan,
    slowest_ack_ms,
    timetable,
    with_rate,
)

DATA = json.loads((PLANS / "uness-2022.json").read_text(encoding="utf-8"))


@pytest.fixture
def plan():
    return read_plan("uness-2022")


def test_the_plan_of_2022_is_the_day_that_failed(plan):
    table = timetable(plan, candidates=9800, minutes=10)
    sizes = [wave.size for wave in table.waves]
    assert (plan.centres, len(sizes), sum(sizes)) == (35, 4, 9800)
    assert 7000 < sum(sizes[:3]) < 8000 < sum(sizes)


def test_every_centre_comes_once_and_no_wave_before_the_one_before(plan):
    table = timetable(plan, candidates=20_000, minutes=10)
    assert [position for wave in table.waves for position in wave.centres] == list(range(35))
    for before, after in zip(table.waves, table.waves[1:], strict=False):
        assert before.arrives < before.arrived < before.opens <= after.arrives
    assert table.closes - table.waves[-1].opens == 600
    assert table.duration > table.ends - table.waves[0].opens


def test_arrivals_may_be_faster_than_the_plan_says(plan):
    table = timetable(with_rate(plan, 60), candidates=9800, minutes=10)
    assert [wave.arrived - wave.arrives for wave in table.waves] == pytest.approx([w.size / 60 for w in table.waves])
    with pytest.raises(BadPlan, match="arrivées"):
        with_rate(plan, -1)


def test_a_short_test_shortens_waits_but_not_arrivals(plan):
    short, long = (timetable(plan, candidates=9800, minutes=minutes) for minutes in (1, 10))
    for one, other in zip(short.waves, long.waves, strict=True):
        assert one.arrived - one.arrives == pytest.approx(other.arrived - other.arrives)
        assert one.opens - one.arrived < other.opens - other.arrived


def test_storms_are_in_the_middle_and_in_the_closing_rush(plan):
    table = timetable(plan, candidates=9800, minutes=10, storms=["closing", "midway"])
    midway, closing = table.storms
    assert table.waves[-1].opens < midway < table.closes < closing < table.ends
    assert timetable(plan, candidates=9800, minutes=10).storms == ()


@pytest.mark.parametrize(
    "asked",
    [{"candidates": 34}, {"minutes": 0}, {"storms": ["hail"]}],
)
def test_what_cannot_be_replayed_is_refused(plan, asked):
    with pytest.raises(BadPlan):
        timetable(plan, **{"candidates": 9800, "minutes": 10} | asked)


@pytest.mark.parametrize(
    "change",
    [
        {"centres": 34},
        {"waves": []},
        {"waves": [{"centres": 35, "pause": 0, "rate": 0, "lobby": 30}]},
        {"waves": [{"centres": 35, "pause": 0, "rate": 1}]},
        {"extra": 1},
        {"pace": {}},
    ],
)
def test_a_plan_that_is_wrong_is_refused(change):
    with pytest.raises(BadPlan):
        parse_plan(DATA | change)


def test_a_plan_that_is_not_there_says_which_are():
    with pytest.raises(BadPlan, match="uness-2022"):
        read_plan("uness-1922")


def test_what_is_promised_depends_on_how_many(plan):
    assert promise_for(plan, 9800).ack_ms_p99 == 250
    assert promise_for(plan, 9801).ack_ms_p99 == 500
    assert promise_for(plan, 36_000) is None
    assert [slowest_ack_ms(plan, count) for count in (9800, 36_000)] == [5000, inf]


def test_centres_are_as_equal_as_can_be():
    assert centre_sizes(9800, 35) == [280] * 35
    assert centre_sizes(36, 35) == [2] + [1] * 34


def test_think_times_are_log_normal_around_a_minute(plan):
    rng = random.Random(1)
    seconds = [
        think_seconds(plan.pace, rng.gauss(0, plan.pace.person_sd), item, rng) for item in range(400) for _ in range(50)
    ]
    assert 48 < median(seconds) < 60
    assert 58 < fmean(seconds) < 70
    assert 0.57 < pstdev(map(math.log, seconds)) < 0.69


def test_flicking_comes_in_bursts(plan):
    rng = random.Random(1)
    bursts = [flick_seconds(plan.pace, rng) for _ in range(5000)]
    assert 1.0 < fmean(map(len, bursts)) < 1.2
    assert sum(not burst for burst in bursts) > 2000
    assert max(map(len, bursts)) > 5
    assert median(seconds for burst in bursts for seconds in burst) < 5


def test_pace_is_fitted_on_a_table_of_persons_by_items(plan, tmp_path):
    rng = random.Random(2)
    items = [rng.gauss(0, 0.4) for _ in range(60)]
    rows = []
    for person in range(120):
        effect = rng.gauss(0, 0.2)
        cells = [f"{math.exp(4 + effect + item + rng.gauss(0, 0.5)):.2f}" for item in items]
        cells[person % 60] = "0"
        rows.append(f"{person}," + ",".join(cells))
    folder = tmp_path / "timing_credential"
    folder.mkdir()
    (folder / "response_times_120x60.csv").write_text("person,…\n" + "\n".join(rows), encoding="utf-8")
    found = fitted(plan.pace, tmp_path)
    assert found.mu == pytest.approx(4 + fmean(items), abs=0.08)
    assert found.person_sd == pytest.approx(0.2, abs=0.05)
    assert found.item_sd == pytest.approx(0.4, abs=0.1)
    assert found.rest_sd == pytest.approx(0.5, abs=0.03)
    assert fitted(plan.pace, tmp_path / "nowhere") == plan.pace


def test_slips_are_written_in_the_order_of_arrivals(plan, tmp_path):
    table = timetable(plan, candidates=350, minutes=1)
    centres = [{"slips": [{"code": f"C{place}-{seat}"} for seat in range(10)]} for place in range(35)]
    write_slips(tmp_path / "slips.csv", centres, table, random.Random(1))
    head, *rows = [line.split(",") for line in (tmp_path / "slips.csv").read_text().split()]
    assert head == ["code", "wave", "centre", "arrives", "hands_in"]
    assert len({row[0] for row in rows}) == 350
    assert [float(row[3]) for row in rows] == sorted(float(row[3]) for row in rows)
    assert all(table.closes <= float(row[4]) <= table.ends for row in rows)
    waves = {wave.number: wave for wave in table.waves}
    assert all(int(row[2]) in waves[int(row[1])].centres for row in rows)
    late = sum(float(row[4]) > (table.closes + table.ends) / 2 for row in rows)
    assert late > 350 * 0.65


def test_arrivals_stay_in_their_ramp():
    found = arrivals(100, 5.0, 9.0, random.Random(1))
    assert found == sorted(found)
    assert 5.0 <= found[0] < found[-1] <= 9.0
