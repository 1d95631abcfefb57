"""Reads of the journal: always a fold, never a row by itself."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import groupby

from django.db.models import Max

from exams.enums import OpKind
from exams.models import JournalEntry, Sheet
from exams.rules.ops import Op, genesis_digest
from exams.rules.replay import Replay, replay


def replays(sheets: Sequence[Sheet]) -> dict[int, Replay]:
    """Return the fold of each sheet's ops, by sheet, in one query per sitting."""
    folded: dict[int, Replay] = {}
    for sitting_id in sorted({sheet.sitting_id for sheet in sheets}):
        numbers = {sheet.pk: sheet.number for sheet in sheets if sheet.sitting_id == sitting_id}
        ops = dict(_ops(sitting_id, numbers))
        folded |= {
            sheet_id: replay(genesis_digest(sitting_id, number), ops.get(sheet_id, ()))
            for sheet_id, number in numbers.items()
        }
    return folded


def last_received(sitting_id: int, sheet_ids: Sequence[int]) -> dict[int, datetime]:
    """Return when the last op of each sheet was received, by sheet; sheets without any op are left out."""
    rows = JournalEntry.objects.filter(sitting_id=sitting_id, sheet_id__in=sheet_ids)
    return dict(rows.values_list("sheet_id").annotate(Max("received_at")))


def _ops(sitting_id: int, sheet_ids: Iterable[int]) -> Iterable[tuple[int, list[Op]]]:
    rows = (
        JournalEntry.objects.filter(sitting_id=sitting_id, sheet_id__in=list(sheet_ids))
        .order_by("sheet_id", "seq")
        .values_list("sheet_id", "seq", "kind", "question", "value", "made_at", "digest")
    )
    for sheet_id, group in groupby(rows, key=lambda row: row[0]):
        yield (
            sheet_id,
            [Op(seq, OpKind(kind), q, value, at, bytes(digest)) for _, seq, kind, q, value, at, digest in group],
        )
