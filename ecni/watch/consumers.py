"""Health and metrics as bare ASGI: they answer from the event loop, whatever the threads of pages wait for.

No session, no host name to agree on, no redirection to HTTPS: who asks is a proxy or a monitor beside the server.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from hmac import compare_digest
from http import HTTPStatus
from typing import Any

import redis
from django.conf import settings

from ecni.shared.clock import now
from ecni.vitals import REPORTER
from ecni.vitals.hints import read_pressures, read_vitals
from ecni.watch.health import Health, is_ready
from ecni.watch.metrics import CONTENT_TYPE as TEXT
from ecni.watch.metrics import exposition

ALIVE, READY, METRICS = "/sante/vivant/", "/sante/pret/", "/metrics"
CACHED_SECONDS = 1.0
PATIENCE_SECONDS = 3.0
JSON = b"application/json"

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Application = Callable[[Any, Any, Any], Awaitable[None]]


class Monitor:
    """ASGI application of the three addresses."""

    paths = frozenset({ALIVE, READY, METRICS})

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "health")
        self._health: Health | None = None
        self._checks: dict[str, str] = {}
        self._checked_at = 0.0

    async def __call__(self, scope: Mapping[str, Any], _receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["method"] not in {"GET", "HEAD"}:
            await answer(send, HTTPStatus.METHOD_NOT_ALLOWED, JSON, b"{}")
        elif scope["path"] == ALIVE:
            await answer(send, HTTPStatus.OK, JSON, b'{"alive": true}')
        elif scope["path"] == READY:
            await self._tell_ready(send)
        elif may_read_metrics(scope):
            page = await asyncio.get_running_loop().run_in_executor(None, metrics_page)
            await answer(send, HTTPStatus.OK, TEXT, page.encode())
        else:
            await answer(send, HTTPStatus.UNAUTHORIZED, JSON, b"{}")

    async def _tell_ready(self, send: Send) -> None:
        asked = asyncio.get_running_loop().run_in_executor(self._thread, self._check)
        try:
            checks = await asyncio.wait_for(asked, PATIENCE_SECONDS)
        except TimeoutError:
            checks = {"postgresql": "silent"}
        body = json.dumps({"ready": is_ready(checks), "role": settings.ROLE, "checks": checks}).encode()
        await answer(send, HTTPStatus.OK if is_ready(checks) else HTTPStatus.SERVICE_UNAVAILABLE, JSON, body)

    def _check(self) -> dict[str, str]:
        """Check, at most once a second; one thread does it, so that many who ask make one question."""
        if not self._checks or time.monotonic() - self._checked_at > CACHED_SECONDS:
            self._health = self._health or Health(now)
            self._checks = self._health.check()
            self._checked_at = time.monotonic()
        return self._checks

    def stop(self) -> None:
        """Give back the connection of its thread."""
        if self._health is not None:
            self._thread.submit(self._health.close).result()
        self._health, self._checks = None, {}


class Watched:
    """ASGI application of a whole process: another one, its vitals told, health and metrics in front of it."""

    def __init__(self, application: Application) -> None:
        self.monitor = Monitor()
        self._application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve one request or one socket; the first one starts the vitals of this process."""
        REPORTER.start(asyncio.get_running_loop())
        is_ours = scope["type"] == "http" and scope["path"] in self.monitor.paths
        await (self.monitor if is_ours else self._application)(scope, receive, send)


def may_read_metrics(scope: Mapping[str, Any]) -> bool:
    """Whether the request carries METRICS_TOKEN; without one in the settings nobody reads."""
    given: bytes = dict(scope["headers"]).get(b"authorization", b"")
    wanted = f"Bearer {settings.METRICS_TOKEN}".encode()
    return bool(settings.METRICS_TOKEN) and compare_digest(given, wanted)


def metrics_page() -> str:
    """Return the metrics of every process, or of none while Redis is away."""
    try:
        return exposition(read_vitals(), read_pressures(), is_redis_up=True)
    except redis.RedisError:
        return exposition([], None, is_redis_up=False)


async def answer(send: Send, status: HTTPStatus, content_type: bytes, body: bytes) -> None:
    """Send one short answer that nobody keeps."""
    headers = [(b"content-type", content_type), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": status.value, "headers": headers})
    await send({"type": "http.response.body", "body": body})
