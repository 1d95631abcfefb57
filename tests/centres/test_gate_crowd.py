"""A crowd before two doors: real doors and Redis, on a clock of their own."""

import heapq
import random
from dataclasses import dataclass
from types import SimpleNamespace

import pytest

from centres.views.gate import LATE_SECONDS, Gate
from exams import broadcast

pytestmark = pytest.mark.django_db


@dataclass
class Crowd:
    """`arrivals` a second, `size` in all, `doors`; `entry` and `knock` are seconds that one takes of a process."""

    doors: int
    arrivals: int
    size: int
    entry: float
    knock: float


@pytest.fixture(autouse=True)
def _nobody_passed():
    broadcast._redis().delete(f"{broadcast.PASSED_KEY}:LOGINS")


@pytest.fixture
def play(monkeypatch):
    """Have a crowd arrive and knock as it is told; gives the instants at which each entered, by order of arrival."""
    draw = random.Random(36_000)
    clock = SimpleNamespace(monotonic=lambda: clock.now, now=0.0)
    monkeypatch.setattr("centres.views.gate.time", clock)
    monkeypatch.setattr("centres.views.gate.random", draw.random)

    def play(crowd):
        gates, free, entered = [Gate() for _ in range(crowd.doors)], [0.0] * crowd.doors, {}
        knocks = [(one / crowd.arrivals, one, None) for one in range(crowd.size)]
        while knocks:
            came, one, since = heapq.heappop(knocks)
            door = draw.randrange(crowd.doors)
            clock.now = max(came, free[door])
            waited = clock.now - came
            wait = gates[door].knock(device=str(one), code="X", now=clock.now, since=since, waited=waited)
            assert waited < 2 * LATE_SECONDS, "nobody is left before a page that does not come"
            free[door] = clock.now + (crowd.knock if wait else crowd.entry)
            if wait is None:
                entered[one] = clock.now
            else:
                heapq.heappush(knocks, (free[door] + wait.retry_ms / 1000, one, since or clock.now))
        return [entered[one] for one in range(crowd.size)]

    return play


def worst_overtaking(entered, crowd):
    """Return by how many seconds at most somebody entered before one who had come ten seconds earlier."""
    later = 10 * crowd.arrivals
    return max(entered[one] - min(entered[one + later :]) for one in range(0, crowd.size - later, 20))


@pytest.mark.parametrize(("doors", "size"), [(2, 3_000), (8, 6_000)])
def test_a_crowd_enters_at_the_limit_whatever_door_it_knocks_at(play, doors, size):
    crowd = Crowd(doors=doors, arrivals=50 * doors, size=size, entry=0.005, knock=0.001)
    entered = play(crowd)
    assert max(entered) < 1.2 * crowd.size / (doors * Gate()._rate)
    assert worst_overtaking(entered, crowd) < 30


def test_a_crowd_that_the_processor_cannot_let_in_at_once_enters_all_the_same(play):
    crowd = Crowd(doors=2, arrivals=20, size=1_500, entry=0.2, knock=0.02)
    entered = play(crowd)
    assert max(entered) < 3 * crowd.size * crowd.entry / crowd.doors
