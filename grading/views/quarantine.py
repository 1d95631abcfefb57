"""The page of what was kept apart of the sheets, for the jury."""

from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from grading.exports import kept_csv
from grading.queries.quarantine import kept_sheets
from grading.views.marking import readable_exam

SHEETS = 20


@never_cache
@login_required
@require_GET
def list_kept(request: HttpRequest, exam_id: int) -> HttpResponse:
    """List the acts of an exam that are in no sheet, sheet by sheet, those of one number as asked."""
    exam = readable_exam(request, exam_id)
    search = request.GET.get("q", "").strip().upper()[:12]
    sheets = [sheet for sheet in kept_sheets(exam_id) if search in sheet.number]
    page = Paginator(sheets, SHEETS).get_page(request.GET.get("page"))
    context = {"exam": exam, "page": page, "search": search, "query": urlencode({"q": search})}
    return render(request, "grading/kept.html", context)


@never_cache
@login_required
@require_GET
def export_kept(request: HttpRequest, exam_id: int) -> HttpResponse:
    """Give the acts of an exam that are in no sheet."""
    exam = readable_exam(request, exam_id)
    headers = {"Content-Disposition": f'attachment; filename="actes-a-part-{exam.slug}.csv"'}
    return HttpResponse(kept_csv(kept_sheets(exam_id)), content_type="text/csv; charset=utf-8", headers=headers)
