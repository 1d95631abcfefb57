"""The ranking for the agency and the jury: rules, look, compute, sign, lift, publish, take back, export."""

from collections.abc import Callable
from functools import partial
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from ecni.accounts.models import User
from ecni.shared.clock import now
from exams.models import Exam
from exams.rules.states import Refused
from grading.queries import readable_exams
from grading.rules.access import may
from ranking.actions.anonymity import lift_anonymity, sign_ranking, withdraw_ranking
from ranking.actions.computing import compute_ranking
from ranking.actions.official import export_official_list
from ranking.actions.policy import publish_policy
from ranking.actions.publication import confirm_publication, propose_publication, withdraw_publication
from ranking.enums import Status
from ranking.exports import groups_csv, ranking_csv
from ranking.forms import PolicyForm, ProposalForm, policy_fields
from ranking.models import AnonymityLift, Publication, RankingRun, RankingSignature, RankingWithdrawal
from ranking.queries.groups import group_rankings
from ranking.queries.official import found_rows, official_rows
from ranking.queries.pages import missing_pages
from ranking.queries.policy import marks_are_known, policy_of
from ranking.queries.preview import (
    ORDERS,
    category_cells,
    distribution,
    exam_parts,
    place_row,
    places,
    policy_lines,
)
from ranking.queries.publication import acted_on, is_published, latest_ranking, lifted_ranking, published_ranking
from ranking.queries.rows import ranking_obstacles
from ranking.rules import policy_from_json
from ranking.tasks import launch_preparation

PAGE = 100
_FORMATS = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
}


@never_cache
@login_required
@require_GET
def show_ranking(request: HttpRequest, exam_id: int) -> HttpResponse:
    """Show the newest ranking of an exam, searched and sorted as asked, and where its publication stands."""
    exam, actor = readable_exam(request, exam_id), allowed_actor(request, "follow-marking")
    run = latest_ranking(exam_id)
    search, order = request.GET.get("q", "").strip()[:12], request.GET.get("tri", "rang")
    parts = exam_parts(exam_id)
    is_lifted = run is not None and lifted_ranking(exam_id) == run
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
        "query": urlencode({"q": search, "tri": order}),
        "obstacles": ranking_obstacles(exam_id),
        "policy": policy_lines(policy_from_json(run.policy) if run and run.policy else policy_of(exam_id)),
        "cells": category_cells(run) if run else (),
        "unranked": [(number, Status(run.statuses[number]).label) for number in run.unranked] if run else [],
        "signature": RankingSignature.objects.filter(run=run).select_related("signed_by").first(),
        "lifts": list(AnonymityLift.objects.filter(run=run).select_related("lifted_by").order_by("step")),
        "withdrawal": RankingWithdrawal.objects.filter(run=run).select_related("withdrawn_by").first(),
        "acted": actor.pk in acted_on(run) if run else False,
        "lifted": is_lifted,
        "missing": missing_pages(run) if run and is_lifted else None,
        "publication": Publication.objects.filter(run=run).select_related("proposed_by", "confirmed_by").first(),
        "published": is_published(exam_id),
        "now": now(),
        "allowed": {
            name: may(actor.role, verb)
            for name, verb in {
                "rank": "rank",
                "publish": "publish",
                "sign": "sign-ranking",
                "lift": "lift-anonymity",
                "names": "read-names",
                "rules": "publish-rules",
                "complaints": "answer-complaints",
            }.items()
        },
    }
    return render(request, "ranking/preview.html", context)


@login_required
@require_POST
def start_ranking(request: HttpRequest, exam_id: int) -> HttpResponse:
    """Compute the ranking again."""
    exam, actor = readable_exam(request, exam_id), allowed_actor(request, "rank")
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
    actor = allowed_actor(request, "publish")
    run = get_object_or_404(RankingRun, pk=run_id)
    form = ProposalForm(request.POST)
    if not form.is_valid():
        messages.error(request, " ".join(str(error) for errors in form.errors.values() for error in errors))
        return redirect("ranking:ranking-show", run.exam_id)
    return _done(
        request,
        run,
        partial(propose_publication, run_id=run_id, actor=actor, now=now(), **form.cleaned_data),
        _("La publication est proposée : une autre personne doit la confirmer."),
    )


@login_required
@require_POST
def confirm(request: HttpRequest, publication_id: int) -> HttpResponse:
    """Confirm a publication: the second signature."""
    return _act_on_proposal(request, publication_id, "publish", confirm_publication, _("Les résultats sont publiés."))


@login_required
@require_POST
def withdraw_proposal(request: HttpRequest, publication_id: int) -> HttpResponse:
    """Take back a proposal that nobody has confirmed."""
    return _act_on_proposal(request, publication_id, "publish", withdraw_publication, _("La proposition est retirée."))


@never_cache
@login_required
@require_GET
def export_ranking(request: HttpRequest, exam_id: int) -> HttpResponse:
    """Give the newest ranking, sorted by anonymous number."""
    exam = readable_exam(request, exam_id)
    run = latest_ranking(exam_id)
    if run is None:
        raise Http404
    return csv_file(ranking_csv(run, exam_parts(exam_id)), f"classement-{exam.slug}-{run.pk}.csv")


