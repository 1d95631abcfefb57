"""The tablet's page, the same for everybody, and the sealed papers it fetches. No session, no database."""

from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

ONE_YEAR = 365 * 24 * 3600


@require_safe
@cache_control(public=True, max_age=60)
def show_tablet(request: HttpRequest) -> HttpResponse:
    """Show the page in which a candidate waits, composes and hands in."""
    return render(request, "exams/tablet.html")


@require_safe
@cache_control(public=True, max_age=ONE_YEAR, immutable=True)
def fetch_paper(_request: HttpRequest, digest: str) -> HttpResponse:
    """Send a sealed paper: ciphertext, named by its SHA-256, that anybody may hold. In production nginx serves it."""
    path = settings.PAPERS_ROOT / f"{digest}.ecni"
    if not path.is_file():
        raise Http404
    return HttpResponse(_sealed_bytes(path), content_type="application/octet-stream")


@lru_cache(maxsize=8)
def _sealed_bytes(path: Path) -> bytes:
    return path.read_bytes()
