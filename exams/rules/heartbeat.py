"""How often a tablet shows that it lives: as often as its process can hear from all of them (decision 24)."""

from math import ceil

SOONEST_SECONDS, LATEST_SECONDS = 10, 30
SIGNS_PER_SECOND = 500
"""What one process hears without giving more than a seventh of a core to it."""

PATIENCE_SECONDS = 20
"""Beyond the instant at which a sign was awaited."""


def beat_seconds(tablets: int) -> int:
    """Return the seconds between two heartbeats of each of so many tablets of one process, 10 to 30."""
    return min(LATEST_SECONDS, max(SOONEST_SECONDS, ceil(tablets / SIGNS_PER_SECOND)))


def is_silent(seconds: float, beat: int) -> bool:
    """Whether a tablet that was last heard so long ago, and beats every `beat` seconds, may be gone."""
    return seconds > beat + PATIENCE_SECONDS
