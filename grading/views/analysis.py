"""The item analysis of a run: the questions of a sitting, suspects first, and one of them."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from ecni.accounts.models import User
from ecni.shared.csvfile import write_table
from exams.models import Sitting
from exams.queries.bank import media_named
from exams.rules.content import case_from_json, from_json
from grading.forms.analysis import AnalysisForm
from grading.models import MarkingRun
from grading.queries.analysis import analysed_row, finished_run, run_analysis, run_times
from grading.queries.marking import latest_run
from grading.reports.analysis import EXPORT_HEADING, answer_lines, curves, dots, export_rows, key_words, score_bars
from grading.rules.access import may
from grading.rules.analysis import Analysis, QuestionAnalysis
from grading.rules.decisions import content_under
from grading.rules.statistics import TooFew


@never_cache
@login_required
@require_GET
def show_analysis(request: HttpRequest, sitting_id: int) -> HttpResponse:
    """Show the item analysis of a sitting's newest finished run, suspects first."""
    _allowed(request)
    sitting = get_object_or_404(Sitting.objects.select_related("exam"), pk=sitting_id)
    context: dict[str, Any] = {"sitting": sitting, "exam": sitting.exam, "run": (run := latest_run(sitting_id))}
    try:
        analysis = run_analysis(run) if run else None
    except TooFew as refusal:
        return render(request, "grading/analysis.html", context | {"refusal": str(refusal)})
    if run and analysis:
        form = AnalysisForm(request.GET)
        rows = [{"question": question, "time": time} for question, time in form.chosen(analysis, run_times(run))]
        suspects = sum(1 for question in analysis.questions if question.is_grave)
        context |= {"analysis": analysis, "rows": rows, "form": form, "dots": dots(analysis), "suspects": suspects}
    return render(request, "grading/analysis.html", context)


@never_cache
@login_required
@require_GET
def export_analysis(request: HttpRequest, sitting_id: int) -> HttpResponse:
    """Give the item analysis as CSV, in the order and with the filters of the page."""
    _allowed(request)
    run, analysis = _analysed(latest_run(sitting_id))
    times = run_times(run)
    chosen = AnalysisForm(request.GET).chosen(analysis, times)
    data = write_table(EXPORT_HEADING, export_rows((question for question, _ in chosen), times))
    headers = {"Content-Disposition": f'attachment; filename="analyse-{run.pk}.csv"'}
    return HttpResponse(data, content_type="text/csv; charset=utf-8", headers=headers)


@never_cache
@login_required
@require_GET
def show_item(request: HttpRequest, run_id: int, number: int) -> HttpResponse:
    """Show one question of a finished run: its text, the key that counted, who answered what, and its figures."""
    actor = _allowed(request)
    run, analysis = _analysed(finished_run(run_id))
    question = _question(analysis, number)
    row = analysed_row(run, number)
    content = content_under(from_json(row.question.content), question.key)
    case = row.unit.case
    order = [one.number for one in analysis.suspects]
    place = order.index(number)
    context = {
        "run": run,
        "sitting": run.paper.sitting,
        "exam": run.paper.sitting.exam,
        "question": question,
        "content": content,
        "key": key_words(question, content),
        "case": case_from_json(case.content) if case else None,
        "candidates": analysis.exam.candidates,
        "answers": answer_lines(question, analysis.exam.candidates, [line.text for line in content.propositions]),
        "curves": curves(question.answers, analysis.exam.candidates),
        "bars": score_bars(question),
        "dots": dots(analysis, number),
        "time": run_times(run).get(number),
        "before": order[place - 1] if place else None,
        "after": order[place + 1] if place + 1 < len(order) else None,
        "may_propose": may(actor.role, "propose"),
    }
    return render(request, "grading/item.html", context)


@never_cache
@login_required
@require_GET
def show_image(request: HttpRequest, run_id: int, number: int, place: int) -> HttpResponse:
    """Give an image of an analysed question, by its place in it, from 1."""
    _allowed(request)
    run, analysis = _analysed(finished_run(run_id))
    _question(analysis, number)
    names = [media.file for media in from_json(analysed_row(run, number).question.content).media]
    media = media_named(set(names[place - 1 : place]) if place else set())
    if not media:
        raise Http404
    image = media[names[place - 1]]
    return HttpResponse(bytes(image.content), content_type=image.content_type)


def _analysed(run: MarkingRun | None) -> tuple[MarkingRun, Analysis]:
    if run is None:
        raise Http404
    try:
        return run, run_analysis(run)
    except TooFew as refusal:
        raise Http404 from refusal


def _question(analysis: Analysis, number: int) -> QuestionAnalysis:
    question = next((one for one in analysis.questions if one.number == number), None)
    if question is None:
        raise Http404
    return question


def _allowed(request: HttpRequest) -> User:
    actor = request.user
    if not isinstance(actor, User) or not may(actor.role, "analyse"):
        raise PermissionDenied
    return actor
