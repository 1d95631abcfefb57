"""Reads of the journal: always a fold, never a row by itself."""

from collections.abc import Iterator, Sequence
from datetime import datetime

import numpy as np
from django.db import connection
from django.db.models import Max
from numpy.typing import NDArray

from exams.enums import OpKind
from exams.models import JournalEntry, Sheet
from exams.rules.ops import genesis_digest
from exams.rules.replay import Replay

KINDS = {kind.value: kind for kind in OpKind}
"""A look-up: calling the enumeration costs more than the rest of an op."""

SHEETS_AT_ONCE = 2_500
"""A hundred megabytes of acts at most; those of a sheet lie all over its sitting, which is gone through each time."""

# One row for each sheet, its acts packed (`_folded` unpacks them): a row for each act costs several times as much to
# send, to read and to fold. The acts are put in order here, so that PostgreSQL may read them as they lie.
_ACTS = """
SET LOCAL work_mem TO '128MB';
SELECT sheet_id,
    string_agg(int8send((seq::bigint << 32) | (kind::bigint << 16) | (question & 65535)), ''),
    array_agg(value),
    (SELECT digest FROM exams_journalentry AS last
        WHERE last.sitting_id = %(sitting)s AND last.sheet_id = acts.sheet_id AND last.seq = max(acts.seq))
FROM exams_journalentry AS acts WHERE sitting_id = %(sitting)s AND sheet_id = ANY (%(sheets)s)
GROUP BY sheet_id
"""


def replays(sheets: Sequence[Sheet]) -> dict[int, Replay]:
    """Return the fold of each sheet's ops, by sheet, in one query for 2,500 sheets of a sitting."""
    folded: dict[int, Replay] = {}
    for sitting_id in sorted({sheet.sitting_id for sheet in sheets}):
        numbers = {sheet.pk: sheet.number for sheet in sheets if sheet.sitting_id == sitting_id}
        folded |= {pk: Replay(0, genesis_digest(sitting_id, number)) for pk, number in numbers.items()}
        asked = list(numbers)
        for start in range(0, len(asked), SHEETS_AT_ONCE):
            folded |= dict(_folds(sitting_id, asked[start : start + SHEETS_AT_ONCE]))
    return folded


def last_received(sitting_id: int, sheet_ids: Sequence[int]) -> dict[int, datetime]:
    """Return when the last op of each sheet was received, by sheet; sheets without any op are left out."""
    rows = JournalEntry.objects.filter(sitting_id=sitting_id, sheet_id__in=sheet_ids)
    return dict(rows.values_list("sheet_id").annotate(Max("received_at")))


def _folds(sitting_id: int, sheet_ids: Sequence[int]) -> Iterator[tuple[int, Replay]]:
    with connection.cursor() as cursor:
        cursor.execute(_ACTS, {"sitting": sitting_id, "sheets": list(sheet_ids)})
        rows = cursor.fetchall()
    for sheet_id, packed, values, digest in rows:
        yield sheet_id, _folded(np.frombuffer(packed, ">i8").astype(np.int64), values, bytes(digest))


def _folded(packed: NDArray[np.int64], values: list[str], digest: bytes) -> Replay:
    """Fold the acts of one sheet, in the order of their `seq` whatever the order in which they came."""
    order = np.argsort(packed)
    acts = packed[order]
    state = Replay(int(acts[-1]) >> 32, digest)
    kinds = (acts >> 16 & 0xFFFF).tolist()
    questions = (acts & 0xFFFF).tolist()
    state.fold(zip(map(KINDS.__getitem__, kinds), questions, map(values.__getitem__, order.tolist()), strict=True))
    return state
