"""One tablet's session: what to do with a frame, given what the sheet says so far.

It holds of the sheet only what decides (head of the chain, sealed questions, submitted) and what the console shows. Its
knowledge may be stale: PostgreSQL compares the previous digest with what is stored and has the last word.
"""

from base64 import b64encode
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from ecni.vitals import TALLY
from exams.actions.journal import REPEATED, STORED, PendingOp
from exams.actions.refusing import Refusal
from exams.broadcast import Presence
from exams.enums import GuardName, OpKind, SheetState
from exams.protocol import (
    KEPT_CODES,
    VERSION,
    Act,
    Call,
    Frame,
    Hello,
    Malformed,
    Ping,
    Ready,
    acknowledged,
    encode,
    farewell,
    parse,
    refused,
)
from exams.queries.live import LiveSheet, SheetStatus
from exams.rules.heartbeat import beat_seconds
from exams.rules.ops import Op, chain_digest
from exams.rules.progression import op_objection, opened_by_seal
from exams.rules.states import LIVE_STATES
from exams.tickets import Ticket

if TYPE_CHECKING:
    from exams.consumers.hub import Book, Hub

MAX_MALFORMED = 10
MAX_QUEUED = 64
OPENED_STATES = frozenset({SheetState.COMPOSING, SheetState.PAUSED, SheetState.SUBMITTED})
CLOSE_MALFORMED, CLOSE_REPLACED, CLOSE_VERSION, CLOSE_BUSY = 4400, 4409, 4410, 4503


class Farewell(Exception):
    """The socket must be closed with this code, after a last `bye` frame."""

    def __init__(self, close_code: int, code: str) -> None:
        super().__init__(code)
        self.close_code = close_code
        self.code = code


