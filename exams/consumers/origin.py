"""The guard of every websocket's origin: a page of another site opens none, unless two people said to observe only."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import ParseResult, urlparse

from channels.security.websocket import OriginValidator, WebsocketDenier
from django.conf import settings
from django.db import connection

from exams.actions.guards import Guards
from exams.enums import GuardName


class OriginGuard(OriginValidator):
    """Channels' validator for `ALLOWED_HOSTS`, which can observe instead. An origin that is ours costs nothing more."""

    def __init__(self, application: Any) -> None:
        super().__init__(application, settings.ALLOWED_HOSTS)
        self._app = application
        self._guards = Guards()
        self._thread = ThreadPoolExecutor(1, "origin")

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass the connection on, or deny it."""
        if not self.valid_origin(origin_of(scope)) and await self._stops():
            await WebsocketDenier()(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _stops(self) -> bool:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._look)

    def _look(self) -> bool:
        try:
            return self._guards.look_and_stop(GuardName.ORIGIN, time.monotonic())
        finally:
            connection.close()


def origin_of(scope: Any) -> ParseResult | None:
    """Return the origin that a handshake names, or None."""
    for name, value in scope["headers"]:
        if name == b"origin":
            origin: ParseResult = urlparse(value.decode("latin-1"))
            return origin
    return None
