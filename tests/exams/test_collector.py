"""The collector is kept from what is there to stay, and still finds what closed sockets leave."""

import gc
import weakref

import pytest

from exams.consumers import collector
from exams.consumers.collector import FREEZE_EVERY, Spared


class Cycle:
    def __init__(self):
        self.itself = self


@pytest.fixture(autouse=True)
def nothing_walked():
    """Freeze what was there, so that a walk meets what a test makes; it is never long by itself."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture
def spared(monkeypatch):
    monkeypatch.setattr(collector, "LONG_SECONDS", 60)
    return Spared()


def test_what_closed_sockets_leave_is_collected_though_it_was_frozen(spared):
    left = Cycle()
    seen = weakref.ref(left)
    spared.entered += FREEZE_EVERY
    spared.look(inside=1000)
    del left
    gc.collect()
    assert seen() is not None  # frozen
    spared.left += 1000
    spared.look(inside=1000)
    assert seen() is None
    assert gc.get_freeze_count() > 0


def test_what_dies_soon_is_not_kept_with_what_is_there_to_stay(spared):
    seen = weakref.ref(Cycle())
    spared.entered += FREEZE_EVERY
    spared.look(inside=1000)
    assert seen() is None


def test_what_a_long_walk_has_met_is_not_walked_again(spared, monkeypatch):
    monkeypatch.setattr(collector, "LONG_SECONDS", 0)
    grown = [[] for _ in range(10_000)]
    spared.look(inside=1000)
    assert len(gc.get_objects()) < len(grown) / 10


def test_a_short_walk_freezes_nothing_whose_end_nobody_would_see(spared):
    one = Cycle()
    seen = weakref.ref(one)
    spared.look(inside=1000)
    del one
    spared.look(inside=1000)
    assert seen() is None
