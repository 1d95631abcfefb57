"""Websocket routes of the exam."""

from django.urls import path

from exams.consumers.socket import CandidateSocket

websocket_urlpatterns = [path("ws/copie/", CandidateSocket())]
