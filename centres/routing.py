"""Addresses of the consoles' sockets; they carry the session of the staff."""

from channels.auth import AuthMiddlewareStack
from django.urls import URLPattern, path

from centres.consumers import NationalConsumer, RoomConsumer

websocket_urlpatterns: list[URLPattern] = [
    path("ws/salle/<int:hosting_id>/", AuthMiddlewareStack(RoomConsumer.as_asgi())),
    path("ws/national/", AuthMiddlewareStack(NationalConsumer.as_asgi())),
]
