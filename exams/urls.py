"""Addresses of the tablet and of what it fetches."""

from django.urls import path, re_path

from exams.views.receipt import show_receipt
from exams.views.tablet import fetch_paper, show_tablet
from exams.views.worker import show_worker

app_name = "exams"

urlpatterns = [
    path("copie/", show_tablet, name="tablet-show"),
    path("copie/recu.svg", show_receipt, name="receipt-show"),
    path("copie/sw.js", show_worker, name="worker-show"),
    re_path(r"^sujets/(?P<digest>[0-9a-f]{64})\.ecni$", fetch_paper, name="paper-fetch"),
]