@never_cache
@login_required
@require_GET
def export_groups(request: HttpRequest, exam_id: int) -> HttpResponse:
    """Give the weighted rankings by group of specialties, sorted by anonymous number."""
    exam = readable_exam(request, exam_id)
    run = latest_ranking(exam_id)
    if run is None:
        raise Http404
    try:
        rankings = group_rankings(run)
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect("ranking:ranking-show", exam_id)
    return csv_file(groups_csv(rankings), f"groupes-{exam.slug}-{run.pk}.csv")


@never_cache
@login_required
@require_http_methods(["GET", "POST"])
def show_policy(request: HttpRequest, exam_id: int) -> HttpResponse:
    """Show the published parameters of the rankings, and publish others while no mark is known."""
    actor = allowed_actor(request, "publish-rules")
    exam = readable_exam(request, exam_id)
    form = PolicyForm(request.POST if request.method == "POST" else policy_fields(policy_of(exam_id)))
    if request.method == "POST" and form.is_valid():
        try:
            publish_policy(
                exam_id=exam_id, policy=form.policy(), actor=actor, now=now(), reason=form.cleaned_data["reason"]
            )
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("Les règles du classement sont publiées."))
            return redirect("ranking:policy-show", exam_id)
    context = {
        "exam": exam,
        "form": form,
        "sent": request.method == "POST",
        "fixed": marks_are_known(exam_id),
        "published": is_published(exam_id),
    }
    return render(request, "ranking/policy.html", context, status=400 if request.method == "POST" else 200)


@login_required
@require_POST
def sign(request: HttpRequest, run_id: int) -> HttpResponse:
    """Sign a ranking: the president's act."""
    return _act_on_ranking(request, run_id, "sign-ranking", sign_ranking, _("Le classement est signé."))


@login_required
@require_POST
def lift(request: HttpRequest, run_id: int) -> HttpResponse:
    """Do one of the two acts that lift the anonymity."""
    return _act_on_ranking(request, run_id, "lift-anonymity", lift_anonymity, _("Votre acte est enregistré."))


@login_required
@require_POST
def withdraw(request: HttpRequest, run_id: int) -> HttpResponse:
    """Take back a ranking whose anonymity is lifted: the president's act."""
    return _act_on_ranking(
        request, run_id, "sign-ranking", withdraw_ranking, _("Le classement est retiré : calculez-en un autre.")
    )


@login_required
@require_POST
def prepare(request: HttpRequest, run_id: int) -> HttpResponse:
    """Have the pages of the publication prepared."""
    return _act_on_ranking(request, run_id, "publish", launch_preparation, _("Les pages se préparent."))


@never_cache
@login_required
@require_GET
def show_official_list(request: HttpRequest, exam_id: int) -> HttpResponse:
    """Show the published ranking with names, searched as asked."""
    allowed_actor(request, "read-names")
    exam, run = readable_exam(request, exam_id), published_ranking(exam_id)
    if run is None:
        raise Http404
    search = request.GET.get("q", "").strip()[:60]
    page = Paginator(found_rows(official_rows(run), search), PAGE).get_page(request.GET.get("page"))
    context = {"exam": exam, "page": page, "search": search, "query": urlencode({"q": search}), "formats": _FORMATS}
    return render(request, "ranking/official.html", context)


@login_required
@require_POST
def download_official_list(request: HttpRequest, exam_id: int, form: str) -> HttpResponse:
    """Give the published ranking with names, once the reason is written down."""
    actor = allowed_actor(request, "read-names")
    exam = readable_exam(request, exam_id)
    try:
        content = export_official_list(exam_id=exam_id, form=form, actor=actor, now=now(), reason=_reason(request))
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect("ranking:ranking-show", exam_id)
    headers = {"Content-Disposition": f'attachment; filename="liste-officielle-{exam.slug}.{form}"'}
    return HttpResponse(content, content_type=_FORMATS[form], headers=headers)


def _act_on_ranking(
    request: HttpRequest, run_id: int, verb: str, action: Callable[..., object], said: str
) -> HttpResponse:
    actor = allowed_actor(request, verb)
    run = get_object_or_404(RankingRun, pk=run_id)
    return _done(request, run, partial(action, run_id=run_id, actor=actor, now=now(), reason=_reason(request)), said)


def _act_on_proposal(
    request: HttpRequest, publication_id: int, verb: str, action: Callable[..., object], said: str
) -> HttpResponse:
    actor = allowed_actor(request, verb)
    publication = get_object_or_404(Publication.objects.select_related("run"), pk=publication_id)
    deed = partial(action, publication_id=publication_id, actor=actor, now=now(), reason=_reason(request))
    return _done(request, publication.run, deed, said)


def _done(request: HttpRequest, run: RankingRun, deed: Callable[[], object], said: str) -> HttpResponse:
    try:
        deed()
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, said)
    return redirect("ranking:ranking-show", run.exam_id)


def readable_exam(request: HttpRequest, exam_id: int) -> Exam:
    """Return an exam whose ranking the actor may follow."""
    return get_object_or_404(readable_exams(allowed_actor(request, "follow-marking")), pk=exam_id)


def allowed_actor(request: HttpRequest, verb: str) -> User:
    """Return the actor of a request, who may do this."""
    actor = request.user
    if not isinstance(actor, User) or not may(actor.role, verb):
        raise PermissionDenied
    return actor


def _reason(request: HttpRequest) -> str:
    return request.POST.get("reason", "")[:500].strip()


def csv_file(content: bytes, name: str) -> HttpResponse:
    """Return a table to download."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(content, content_type="text/csv; charset=utf-8", headers=headers)
