"""The journal: every act of every candidate, insert only.

PostgreSQL partitions it by sitting and refuses UPDATE and DELETE.
"""

from django.db import models

from ecni.shared.appendonly import AppendOnly
from exams.enums import OpKind


class JournalEntry(AppendOnly):
    """One op as it was accepted. The key `(sitting, sheet, seq)` is the idempotency key and the only index."""

    pk = models.CompositePrimaryKey("sitting_id", "sheet_id", "seq")
    sitting_id = models.IntegerField()
    sheet_id = models.IntegerField()
    seq = models.IntegerField()
    epoch = models.SmallIntegerField()
    kind = models.SmallIntegerField(choices=OpKind.choices)
    question = models.SmallIntegerField()
    value = models.TextField()
    made_at = models.BigIntegerField(help_text="horloge de la tablette, millisecondes")
    received_at = models.DateTimeField()
    digest = models.BinaryField()

    class Meta:
        verbose_name = "acte de candidat"
        verbose_name_plural = "actes de candidats"

    def __str__(self) -> str:
        return f"sheet {self.sheet_id} op {self.seq}"
