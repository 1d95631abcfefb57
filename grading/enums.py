"""The closed lists of marking: English names, French labels."""

from django.db.models import TextChoices


class MarkingState(TextChoices):
    """Where a run, or one of its chunks, stands."""

    PENDING = "PENDING", "En attente"
    RUNNING = "RUNNING", "En cours"
    DONE = "DONE", "Terminée"
    FAILED = "FAILED", "Échouée"


class ProposalKind(TextChoices):
    """What the jury may decide about questions."""

    NEUTRALISE = "NEUTRALISE", "Neutraliser"
    REKEY = "REKEY", "Changer la clé"
    RESTORE = "RESTORE", "Rétablir le sujet"


class NeutralisationMode(TextChoices):
    """What becomes of the points of a neutralised question."""

    RESCALE = "RESCALE", "Retirée, ses points vont aux autres"
    FULL = "FULL", "Points accordés à tous"


class BallotChoice(TextChoices):
    """What a member of the jury votes."""

    FOR = "FOR", "Pour"
    AGAINST = "AGAINST", "Contre"
    ABSTAIN = "ABSTAIN", "Abstention"


class SpellingCategory(TextChoices):
    """The list that a short open answer is put in."""

    EXACT = "EXACT", "Exacte"
    ACCEPTABLE = "ACCEPTABLE", "Acceptable"
    WRONG = "WRONG", "Fausse"
