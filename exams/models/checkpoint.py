"""Checkpoints: signed lines that fix every sheet of a sitting as it stood at one instant."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from ecni.shared.appendonly import AppendOnly
from exams.models.exam import Sitting


class Checkpoint(AppendOnly):
    """One checkpoint. What it says is rebuilt from here: see `exams.rules.checkpoint.Statement`.

    `heads` holds, for each sheet with at least one op, in the order of their ids, little-endian uint32 sheet then
    uint32 seq; `leaves` the 32-byte hash of the leaf of each, in the same order: the signature vouches for them through
    the root, and they tell which sheet was rewritten. `made_at` has whole milliseconds.
    """

    sitting = models.ForeignKey(Sitting, models.PROTECT, related_name="checkpoints", verbose_name=_("épreuve"))
    index = models.PositiveIntegerField(_("rang"))
    made_at = models.DateTimeField(_("date"))
    heads = models.BinaryField(_("têtes"))
    leaves = models.BinaryField(_("feuilles"))
    root = models.BinaryField(_("racine"))
    previous = models.BinaryField(_("précédent"))
    signature = models.BinaryField(_("signature"))
    key_id = models.CharField(_("clé"), max_length=16)

    class Meta:
        verbose_name = _("point de contrôle")
        verbose_name_plural = _("points de contrôle")
        constraints = [
            models.UniqueConstraint(fields=["sitting", "index"], name="checkpoint_index_once_per_sitting"),
        ]

    def __str__(self) -> str:
        return f"checkpoint {self.index} of sitting {self.sitting_id}"
