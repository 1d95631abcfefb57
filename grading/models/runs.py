"""Marking runs and their marks. A mark bears an anonymous number, never a person and never a place."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from ecni.shared.appendonly import AppendOnly
from grading.enums import MarkingState

ACTIVE = [MarkingState.PENDING, MarkingState.RUNNING]


class MarkingRun(models.Model):
    """One marking of one paper, with all it was made from. A run is never corrected: a later one supersedes it.

    `scale` holds the exact points of each question, in order, as texts such as `"28"` or `"84/5"`; marks are
    numerators over `denominator`. `decisions` are those of the jury that were in force at the start, in the form of
    `grading.rules.decisions`. `digest` is the SHA-256 of the canonical bytes of every mark, `inputs_digest` that
    of all that was read.
    """

    paper = models.ForeignKey("exams.Paper", models.PROTECT, related_name="+", verbose_name=_("sujet"))
    rules_version = models.CharField(_("version des règles"), max_length=40)
    parameters = models.JSONField(_("paramètres"))
    decisions = models.JSONField(_("décisions du jury"), default=list)
    scale = models.JSONField(_("barème"))
    denominator = models.PositiveBigIntegerField(_("dénominateur"))
    inputs_digest = models.CharField(_("empreinte des entrées"), max_length=64)
    state = models.CharField(_("état"), max_length=10, choices=MarkingState.choices, default=MarkingState.PENDING)
    sheets = models.PositiveIntegerField(_("copies"))
    absent = models.PositiveIntegerField(_("absents"))
    digest = models.CharField(_("empreinte des notes"), max_length=64, blank=True)
    failure = models.TextField(_("cause de l’échec"), blank=True)
    supersedes = models.ForeignKey("self", models.PROTECT, related_name="+", null=True, verbose_name=_("remplace"))
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("lancée par")
    )
    created_at = models.DateTimeField(_("lancée le"))
    finished_at = models.DateTimeField(_("terminée le"), null=True)

    class Meta:
        verbose_name = _("notation")
        verbose_name_plural = _("notations")
        constraints = [
            models.UniqueConstraint(
                fields=["paper"], condition=models.Q(state__in=ACTIVE), name="markingrun_one_active_per_paper"
            ),
            models.CheckConstraint(
                condition=models.Q(state=MarkingState.DONE, digest__regex="^[0-9a-f]{64}$", finished_at__isnull=False)
                | (~models.Q(state=MarkingState.DONE) & models.Q(digest="")),
                name="markingrun_digest_when_done",
            ),
        ]

    def __str__(self) -> str:
        return f"marking run {self.pk}"


class MarkingChunk(models.Model):
    """A share of a run that one task marks: the frozen sheets from `first_sheet` to `last_sheet`, both included.

    `attempts` counts the claims; it also fences off a worker that was taken for dead and comes back.
    """

    run = models.ForeignKey(MarkingRun, models.PROTECT, related_name="chunks", verbose_name=_("notation"))
    number = models.PositiveIntegerField(_("numéro"))
    first_sheet = models.BigIntegerField(_("première copie"))
    last_sheet = models.BigIntegerField(_("dernière copie"))
    sheets = models.PositiveIntegerField(_("copies"))
    state = models.CharField(_("état"), max_length=10, choices=MarkingState.choices, default=MarkingState.PENDING)
    attempts = models.PositiveSmallIntegerField(_("essais"), default=0)
    started_at = models.DateTimeField(_("début"), null=True)
    finished_at = models.DateTimeField(_("fin"), null=True)
    error = models.TextField(_("erreur"), blank=True)

    class Meta:
        verbose_name = _("lot de copies")
        verbose_name_plural = _("lots de copies")
        constraints = [models.UniqueConstraint(fields=["run", "number"], name="markingchunk_number_once")]

    def __str__(self) -> str:
        return f"marking chunk {self.run_id}/{self.number}"


class SheetMark(AppendOnly):
    """The marks of one sheet: a little-endian int64 numerator per question in `points`, and their sum."""

    run = models.ForeignKey(MarkingRun, models.PROTECT, related_name="marks", verbose_name=_("notation"))
    number = models.CharField(_("numéro anonyme"), max_length=12)
    points = models.BinaryField(_("points par question"))
    total = models.BigIntegerField(_("total"))

    class Meta:
        verbose_name = _("notes d’une copie")
        verbose_name_plural = _("notes des copies")
        constraints = [models.UniqueConstraint(fields=["run", "number"], name="sheetmark_once_per_run")]

    def __str__(self) -> str:
        return f"mark {self.run_id}/{self.number}"
