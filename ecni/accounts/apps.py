"""Application of the staff accounts."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Label `accounts`."""

    name = "ecni.accounts"
    label = "accounts"
    verbose_name = "Comptes du personnel"
