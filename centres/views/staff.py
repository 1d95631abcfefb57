"""Where the staff arrives."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from centres.queries.hostings import hostings_of
from centres.rules.access import may
from ecni.accounts.models import User


@never_cache
@login_required
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """List the rooms that this person may see."""
    actor = request.user
    assert isinstance(actor, User)  # noqa: S101 - login_required gives a staff account
    hostings = hostings_of(actor).order_by("sitting__starts_at", "centre__name")
    context = {
        "hostings": hostings,
        "watches_nation": may(actor.role, "watch-nation"),
        "watches_operations": may(actor.role, "watch-operations"),
        "follows_marking": may(actor.role, "go-to-marking"),
    }
    return render(request, "centres/home.html", context)
