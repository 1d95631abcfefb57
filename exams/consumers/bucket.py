"""How many frames one tablet may send: enough for any human and for any honest catching up, not for a flood."""


class TokenBucket:
    """Ten tokens a second, a hundred at most."""

    RATE = 10.0
    BURST = 100.0

    __slots__ = ("_at", "_tokens")

    def __init__(self, now: float) -> None:
        self._tokens = self.BURST
        self._at = now

    def take(self, now: float) -> bool:
        """Spend one token at `now` (monotonic seconds); return False when none is left."""
        self._tokens = min(self.BURST, self._tokens + (now - self._at) * self.RATE)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
