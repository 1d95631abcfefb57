"""Sealed papers, to whoever asks: they are ciphertext. In production nginx serves them."""

from pathlib import Path

from django.conf import settings
from django.http import FileResponse, Http404, HttpRequest
from django.views.decorators.http import require_safe


@require_safe
def show_sealed_paper(_request: HttpRequest, digest: str) -> FileResponse:
    """Stream one sealed file. Its name is its digest: it never changes and may be kept for ever."""
    path = Path(settings.PAPERS_ROOT) / f"{digest}.ecni"
    try:
        stream = path.open("rb")
    except FileNotFoundError as error:
        raise Http404 from error
    response = FileResponse(stream, content_type="application/octet-stream")
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    return response
