"""The ASGI application: what this process serves follows from its role; whatever else is asked of it, it refuses.

`web` has the pages and the consoles, `sockets` the candidates' wire, `all` both.
"""

import gc
import os
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

from ecni.daphne_debug import spare_debug_lines
from ecni.pages import get_pages

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ecni.settings")
pages = get_pages()
spare_debug_lines()

# After django.setup(), which get_pages() runs: consumers import models.
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.conf import settings  # noqa: E402
from django.urls import re_path  # noqa: E402

from centres.routing import websocket_urlpatterns as console_routes  # noqa: E402
from ecni.watch.consumers import Watched  # noqa: E402
from exams.consumers.frames import PATH as FRAMES_PATH  # noqa: E402
from exams.consumers.origin import OriginGuard  # noqa: E402
from exams.routing import candidate_frames  # noqa: E402
from exams.routing import websocket_urlpatterns as candidate_routes  # noqa: E402

Application = Callable[[Any, Any, Any], Awaitable[None]]


async def refuse_page(_scope: Any, _receive: Any, send: Any) -> None:
    """Say that there is no such page here."""
    await send({"type": "http.response.start", "status": HTTPStatus.NOT_FOUND.value, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def refuse_socket(_scope: Any, receive: Any, send: Any) -> None:
    """Refuse the handshake of a websocket that has no place here."""
    await receive()
    await send({"type": "websocket.close"})


def application_of(role: str) -> Application:
    """Return what a process of this role serves."""
    has_pages, has_wire = role != "sockets", role in {"sockets", "all"}
    routes = [*(candidate_routes if has_wire else []), *(console_routes if has_pages else [])]
    frames: Application = candidate_frames if has_wire else refuse_page
    others: Application = pages if has_pages else refuse_page

    async def serve_http(scope: Any, receive: Any, send: Any) -> None:
        """Keep the candidates' frames off Django's middleware and the threads of its pages."""
        await (frames if scope["path"] == FRAMES_PATH else others)(scope, receive, send)

    nowhere: Any = re_path("", refuse_socket)  # type: ignore[arg-type]  # an ASGI application, not a view
    return Watched(ProtocolTypeRouter({"http": serve_http, "websocket": OriginGuard(URLRouter([*routes, nowhere]))}))


application = application_of(settings.ROLE)

# The application is loaded and lives as long as the process: the collector need never walk it again.
gc.collect()
gc.freeze()
