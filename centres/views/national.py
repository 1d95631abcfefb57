"""The nation on one screen."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from centres.queries.boards import national_board
from centres.queries.nation import national_hostings, sitting_to_watch, watched_sittings
from centres.rules.access import may
from ecni.accounts.models import User
from ecni.shared.clock import now
from exams.actions.centre_sitting import open_sitting
from exams.rules.states import Refused


@never_cache
@login_required
@require_GET
def show_board(request: HttpRequest) -> HttpResponse:
    """Show every centre of one sitting: that of `?epreuve=`, or the one whose hour is nearest."""
    actor = _watcher(request)
    sitting = sitting_to_watch(actor, request.GET.get("epreuve", ""), now())
    if sitting is None and request.GET.get("epreuve"):
        raise Http404
    context = {
        "sitting": sitting,
        "sittings": watched_sittings(actor),
        "board": national_board(national_hostings(actor, sitting.pk), now()) if sitting else None,
        "may_open": may(actor.role, "open-everywhere"),
    }
    return render(request, "centres/national.html", context)


@login_required
@require_POST
def open_everywhere(request: HttpRequest, sitting_id: int) -> HttpResponse:
    """Open the sitting in every centre that is in its lobby, at the same instant."""
    actor = _watcher(request)
    if not may(actor.role, "open-everywhere"):
        raise PermissionDenied
    if sitting_to_watch(actor, str(sitting_id), now()) is None:
        raise Http404
    try:
        opened = open_sitting(sitting_id=sitting_id, actor=actor, now=now())
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        level = messages.SUCCESS if opened else messages.INFO
        messages.add_message(request, level, f"{opened} centre(s) ouvert(s) au même instant.")
    return redirect(f"{reverse('centres:national-board')}?epreuve={sitting_id}")


def _watcher(request: HttpRequest) -> User:
    actor = request.user
    if not isinstance(actor, User) or not may(actor.role, "watch-nation"):
        raise PermissionDenied
    return actor
