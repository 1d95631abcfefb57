"""Pages as the web role serves them: each request in one thread from the first middleware to the view, in one go.

Every view here is synchronous. Django's own ASGI handler goes through middleware on the event loop and comes back to
the thread at each of them: a dozen switches a page (docs/adr/0021-a-page-in-one-thread.md has the measure).
"""

from typing import Any

import django
from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest
from django.http.response import HttpResponseBase


class PagesHandler(ASGIHandler):
    """Django's ASGI handler with its synchronous chain."""

    def load_middleware(self, is_async: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 -- Django's signature
        """Load the chain as a WSGI server would."""
        super().load_middleware(is_async=False)

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        """Answer in the thread of this request."""
        return await sync_to_async(self.get_response, thread_sensitive=True)(request)


def get_pages() -> Any:
    """Set Django up and return the application that serves its pages."""
    django.setup(set_prefix=False)
    return PagesHandler()
