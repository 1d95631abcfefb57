"""One centre's console: pages and forms. Its socket does the same without reloading; forms work without it."""

import logging
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import Error
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from centres.actions.room import carry_out, reveal_candidate
from centres.models import Hosting, Seat
from centres.protocol import NO_ANSWER, VERBS, BadCommand, parse_command
from centres.queries.boards import room_board
from centres.queries.hostings import hosting_for
from centres.rules.access import may
from centres.rules.board import SHEET_LABELS
from ecni.accounts.models import User
from ecni.shared.clock import now
from exams.enums import SheetState
from exams.queries.articles import has_articles
from exams.queries.clock import agreed_now
from exams.rules.states import Already, Refused

logger = logging.getLogger(__name__)

FILTERED = frozenset(
    {
        SheetState.EXPECTED,
        SheetState.ADMITTED,
        SheetState.READY,
        SheetState.COMPOSING,
        SheetState.PAUSED,
        SheetState.SUBMITTED,
        SheetState.ABSENT,
    }
)
FILTERS = (
    ("all", "quiet", "grid", _("Tous")),
    ("danger", "danger", "alert", _("À traiter")),
    ("warn", "warn", "alert", _("À surveiller")),
    *((state.value, label.tone, label.icon, state.label) for state, label in SHEET_LABELS.items() if state in FILTERED),
)
"""Counts that filter: key, tone, icon, words."""

BUTTONS = ("welcome", "open", "pause", "resume", "grant-time", "close", "admit", "report", "print-slips", "witness")


def own_hosting(request: HttpRequest, hosting_id: int) -> tuple[User, Hosting]:
    """Return the actor and the hosting; to others it does not exist."""
    actor = request.user
    assert isinstance(actor, User)  # noqa: S101 - login_required gives a staff account
    try:
        return actor, hosting_for(actor, hosting_id)
    except Hosting.DoesNotExist:
        raise Http404 from None


@never_cache
@login_required
@require_GET
def show_room(request: HttpRequest, hosting_id: int) -> HttpResponse:
    """Show the board as it is now; the page's module keeps it live."""
    actor, hosting = own_hosting(request, hosting_id)
    context = {"hosting": hosting, "board": room_board(hosting, now()), "filters": FILTERS}
    context["shown"] = request.GET.get("etat", "all")
    allowed = {verb.replace("-", "_"): may(actor.role, verb) for verb in BUTTONS}
    allowed["print_articles"] = may(actor.role, "print-articles") and has_articles(hosting.sitting_id)
    return render(request, "centres/room.html", context | {"allowed": allowed})


@never_cache
@login_required
@require_GET
def show_seat(request: HttpRequest, hosting_id: int, seat_id: int) -> HttpResponse:
    """Show one seat and all that can be done there."""
    actor, hosting = own_hosting(request, hosting_id)
    return _seat_page(request, actor, hosting, seat_id)


@never_cache
@login_required
@require_POST
def reveal_identity(request: HttpRequest, hosting_id: int, seat_id: int) -> HttpResponse:
    """Show one seat with the name of its candidate; looking is logged."""
    actor, hosting = own_hosting(request, hosting_id)
    try:
        seat = reveal_candidate(hosting=hosting, seat_id=seat_id, actor=actor, now=now())
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect("centres:seat-show", hosting_id, seat_id)
    return _seat_page(request, actor, hosting, seat_id, revealed=seat.candidate)


@login_required
@require_POST
def act(request: HttpRequest, hosting_id: int, act: str) -> HttpResponseBase:
    """Carry out the command of a form: seats, minutes, reason or text beside the address say the rest."""
    actor, hosting = own_hosting(request, hosting_id)
    if act not in VERBS:
        raise Http404
    try:
        seats = request.POST.getlist("only") or request.POST.getlist("seats")
        command = parse_command(act, {**request.POST.dict(), "seats": seats})
        text = carry_out(command=command, hosting=hosting, actor=actor, now=agreed_now(now()))
    except BadCommand as error:
        return _answer(request, hosting, "malformed", str(error))
    except Refused as refusal:
        return _answer(request, hosting, refusal.code, str(refusal))
    except Error:
        logger.exception("a command of a form failed")
        return _answer(request, hosting, "busy", NO_ANSWER)
    return _answer(request, hosting, "", text)


def _answer(request: HttpRequest, hosting: Hosting, code: str, text: str) -> HttpResponseBase:
    """Answer by a page with a message, or by JSON to whoever asks for it."""
    if request.accepts("text/html"):
        level = messages.INFO if code == Already.code else messages.ERROR if code else messages.SUCCESS
        messages.add_message(request, level, text)
        return redirect("centres:room-show", hosting.pk)
    body: dict[str, Any] = {"ok": not code, "text": text}
    return JsonResponse(body | {"code": code} if code else body, status=409 if code else 200)


def _seat_page(
    request: HttpRequest, actor: User, hosting: Hosting, seat_id: int, *, revealed: object = None
) -> HttpResponse:
    row = next((row for row in room_board(hosting, now())["rows"] if row["seat"] == seat_id), None)
    if row is None:
        raise Http404
    incidents = Seat.objects.get(pk=seat_id).incidents.select_related("reported_by").order_by("-at")
    context = {"hosting": hosting, "row": row, "revealed": revealed, "incidents": incidents}
    allowed = {"release": may(actor.role, "release"), "grant_time": may(actor.role, "grant-time")}
    return render(request, "centres/seat.html", context | {"allowed": allowed})
