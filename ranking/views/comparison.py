"""What a decision would change in the ranking, before the vote; and two computed rankings side by side."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from ecni.accounts.models import User
from exams.models import Exam
from exams.rules.states import Refused
from grading.queries.jury import open_session_of, proposal_rows
from grading.queries.marking import readable_exams
from grading.rules.access import may
from ranking.models import RankingRun
from ranking.queries.plots import gain_plot
from ranking.queries.rows import UnfitRanking, ranking_obstacles
from ranking.queries.whatif import Hypothesis, hypotheses, run_comparison
from ranking.rules.comparison import Comparison

MOST_MOVED = 50
MOST_PROPOSALS = 6
MOST_DIGITS = 6


@never_cache
@login_required
@require_GET
def show_whatif(request: HttpRequest, exam_id: int) -> HttpResponse:
    """Rank as if the proposals asked for were adopted, and say what moves."""
    exam, actor = _exam(request, exam_id)
    rows = [row for row in proposal_rows(exam_id, actor) if row.decision is None]
    asked = set(request.GET.getlist("p"))
    chosen = [row.proposal for row in reversed(rows) if str(row.proposal.pk) in asked][:MOST_PROPOSALS]
    obstacles = ranking_obstacles(exam_id)
    found: list[Hypothesis] = []
    if chosen and not obstacles:
        try:
            found = hypotheses(exam_id, chosen, _limits(request))
        except (Refused, UnfitRanking) as error:
            obstacles = [str(error)]
    context = _shown(request, exam) | {
        "page": "whatif",
        "rows": rows,
        "chosen": {proposal.pk for proposal in chosen},
        "obstacles": obstacles,
        "hypotheses": found,
        "is_open": open_session_of(exam_id) is not None,
    }
    if found:
        context |= _drawn(found[-1].comparison)
    return render(request, "ranking/whatif.html", context)


@never_cache
@login_required
@require_GET
def show_comparison(request: HttpRequest, exam_id: int) -> HttpResponse:
    """Compare two computed rankings: by default the newest with the one before."""
    exam, _actor = _exam(request, exam_id)
    runs = list(RankingRun.objects.filter(exam=exam).select_related("created_by").order_by("-pk"))
    by_key = {str(run.pk): run for run in runs}
    after = by_key.get(request.GET.get("apres", ""), runs[0] if runs else None)
    before = by_key.get(request.GET.get("avant", ""), runs[1] if len(runs) > 1 else after)
    context = _shown(request, exam) | {"page": "ranking", "runs": runs, "before": before, "after": after}
    if before and after:
        context |= _drawn(run_comparison(before, after, _limits(request)))
    return render(request, "ranking/comparison.html", context)


def _drawn(comparison: Comparison) -> dict[str, Any]:
    return {
        "comparison": comparison,
        "plot": gain_plot(comparison.moves),
        "most_moved": comparison.moved[:MOST_MOVED],
    }


def _shown(request: HttpRequest, exam: Exam) -> dict[str, Any]:
    return {"exam": exam, "limits": " ".join(str(limit) for limit in _limits(request))}


def _limits(request: HttpRequest) -> list[int]:
    """Return the numbers of places asked for; what is not a number is left out."""
    words = request.GET.get("postes", "").replace(",", " ").replace(";", " ").split()[:MOST_PROPOSALS]
    return sorted({int(word) for word in words if word.isdecimal() and len(word) <= MOST_DIGITS and int(word)})


def _exam(request: HttpRequest, exam_id: int) -> tuple[Exam, User]:
    actor = request.user
    if not isinstance(actor, User) or not may(actor.role, "follow-marking"):
        raise PermissionDenied
    return get_object_or_404(readable_exams(actor), pk=exam_id), actor
