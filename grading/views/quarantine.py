"""The page of what was kept apart of the sheets, for the jury."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from grading.queries.quarantine import kept_sheets
from grading.views.marking import readable_exam


@never_cache
@login_required
@require_GET
def list_kept(request: HttpRequest, exam_id: int) -> HttpResponse:
    """List the acts of an exam that are in no sheet, sheet by sheet."""
    exam = readable_exam(request, exam_id)
    return render(request, "grading/kept.html", {"exam": exam, "sheets": kept_sheets(exam_id)})
