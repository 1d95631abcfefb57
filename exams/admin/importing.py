"""The import of a bank file in two steps. Between them the file waits encrypted, for a quarter of an hour."""

from contextlib import suppress
from hashlib import sha256
from typing import Any

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.core.cache import caches
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from redis import RedisError

from ecni.accounts.models import User
from ecni.shared.clock import now
from ecni.shared.vault import decrypt, encrypt, officers_key
from exams.actions.bank import import_bank
from exams.admin.pages import page_context, staff_member
from exams.forms import BankUploadForm
from exams.imports import read_bank
from exams.queries.bankplan import Outcome, plan_import
from exams.rules.bank import BankErrors

WAITING_SECONDS = 15 * 60
_SEPARATOR = b"\n"


def show_import(page: ModelAdmin[Any], request: HttpRequest) -> HttpResponse:
    """Ask for a file, show what it would change, import it once confirmed."""
    actor = staff_member(page, request)
    if token := request.POST.get("token"):
        return _confirm(request, actor, token)
    context = page_context(page, request, _("Importer une banque"))
    form = BankUploadForm(request.POST or None, request.FILES or None)
    if form.is_valid():
        file = form.cleaned_data["file"]
        context |= _examined(actor, file.name, file.read())
    return render(request, "admin/exams/question/import.html", context | {"form": form})


def _examined(actor: User, name: str, data: bytes) -> dict[str, Any]:
    try:
        report = plan_import(*read_bank(name, data))
    except BankErrors as refusal:
        return {"errors": refusal.errors}
    token = sha256(data).hexdigest()
    waiting = encrypt(officers_key("upload"), name.encode() + _SEPARATOR + data, f"{actor.pk}|{token}")
    try:
        caches["uploads"].set(_cache_key(actor, token), waiting, WAITING_SECONDS)
    except RedisError:
        reason = _("Redis ne répond pas\u00a0: le fichier n’a pas pu être gardé jusqu’à la confirmation.")
        return {"errors": [{"file": name, "reason": reason}]}
    return {
        "report": report,
        "token": token,
        "lines": [line for line in report.lines if line.outcome is not Outcome.SAME],
    }


def _confirm(request: HttpRequest, actor: User, token: str) -> HttpResponse:
    try:
        waiting = caches["uploads"].get(_cache_key(actor, token))
    except RedisError:
        waiting = None
    if waiting is None:
        messages.error(request, _("Le fichier n’est plus là\u00a0: déposez-le à nouveau."))
        return HttpResponseRedirect(reverse("admin:exams_question_import"))
    name, _bar, data = decrypt(officers_key("upload"), waiting, f"{actor.pk}|{token}").partition(_SEPARATOR)
    bank, media = read_bank(name.decode(), data)
    figures = import_bank(bank=bank, media=media, actor=actor, now=now()).figures
    with suppress(RedisError):
        caches["uploads"].delete(_cache_key(actor, token))
    done = _("Banque importée. Nouveaux\u00a0: %(NEW)s, modifiés\u00a0: %(CHANGED)s.") % figures
    messages.success(request, done)
    return HttpResponseRedirect(reverse("admin:exams_question_changelist"))


def _cache_key(actor: User, token: str) -> str:
    return f"bank-upload:{actor.pk}:{sha256(token.encode()).hexdigest()}"
