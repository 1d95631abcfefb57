"""The acts of candidates as they were received, in order: what a candidate reads of their own sheet afterwards."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from exams.enums import OpKind
from exams.models import JournalEntry, Sheet


@dataclass(frozen=True, slots=True)
class Act:
    """One act: when the server received it, what was done, on which question (0 for the sheet), and its value."""

    seq: int
    at: datetime
    kind: OpKind
    question: int
    value: str


def timelines(sitting_id: int, numbers: Collection[str]) -> dict[str, list[Act]]:
    """Return the acts of sheets of a sitting by anonymous number, in two statements; those without act are left out."""
    sheets = dict(Sheet.objects.filter(sitting_id=sitting_id, number__in=numbers).values_list("pk", "number"))
    rows = JournalEntry.objects.filter(sitting_id=sitting_id, sheet_id__in=list(sheets)).order_by("sheet_id", "seq")
    acts: dict[str, list[Act]] = defaultdict(list)
    for sheet_id, seq, at, kind, question, value in rows.values_list(
        "sheet_id", "seq", "received_at", "kind", "question", "value"
    ):
        acts[sheets[sheet_id]].append(Act(seq, at, OpKind(kind), question, value))
    return dict(acts)
