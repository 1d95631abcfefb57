"""Candidates and what was decided for them before the exam."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from centres.enums import CandidateCategory, CandidateStanding
from centres.models.place import Centre


class Candidate(models.Model):
    """A person registered for one exam.

    `number` is the anonymous one, that sheets carry; `official_number` the one on the summons;
    `results_hmac` the keyed digest of the code by which they will read their results.
    """

    exam = models.ForeignKey("exams.Exam", models.PROTECT, related_name="+", verbose_name=_("examen"))
    centre = models.ForeignKey(Centre, models.PROTECT, related_name="candidates", verbose_name=_("centre"))
    official_number = models.CharField(_("numéro de candidat"), max_length=20)
    last_name = models.CharField(_("nom"), max_length=100)
    first_name = models.CharField(_("prénom"), max_length=100)
    born_on = models.DateField(_("date de naissance"))
    email = models.EmailField(_("courriel"), blank=True)
    category = models.CharField(
        _("catégorie"), max_length=10, choices=CandidateCategory.choices, default=CandidateCategory.STUDENT
    )
    standing = models.CharField(
        _("situation"), max_length=20, choices=CandidateStanding.choices, default=CandidateStanding.REGULAR
    )
    number = models.CharField(_("numéro d’anonymat"), max_length=12)
    results_hmac = models.BinaryField(_("empreinte du code de résultats"), null=True, unique=True)

    class Meta:
        verbose_name = _("candidat")
        verbose_name_plural = _("candidats")
        constraints = [
            models.UniqueConstraint(fields=["exam", "official_number"], name="candidate_official_number_once"),
            models.UniqueConstraint(fields=["exam", "number"], name="candidate_number_once"),
        ]

    def __str__(self) -> str:
        return f"candidate {self.pk}"


class Accommodation(models.Model):
    """Extra time granted to a candidate before the exam (tiers temps), as a share of each sitting."""

    candidate = models.OneToOneField(
        Candidate, models.CASCADE, related_name="accommodation", verbose_name=_("candidat")
    )
    extra_percent = models.PositiveSmallIntegerField(
        _("majoration (%)"), validators=[MinValueValidator(1), MaxValueValidator(100)]
    )
    reason = models.CharField(
        _("décision"), max_length=200, help_text=_("Référence de la décision, sans motif médical.")
    )
    declared_at = models.DateTimeField(_("déclaré le"))

    class Meta:
        verbose_name = _("aménagement")
        verbose_name_plural = _("aménagements")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(extra_percent__gte=1, extra_percent__lte=100), name="accommodation_percent_in_range"
            )
        ]

    def __str__(self) -> str:
        return f"+ {self.extra_percent} %"
