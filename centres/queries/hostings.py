"""Which centres a member of the staff may see: the only door to a hosting."""

from django.db.models import QuerySet

from centres.models import CentreMembership, Hosting
from centres.rules.access import IN_CENTRES, sees_every_centre
from ecni.accounts.models import User


def hostings_of(actor: User) -> QuerySet[Hosting]:
    """Return the hostings that this person may see: all, those of their centres, or none."""
    hostings = Hosting.objects.select_related("centre", "sitting", "centre_sitting")
    if not actor.is_active:
        return hostings.none()
    if sees_every_centre(actor.role):
        return hostings
    if actor.role not in IN_CENTRES:
        return hostings.none()
    own = CentreMembership.objects.filter(user=actor).values("centre_id")
    return hostings.filter(centre_id__in=own)


def hosting_for(actor: User, hosting_id: int) -> Hosting:
    """Return one hosting.

    Raises:
        Hosting.DoesNotExist: there is none, or this person may not see it.
    """
    return hostings_of(actor).get(pk=hosting_id)