class Session:
    """The server's side of one tablet's socket."""

    __slots__ = (
        "_answered",
        "_bucket",
        "_hub",
        "_in_flight",
        "_is_reading",
        "_malformed",
        "_owes_state",
        "_presence",
        "_queue",
        "_send",
        "arrival",
        "book",
        "digest",
        "live",
        "sealed",
        "seq",
        "skew",
        "status",
        "submitted",
        "ticket",
        "waited_seconds",
    )

    def __init__(
        self,
        ticket: Ticket,
        hub: "Hub",
        send: Callable[[dict[str, Any]], Awaitable[None]],
        *,
        by_http: bool = False,
        arrival: int = 0,
    ) -> None:
        self.ticket = ticket
        self.arrival = arrival
        self.skew: int | None = None
        self.waited_seconds = 0
        self.live: LiveSheet | None = None
        self.book: Book | None = None
        self.status = SheetStatus(SheetState.EXPECTED, ticket.epoch, None)
        self.seq = 0
        self.digest = b""
        self.sealed: set[int] = set()
        self.submitted = False
        self._answered = 0
        fresh = Presence(hub.clock.milliseconds(), None, 0, 0, called=False, online=True, by_http=by_http)
        self._presence = hub.presence_by_http(ticket, fresh) if by_http else fresh
        self._hub = hub
        self._send = send
        self._queue: deque[Op] = deque()
        self._in_flight = self._is_reading = self._owes_state = False
        self._malformed = 0
        self._bucket = hub.bucket(ticket.sheet_id)

    async def receive(self, text: str) -> None:
        """Handle one frame of the tablet.

        Raises:
            Farewell: the socket must be closed.
        """
        is_too_fast = not self._bucket.take(self._hub.clock.monotonic())
        if is_too_fast and self._hub.door.guards.stops(GuardName.FRAME_RATE):
            await self.send(refused("too-fast"))
            return
        try:
            frame = parse(text)
        except Malformed as error:
            await self._refuse_malformed(error.code)
        else:
            await self._handle(frame)

    async def restart(self, live: LiveSheet, book: "Book | None") -> None:
        """Take the sheet as PostgreSQL has it and send `state`.

        Raises:
            Farewell: another tablet holds the sheet now.
        """
        self._is_reading = False
        if live.epoch != self.ticket.epoch:
            raise Farewell(CLOSE_REPLACED, "replaced")
        progress = live.progress
        self.live, self.book = live, book
        # The hand-in may have been stored between the reading of the sheet and that of its acts.
        is_over = progress.submitted and live.state in LIVE_STATES
        self.status = SheetStatus(SheetState.SUBMITTED if is_over else live.state, live.epoch, live.ends_at)
        self.seq, self.digest = progress.seq, progress.digest
        self.sealed, self.submitted = progress.sealed, progress.submitted
        self._answered = sum(1 << number for number, value in progress.answers.items() if value)
        self._queue.clear()
        self.note(answered=self._answered.bit_count())
        await self.send(self._state_frame(live))
        await self._advance()

    async def update(self, status: SheetStatus, told: dict[tuple[SheetStatus, int], str]) -> None:
        """Pass on what the staff changed.

        Args:
            status: as it is now.
            told: what others with the same status and paper were told an instant ago: nearly all hear the same.

        Raises:
            Farewell: another tablet may hold the sheet now.
        """
        if status.epoch > self.ticket.epoch:
            raise Farewell(CLOSE_REPLACED, "replaced")
        if status == self.status or status.epoch < self.ticket.epoch:  # read before this tablet took the sheet
            return
        self.status = status
        if self.sealed:  # holds keys that others do not
            await self.send(self._status_frame())
            return
        alike = (status, id(self.book))
        text = told.get(alike) or told.setdefault(alike, encode(self._status_frame()))
        await self._send({"type": "websocket.send", "text": text})

    async def settle(self, op: Op, verdict: str | None) -> None:
        """Tell the tablet what became of an op, then go on with the next one."""
        self._in_flight = False
        if verdict == STORED or (verdict == REPEATED and op.seq == self.seq + 1):
            self._apply(op)
        if verdict in {STORED, REPEATED}:
            self.note(saved_at=self._hub.clock.milliseconds(), answered=self._answered.bit_count())
            await self.send(acknowledged(op.seq, self._keys_after(op)))
        else:
            await self._refuse(op, verdict or "busy")
        await self._advance()

    async def settle_refusal(self, op: Op, code: str | None) -> None:
        """Tell the tablet of an op that is kept apart, or was stored before, then go on with the next one."""
        self._in_flight = False
        await self.send(acknowledged(op.seq, {}) if code == REPEATED else refused(code or "busy", op.seq))
        await self._advance()

    def take_greeting(self, hello: Hello) -> None:
        """Keep what a tablet says of its clock and of its wait."""
        if hello.at is not None:
            self._measure(hello.at, hello.skew)
        self.waited_seconds = hello.waiting // 1000

    def refusal(self, op: Op, code: str) -> Refusal:
        """Return what is kept of an op refused with this code."""
        return Refusal(self.ticket.sheet_id, self.ticket.epoch, self.skew, op, code)

    async def send(self, frame: dict[str, Any]) -> None:
        """Send one frame."""
        TALLY.note_frame(frame)
        await self._send({"type": "websocket.send", "text": encode(frame)})

    async def say_bye(self, code: str, close_code: int) -> None:
        """Send the last frame and close."""
        await self.send(farewell(code))
        await self._send({"type": "websocket.close", "code": close_code})

    def note(self, **seen: Any) -> None:
        """Keep what the room console shows, and have it published soon."""
        for name, value in seen.items():
            setattr(self._presence, name, value)
        self._hub.seen[self.ticket.sheet_id] = self

    @property
    def presence(self) -> Presence:
        """What the room console shows of this tablet."""
        return self._presence

    def _measure(self, at: int, skew: int | None) -> None:
        """Keep the least difference: that which the tablet was shown, never above what its own clock shows here.

        What a frame spends on its way here adds to the second, so that it alone would make late what was in time.
        """
        if skew is not None:
            seen = min(skew, self._hub.clock.milliseconds() - at)
            self.skew = seen if self.skew is None else min(self.skew, seen)

    async def _handle(self, frame: Frame) -> None:
        self.note(seen_at=self._hub.clock.milliseconds())
        match frame:
            case Act(op=op):
                await self._take(op)
            case Ping(at=at, question=question, skew=skew):
                self._measure(at, skew)
                beat = beat_seconds(len(self._hub.sessions))
                self.note(question=question, beat=beat)
                await self.send({"t": "pong", "at": at, "now": self._hub.clock.milliseconds(), "beat": beat})
            case Hello():
                await self._greet(frame)
            case Ready(paper=paper):
                if self.live is not None and paper == self.live.paper_digest:
                    self._hub.ready.submit(self)
            case Call(raised=raised):
                self.note(called=raised)

    async def _refuse_malformed(self, code: str) -> None:
        self._malformed += 1
        if self._malformed >= MAX_MALFORMED:
            raise Farewell(CLOSE_MALFORMED, code)
        await self.send(refused(code))

    async def _greet(self, hello: Hello) -> None:
        if hello.version != VERSION:
            raise Farewell(CLOSE_VERSION, "version")
        self.take_greeting(hello)
        self._owes_state = True
        await self._advance()

    async def _take(self, op: Op) -> None:
        if self.live is None or len(self._queue) >= MAX_QUEUED:
            await self.send(refused("busy", op.seq))
        else:
            self._queue.append(op)
            await self._advance()

    async def _advance(self) -> None:
        """Start what may be; the sheet is read while no op is under way, or `state` could be older than an `ack`."""
        if self._owes_state and not (self._in_flight or self._is_reading):
            self._owes_state = False
            self._is_reading = self._hub.reader.submit(self)
            if not self._is_reading:
                await self.send(refused("busy"))
        while self._queue and not (self._in_flight or self._is_reading):
            op = self._queue.popleft()
            code = self._objection(op)
            if code is not None:
                await self._refuse(op, code)
            elif self._submit(op):
                self._in_flight = True
            else:
                await self.send(refused("busy", op.seq))

    async def _refuse(self, op: Op, code: str) -> None:
        """Refuse an op; one that is refused for itself is kept first, and the tablet told after."""
        if code in KEPT_CODES and self._hub.refusals.submit((self, self.refusal(op, code))):
            self._in_flight = True
        else:
            await self.send(refused("busy" if code in KEPT_CODES else code, op.seq))

    def _objection(self, op: Op) -> str | None:
        if op.seq <= self.seq:
            return None
        if op.seq != self.seq + 1:
            return "gap"
        if op.digest != chain_digest(self.digest, op.seq, op.kind, op.question, op.value, op.made_at):
            return "digest"
        if self.book is None:
            return "not-open"
        return op_objection(op.kind, op.question, op.value, self.book.shapes, self)

    def _submit(self, op: Op) -> bool:
        pending = PendingOp(
            sheet_id=self.ticket.sheet_id,
            centre_sitting_id=self.ticket.centre_sitting_id,
            epoch=self.ticket.epoch,
            previous=self.digest,
            skew=self.skew,
            op=op,
        )
        return self._hub.writer.submit((self, pending))

    def _apply(self, op: Op) -> None:
        self.seq, self.digest = op.seq, op.digest
        if op.kind is OpKind.ANSWER:
            bit = 1 << op.question
            self._answered = self._answered | bit if op.value else self._answered & ~bit
        elif op.kind is OpKind.SEAL:
            self.sealed.add(op.question)
        elif op.kind is OpKind.SUBMIT:
            self.submitted = True
            self.status = SheetStatus(SheetState.SUBMITTED, self.status.epoch, self.status.ends_at)

    def _keys_after(self, op: Op) -> dict[int, str]:
        if op.kind is not OpKind.SEAL or self.book is None:
            return {}
        opened = opened_by_seal(op.question, self.book.shapes)
        return {} if opened is None else {opened: encoded(self.book.keys[opened])}

    def _released_keys(self) -> dict[str, str]:
        """The keys this sheet has a right to now: the opening key, and one for each step that a seal has opened."""
        if self.book is None or self.status.state not in OPENED_STATES:
            return {}
        shapes, keys = self.book.shapes, self.book.keys
        if not self.sealed:  # everybody, at the opening
            return {"0": encoded(keys[0])}
        return {
            str(step): encoded(key) for step, key in keys.items() if step == 0 or shapes[step].previous in self.sealed
        }

    def _status_frame(self) -> dict[str, Any]:
        return {
            "t": "status",
            "now": self._hub.clock.milliseconds(),
            "status": self.status.state.value,
            "ends_at": milliseconds_of(self.status),
            "keys": self._released_keys(),
        }

    def _state_frame(self, live: LiveSheet) -> dict[str, Any]:
        progress = live.progress
        return {
            "t": "state",
            "v": VERSION,
            "now": self._hub.clock.milliseconds(),
            "status": self.status.state.value,
            "ends_at": milliseconds_of(self.status),
            "sitting": {
                "id": live.sitting_id,
                "title": live.sitting_title,
                "starts_at": int(live.starts_at.timestamp() * 1000),
                "duration": live.duration_seconds,
                "offline_clock": live.offline_clock.value,
            },
            "sheet": live.number,
            "paper": None
            if live.paper_id is None
            else {
                "digest": live.paper_digest,
                "bytes": live.paper_size,
                "url": f"/sujets/{live.paper_digest}.ecni",
            },
            "seq": progress.seq,
            "digest": progress.digest.hex(),
            "keys": self._released_keys(),
            "answers": progress.answers,
            "sealed": sorted(progress.sealed),
            "flags": sorted(progress.flags),
            "strikes": progress.strikes,
            "position": progress.position,
        }


def milliseconds_of(status: SheetStatus) -> int | None:
    """Return the end of a sheet in milliseconds since 1970, or None before it composes."""
    return None if status.ends_at is None else int(status.ends_at.timestamp() * 1000)


def encoded(key: bytes) -> str:
    """Return a key as it travels."""
    return b64encode(key).decode()
