"""Routes of the candidate's wire: websockets, and the same frames by HTTP."""

from typing import Any

from django.urls import path

from exams.consumers.frames import CandidateFrames
from exams.consumers.hub import HubSource
from exams.consumers.socket import CandidateSocket

_hub = HubSource()

websocket_urlpatterns: list[Any] = [
    path("ws/copie/", CandidateSocket(_hub)),  # type: ignore[arg-type]  # an ASGI application, not a view
]
candidate_frames = CandidateFrames(_hub)
