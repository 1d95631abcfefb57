"""The complaint desk of the agency: what candidates contest, beside the log of their sheets."""

from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from ecni.shared.clock import now
from exams.rules.states import Refused
from ranking.actions.complaints import handle_complaint
from ranking.enums import ComplaintState
from ranking.exports import complaints_csv
from ranking.forms import StepForm
from ranking.queries.complaints import complaint_row, exam_complaints, sheet_logs
from ranking.queries.publication import is_published
from ranking.reports import act_line
from ranking.views.staff import PAGE, allowed_actor, csv_file, readable_exam

VERB = "answer-complaints"


@never_cache
@login_required
@require_GET
def show_desk(request: HttpRequest, exam_id: int) -> HttpResponse:
    """List the complaints of an exam, newest first, those of a number or of a state as asked."""
    allowed_actor(request, VERB)
    exam = readable_exam(request, exam_id)
    search, state = request.GET.get("q", "").strip()[:20], request.GET.get("etat", "")
    rows = [row for row in exam_complaints(exam_id) if search in row.official_number and state in {"", row.state}]
    context = {
        "exam": exam,
        "page": Paginator(rows, PAGE).get_page(request.GET.get("page")),
        "search": search,
        "state": state,
        "states": ComplaintState.choices,
        "query": urlencode({"q": search, "etat": state}),
        "published": is_published(exam_id),
    }
    return render(request, "ranking/complaints.html", context)


@never_cache
@login_required
@require_GET
def show_one(request: HttpRequest, exam_id: int, complaint_id: int) -> HttpResponse:
    """Show a complaint beside the log of the sheets it is about."""
    allowed_actor(request, VERB)
    exam = readable_exam(request, exam_id)
    row = complaint_row(complaint_id, exam_id)
    if row is None:
        raise Http404
    logs = [(log, [act_line(act) for act in log.acts]) for log in sheet_logs(complaint_id)]
    context = {"exam": exam, "row": row, "logs": logs, "published": is_published(exam_id)}
    return render(request, "ranking/complaint.html", context)


@login_required
@require_POST
def act(request: HttpRequest, exam_id: int, complaint_id: int) -> HttpResponse:
    """Take, answer or close a complaint."""
    actor = allowed_actor(request, VERB)
    readable_exam(request, exam_id)
    if complaint_row(complaint_id, exam_id) is None:
        raise Http404
    form = StepForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Étape inconnue."))
        return redirect("ranking:complaint-show", exam_id, complaint_id)
    step = ComplaintState(form.cleaned_data["step"])
    try:
        handle_complaint(complaint_id=complaint_id, step=step, text=form.cleaned_data["text"], actor=actor, now=now())
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Réclamation : %(state)s.") % {"state": step.label.lower()})
    return redirect("ranking:complaint-show", exam_id, complaint_id)


@never_cache
@login_required
@require_GET
def export_desk(request: HttpRequest, exam_id: int) -> HttpResponse:
    """Give the complaints of an exam."""
    allowed_actor(request, VERB)
    exam = readable_exam(request, exam_id)
    return csv_file(complaints_csv(exam_complaints(exam_id)), f"reclamations-{exam.slug}.csv")
