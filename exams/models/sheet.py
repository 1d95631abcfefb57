"""Answer sheets, the centre sittings that hold them, and the time they are given."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from ecni.shared.appendonly import AppendOnly
from exams.enums import CentreSittingState, GrantCause, OpKind, SheetState
from exams.models.exam import Sitting


class CentreSitting(models.Model):
    """The sheets that open and close together, at one place. It does not know the place.

    `revision` grows with every change by the staff to it or to one of its sheets: server processes compare it each
    second. `networks` are those that its tablets may come from (`10.1.0.0/16`), none for any; the app above, which
    knows the place, writes them.
    """

    sitting = models.ForeignKey(Sitting, models.PROTECT, related_name="centre_sittings", verbose_name=_("épreuve"))
    state = models.CharField(
        _("état"), max_length=10, choices=CentreSittingState.choices, default=CentreSittingState.PLANNED
    )
    opened_at = models.DateTimeField(_("ouverture"), null=True, blank=True)
    closed_at = models.DateTimeField(_("clôture"), null=True, blank=True)
    revision = models.PositiveBigIntegerField(_("révision"), default=1)
    networks = models.JSONField(_("réseaux"), default=list, blank=True)

    class Meta:
        verbose_name = _("épreuve en centre")
        verbose_name_plural = _("épreuves en centre")

    def __str__(self) -> str:
        return f"centre sitting {self.pk}"


class Sheet(models.Model):
    """One answer sheet (copie), known by an anonymous number which is the same in every sitting of the exam.

    The answer path writes this row only to hand it in. `epoch` is the fencing token of the one live tablet.
    """

    sitting = models.ForeignKey(Sitting, models.PROTECT, related_name="sheets", verbose_name=_("épreuve"))
    centre_sitting = models.ForeignKey(
        CentreSitting, models.PROTECT, related_name="sheets", verbose_name=_("épreuve en centre")
    )
    number = models.CharField(_("numéro de copie"), max_length=12)
    state = models.CharField(_("état"), max_length=10, choices=SheetState.choices, default=SheetState.EXPECTED)
    epoch = models.PositiveSmallIntegerField(_("époque"), default=1)
    extra_seconds = models.PositiveIntegerField(_("temps majoré (secondes)"), default=0)
    ends_at = models.DateTimeField(_("fin"), null=True, blank=True)
    admitted_at = models.DateTimeField(_("admission"), null=True, blank=True)
    ready_at = models.DateTimeField(_("tablette prête"), null=True, blank=True)
    submitted_at = models.DateTimeField(_("remise"), null=True, blank=True)

    class Meta:
        verbose_name = _("copie")
        verbose_name_plural = _("copies")
        constraints = [
            models.UniqueConstraint(fields=["sitting", "number"], name="sheet_number_once_per_sitting"),
            models.CheckConstraint(
                condition=~models.Q(state__in=[SheetState.COMPOSING, SheetState.PAUSED])
                | models.Q(ends_at__isnull=False),
                name="sheet_live_has_end",
            ),
        ]

    def __str__(self) -> str:
        return f"sheet {self.pk}"


class Pause(models.Model):
    """A pause of a centre sitting; its seconds are given back to every sheet in it."""

    centre_sitting = models.ForeignKey(CentreSitting, models.PROTECT, related_name="pauses")
    started_at = models.DateTimeField(_("début"))
    ended_at = models.DateTimeField(_("fin"), null=True, blank=True)
    reason = models.CharField(_("motif"), max_length=200)

    class Meta:
        verbose_name = _("pause")
        verbose_name_plural = _("pauses")
        constraints = [
            models.UniqueConstraint(
                fields=["centre_sitting"], condition=models.Q(ended_at__isnull=True), name="pause_one_running"
            ),
        ]

    def __str__(self) -> str:
        return f"pause {self.pk}"


class TimeGrant(AppendOnly):
    """Seconds granted during the sitting: to everybody, to one centre sitting or to one sheet.

    An outage is credited by the rule that the sitting states, to one sheet, by nobody.
    """

    sitting = models.ForeignKey(Sitting, models.PROTECT, related_name="grants", verbose_name=_("épreuve"))
    centre_sitting = models.ForeignKey(CentreSitting, models.PROTECT, related_name="grants", null=True, blank=True)
    sheet = models.ForeignKey(Sheet, models.PROTECT, related_name="grants", null=True, blank=True)
    cause = models.CharField(_("cause"), max_length=8, choices=GrantCause.choices, default=GrantCause.DECISION)
    seconds = models.PositiveIntegerField(_("secondes"))
    reason = models.CharField(_("motif"), max_length=200)
    granted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True, verbose_name=_("auteur")
    )
    granted_at = models.DateTimeField(_("date"))

    class Meta:
        verbose_name = _("temps accordé")
        verbose_name_plural = _("temps accordés")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(sheet__isnull=True) | models.Q(centre_sitting__isnull=True),
                name="timegrant_one_scope",
            ),
            models.CheckConstraint(
                condition=models.Q(cause=GrantCause.DECISION, granted_by__isnull=False)
                | models.Q(cause=GrantCause.OUTAGE, granted_by__isnull=True, sheet__isnull=False),
                name="timegrant_outage_by_rule",
            ),
        ]

    def __str__(self) -> str:
        return f"grant {self.pk}: {self.seconds} s"


class RefusedOp(AppendOnly):
    """An op that is not in its sheet, kept with what the jury needs to decide on it.

    `code` is the refusal's (`exams.protocol.REFUSALS`); `quarantined` ones were made in time, or on a tablet that had
    been replaced. `skew` is the server's clock less the tablet's, in milliseconds, as last measured; None when never.
    `ends_at` is the end that was held against `made_at`.
    """

    sitting = models.ForeignKey(Sitting, models.PROTECT, related_name="+", verbose_name=_("épreuve"))
    sheet = models.ForeignKey(Sheet, models.PROTECT, related_name="refused_ops", verbose_name=_("copie"))
    seq = models.IntegerField(_("numéro d’acte"))
    epoch = models.SmallIntegerField(_("époque"))
    kind = models.SmallIntegerField(_("acte"), choices=OpKind.choices)
    question = models.SmallIntegerField(_("question"))
    value = models.TextField(_("valeur"), blank=True)
    made_at = models.BigIntegerField(_("fait à"), help_text=_("Horloge de la tablette, millisecondes."))
    skew = models.BigIntegerField(_("décalage d’horloge (ms)"), null=True)
    digest = models.BinaryField(_("empreinte"))
    code = models.CharField(_("refus"), max_length=20)
    ends_at = models.DateTimeField(_("fin de la copie"), null=True)
    received_at = models.DateTimeField(_("reçu le"))

    class Meta:
        verbose_name = _("acte refusé")
        verbose_name_plural = _("actes refusés")
        constraints = [
            models.UniqueConstraint(fields=["sheet", "seq", "digest", "code"], name="refusedop_once"),
        ]

    def __str__(self) -> str:
        return f"refused op {self.sheet_id}/{self.seq} {self.code}"


class FrozenSheet(AppendOnly):
    """A sheet's final answers, folded once at closing: what marking reads.

    `masks` holds one little-endian uint32 per question of the paper, in order, bit 0 for proposition A; `texts` the
    answers that are not letters, by number.
    """

    sheet = models.OneToOneField(
        Sheet, models.PROTECT, primary_key=True, related_name="frozen", verbose_name=_("copie")
    )
    masks = models.BinaryField(_("réponses"))
    texts = models.JSONField(_("réponses rédigées"), default=dict)
    last_seq = models.PositiveIntegerField(_("actes"))
    head_digest = models.BinaryField(_("empreinte"))
    frozen_at = models.DateTimeField(_("date"))

    class Meta:
        verbose_name = _("copie figée")
        verbose_name_plural = _("copies figées")

    def __str__(self) -> str:
        return f"frozen sheet {self.pk}"
