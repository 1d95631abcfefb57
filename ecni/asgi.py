"""The ASGI application: HTTP by Django, candidates' and consoles' websockets by Channels' routing."""

import os
from typing import Any

from django.core.asgi import get_asgi_application

from ecni.daphne_debug import spare_debug_lines

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ecni.settings")
http = get_asgi_application()
spare_debug_lines()

# After django.setup(), which get_asgi_application() runs: consumers import models.
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402

from centres.routing import websocket_urlpatterns as console_routes  # noqa: E402
from ecni.watch.consumers import Watched  # noqa: E402
from exams.consumers.frames import PATH as FRAMES_PATH  # noqa: E402
from exams.consumers.origin import OriginGuard  # noqa: E402
from exams.routing import candidate_frames  # noqa: E402
from exams.routing import websocket_urlpatterns as candidate_routes  # noqa: E402


async def serve_http(scope: Any, receive: Any, send: Any) -> None:
    """Keep the candidates' frames off Django's middleware and its one shared thread."""
    await (candidate_frames if scope["path"] == FRAMES_PATH else http)(scope, receive, send)


application = Watched(
    ProtocolTypeRouter(
        {
            "http": serve_http,
            "websocket": OriginGuard(URLRouter([*candidate_routes, *console_routes])),
        }
    )
)
