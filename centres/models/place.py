"""Centres, their rooms and their staff."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from exams.rules.networks import parse_networks


def check_networks(text: str) -> None:
    """Refuse what is no list of networks.

    Raises:
        ValidationError: which one, and what is wrong with it.
    """
    try:
        parse_networks(text.split())
    except ValueError as error:
        raise ValidationError(str(error)) from error


class Centre(models.Model):
    """A labelled university centre."""

    code = models.SlugField(_("code"), max_length=30, unique=True)
    name = models.CharField(_("nom"), max_length=120)
    city = models.CharField(_("ville"), max_length=80)
    academy = models.CharField(_("académie"), max_length=80, blank=True)
    networks = models.TextField(
        _("réseaux des tablettes"),
        blank=True,
        validators=[check_networks],
        help_text=_("Un réseau par ligne, tel que 193.52.10.0/24. Vide : les tablettes viennent de partout."),
    )

    class Meta:
        verbose_name = _("centre")
        verbose_name_plural = _("centres")

    def __str__(self) -> str:
        return self.name


class Room(models.Model):
    """A room of a centre; its seats are numbered from 1 to its capacity."""

    centre = models.ForeignKey(Centre, models.PROTECT, related_name="rooms", verbose_name=_("centre"))
    name = models.CharField(_("nom"), max_length=60)
    capacity = models.PositiveSmallIntegerField(_("places"), validators=[MinValueValidator(1)])
    is_for_extra_time = models.BooleanField(
        _("réservée aux temps majorés"),
        default=False,
        help_text=_("Les candidats à temps majoré y sont placés d’abord."),
    )

    class Meta:
        verbose_name = _("salle")
        verbose_name_plural = _("salles")
        constraints = [
            models.UniqueConstraint(fields=["centre", "name"], name="room_name_once_per_centre"),
            models.CheckConstraint(condition=models.Q(capacity__gte=1), name="room_has_a_seat"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.capacity} places)"


class CentreMembership(models.Model):
    """A member of the staff works in a centre; what they may do there is their role's."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("compte"))
    centre = models.ForeignKey(Centre, models.CASCADE, related_name="memberships", verbose_name=_("centre"))

    class Meta:
        verbose_name = _("rattachement")
        verbose_name_plural = _("rattachements")
        constraints = [models.UniqueConstraint(fields=["user", "centre"], name="centremembership_once")]

    def __str__(self) -> str:
        return f"membership {self.pk}"
