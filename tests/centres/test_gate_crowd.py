"""A crowd before two doors that share a processor too small for it: real doors and Redis, on a clock of their own."""

import heapq
import random
from types import SimpleNamespace

import pytest

from centres.views.gate import LONGEST_MS, TOO_LATE_SECONDS, Gate
from exams import broadcast

pytestmark = pytest.mark.django_db

ENTRY, KNOCK = 0.2, 0.02
"""Seconds that one takes of a process that has an eighth of a core."""
ARRIVALS, CROWD = 20, 1_500
"""Newcomers a second, twice what both processes can let in; and how many in all."""
SLICE = 20


@pytest.fixture(autouse=True)
def _nobody_passed():
    broadcast._redis().delete(f"{broadcast.PASSED_KEY}:LOGINS")


def play(monkeypatch):
    """Have a crowd arrive and knock as it is told; return the instants at which each entered, by order of arrival."""
    draw = random.Random(36_000)
    clock = SimpleNamespace(monotonic=lambda: clock.now, now=0.0)
    monkeypatch.setattr("centres.views.gate.time", clock)
    monkeypatch.setattr("centres.views.gate.random", draw.random)
    gates, free, entered = [Gate(), Gate()], [0.0, 0.0], {}
    knocks = [(one / ARRIVALS, one, None) for one in range(CROWD)]
    while knocks:
        came, one, since = heapq.heappop(knocks)
        which = draw.randrange(2)
        clock.now = max(came, free[which])
        wait = gates[which].knock(device=str(one), code="X", now=clock.now, since=since, waited=clock.now - came)
        free[which] = clock.now + (KNOCK if wait else ENTRY)
        if wait is None:
            entered[one] = clock.now
        else:
            assert clock.now - came < TOO_LATE_SECONDS + 1
            heapq.heappush(knocks, (free[which] + wait.retry_ms / 1000, one, since or clock.now))
    return entered


def test_a_crowd_enters_as_fast_as_the_processor_lets_it_and_in_the_order_it_came(monkeypatch):
    entered = play(monkeypatch)
    assert len(entered) == CROWD
    paces = [sum(at // SLICE == rank for at in entered.values()) / SLICE for rank in range(CROWD // 10 // SLICE)]
    assert min(paces) > 0.4 * 2 / ENTRY, "while many wait, most of the processor lets them in"
    for one in range(0, CROWD // 2, 20):
        first_of_later = min(entered[later] for later in range(one + 10 * ARRIVALS, CROWD))
        assert entered[one] < first_of_later + LONGEST_MS / 1000
