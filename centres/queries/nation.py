"""What the national board watches."""

from datetime import datetime

from django.db.models import QuerySet

from centres.models import Hosting
from centres.queries.hostings import hostings_of
from centres.rules.access import may
from ecni.accounts.models import User
from exams.models import Sitting


def watched_sittings(actor: User) -> QuerySet[Sitting]:
    """Return the sittings that have hostings, if this person watches the nation."""
    sittings = Sitting.objects.select_related("exam").order_by("starts_at", "pk")
    if not actor.is_active or not may(actor.role, "watch-nation"):
        return sittings.none()
    return sittings.filter(pk__in=Hosting.objects.values("sitting_id"))


def sitting_to_watch(actor: User, asked: str, now: datetime) -> Sitting | None:
    """Return the sitting asked for by its id, or the one whose hour is nearest; None when there is none to see."""
    sittings = list(watched_sittings(actor))
    if asked:
        return next((sitting for sitting in sittings if str(sitting.pk) == asked), None)
    return min(sittings, key=lambda sitting: abs(sitting.starts_at - now), default=None)


def national_hostings(actor: User, sitting_id: int) -> QuerySet[Hosting]:
    """Return the hostings of a sitting that this person may see, by the name of their centre."""
    return hostings_of(actor).filter(sitting_id=sitting_id).order_by("centre__name")
