"""Who sits where in one sitting, by which slip they enter, and what happened there."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from centres.models.candidate import Candidate
from centres.models.place import Centre, Room
from ecni.shared.appendonly import AppendOnly


class Hosting(models.Model):
    """A centre hosts a sitting: the only link between a place and the sheets that are written there."""

    centre = models.ForeignKey(Centre, models.PROTECT, related_name="hostings", verbose_name=_("centre"))
    sitting = models.ForeignKey("exams.Sitting", models.PROTECT, related_name="+", verbose_name=_("épreuve"))
    centre_sitting = models.OneToOneField(
        "exams.CentreSitting", models.PROTECT, related_name="+", verbose_name=_("épreuve en centre")
    )

    class Meta:
        verbose_name = _("accueil d’une épreuve")
        verbose_name_plural = _("accueils des épreuves")
        constraints = [models.UniqueConstraint(fields=["centre", "sitting"], name="hosting_once_per_sitting")]

    def __str__(self) -> str:
        return f"hosting {self.pk}"


class Seat(models.Model):
    """One candidate, one sheet, one numbered seat."""

    hosting = models.ForeignKey(Hosting, models.PROTECT, related_name="seats", verbose_name=_("accueil"))
    room = models.ForeignKey(Room, models.PROTECT, related_name="+", verbose_name=_("salle"))
    seat_number = models.PositiveSmallIntegerField(_("place"))
    candidate = models.ForeignKey(Candidate, models.PROTECT, related_name="seats", verbose_name=_("candidat"))
    sheet = models.OneToOneField("exams.Sheet", models.PROTECT, related_name="+", verbose_name=_("copie"))

    class Meta:
        verbose_name = _("place")
        verbose_name_plural = _("places")
        constraints = [
            models.UniqueConstraint(fields=["hosting", "room", "seat_number"], name="seat_once_per_room"),
            models.UniqueConstraint(fields=["hosting", "candidate"], name="seat_once_per_candidate"),
        ]

    def __str__(self) -> str:
        return f"seat {self.pk}"


class Slip(models.Model):
    """A paper slip and its one-time code, of which only a keyed digest is stored; alive while not replaced."""

    seat = models.ForeignKey(Seat, models.PROTECT, related_name="slips", verbose_name=_("place"))
    serial = models.PositiveSmallIntegerField(_("série"), default=1)
    code_hmac = models.BinaryField(_("empreinte du code"), unique=True)
    issued_at = models.DateTimeField(_("émis le"))
    replaced_at = models.DateTimeField(_("remplacé le"), null=True, blank=True)
    used_at = models.DateTimeField(_("utilisé le"), null=True, blank=True)
    device = models.CharField(_("empreinte de la tablette"), max_length=64, blank=True)

    class Meta:
        verbose_name = _("coupon")
        verbose_name_plural = _("coupons")
        constraints = [
            models.UniqueConstraint(fields=["seat", "serial"], name="slip_serial_once_per_seat"),
            models.UniqueConstraint(
                fields=["seat"], condition=models.Q(replaced_at__isnull=True), name="slip_one_alive_per_seat"
            ),
            models.CheckConstraint(
                condition=models.Q(used_at__isnull=True, device="")
                | models.Q(used_at__isnull=False) & ~models.Q(device=""),
                name="slip_used_by_a_device",
            ),
        ]

    def __str__(self) -> str:
        return f"slip {self.pk}"


class Incident(AppendOnly):
    """Something that happened in a centre, for the procès-verbal."""

    hosting = models.ForeignKey(Hosting, models.PROTECT, related_name="incidents", verbose_name=_("accueil"))
    seat = models.ForeignKey(
        Seat, models.PROTECT, related_name="incidents", null=True, blank=True, verbose_name=_("place")
    )
    text = models.TextField(_("récit"))
    reported_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("auteur")
    )
    at = models.DateTimeField(_("date"))

    class Meta:
        verbose_name = _("incident")
        verbose_name_plural = _("incidents")

    def __str__(self) -> str:
        return f"incident {self.pk}"
