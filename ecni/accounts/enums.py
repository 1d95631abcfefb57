"""Who people of the staff are."""

from django.db.models import TextChoices


class Role(TextChoices):
    """One role per account; what each may do: `rules/access` of each app, `ecni.accounts.rules` (administration)."""

    AGENCY = "AGENCY", "Agence nationale"
    COUNCIL = "COUNCIL", "Conseil scientifique"
    CENTRE_HEAD = "CENTRE_HEAD", "Responsable de centre"
    INVIGILATOR = "INVIGILATOR", "Surveillant"
    JURY = "JURY", "Jury"
    PRESIDENT = "PRESIDENT", "Président du jury"
    OPS = "OPS", "Exploitation"
