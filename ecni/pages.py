"""Pages as the web role serves them: each request in one thread from the first middleware to the view, in one go.

Every view here is synchronous. Django's own ASGI handler goes through middleware on the event loop and comes back to
the thread at each of them, and makes a thread for each request: when many come at once those threads keep the
interpreter from the loop, and each keeps a connection to the database until the loop's turn has come
(docs/adr/0021-a-page-in-one-thread.md and 0023-pages-in-a-few-threads.md have the measures).
"""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import django
from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.db import close_old_connections
from django.http import HttpRequest
from django.http.response import HttpResponseBase

THREADS = 6
"""Pages answered at once by a process: a page is mostly Python, of which one thread runs at a time, and some wait."""
CANDIDATE_THREADS = 4
"""Of which candidates have so many at most: a crowd at the door does not stop the pages of who lets it in."""
CANDIDATE_PATHS = ("/entrer/", "/copie/", "/resultats/")
WAITED = "ecni.waited"
"""In `META`: for how many seconds a request has waited for a thread."""


class PagesHandler(ASGIHandler):
    """Django's ASGI handler with its synchronous chain, in a few threads that last."""

    def __init__(self) -> None:
        """Load the chain; threads start as requests come."""
        super().__init__()
        self._threads = ThreadPoolExecutor(THREADS, "page")
        self._candidates = asyncio.Semaphore(CANDIDATE_THREADS)

    def load_middleware(self, is_async: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002 -- Django's signature
        """Load the chain as a WSGI server would."""
        super().load_middleware(is_async=False)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request, for which no thread is made."""
        await self.handle(scope, receive, send)

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        """Answer in the first thread that is free, in the order they came."""
        came = time.monotonic()
        answer = sync_to_async(self._answer, thread_sensitive=False, executor=self._threads)
        if not request.path.startswith(CANDIDATE_PATHS):
            return await answer(request, came)
        await self._candidates.acquire()
        answering = asyncio.ensure_future(answer(request, came))
        answering.add_done_callback(lambda _: self._candidates.release())
        return await asyncio.shield(answering)  # a caller who hangs up does not end the thread

    def _answer(self, request: HttpRequest, came: float) -> HttpResponseBase:
        request.META[WAITED] = time.monotonic() - came
        try:
            return self.get_response(request)
        finally:
            close_old_connections()  # Django's own signal of the end comes in another thread


def get_pages() -> Any:
    """Set Django up and return the application that serves its pages."""
    django.setup(set_prefix=False)
    return PagesHandler()
