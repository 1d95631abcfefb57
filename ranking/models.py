"""Rankings and their publication. A ranking is written once; a later one stands beside it, never in its place."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from ecni.shared.appendonly import AppendOnly


class RankingRun(AppendOnly):
    """One ranking of an exam, from the marking runs it was made of. Points are numerators over `denominator`.

    `digest` is the SHA-256 of the canonical bytes of the ranking, `inputs_digest` of all that it was made from.
    """

    exam = models.ForeignKey("exams.Exam", models.PROTECT, related_name="+", verbose_name=_("examen"))
    marking_runs = models.ManyToManyField("grading.MarkingRun", related_name="+", verbose_name=_("notations"))
    tie_keys = models.JSONField(_("clés de départage"))
    rules_version = models.CharField(_("version des règles"), max_length=40)
    denominator = models.PositiveBigIntegerField(_("dénominateur"))
    unranked = models.JSONField(_("non classés"), help_text=_("Numéros anonymes absents à toutes les épreuves."))
    inputs_digest = models.CharField(_("empreinte des entrées"), max_length=64)
    digest = models.CharField(_("empreinte du classement"), max_length=64)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("auteur"))
    created_at = models.DateTimeField(_("calculé le"))

    class Meta:
        verbose_name = _("classement")
        verbose_name_plural = _("classements")

    def __str__(self) -> str:
        return f"ranking run {self.pk}"


class RankedSheet(AppendOnly):
    """One place in a ranking. `tie` says in words which key decided against the place before, when totals are equal."""

    run = models.ForeignKey(RankingRun, models.PROTECT, related_name="places", verbose_name=_("classement"))
    position = models.PositiveIntegerField(_("ordre"))
    rank = models.PositiveIntegerField(_("rang"))
    number = models.CharField(_("numéro anonyme"), max_length=12)
    total = models.BigIntegerField(_("total"))
    parts = models.JSONField(_("points par partie"))
    tie = models.JSONField(_("départage"), null=True)

    class Meta:
        verbose_name = _("place")
        verbose_name_plural = _("places")
        constraints = [
            models.UniqueConstraint(fields=["run", "number"], name="rankedsheet_number_once_per_run"),
            models.UniqueConstraint(fields=["run", "position"], name="rankedsheet_position_once_per_run"),
        ]

    def __str__(self) -> str:
        return f"rank {self.run_id}/{self.rank}"


class Publication(models.Model):
    """The decision to publish a ranking: one person proposes, another confirms, never before `not_before`."""

    exam = models.ForeignKey("exams.Exam", models.PROTECT, related_name="+", verbose_name=_("examen"))
    run = models.OneToOneField(RankingRun, models.PROTECT, related_name="publication", verbose_name=_("classement"))
    not_before = models.DateTimeField(_("pas avant"))
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("proposée par")
    )
    proposed_at = models.DateTimeField(_("proposée le"))
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, verbose_name=_("confirmée par")
    )
    confirmed_at = models.DateTimeField(_("confirmée le"), null=True)

    class Meta:
        verbose_name = _("publication")
        verbose_name_plural = _("publications")
        constraints = [
            models.UniqueConstraint(
                fields=["exam"], condition=models.Q(confirmed_at__isnull=False), name="publication_one_per_exam"
            ),
            models.CheckConstraint(
                condition=models.Q(confirmed_by__isnull=True, confirmed_at__isnull=True)
                | models.Q(confirmed_by__isnull=False, confirmed_at__gte=models.F("not_before")),
                name="publication_confirmed_in_time",
            ),
            models.CheckConstraint(
                condition=models.Q(confirmed_by__isnull=True) | ~models.Q(confirmed_by=models.F("proposed_by")),
                name="publication_by_two_people",
            ),
        ]

    def __str__(self) -> str:
        return f"publication {self.pk}"
