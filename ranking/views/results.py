"""A candidate's results: a number and a code open prepared pages, for half an hour, after publication only."""

import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from django.conf import settings
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils.safestring import mark_safe
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_POST

from ecni.shared.clock import now
from exams.queries.bank import media_named
from exams.rules.states import Refused
from ranking.actions.access import open_results
from ranking.actions.complaints import file_complaint
from ranking.exports import transcript_csv, transcript_xlsx
from ranking.forms import ComplaintForm, ResultsForm
from ranking.queries.complaints import complaints_of
from ranking.queries.pages import RESULTS, TRANSCRIPT, copy_kind, published_page
from ranking.queries.policy import policy_of
from ranking.queries.publication import is_anything_published, published_at
from ranking.rules.complaints import window_end
from ranking.templatetags.results import IMAGE_SALT

COOKIE = "ecni_results"
COOKIE_SALT = "ranking.results"
COOKIE_PATH = "/resultats/"
VISIT_SECONDS = 30 * 60
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

_TABLES: Mapping[str, tuple[Callable[[Any], bytes], str]] = {
    "csv": (transcript_csv, "text/csv; charset=utf-8"),
    "xlsx": (transcript_xlsx, XLSX),
}


@never_cache
@require_GET
def ask(request: HttpRequest) -> HttpResponse:
    """Ask for the number and the code; before any publication, say that there is nothing to read yet."""
    return render(request, "ranking/ask.html", {"form": ResultsForm(), "open": is_anything_published()})


@never_cache
@sensitive_post_parameters("code")
@require_POST
def enter(request: HttpRequest) -> HttpResponse:
    """Check the number and the code, and open the visit."""
    form = ResultsForm(request.POST)
    ask_again = partial(render, request, "ranking/ask.html")
    if not form.is_valid():
        return ask_again({"form": form, "open": True, "error": "Indiquez le numéro et le code."}, status=400)
    try:
        candidate = open_results(**form.cleaned_data)
    except Refused as refusal:
        return ask_again({"form": form, "open": True, "error": str(refusal)}, status=403)
    response = redirect("ranking:results-show")
    response.set_signed_cookie(
        COOKIE,
        f"{candidate.exam_id}.{candidate.pk}",
        salt=COOKIE_SALT,
        max_age=VISIT_SECONDS,
        path=COOKIE_PATH,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Strict",
    )
    return response


@never_cache
@require_GET
def show(request: HttpRequest) -> HttpResponse:
    """Show the candidate's place, points, and one sitting of their copy."""
    visitor = _visitor(request)
    return redirect("ranking:results-ask") if visitor is None else _page(request, *visitor)


@never_cache
@require_POST
def complain(request: HttpRequest) -> HttpResponse:
    """File a complaint; a refusal is said on the page, with what was typed."""
    visitor = _visitor(request)
    if visitor is None:
        error = "Votre visite est terminée : entrez à nouveau votre numéro et votre code."
        return render(request, "ranking/ask.html", {"form": ResultsForm(), "open": True, "error": error}, status=403)
    exam_id, candidate_id = visitor
    form = ComplaintForm(request.POST)
    if not form.is_valid():
        return _page(request, exam_id, candidate_id, form=form, error="Épreuve ou question illisible.")
    typed = form.cleaned_data
    try:
        file_complaint(
            candidate_id=candidate_id,
            sitting_number=typed["sitting"],
            question=typed["question"],
            text=typed["text"],
            now=now(),
        )
    except Refused as refusal:
        return _page(request, exam_id, candidate_id, form=form, error=str(refusal))
    return redirect("ranking:results-show")


@never_cache
@require_GET
def download(request: HttpRequest, form: str) -> HttpResponse:
    """Give the transcript: the prepared PDF, or the marks as a table."""
    visitor = _visitor(request)
    if visitor is None or form not in {"pdf", *_TABLES}:
        raise Http404
    content = published_page(*visitor, TRANSCRIPT if form == "pdf" else RESULTS)
    if content is None:
        raise Http404
    content_type = "application/pdf"
    if form != "pdf":
        write, content_type = _TABLES[form]
        content = write(json.loads(content)["lines"])
    headers = {"Content-Disposition": f'attachment; filename="releve.{form}"'}
    return HttpResponse(content, content_type=content_type, headers=headers)


@require_POST
def leave(_request: HttpRequest) -> HttpResponse:
    """End the visit."""
    response = HttpResponseRedirect(COOKIE_PATH)
    response.delete_cookie(COOKIE, path=COOKIE_PATH, samesite="Strict")
    return response


@never_cache
@require_GET
def show_image(request: HttpRequest, token: str) -> HttpResponse:
    """Give an image of the copy that the visitor is reading."""
    visitor = _visitor(request)
    if visitor is None or published_at(visitor[0]) is None:
        raise Http404
    try:
        name = signing.Signer(salt=IMAGE_SALT).unsign_object(token)
    except signing.BadSignature as error:
        raise Http404 from error
    media = media_named([name]).get(name)
    if media is None:
        raise Http404
    return HttpResponse(bytes(media.content), content_type=media.content_type)


def _page(
    request: HttpRequest, exam_id: int, candidate_id: int, form: ComplaintForm | None = None, error: str = ""
) -> HttpResponse:
    prepared = published_page(exam_id, candidate_id, RESULTS)
    opened_at = published_at(exam_id)
    if prepared is None or opened_at is None:
        raise Http404
    results = json.loads(prepared)
    asked = request.GET.get("epreuve", "")
    numbers = [sitting["number"] for sitting in results["sittings"]]
    shown = int(asked) if asked.isdecimal() and int(asked) in numbers else numbers[0]
    copy = published_page(exam_id, candidate_id, copy_kind(shown)) or b""
    ends_at = window_end(opened_at, policy_of(exam_id).complaint_days)
    context = {
        "results": results["summary"],
        "sittings": results["sittings"],
        "shown": shown,
        "copy": mark_safe(copy.decode()),  # noqa: S308 -- rendered by our templates when it was prepared
        "complaints": complaints_of(candidate_id),
        "complaints_end": ends_at,
        "may_complain": now() < ends_at,
        "form": form,
        "error": error,
    }
    return render(request, "ranking/results.html", context, status=400 if error else 200)


def _visitor(request: HttpRequest) -> tuple[int, int] | None:
    """Return the exam and the candidate of a visit; the signature vouches for both."""
    try:
        visit = request.get_signed_cookie(COOKIE, salt=COOKIE_SALT, max_age=VISIT_SECONDS) or ""
        exam_id, candidate_id = visit.split(".")
        return int(exam_id), int(candidate_id)
    except (KeyError, ValueError, signing.BadSignature):
        return None
