"""PostgreSQL as the simulation has it: rows in memory, transactions one after the other, a clock that is given.

Rules are the real ones; the statements of the actions are told again in a few lines each.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

from exams.actions import refusing
from exams.actions.journal import REPEATED, STORED
from exams.enums import CentreSittingState as Centre
from exams.enums import OfflineClock, OpKind, QuestionKind, SheetState
from exams.queries.live import LiveSheet, SheetStatus
from exams.rules.answers import QuestionShape
from exams.rules.ops import genesis_digest
from exams.rules.replay import replay
from exams.rules.states import LIVE_STATES, Refused, check_passage
from exams.rules.timing import Allowance, PauseSpan, effective_end, outage_credit
from tests.simulation.verdict import Situation, verdict

SITTING = 3
CENTRE = 7
PAPER = 11
PAPER_DIGEST = "ab" * 32
SHAPES = {
    1: QuestionShape(QuestionKind.QRU, 5, None, is_progressive=False, previous=0),
    2: QuestionShape(QuestionKind.QRM, 5, None, is_progressive=False, previous=0),
    3: QuestionShape(QuestionKind.QRM, 5, None, is_progressive=True, previous=0),
    4: QuestionShape(QuestionKind.QRU, 5, None, is_progressive=True, previous=3),
    5: QuestionShape(QuestionKind.QRM, 5, None, is_progressive=True, previous=4),
}
KEYS = {number: bytes([65 + number]) * 32 for number in range(6) if number not in {1, 2, 3}}
"""The opening key and those of the steps that a seal opens."""


def instant(milliseconds: int) -> datetime:
    """Return a moment of the simulation."""
    return datetime.fromtimestamp(milliseconds // 1000, UTC) + timedelta(milliseconds=milliseconds % 1000)


def milliseconds(moment: datetime) -> int:
    """Return a moment as the simulation counts."""
    return round(moment.timestamp() * 1000)


@dataclass(slots=True)
class Sheet:
    """A row of `exams_sheet`."""

    pk: int
    number: str
    extra_seconds: int
    state: SheetState = SheetState.READY
    epoch: int = 1
    ends_at: datetime | None = None


@dataclass(slots=True)
class Database:
    """One centre sitting, its sheets, what is written about them."""

    duration_seconds: int
    grace_seconds: int
    offline_clock: OfflineClock
    sheets: dict[int, Sheet]
    committed: object  # told of each row that the journal takes: (sheet, epoch, op, received_at)
    kept_apart: object  # told of each refused op that is kept: (sheet, digest, code)
    credited: object  # told of each wait that is given back: (sheet, seconds)
    journal: dict[int, list] = field(default_factory=dict)
    refused: dict[tuple, str] = field(default_factory=dict)
    frozen: dict[int, object] = field(default_factory=dict)
    state: Centre = Centre.LOBBY
    revision: int = 1
    is_owned: bool = False
    opened_at: datetime | None = None
    closed_at: datetime | None = None
    pauses: list = field(default_factory=list)
    grants: list = field(default_factory=list)
    outages: list = field(default_factory=list)
    signs: dict[int, datetime] = field(default_factory=dict)
    """Of each sheet: when its last op came, or its last wait was given back."""

    # What a server process asks

    def append_ops(self, *, sitting_id, grace_seconds, pending, now, clock):
        """Store what the twin of the statement admits."""
        verdicts = {}
        for item in pending:
            sheet, rows = self.sheets[item.sheet_id], self.journal.setdefault(item.sheet_id, [])
            decided = verdict(item, self._situation(sheet, rows, item.op.seq), clock, now, grace_seconds)
            if decided == STORED:
                rows.append(item.op)
                self.signs[sheet.pk] = clock
                if item.op.kind is OpKind.SUBMIT:
                    sheet.state = SheetState.SUBMITTED
                self.committed(sheet.pk, item.epoch, item.op, clock)
            verdicts[item.sheet_id] = decided
        return verdicts if sitting_id == SITTING else {}

    def _situation(self, sheet, rows, seq):
        held = rows[seq - 1].digest if seq <= len(rows) else None
        before = rows[seq - 2].digest if 2 <= seq <= len(rows) + 1 else None
        return Situation(held, before, self.is_owned, sheet.epoch, sheet.state, sheet.ends_at)

    def keep_refusals(self, *, refusals, now):
        """Keep what was refused, each once, by the real rule of the code."""
        codes = []
        for refusal in refusals:
            sheet, rows = self.sheets[refusal.sheet_id], self.journal.get(refusal.sheet_id, [])
            if refusal.code == "replaced" and refusal.op in rows:
                codes.append(REPEATED)
                continue
            row = SimpleNamespace(ends_at=sheet.ends_at, centre_sitting=self, sitting=self)
            code = refusing._code(refusal, row, refusing._end(row))
            self.refused.setdefault((refusal.sheet_id, refusal.op.seq, refusal.op.digest), code)
            self.kept_apart(refusal.sheet_id, refusal.op.digest.hex(), code)
            codes.append(code)
        return codes

    def credit_outages(self, *, waits, now):
        """Give waits back by the real rule."""
        for pk, waited in waits.items():
            sheet = self.sheets[pk]
            if self.offline_clock is OfflineClock.STOP and sheet.state in LIVE_STATES:
                seconds = outage_credit(waited, self.signs.get(pk, self.opened_at), self.pauses, now)
                if seconds:
                    self.outages.append((pk, seconds))
                    self.signs[pk] = now
                    self._refresh(now)
                    self.revision += 1
                    self.credited(pk, seconds)
        return frozenset()

    def live_sheets(self, sheet_ids):
        """Return the sheets asked for, folded by the real rule."""
        return {pk: self._live(self.sheets[pk]) for pk in sheet_ids}

    def _live(self, sheet):
        return LiveSheet(
            sheet_id=sheet.pk,
            number=sheet.number,
            epoch=sheet.epoch,
            state=sheet.state,
            ends_at=sheet.ends_at,
            revision=self.revision,
            sitting_id=SITTING,
            sitting_title="Épreuve 1",
            starts_at=instant(0) if self.opened_at is None else self.opened_at,
            duration_seconds=self.duration_seconds,
            grace_seconds=self.grace_seconds,
            offline_clock=self.offline_clock,
            paper_id=PAPER,
            paper_digest=PAPER_DIGEST,
            paper_size=1000,
            progress=self.folded(sheet),
        )

    def folded(self, sheet):
        """Return what a sheet says."""
        return replay(genesis_digest(SITTING, sheet.number), self.journal.get(sheet.pk, ()))

    def revisions(self, centre_sitting_ids):
        """Return the revision of the one centre sitting."""
        return dict.fromkeys(centre_sitting_ids, self.revision)

    def sheet_statuses(self, _centre_sitting_ids):
        """Return the status of every sheet."""
        return self.statuses_of(self.sheets)

    def statuses_of(self, sheet_ids):
        """Return the status of these sheets."""
        found = {pk: self.sheets[pk] for pk in sheet_ids}
        return {pk: SheetStatus(sheet.state, sheet.epoch, sheet.ends_at) for pk, sheet in found.items()}

    # What the staff does; each returns whether it was done

    def staff(self, deed, now, *args):
        """Do one deed in one transaction."""
        try:
            done = getattr(self, f"_{deed}")(now, *args)
        except Refused:
            return False
        self.revision += done
        return done

    def _open(self, now):
        check_passage(self.state, Centre.OPEN)
        self.state, self.opened_at = Centre.OPEN, now
        for sheet in self.sheets.values():
            sheet.state = SheetState.COMPOSING
        self._refresh(now)
        return True

    def _pause(self, now):
        check_passage(self.state, Centre.PAUSED)
        self.state = Centre.PAUSED
        self.pauses.append(PauseSpan(now, None))
        self._move(SheetState.COMPOSING, SheetState.PAUSED)
        return True

    def _resume(self, now):
        if self.state is not Centre.PAUSED:
            return False
        check_passage(self.state, Centre.OPEN)
        self.state = Centre.OPEN
        self._end_pauses(now)
        self._move(SheetState.PAUSED, SheetState.COMPOSING)
        self._refresh(now)
        return True

    def _grant(self, now, sheet_id, seconds):
        if self.state not in {Centre.OPEN, Centre.PAUSED}:
            return False
        self.grants.append((sheet_id, seconds))
        self._refresh(now)
        return True

    def _release(self, _now, sheet_id):
        sheet = self.sheets[sheet_id]
        if sheet.state not in LIVE_STATES:
            return False
        sheet.epoch += 1
        return True

    def _close(self, now, reason):
        check_passage(self.state, Centre.CLOSED)
        if not reason and (self.state is Centre.PAUSED or self._is_awaited(now)):
            return False
        self._end_pauses(now)
        self._move(SheetState.COMPOSING, SheetState.CLOSED)
        self._move(SheetState.PAUSED, SheetState.CLOSED)
        self.state, self.closed_at = Centre.CLOSED, now
        self.frozen = {pk: self.folded(sheet) for pk, sheet in self.sheets.items()}
        return True

    def _is_awaited(self, now):
        grace = timedelta(seconds=self.grace_seconds)
        return any(sheet.state in LIVE_STATES and sheet.ends_at > now - grace for sheet in self.sheets.values())

    def _move(self, before, after):
        for sheet in self.sheets.values():
            if sheet.state is before:
                sheet.state = after

    def _end_pauses(self, now):
        self.pauses = [PauseSpan(pause.started_at, pause.ended_at or now) for pause in self.pauses]

    def _refresh(self, now):
        for sheet in self.sheets.values():
            if sheet.state in LIVE_STATES:
                sheet.ends_at = effective_end(self._allowance(sheet), now)

    def _allowance(self, sheet):
        granted = tuple(seconds for pk, seconds in self.grants if pk in {None, sheet.pk})
        outages = tuple(seconds for pk, seconds in self.outages if pk == sheet.pk)
        return Allowance(
            self.opened_at, self.duration_seconds, sheet.extra_seconds, granted, outages, tuple(self.pauses)
        )
