"""The closed lists of marking: English names, French labels."""

from django.db.models import TextChoices


class MarkingState(TextChoices):
    """Where a run, or one of its chunks, stands."""

    PENDING = "PENDING", "En attente"
    RUNNING = "RUNNING", "En cours"
    DONE = "DONE", "Terminée"
    FAILED = "FAILED", "Échouée"
