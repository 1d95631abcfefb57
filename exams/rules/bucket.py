"""A bucket of tokens: how often something may happen, with room for a burst."""


class TokenBucket:
    """Fills at a rate that is given at each use, up to a burst: ten a second and a hundred for the frames of a tablet.

    Args:
        now: monotonic seconds.
        burst: tokens it holds at first.
    """

    RATE = 10.0
    BURST = 100.0

    __slots__ = ("_at", "_tokens")

    def __init__(self, now: float, burst: float = BURST) -> None:
        self._tokens = burst
        self._at = now

    def take(self, now: float, rate: float = RATE, burst: float = BURST) -> bool:
        """Spend one token at `now` (monotonic seconds); return False when none is left."""
        if self.filled(now, rate, burst) < 1:
            return False
        self._tokens -= 1
        return True

    def filled(self, now: float, rate: float = RATE, burst: float = BURST) -> float:
        """Return how many tokens it holds at `now`."""
        self._tokens = min(burst, self._tokens + (now - self._at) * rate)
        self._at = now
        return self._tokens
