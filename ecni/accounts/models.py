"""Staff users and the append-only log of what they did."""

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext_lazy as _

from ecni.accounts.enums import Role
from ecni.shared.appendonly import AppendOnly


class User(AbstractUser):
    """A member of the staff. Candidates are not users."""

    role = models.CharField(_("rôle"), max_length=20, choices=Role.choices, default=Role.INVIGILATOR)

    REQUIRED_FIELDS = ["email", "role"]

    class Meta(AbstractUser.Meta):
        verbose_name = _("compte")  # type: ignore[assignment]  # Django takes a lazy text
        verbose_name_plural = _("comptes")  # type: ignore[assignment]

    def __str__(self) -> str:
        return self.get_full_name() or self.username


class Deed(AppendOnly):
    """One act of the staff: who, what, on what, why, when."""

    actor = models.ForeignKey(User, models.PROTECT, related_name="+", verbose_name=_("auteur"))
    verb = models.CharField(_("acte"), max_length=60)
    target = models.CharField(_("objet"), max_length=120)
    reason = models.TextField(_("motif"), blank=True)
    data = models.JSONField(_("détails"), default=dict)
    at = models.DateTimeField(_("date"), db_index=True)

    class Meta:
        verbose_name = _("acte du personnel")
        verbose_name_plural = _("actes du personnel")

    def __str__(self) -> str:
        return f"{self.pk} {self.verb} {self.target}"
