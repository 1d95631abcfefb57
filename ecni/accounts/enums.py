"""Who people of the staff are."""

from django.db.models import TextChoices


class Role(TextChoices):
    """One role per account; what each may do: `rules/access` of `centres` and of `grading`, `ecni.accounts.rules`."""

    AGENCY = "AGENCY", "Agence nationale"
    COUNCIL = "COUNCIL", "Conseil scientifique"
    CENTRE_HEAD = "CENTRE_HEAD", "Responsable de centre"
    INVIGILATOR = "INVIGILATOR", "Surveillant"
    JURY = "JURY", "Jury"
    PRESIDENT = "PRESIDENT", "Président du jury"
    OPS = "OPS", "Exploitation"
