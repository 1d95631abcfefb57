"""A candidate's results: a number and a code open them for half an hour, after publication only."""

from functools import partial

from django.conf import settings
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_POST

from centres.models import Candidate
from exams.queries.bank import media_named
from exams.rules.states import Refused
from ranking.actions.access import open_results
from ranking.forms import ResultsForm
from ranking.queries.publication import is_anything_published
from ranking.queries.results import copy_of, summary
from ranking.templatetags.results import IMAGE_SALT

COOKIE = "ecni_results"
COOKIE_SALT = "ranking.results"
COOKIE_PATH = "/resultats/"
VISIT_SECONDS = 30 * 60


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
        str(candidate.pk),
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
    candidate = _visitor(request)
    if candidate is None:
        return redirect("ranking:results-ask")
    found = summary(candidate)
    if found is None:
        raise Http404
    asked = request.GET.get("epreuve", "")
    numbers = [sitting.number for sitting in found.sittings]
    shown = int(asked) if asked.isdecimal() and int(asked) in numbers else numbers[0]
    context = {"results": found, "shown": shown, "copy": copy_of(candidate, shown)}
    return render(request, "ranking/results.html", context)


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
    if _visitor(request) is None:
        raise Http404
    try:
        name = signing.TimestampSigner(salt=IMAGE_SALT).unsign_object(token, max_age=VISIT_SECONDS)
    except signing.BadSignature as error:
        raise Http404 from error
    media = media_named([name]).get(name)
    if media is None:
        raise Http404
    return HttpResponse(bytes(media.content), content_type=media.content_type)


def _visitor(request: HttpRequest) -> Candidate | None:
    try:
        pk = int(request.get_signed_cookie(COOKIE, salt=COOKIE_SALT, max_age=VISIT_SECONDS) or 0)
    except (KeyError, signing.BadSignature):
        return None
    return Candidate.objects.select_related("exam").filter(pk=pk).first()
