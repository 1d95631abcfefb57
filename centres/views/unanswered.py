"""What a tablet shows when its server answers nothing: a page that says to wait, and the worker that keeps it there."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.http import require_safe

from ecni.shared.offline import UNANSWERED, KeptPage

ENTRANCE = KeptPage(UNANSWERED, "js/centre/worker.js", "centres:unanswered-show")


@never_cache
@require_safe
def show_unanswered(request: HttpRequest) -> HttpResponse:
    """Send the page that says to wait, the same for everybody."""
    return render(request, UNANSWERED)


@require_safe
@cache_control(no_cache=True)
def show_worker(_request: HttpRequest) -> HttpResponse:
    """Send the script that keeps that page, and shows it when the entrance does not answer."""
    return HttpResponse(ENTRANCE.worker(), content_type="text/javascript; charset=utf-8")
