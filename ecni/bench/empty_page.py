"""The floor of a page: an empty one, by the platform's own Django with all its middleware."""

import os
from typing import Any

from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import path


def empty(_request: HttpRequest) -> HttpResponse:
    """Return a page without anything."""
    return HttpResponse()


urlpatterns = [path("", empty)]
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ecni.settings")
settings.ROOT_URLCONF = __name__
_django = get_asgi_application()


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Serve HTTP."""
    if scope["type"] == "http":
        await _django(scope, receive, send)
