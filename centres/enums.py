"""What candidates are, administratively."""

from django.db.models import TextChoices


class CandidateCategory(TextChoices):
    """Why a person sits the exam, and so which ranking and which posts are open to them."""

    STUDENT = "STUDENT", "Étudiant"
    CESP = "CESP", "Étudiant en contrat d’engagement de service public"
    MILITARY = "MILITARY", "Élève du service de santé des armées"
    EUROPEAN = "EUROPEAN", "Étudiant d’un autre État européen"
    AUDITOR = "AUDITOR", "Auditeur"
    INTERN = "INTERN", "Interne qui se présente à nouveau"


class CandidateStanding(TextChoices):
    """What was decided of a candidature; ranking says what follows from it."""

    REGULAR = "REGULAR", "Régulière"
    CYCLE_NOT_VALIDATED = "CYCLE_NOT_VALIDATED", "Deuxième cycle non validé"
    WITHDRAWN = "WITHDRAWN", "Candidature retirée"
    EXCLUDED = "EXCLUDED", "Exclu"
