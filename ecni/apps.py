"""The composition root as a Django application."""

from importlib import import_module

from django.apps import AppConfig


class EcniConfig(AppConfig):
    """Carries the commands of the whole house and makes its Celery application the one that tasks are bound to."""

    name = "ecni"

    def ready(self) -> None:
        """Load the Celery application in every process, so that a web request sends tasks to the same broker."""
        import_module("ecni.celery")
