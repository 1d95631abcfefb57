"""Addresses of the consoles' sockets; they carry the session of the staff."""

from typing import Any

from channels.auth import AuthMiddlewareStack
from django.urls import path

from centres.consumers import NationalConsumer, RoomConsumer

# Django's stubs only know views, not ASGI applications.
websocket_urlpatterns: list[Any] = [
    path("ws/salle/<int:hosting_id>/", AuthMiddlewareStack(RoomConsumer.as_asgi())),  # type: ignore[arg-type]
    path("ws/national/", AuthMiddlewareStack(NationalConsumer.as_asgi())),  # type: ignore[arg-type]
]
