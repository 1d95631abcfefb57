"""What arrived too late, or from a tablet that had been replaced: acts that are in no sheet, for the jury to read."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from exams.enums import OpKind
from exams.models import RefusedOp
from exams.rules.timing import moment_made

QUARANTINED = "quarantined"


@dataclass(frozen=True, slots=True)
class KeptAct:
    """One act that is in no sheet.

    Attributes:
        number: anonymous number of the sheet.
        seq, kind, question, value: the act.
        made_at: when its tablet says that it made it, brought to the server's clock; None when what it says is no time.
        received_at, ends_at: when it came, and the end that it came after; None when the sheet had none.
        is_of_old_tablet: whether it comes from a tablet that had been replaced.
        is_clock_known: whether the two clocks had been compared.
    """

    number: str
    seq: int
    kind: OpKind
    question: int
    value: str
    made_at: datetime | None
    received_at: datetime
    ends_at: datetime | None
    is_of_old_tablet: bool
    is_clock_known: bool


@dataclass(frozen=True, slots=True)
class KeptSheet:
    """The acts kept apart of one sheet, in the order in which they came."""

    sitting: str
    number: str
    acts: tuple[KeptAct, ...]


def kept_sheets(exam_id: int) -> list[KeptSheet]:
    """Return the sheets of an exam that have acts kept apart, by sitting and anonymous number; no person, no place."""
    rows = RefusedOp.objects.filter(sitting__exam_id=exam_id, code=QUARANTINED).select_related("sheet", "sitting")
    found: dict[tuple[int, str, str], list[KeptAct]] = defaultdict(list)
    for row in rows.order_by("pk"):
        found[row.sitting.number, row.sheet.number, row.sitting.title].append(_act(row))
    return [KeptSheet(title, number, tuple(acts)) for (_, number, title), acts in sorted(found.items())]


def _act(row: RefusedOp) -> KeptAct:
    return KeptAct(
        number=row.sheet.number,
        seq=row.seq,
        kind=OpKind(row.kind),
        question=row.question,
        value=row.value,
        made_at=moment_made(row.made_at, row.skew),
        received_at=row.received_at,
        ends_at=row.ends_at,
        is_of_old_tablet=row.epoch != row.sheet.epoch,
        is_clock_known=row.skew is not None,
    )
