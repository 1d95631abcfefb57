"""Addresses of the operations board."""

from django.urls import path

from ecni.watch import views

app_name = "watch"

urlpatterns = [
    path("", views.show_board, name="board-show"),
    path("etat/", views.show_state, name="state-show"),
]
