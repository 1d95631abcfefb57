"""The closed lists of the ranking: who is ranked how, and where a complaint stands."""

from django.db.models import TextChoices


class Status(TextChoices):
    """What a candidate is to the ranking; one person may have several."""

    EXCLUDED = "EXCLUDED", "Exclu"
    WITHDRAWN = "WITHDRAWN", "Candidature retirée"
    ABSENT = "ABSENT", "Absent à toutes les épreuves"
    ABSENT_ONCE = "ABSENT_ONCE", "Absent à une épreuve"
    CYCLE_NOT_VALIDATED = "CYCLE_NOT_VALIDATED", "Deuxième cycle non validé"
    STUDENT = "STUDENT", "Étudiant"
    CESP = "CESP", "Contrat d’engagement de service public"
    MILITARY = "MILITARY", "Élève du service de santé des armées"
    EUROPEAN = "EUROPEAN", "Étudiant d’un autre État européen"
    AUDITOR = "AUDITOR", "Auditeur"
    INTERN = "INTERN", "Interne qui se présente à nouveau"


class Treatment(TextChoices):
    """How a status is ranked, the mildest first."""

    RANKED = "RANKED", "Classé"
    APART = "APART", "Classé à part"
    UNRANKED = "UNRANKED", "Non classé"


class ComplaintState(TextChoices):
    """Where a complaint stands: its last step."""

    FILED = "FILED", "Déposée"
    TAKEN = "TAKEN", "En cours d’examen"
    ANSWERED = "ANSWERED", "Répondue"
    CLOSED = "CLOSED", "Close"
