"""Application of people and places."""

from django.apps import AppConfig


class CentresConfig(AppConfig):
    """Label `centres`."""

    name = "centres"
    verbose_name = "Centres et candidats"
