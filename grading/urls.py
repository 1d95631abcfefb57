"""Addresses of the marking pages."""

from django.urls import path

from grading import views

app_name = "grading"
urlpatterns = [
    path("", views.list_exams, name="exam-list"),
    path("<int:exam_id>/", views.show_marking, name="marking-show"),
    path("<int:exam_id>/etat.json", views.read_progress, name="marking-progress"),
    path("epreuve/<int:sitting_id>/noter/", views.start_run, name="run-start"),
]
