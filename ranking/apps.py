"""Application of the ranking and of the results."""

from django.apps import AppConfig


class RankingConfig(AppConfig):
    """Label `ranking`."""

    name = "ranking"
    verbose_name = "Classement"
