"""Application of the marking."""

from django.apps import AppConfig


class GradingConfig(AppConfig):
    """Label `grading`."""

    name = "grading"
    verbose_name = "Notation"
