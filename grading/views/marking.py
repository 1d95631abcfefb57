"""The pages of marking: where each sitting stands, and the button that starts a run."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from ecni.accounts.models import User
from ecni.shared.clock import now
from exams.models import Exam, Sitting
from exams.rules.states import Refused
from grading.enums import MarkingState
from grading.queries import RunProgress, exam_marking, readable_exams
from grading.rules.access import may
from grading.tasks import launch_marking

LABELS = {
    MarkingState.PENDING: ("quiet", "clock"),
    MarkingState.RUNNING: ("info", "sync"),
    MarkingState.DONE: ("ok", "check-circle"),
    MarkingState.FAILED: ("danger", "alert"),
}
"""Tone and icon of each state, computed with its word."""


@never_cache
@login_required
@require_GET
def list_exams(request: HttpRequest) -> HttpResponse:
    """List the exams to mark."""
    actor = _allowed(request, "follow-marking")
    return render(request, "grading/exams.html", {"exams": readable_exams(actor)})


@never_cache
@login_required
@require_GET
def show_marking(request: HttpRequest, exam_id: int) -> HttpResponse:
    """Show each sitting of an exam: what prevents marking it, or its newest run."""
    exam = readable_exam(request, exam_id)
    may_mark = may(_actor(request).role, "mark")
    rows = [
        {"sitting": row.sitting, "obstacles": row.obstacles, "run": row.run, "progress": _progress_data(row.progress)}
        for row in exam_marking(exam_id)
    ]
    return render(request, "grading/marking.html", {"exam": exam, "rows": rows, "may_mark": may_mark})


@never_cache
@login_required
@require_GET
def read_progress(request: HttpRequest, exam_id: int) -> JsonResponse:
    """Give the progress of the newest run of each sitting, by sitting: what the page polls."""
    readable_exam(request, exam_id)
    return JsonResponse({str(row.sitting.pk): _progress_data(row.progress) for row in exam_marking(exam_id) if row.run})


@login_required
@require_POST
def start_run(request: HttpRequest, sitting_id: int) -> HttpResponse:
    """Start the marking of a sitting."""
    actor = _allowed(request, "mark")
    sitting = get_object_or_404(Sitting, pk=sitting_id)
    try:
        launch_marking(
            sitting_id=sitting_id, actor=actor, now=now(), reason=request.POST.get("reason", "")[:500].strip()
        )
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("La notation de « %(title)s » est lancée.") % {"title": sitting.title})
    return redirect("grading:marking-show", sitting.exam_id)


def readable_exam(request: HttpRequest, exam_id: int) -> Exam:
    """Return an exam that the person may follow.

    Raises:
        PermissionDenied: their role does not follow the marking.
        Http404: no such exam.
    """
    return get_object_or_404(readable_exams(_allowed(request, "follow-marking")), pk=exam_id)


def _allowed(request: HttpRequest, verb: str) -> User:
    actor = _actor(request)
    if not may(actor.role, verb):
        raise PermissionDenied
    return actor


def _actor(request: HttpRequest) -> User:
    actor = request.user
    assert isinstance(actor, User)  # noqa: S101 - login_required gives a staff account
    return actor


def _progress_data(progress: RunProgress | None) -> dict[str, Any] | None:
    if progress is None:
        return None
    tone, icon = LABELS[progress.state]
    return {
        "state": progress.state.value,
        "tone": tone,
        "icon": icon,
        "word": progress.state.label,
        "marked": progress.marked,
        "sheets": progress.sheets,
        "chunks": progress.chunks.get(MarkingState.DONE, 0),
        "all_chunks": sum(progress.chunks.values()),
    }
