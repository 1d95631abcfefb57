"""The ranking for the agency and the jury: look, compute, propose, confirm, export."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from ecni.accounts.models import User
from ecni.shared.clock import now
from exams.models import Exam
from exams.rules.states import Refused
from grading.queries import readable_exams
from grading.rules.access import may
from ranking.actions.computing import compute_ranking
from ranking.actions.official import export_official_list
from ranking.actions.publication import confirm_publication, propose_publication
from ranking.exports import official_csv, ranking_csv
from ranking.forms import ProposalForm
from ranking.models import Publication, RankingRun
from ranking.queries.official import official_list
from ranking.queries.preview import ORDERS, distribution, exam_parts, place_row, places
from ranking.queries.publication import is_published, latest_ranking
from ranking.queries.rows import ranking_obstacles

PAGE = 100


@never_cache
@login_required
@require_GET
def show_ranking(request: HttpRequest, exam_id: int) -> HttpResponse:
    """Show the newest ranking of an exam, searched and sorted as asked, and where its publication stands."""
    exam, actor = _exam(request, exam_id), _allowed(request, "follow-marking")
    run = latest_ranking(exam_id)
    search, order = request.GET.get("q", "").strip()[:12], request.GET.get("tri", "rang")
    parts = exam_parts(exam_id)
    page = Paginator(places(run, search, order), PAGE).get_page(request.GET.get("page")) if run else None
    context = {
        "exam": exam,
        "run": run,
        "parts": parts,
        "page": page,
        "rows": [place_row(place, run, parts) for place in page] if run and page else [],
        "distribution": distribution(run) if run else None,
        "search": search,
        "order": order if order in ORDERS else "rang",
        "obstacles": ranking_obstacles(exam_id),
        "publication": Publication.objects.filter(run=run).select_related("proposed_by", "confirmed_by").first(),
        "published": is_published(exam_id),
        "now": now(),
        "allowed": {verb: may(actor.role, verb) for verb in ("rank", "publish")}
        | {"lift": may(actor.role, "lift-anonymity")},
    }
    return render(request, "ranking/preview.html", context)


@login_required
@require_POST
def start_ranking(request: HttpRequest, exam_id: int) -> HttpResponse:
    """Compute the ranking again."""
    exam, actor = _exam(request, exam_id), _allowed(request, "rank")
    try:
        run = compute_ranking(exam_id=exam.pk, actor=actor, now=now(), reason=_reason(request))
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Le classement n° %(number)d est calculé.") % {"number": run.pk})
    return redirect("ranking:ranking-show", exam_id)


@login_required
@require_POST
def propose(request: HttpRequest, run_id: int) -> HttpResponse:
    """Propose to publish a ranking."""
    actor = _allowed(request, "publish")
    run = get_object_or_404(RankingRun, pk=run_id)
    form = ProposalForm(request.POST)
    if not form.is_valid():
        messages.error(request, " ".join(str(error) for errors in form.errors.values() for error in errors))
        return redirect("ranking:ranking-show", run.exam_id)
    try:
        propose_publication(run_id=run_id, actor=actor, now=now(), **form.cleaned_data)
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("La publication est proposée : une autre personne doit la confirmer."))
    return redirect("ranking:ranking-show", run.exam_id)


@login_required
@require_POST
def confirm(request: HttpRequest, publication_id: int) -> HttpResponse:
    """Confirm a publication: the second signature."""
    actor = _allowed(request, "publish")
    publication = get_object_or_404(Publication, pk=publication_id)
    try:
        confirm_publication(publication_id=publication_id, actor=actor, now=now(), reason=_reason(request))
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Les résultats sont publiés."))
    return redirect("ranking:ranking-show", publication.exam_id)


@never_cache
@login_required
@require_GET
def export_ranking(request: HttpRequest, exam_id: int) -> HttpResponse:
    """Give the newest ranking, sorted by anonymous number."""
    exam = _exam(request, exam_id)
    run = latest_ranking(exam_id)
    if run is None:
        raise Http404
    return _file(ranking_csv(run, exam_parts(exam_id)), f"classement-{exam.slug}-{run.pk}.csv")


@never_cache
@login_required
@require_GET
def show_official_list(request: HttpRequest, exam_id: int) -> HttpResponse:
    """Show the published ranking with names."""
    _allowed(request, "lift-anonymity")
    exam, rows = _exam(request, exam_id), official_list(exam_id)
    if rows is None:
        raise Http404
    return render(request, "ranking/official.html", {"exam": exam, "rows": rows})


@login_required
@require_POST
def download_official_list(request: HttpRequest, exam_id: int) -> HttpResponse:
    """Give the published ranking with names, once the reason is written down."""
    actor = _allowed(request, "lift-anonymity")
    exam = _exam(request, exam_id)
    try:
        rows = export_official_list(exam_id=exam_id, actor=actor, now=now(), reason=_reason(request))
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect("ranking:ranking-show", exam_id)
    return _file(official_csv(rows), f"liste-officielle-{exam.slug}.csv")


def _exam(request: HttpRequest, exam_id: int) -> Exam:
    return get_object_or_404(readable_exams(_allowed(request, "follow-marking")), pk=exam_id)


def _allowed(request: HttpRequest, verb: str) -> User:
    actor = request.user
    if not isinstance(actor, User) or not may(actor.role, verb):
        raise PermissionDenied
    return actor


def _reason(request: HttpRequest) -> str:
    return request.POST.get("reason", "")[:500].strip()


def _file(content: bytes, name: str) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(content, content_type="text/csv; charset=utf-8", headers=headers)
