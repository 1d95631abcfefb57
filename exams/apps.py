"""Application of the exam itself."""

from django.apps import AppConfig


class ExamsConfig(AppConfig):
    """Label `exams`."""

    name = "exams"
    verbose_name = "Épreuves"
