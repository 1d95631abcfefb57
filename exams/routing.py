"""Websocket routes of the exam."""

from typing import Any

from django.urls import path

from exams.consumers.socket import CandidateSocket

websocket_urlpatterns: list[Any] = [
    path("ws/copie/", CandidateSocket()),  # type: ignore[arg-type]  # an ASGI application, not a view
]
