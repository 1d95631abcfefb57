"""The question bank. Texts, keys and images are encrypted at rest: no dump of the database shows one."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from ecni.shared.vault import SealedBytesField, SealedJSONField
from exams.enums import CaseKind, QuestionKind


class Case(models.Model):
    """Several questions about one patient, one vignette or one article."""

    identifier = models.CharField(_("identifiant"), max_length=40)
    version = models.PositiveSmallIntegerField(_("version"), default=1)
    kind = models.CharField(_("type"), max_length=10, choices=CaseKind.choices)
    content = SealedJSONField(_("contenu"), help_text=_("Titre, énoncé, article : voir exams.rules.content."))
    created_at = models.DateTimeField(_("création"))

    class Meta:
        verbose_name = _("dossier")
        verbose_name_plural = _("dossiers")
        constraints = [models.UniqueConstraint(fields=["identifier", "version"], name="case_version_once")]

    def __str__(self) -> str:
        return f"{self.identifier} v{self.version}"


class Question(models.Model):
    """One version of one question; a version used in a sealed paper is never edited again."""

    identifier = models.CharField(_("identifiant"), max_length=40)
    version = models.PositiveSmallIntegerField(_("version"), default=1)
    kind = models.CharField(_("type"), max_length=10, choices=QuestionKind.choices)
    rank = models.CharField(_("rang"), max_length=1, choices=[("A", "A"), ("B", "B")])
    item = models.PositiveSmallIntegerField(_("item du programme"), null=True, blank=True)
    specialty = models.CharField(_("spécialité"), max_length=80, blank=True)
    case = models.ForeignKey(
        Case, models.CASCADE, related_name="questions", null=True, blank=True, verbose_name=_("dossier")
    )
    position = models.PositiveSmallIntegerField(_("rang dans le dossier"), null=True, blank=True)
    content = SealedJSONField(_("contenu"), help_text=_("Énoncé, propositions et clé : voir exams.rules.content."))
    created_at = models.DateTimeField(_("création"))

    class Meta:
        verbose_name = _("question")
        verbose_name_plural = _("questions")
        constraints = [
            models.UniqueConstraint(fields=["identifier", "version"], name="question_version_once"),
            models.UniqueConstraint(fields=["case", "position"], name="question_position_once_per_case"),
            models.CheckConstraint(
                condition=models.Q(case__isnull=True, position__isnull=True)
                | models.Q(case__isnull=False, position__isnull=False),
                name="question_position_with_case",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.identifier} v{self.version}"


class Media(models.Model):
    """An image of the bank, known by its file name."""

    name = models.CharField(_("fichier"), max_length=100, unique=True)
    content_type = models.CharField(_("type de contenu"), max_length=60)
    size = models.PositiveIntegerField(_("octets"))
    content = SealedBytesField(_("contenu"))

    class Meta:
        verbose_name = _("image")
        verbose_name_plural = _("images")

    def __str__(self) -> str:
        return self.name
