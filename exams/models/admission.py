"""What the staff decided on the day about limits and guards. The present is the last row; nothing is ever changed."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from ecni.shared.appendonly import AppendOnly
from exams.enums import GuardMode, GuardName, LimitName

LONGEST_REASON = 200


class LimitChange(AppendOnly):
    """A limit, set by one person from `set_at` on."""

    name = models.CharField(_("limite"), max_length=12, choices=LimitName.choices)
    value = models.PositiveIntegerField(_("valeur"))
    reason = models.CharField(_("motif"), max_length=LONGEST_REASON)
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("auteur"))
    set_at = models.DateTimeField(_("date"))

    class Meta:
        verbose_name = _("limite fixée")
        verbose_name_plural = _("limites fixées")
        constraints = [models.CheckConstraint(condition=models.Q(value__gte=1), name="limitchange_at_least_one")]

    def __str__(self) -> str:
        return f"{self.name} = {self.value}"


class GuardProposal(AppendOnly):
    """One person proposes that a guard turn away or only observe; nothing changes yet."""

    name = models.CharField(_("garde"), max_length=12, choices=GuardName.choices)
    mode = models.CharField(_("mode"), max_length=8, choices=GuardMode.choices)
    reason = models.CharField(_("motif"), max_length=LONGEST_REASON)
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("proposée par")
    )
    proposed_at = models.DateTimeField(_("proposée le"))

    class Meta:
        verbose_name = _("bascule de garde proposée")
        verbose_name_plural = _("bascules de garde proposées")

    def __str__(self) -> str:
        return f"{self.name} -> {self.mode}"


class GuardConfirmation(AppendOnly):
    """Another person confirms: the guard's mode from `confirmed_at` on. PostgreSQL refuses the one who proposed."""

    proposal = models.OneToOneField(
        GuardProposal, models.PROTECT, related_name="confirmation", verbose_name=_("proposition")
    )
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("confirmée par")
    )
    confirmed_at = models.DateTimeField(_("confirmée le"))

    class Meta:
        verbose_name = _("bascule de garde")
        verbose_name_plural = _("bascules de garde")

    def __str__(self) -> str:
        return f"confirmation of {self.proposal_id}"
