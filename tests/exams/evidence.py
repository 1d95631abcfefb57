"""A sitting that was sat, checkpointed and closed, and whoever owns the database."""

from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import connection

from exams.actions.centre_sitting import close_centre_sitting
from exams.actions.checkpoints import take_checkpoint
from exams.actions.journal import PendingOp, append_ops
from exams.enums import OpKind
from exams.models import CentreSitting
from tests.exams.sitting import Chain, opened, staff

MINUTE = timedelta(minutes=1)
FIRST = [(OpKind.ANSWER, 1, "B"), (OpKind.ANSWER, 2, "AE"), (OpKind.ANSWER, 3, "C"), (OpKind.SEAL, 3, "")]
SECOND = [(OpKind.FLAG, 2, "1"), (OpKind.ANSWER, 4, "D"), (OpKind.ANSWER, 1, "")]


@dataclass
class Sat:
    """One centre sitting and the chains of its sheets, in the order of their numbers."""

    centre_sitting: CentreSitting
    now: datetime
    chains: list[Chain] = field(default_factory=list)

    @property
    def sitting_id(self):
        return self.centre_sitting.sitting_id

    def append(self, chain, acts):
        for kind, question, value in acts:
            previous = chain.head
            op = chain.op(kind, question, value)
            pending = PendingOp(chain.sheet.pk, self.centre_sitting.pk, 1, previous, 0, op)
            verdicts = append_ops(sitting_id=self.sitting_id, grace_seconds=30, pending=[pending], now=self.now)
            assert verdicts == {chain.sheet.pk: "stored"}

    def checkpoint(self, minutes):
        return take_checkpoint(sitting_id=self.sitting_id, now=self.now + minutes * MINUTE)


def database_now():
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]


def sat(count=3, *, is_closed=True):
    """Two sheets with ops before and after a first checkpoint, one of them handed in, and the others blank."""
    now = database_now()
    centre_sitting = opened(count=count, now=now)
    house = Sat(centre_sitting, now, [Chain(sheet) for sheet in centre_sitting.sheets.order_by("number")])
    for acts, minute in ((FIRST, 1), (SECOND, 2)):
        for chain in house.chains[:2]:
            house.append(chain, acts)
        house.checkpoint(minute)
    house.append(house.chains[0], [(OpKind.SUBMIT, 0, "")])
    if is_closed:
        actor = staff()
        close_centre_sitting(centre_sitting_id=centre_sitting.pk, actor=actor, now=now + 3 * MINUTE, reason="fin")
        house.checkpoint(4)
    return house


@contextmanager
def superuser():
    """Act as whoever owns the database: no trigger and no constraint answers any more."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        try:
            yield cursor
        finally:
            cursor.execute("SET session_replication_role = DEFAULT")
