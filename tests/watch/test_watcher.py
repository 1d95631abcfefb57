"""What the watcher believes while a part of it hangs."""

import time
from concurrent.futures import Future

from ecni.watch.rules import HOLD_SECONDS, Reading
from ecni.watch.watcher import Sampler, Watcher

FOUND = Reading("newcomers", "http://127.0.0.1", 3, 0, refused=1, words="un nouveau venu n’entre pas")


def sampler(seconds):
    """Return one that has found something, and has been reading for so long."""
    return Sampler(list, last=[FOUND], pending=Future(), began=time.monotonic() - seconds)


def test_what_is_being_read_stays_as_it_was_for_a_while_and_refuses_nobody_anew():
    (kept,) = Watcher._collected(sampler(1.0))
    assert (kept.layer, kept.words, kept.refused) == (FOUND.layer, FOUND.words, 0)
    assert Watcher._collected(sampler(HOLD_SECONDS + 1)) == []


def test_what_fails_to_be_read_is_forgotten():
    failing = sampler(1.0)
    failing.pending.set_exception(OSError("no"))
    assert Watcher._collected(failing) == []
    failing.pending = Future()
    assert Watcher._collected(failing) == []
