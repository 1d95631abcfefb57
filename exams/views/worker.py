"""The service worker of the tablet's page."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from ecni.shared.offline import KeptPage

TABLET = KeptPage("exams/tablet.html", "js/exam/worker.js", "exams:tablet-show")


@require_safe
@cache_control(no_cache=True)
def show_worker(_request: HttpRequest) -> HttpResponse:
    """Send the script that keeps the tablet's page for hours without network."""
    return HttpResponse(TABLET.worker(), content_type="text/javascript; charset=utf-8")
