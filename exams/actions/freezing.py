"""Freezing: the fold of each sheet's ops becomes one row that marking reads."""

from datetime import datetime

from exams.models import FrozenSheet, Sheet
from exams.queries.journal import replays
from exams.queries.papers import main_paper, paper_shapes
from exams.rules.final import FinalForm
from exams.rules.replay import Replay
from exams.rules.states import FROZEN_STATES


def freeze_sheets(*, centre_sitting_id: int, now: datetime) -> int:
    """Freeze every sheet of a centre sitting that was opened; return how many.

    The caller owns the centre sitting (`own_centre_sitting`), so that no op can arrive between the fold and the freeze.
    """
    sheets = list(Sheet.objects.filter(centre_sitting_id=centre_sitting_id, state__in=FROZEN_STATES))
    if not sheets:
        return 0
    form = FinalForm(paper_shapes(main_paper(sheets[0].sitting_id).pk))
    folded = replays(sheets)
    FrozenSheet.objects.bulk_create(
        (frozen_row(sheet.pk, folded[sheet.pk], form, now) for sheet in sheets), batch_size=1000
    )
    return len(sheets)


def frozen_row(sheet_id: int, folded: Replay, form: FinalForm, now: datetime) -> FrozenSheet:
    """Return the final row of one sheet."""
    final = form.filled(folded)
    return FrozenSheet(
        sheet_id=sheet_id,
        masks=final.masks,
        texts=final.texts,
        last_seq=folded.seq,
        head_digest=folded.digest,
        frozen_at=now,
    )
