"""The wall clock: the only place that reads it. Edges call `now()`; everything below takes `now` as an argument."""

from datetime import datetime

from django.utils import timezone


def now() -> datetime:
    """Return the present instant, aware, in UTC."""
    return timezone.now()
