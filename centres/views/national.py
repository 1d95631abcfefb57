"""The nation on one screen."""

import logging

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db import Error
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from centres.protocol import NO_ANSWER, BadCommand, parse_grant
from centres.queries.boards import national_board
from centres.queries.nation import national_hostings, sitting_to_watch, watched_sittings
from centres.rules.access import may
from ecni.accounts.models import User
from ecni.shared.clock import now
from exams.actions.centre_sitting import grant_time_everywhere, open_sitting
from exams.queries.clock import agreed_now
from exams.rules.states import Refused

logger = logging.getLogger(__name__)


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
        "may_grant": may(actor.role, "grant-everywhere"),
    }
    return render(request, "centres/national.html", context)


@login_required
@require_POST
def open_everywhere(request: HttpRequest, sitting_id: int) -> HttpResponse:
    """Open the sitting in every centre that is in its lobby, at the same instant."""
    actor = _mover(request, sitting_id, "open-everywhere")
    try:
        opened = open_sitting(sitting_id=sitting_id, actor=actor, now=agreed_now(now()))
    except Refused as refusal:
        messages.error(request, str(refusal))
    except Error:
        logger.exception("an opening everywhere failed")
        messages.error(request, NO_ANSWER)
    else:
        level = messages.SUCCESS if opened.count else messages.INFO
        messages.add_message(request, level, f"{opened.count} centre(s) ouvert(s) au même instant.")
        if opened.held:
            left = national_hostings(actor, sitting_id).filter(centre_sitting_id__in=opened.held)
            held = ", ".join(left.values_list("centre__name", flat=True))
            messages.error(
                request, f"Un autre acte est en cours dans {held} : regardez le tableau avant de recommencer."
            )
    return _back(sitting_id)


@login_required
@require_POST
def grant_everywhere(request: HttpRequest, sitting_id: int) -> HttpResponse:
    """Give the same minutes to every candidate of the sitting."""
    actor = _mover(request, sitting_id, "grant-everywhere")
    try:
        command = parse_grant(request.POST)
        grant_time_everywhere(
            sitting_id=sitting_id,
            seconds=command.minutes * 60,
            reason=command.reason,
            actor=actor,
            now=agreed_now(now()),
        )
    except (BadCommand, Refused) as refusal:
        messages.error(request, str(refusal))
    except Error:
        logger.exception("time for everybody could not be granted")
        messages.error(request, NO_ANSWER)
    else:
        messages.success(request, f"{command.minutes} min de plus pour tous les candidats de l’épreuve.")
    return _back(sitting_id)


def _mover(request: HttpRequest, sitting_id: int, verb: str) -> User:
    actor = _watcher(request)
    if not may(actor.role, verb):
        raise PermissionDenied
    if sitting_to_watch(actor, str(sitting_id), now()) is None:
        raise Http404
    return actor


def _back(sitting_id: int) -> HttpResponse:
    return redirect(f"{reverse('centres:national-board')}?epreuve={sitting_id}")


def _watcher(request: HttpRequest) -> User:
    actor = request.user
    if not isinstance(actor, User) or not may(actor.role, "watch-nation"):
        raise PermissionDenied
    return actor
