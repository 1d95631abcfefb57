"""What a process counts as it works: plain additions, so that the way of an answer costs no more."""

import time
from collections import Counter
from collections.abc import Mapping
from typing import Any


class Tally:
    """Totals of one process since it started."""

    __slots__ = ("acks", "http_exchanges", "logins", "refusals")

    def __init__(self) -> None:
        self.acks = 0
        self.refusals: Counter[str] = Counter()
        self.logins = 0
        self.http_exchanges = 0

    def note_frame(self, frame: Mapping[str, Any]) -> None:
        """Count a frame that leaves for a tablet."""
        kind = frame["t"]
        if kind == "ack":
            self.acks += 1
        elif kind == "refused":
            self.refusals[frame["code"]] += 1


class Pulse:
    """The beat of one writing thread: how long its commits take and how much each carries."""

    __slots__ = ("busy_since", "last_ms", "last_size", "max_ms")

    def __init__(self) -> None:
        self.busy_since: float | None = None
        self.last_ms = 0.0
        self.max_ms = 0.0
        self.last_size = 0

    def begin(self) -> None:
        """A batch goes to the database."""
        self.busy_since = time.monotonic()

    def end(self, size: int) -> None:
        """The batch of `size` items is committed, or has failed."""
        began, self.busy_since = self.busy_since, None
        self.last_ms = (time.monotonic() - (began or 0.0)) * 1000
        self.max_ms = max(self.max_ms, self.last_ms)
        self.last_size = size

    def take_max_ms(self) -> float:
        """Return the longest commit since the last call, in milliseconds, the one under way included."""
        began = self.busy_since
        waiting = 0.0 if began is None else (time.monotonic() - began) * 1000
        longest, self.max_ms = max(self.max_ms, waiting), 0.0
        return longest


TALLY = Tally()
"""The one of this process."""
