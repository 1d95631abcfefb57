"""Freezing: the fold of each sheet's ops becomes one row that marking reads."""

from datetime import datetime

from exams.enums import QuestionKind, SheetState
from exams.models import FrozenSheet, Sheet
from exams.queries.journal import replays
from exams.queries.papers import main_paper, paper_shapes
from exams.rules.answers import MASKED_KINDS, QuestionShape, mask_of
from exams.rules.replay import Replay

FROZEN_STATES = frozenset({SheetState.SUBMITTED, SheetState.CLOSED})


def freeze_sheets(*, centre_sitting_id: int, now: datetime) -> int:
    """Freeze every sheet of a centre sitting that was opened; return how many.

    The caller owns the centre sitting (`own_centre_sitting`), so that no op can arrive between the fold and the freeze.
    """
    sheets = list(Sheet.objects.filter(centre_sitting_id=centre_sitting_id, state__in=FROZEN_STATES))
    if not sheets:
        return 0
    shapes = paper_shapes(main_paper(sheets[0].sitting_id).pk)
    folded = replays(sheets)
    FrozenSheet.objects.bulk_create(
        (frozen_row(sheet.pk, folded[sheet.pk], shapes, now) for sheet in sheets), batch_size=1000
    )
    return len(sheets)


def frozen_row(sheet_id: int, folded: Replay, shapes: dict[int, QuestionShape], now: datetime) -> FrozenSheet:
    """Return the final row of one sheet: masks for choices, texts for the rest."""
    masks = bytearray()
    texts: dict[str, str] = {}
    for number in range(1, len(shapes) + 1):
        value = folded.answers.get(number, "")
        masked = QuestionKind(shapes[number].kind) in MASKED_KINDS
        masks += (mask_of(value) if masked else 0).to_bytes(4, "little")
        if value and not masked:
            texts[str(number)] = value
    return FrozenSheet(
        sheet_id=sheet_id,
        masks=bytes(masks),
        texts=texts,
        last_seq=folded.seq,
        head_digest=folded.digest,
        frozen_at=now,
    )
