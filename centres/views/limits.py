"""Limits and guards on the day: what holds, raising a limit alone, switching a guard by two people."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.formats import number_format
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
    return _shown(request, "centres/limits.html")


@never_cache
@login_required
@require_GET
def show_state(request: HttpRequest) -> HttpResponse:
    """Show what changes on the page, which it asks for again every two seconds."""
    return _shown(request, "centres/_limit_tables.html")


@login_required
@require_POST
def change_limit(request: HttpRequest) -> HttpResponse:
    """Set one limit, with a reason."""
    actor = _allowed(request, "set-limit")

    def act(**asked: Any) -> str:
        change = set_limit(**asked, actor=actor, now=now())
        value = number_format(change.value, force_grouping=True)
        return f"{change.get_name_display()} : {value}, dans chaque processus d’ici 2 secondes."

    return _do(request, LimitForm, act)


@login_required
@require_POST
def propose(request: HttpRequest) -> HttpResponse:
    """Propose to switch one guard."""
    actor = _allowed(request, "switch-guard")

    def act(**asked: Any) -> str:
        propose_guard(**asked, actor=actor, now=now())
        return "Proposé. Rien ne change tant qu’une autre personne n’a pas confirmé."

    return _do(request, GuardForm, act)


@login_required
@require_POST
def confirm(request: HttpRequest) -> HttpResponse:
    """Confirm what another person proposed."""
    actor = _allowed(request, "switch-guard")

    def act(**asked: Any) -> str:
        proposal = confirm_guard(**asked, actor=actor, now=now()).proposal
        words = f"{proposal.get_name_display()} : {proposal.get_mode_display().lower()}"
        return f"{words}, dans chaque processus d’ici 2 secondes."

    return _do(request, ConfirmForm, act)


def _shown(request: HttpRequest, template: str) -> HttpResponse:
    actor = _allowed(request, "watch-nation")
    context = {"limits": limit_lines(now()), "guards": guard_lines(), "actor": actor}
    return render(request, template, context)


def _do(request: HttpRequest, form_class: type[Form], act: Callable[..., str]) -> HttpResponse:
    """Do what a form asks, then show the page again with what was done, or why nothing was."""
    form = form_class(request.POST)
    if not form.is_valid():
        messages.error(request, UNREADABLE)
        return redirect("centres:limit-list")
    try:
        messages.success(request, act(**form.cleaned_data))
    except Refused as refusal:
        messages.error(request, str(refusal))
    return redirect("centres:limit-list")


def _allowed(request: HttpRequest, verb: str) -> User:
    actor = request.user
    if not isinstance(actor, User) or not may(actor.role, verb):
        raise PermissionDenied
    return actor
