"""What candidates are, administratively."""

from django.db.models import TextChoices


class CandidateCategory(TextChoices):
    """Why a person sits the exam, and so which ranking and which posts are open to them."""

    STUDENT = "STUDENT", "Étudiant"
    CESP = "CESP", "Étudiant en contrat d’engagement de service public"
    MILITARY = "MILITARY", "Élève du service de santé des armées"
    EUROPEAN = "EUROPEAN", "Étudiant d’un autre État européen"
