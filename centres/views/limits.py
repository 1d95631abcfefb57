"""Limits and guards on the day: what holds, raising a limit alone, switching a guard by two people."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from centres.forms import ConfirmForm, GuardForm, LimitForm
from centres.queries.limits import guard_lines, limit_lines
from centres.rules.access import may
from ecni.accounts.models import User
from ecni.shared.clock import now
from exams.actions.admission import confirm_guard, propose_guard, set_limit
from exams.rules.states import Refused

UNREADABLE = "Rien n’a été fait : relisez la page et complétez le formulaire."


@never_cache
@login_required
@require_GET
def list_limits(request: HttpRequest) -> HttpResponse:
    """Show every limit and every guard."""
    actor = _allowed(request, "watch-nation")
    context = {"limits": limit_lines(now()), "guards": guard_lines(), "actor": actor}
    return render(request, "centres/limits.html", context)


@login_required
@require_POST
def change_limit(request: HttpRequest) -> HttpResponse:
    """Set one limit, with a reason."""
    actor = _allowed(request, "set-limit")
    form = LimitForm(request.POST)
    if not form.is_valid():
        return _back(request, refusal=UNREADABLE)
    try:
        change = set_limit(**form.cleaned_data, actor=actor, now=now())
    except Refused as refusal:
        return _back(request, refusal=str(refusal))
    return _back(request, done=f"{change.get_name_display()} : {change.value}, dans chaque processus d’ici 2 secondes.")


@login_required
@require_POST
def propose(request: HttpRequest) -> HttpResponse:
    """Propose to switch one guard."""
    actor = _allowed(request, "switch-guard")
    form = GuardForm(request.POST)
    if not form.is_valid():
        return _back(request, refusal=UNREADABLE)
    try:
        propose_guard(**form.cleaned_data, actor=actor, now=now())
    except Refused as refusal:
        return _back(request, refusal=str(refusal))
    return _back(request, done="Proposé. Rien ne change tant qu’une autre personne n’a pas confirmé.")


@login_required
@require_POST
def confirm(request: HttpRequest) -> HttpResponse:
    """Confirm what another person proposed."""
    actor = _allowed(request, "switch-guard")
    form = ConfirmForm(request.POST)
    if not form.is_valid():
        return _back(request, refusal=UNREADABLE)
    try:
        proposal = confirm_guard(**form.cleaned_data, actor=actor, now=now()).proposal
    except Refused as refusal:
        return _back(request, refusal=str(refusal))
    words = f"{proposal.get_name_display()} : {proposal.get_mode_display().lower()}"
    return _back(request, done=f"{words}, dans chaque processus d’ici 2 secondes.")


def _back(request: HttpRequest, *, done: str = "", refusal: str = "") -> HttpResponse:
    messages.add_message(request, messages.ERROR if refusal else messages.SUCCESS, refusal or done)
    return redirect("centres:limit-list")


def _allowed(request: HttpRequest, verb: str) -> User:
    actor = request.user
    if not isinstance(actor, User) or not may(actor.role, verb):
        raise PermissionDenied
    return actor
