"""Reads of the journal: always a fold, never a row by itself."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby

from django.db.models import Max

from exams.enums import OpKind
from exams.models import JournalEntry, Sheet
from exams.rules.ops import Op, genesis_digest
from exams.rules.replay import Replay, replay

KINDS = {kind.value: kind for kind in OpKind}
"""A look-up: calling the enumeration costs more than the rest of an op."""
ROWS_AT_ONCE = 20_000
JournalRow = tuple[int, int, int, int, str, int, bytes | memoryview]


def replays(sheets: Sequence[Sheet]) -> dict[int, Replay]:
    """Return the fold of each sheet's ops, by sheet, in one query per sitting."""
    folded: dict[int, Replay] = {}
    for sitting_id in sorted({sheet.sitting_id for sheet in sheets}):
        genesis = {
            sheet.pk: genesis_digest(sitting_id, sheet.number) for sheet in sheets if sheet.sitting_id == sitting_id
        }
        folded |= {sheet_id: replay(start, ()) for sheet_id, start in genesis.items()}
        for sheet_id, ops in _ops(sitting_id, genesis):
            folded[sheet_id] = replay(genesis[sheet_id], ops)
    return folded


def last_received(sitting_id: int, sheet_ids: Sequence[int]) -> dict[int, datetime]:
    """Return when the last op of each sheet was received, by sheet; sheets without any op are left out."""
    rows = JournalEntry.objects.filter(sitting_id=sitting_id, sheet_id__in=sheet_ids)
    return dict(rows.values_list("sheet_id").annotate(Max("received_at")))


def _ops(sitting_id: int, sheet_ids: Iterable[int]) -> Iterator[tuple[int, Iterator[Op]]]:
    rows = (
        JournalEntry.objects.filter(sitting_id=sitting_id, sheet_id__in=list(sheet_ids))
        .order_by("sheet_id", "seq")
        .values_list("sheet_id", "seq", "kind", "question", "value", "made_at", "digest")
        .iterator(ROWS_AT_ONCE)
    )
    for sheet_id, group in groupby(rows, key=lambda row: row[0]):
        yield sheet_id, ops_of(group)


def ops_of(rows: Iterable[JournalRow]) -> Iterator[Op]:
    """Yield rows of the journal as ops: sheet, seq, kind, question, value, instant, digest.

    One at a time: a national sitting kept whole would cost more in memory management than in folding.
    """
    for _, seq, kind, question, value, made_at, digest in rows:
        yield Op(seq, KINDS[kind], question, value, made_at, bytes(digest))
