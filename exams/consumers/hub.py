"""What one server process shares between its candidate sockets: batches, papers, the watch over the exam."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass

import redis
import redis.asyncio
from django.conf import settings
from django.db import Error, connection

from ecni.shared.clock import now
from ecni.vitals import REPORTER, Gauges, Turn
from exams.actions.journal import HELD, PendingOp, append_ops, mark_ready
from exams.actions.outage import credit_outages
from exams.actions.refusing import Refusal, keep_refusals
from exams.broadcast import CHANGES_CHANNEL, Presence, publish_presence
from exams.consumers.batch import Batch
from exams.consumers.clock import ServerClock
from exams.consumers.collector import Spared
from exams.consumers.door import Door
from exams.consumers.session import CLOSE_BUSY, CLOSE_REPLACED, Farewell, Session
from exams.enums import SheetState
from exams.queries.clock import database_now
from exams.queries.live import LiveSheet, SheetStatus, live_sheets, revisions, sheet_statuses, statuses_of
from exams.queries.papers import paper_keys, paper_shapes
from exams.rules.answers import QuestionShape
from exams.rules.bucket import TokenBucket
from exams.tickets import Ticket

logger = logging.getLogger(__name__)

WATCH_SECONDS = 1.0
GATHER_SECONDS = 0.05
"""Deeds of the staff come together, an opening in every centre: they are read together."""
PRESENCE_SECONDS = 2.0
HELD_SECONDS = 0.05
WRITER_CAPACITY = 20_000
READER_CAPACITY = 50_000
REFUSALS_CAPACITY = 20_000
FAN_OUT_SLICE = 100

Written = tuple[Session, PendingOp]
Refused = tuple[Session, Refusal]


@dataclass(frozen=True, slots=True)
class Book:
    """A sealed paper as a process holds it: shapes to judge answers, keys to release."""

    shapes: Mapping[int, QuestionShape]
    keys: Mapping[int, bytes]


class Hub:
    """One per process, made on its event loop by the first socket."""

    def __init__(self) -> None:
        self.clock = ServerClock(now())
        self.sessions: dict[int, Session] = {}
        self.seen: dict[int, Session] = {}
        self.writer: Batch[Written, str] = Batch("journal", self._write, self._settle_op, WRITER_CAPACITY)
        self.refusals: Batch[Refused, str] = Batch("refusals", self._keep, self._settle_refusal, REFUSALS_CAPACITY)
        self.reader: Batch[Session, LiveSheet | None] = Batch("sheets", self._read, self._settle_hello, READER_CAPACITY)
        self.ready: Batch[Session, bool] = Batch("ready", self._ready, self._settle_ready, READER_CAPACITY)
        self._buckets: dict[int, TokenBucket] = {}
        self._presences: dict[tuple[int, int], Presence] = {}
        self._books: dict[int, Book] = {}
        self._graces: dict[int, int] = {}
        self._known: dict[int, int] = {}
        self._readied: set[int] = set()
        self.door = self._make_door()
        self.door.open()
        self.spared = Spared()
        self._hint = asyncio.Event()
        self._refusals: set[asyncio.Task[None]] = set()
        self._database = Turn(logger, "PostgreSQL", "postgresql")
        self._redis = Turn(logger, "Redis", "redis")
        REPORTER.source = self.gauges
        self._watching = ThreadPoolExecutor(1, "watch")
        self._reporting = ThreadPoolExecutor(1, "report")
        loop = asyncio.get_running_loop()
        self._tasks = [
            loop.create_task(self._watch(), name="watch"),
            loop.create_task(self._listen(), name="listen"),
            loop.create_task(self._report(), name="report"),
        ]

    def _make_door(self) -> Door:
        return Door(
            inside=self.sessions.keys(),
            has_served=self._buckets.__contains__,
            seconds=lambda: self.clock.milliseconds() / 1000,
            look_again=self._forget,
        )

    def _forget(self, centre_sitting_id: int) -> None:
        self._known.pop(centre_sitting_id, None)

    def bucket(self, sheet_id: int) -> TokenBucket:
        """Return what limits the frames of one sheet in this process, however often its tablet comes back."""
        return self._buckets.setdefault(sheet_id, TokenBucket(self.clock.monotonic()))

    def presence_by_http(self, ticket: Ticket, fresh: Presence) -> Presence:
        """Return what was seen of a tablet that speaks by HTTP: each of its exchanges is a session of its own."""
        return self._presences.setdefault((ticket.sheet_id, ticket.epoch), fresh)

    async def enter(self, session: Session) -> None:
        """Register a socket; another socket of the same sheet in this process gives way, unless its ticket is newer.

        One that came before the other and passed the door after it is a ghost of the same tablet: it gives way.
        """
        other = self.sessions.get(session.ticket.sheet_id)
        if other is not None and other.ticket.epoch > session.ticket.epoch:
            await session.say_bye("replaced", CLOSE_REPLACED)
            return
        if other is not None and other.ticket.epoch == session.ticket.epoch and other.arrival > session.arrival:
            await session.say_bye("busy", CLOSE_BUSY)
            return
        self.sessions[session.ticket.sheet_id] = session
        self._presences.pop((session.ticket.sheet_id, session.ticket.epoch), None)
        self.spared.entered += 1
        if other is not None:
            self.spared.left += 1
            await other.say_bye("replaced", CLOSE_REPLACED)

    def leave(self, session: Session) -> None:
        """Forget a socket that has closed."""
        if self.sessions.get(session.ticket.sheet_id) is session:
            session.note(online=False)
            del self.sessions[session.ticket.sheet_id]
            self.spared.left += 1

    def gauges(self) -> Gauges:
        """Return what the vitals of this process say of its candidates; called in the thread that reports."""
        sessions, pulse = list(self.sessions.values()), self.writer.pulse
        began = pulse.busy_since
        return Gauges(
            sockets=len(sessions),
            composing=sum(session.status.state is SheetState.COMPOSING for session in sessions),
            budget=self.door.places.budget,
            by_http=self.door.count_exchanging(),
            waiting=len(self.door.line),
            lacks_descriptors=self.door.places.lacks_descriptors,
            writer_waiting=self.writer.waiting,
            writer_capacity=self.writer.capacity,
            commit_ms=pulse.last_ms,
            commit_max_ms=pulse.take_max_ms(),
            batch_size=pulse.last_size,
            stalled_seconds=0.0 if began is None else self.clock.monotonic() - began,
        )

    def stop(self) -> None:
        """End every thread, task and connection of the hub."""
        REPORTER.source = None
        for task in self._tasks:
            task.cancel()
        for batch in (self.writer, self.refusals, self.reader, self.ready):
            batch.stop()
        self.door.close()
        self._watching.submit(connection.close)
        self._watching.shutdown()
        self._reporting.shutdown()

    # Work done in threads

    def _write(self, written: Sequence[Written]) -> list[str]:
        """Store one op per sheet; a verdict is that of the op which was sent, never of another one of its sheet."""
        sent: dict[int, PendingOp] = {}
        by_sitting: dict[int, list[PendingOp]] = defaultdict(list)
        for session, pending in written:
            if sent.setdefault(pending.sheet_id, pending) is pending:
                by_sitting[session.ticket.sitting_id].append(pending)
        verdicts: dict[int, str] = {}
        for sitting_id, batch in by_sitting.items():
            verdicts |= append_ops(
                sitting_id=sitting_id,
                grace_seconds=self._graces[sitting_id],
                pending=batch,
                now=self.clock.witness(),
            )
        return [
            verdicts.get(pending.sheet_id, "busy") if sent[pending.sheet_id] is pending else "busy"
            for _, pending in written
        ]

    def _keep(self, refused: Sequence[Refused]) -> list[str]:
        return keep_refusals(refusals=[refusal for _, refusal in refused], now=self.clock.now())

    def _read(self, asking: Sequence[Session]) -> list[LiveSheet | None]:
        self._read_clock()
        waits = {session.ticket.sheet_id: session.waited_seconds for session in asking if session.waited_seconds}
        postponed = credit_outages(waits=waits, now=self.clock.now()) if waits else frozenset()
        asked = {session.ticket.sheet_id for session in asking} - postponed
        found = live_sheets(list(asked))
        for live in found.values():
            self._graces[live.sitting_id] = live.grace_seconds
            if live.paper_id is not None and live.sitting_id not in self._books:
                self._books[live.sitting_id] = Book(paper_shapes(live.paper_id), paper_keys(live.paper_id))
        return [found.get(session.ticket.sheet_id) for session in asking]

    def _read_clock(self) -> None:
        asked = self.clock.monotonic()
        self.clock.follow(database_now(), asked)

    def _ready(self, sessions: Sequence[Session]) -> list[bool]:
        mark_ready(sheets=[(s.ticket.sheet_id, s.ticket.epoch) for s in sessions], now=self.clock.now())
        return [True] * len(sessions)

    def _changes(self, watched: Sequence[int], readied: Sequence[int]) -> dict[int, SheetStatus] | None:
        try:
            self._read_clock()
            present = revisions(watched)
            changed = [pk for pk, revision in present.items() if self._known.get(pk) != revision]
            statuses = statuses_of(readied) if readied else {}
            statuses |= sheet_statuses(changed) if changed else {}
        except Error as error:
            self._database.away(error)
            connection.close()
            return None
        self._database.back()
        self._known |= present
        return statuses

    # Results back on the loop

    async def _settle_op(self, written: Written, verdict: str | None) -> None:
        session, pending = written
        if verdict == HELD:
            asyncio.get_running_loop().call_later(HELD_SECONDS, self._submit_again, written)
        else:
            await session.settle(pending.op, verdict)

    def _submit_again(self, written: Written) -> None:
        if not self.writer.submit(written):
            session, pending = written
            self._refusals.add(task := asyncio.create_task(session.settle(pending.op, None)))
            task.add_done_callback(self._refusals.discard)

    async def _settle_refusal(self, refused: Refused, code: str | None) -> None:
        session, refusal = refused
        await session.settle_refusal(refusal.op, code)

    async def _settle_hello(self, session: Session, live: LiveSheet | None) -> None:
        if live is None:
            await session.say_bye("busy", CLOSE_BUSY)
            return
        centre_sitting_id = session.ticket.centre_sitting_id
        if self._known.get(centre_sitting_id, 0) > live.revision:
            del self._known[centre_sitting_id]
        try:
            await session.restart(live, self._books.get(live.sitting_id))
        except Farewell as farewell:
            await session.say_bye(farewell.code, farewell.close_code)

    async def _settle_ready(self, session: Session, is_marked: bool | None) -> None:  # noqa: FBT001 -- of `Batch`
        if is_marked:  # the watch alone reads statuses: two readers would tell them out of order
            self._readied.add(session.ticket.sheet_id)
        elif session.presence.by_http or self.sessions.get(session.ticket.sheet_id) is session:
            self.ready.submit(session)  # the batch has rested; a tablet says it once

    # Watching

    async def _watch(self) -> None:
        while True:
            try:
                await asyncio.get_running_loop().run_in_executor(self._watching, self.door.read)
                self.door.settle()
                await self._look()
                self.spared.look(len(self.sessions))
            except Exception:
                logger.exception("the watch over the exam goes on")
            with suppress(TimeoutError):
                await asyncio.wait_for(self._hint.wait(), WATCH_SECONDS)
            await asyncio.sleep(GATHER_SECONDS)
            self._hint.clear()

    async def _look(self) -> None:
        inside = {session.ticket.centre_sitting_id for session in self.sessions.values() if session.live}
        watched = list(inside | self.door.rooms)
        if not watched:
            return
        readied, self._readied = list(self._readied), set()
        statuses = None
        try:
            statuses = await asyncio.get_running_loop().run_in_executor(self._watching, self._changes, watched, readied)
        finally:
            if statuses is None:
                self._readied.update(readied)
        if statuses:
            self.door.learn(statuses)
            await self._fan_out(statuses)

    async def _fan_out(self, statuses: Mapping[int, SheetStatus]) -> None:
        told: dict[tuple[SheetStatus, int], str] = {}
        for position, (sheet_id, status) in enumerate(statuses.items(), start=1):
            session = self.sessions.get(sheet_id)
            if session is not None and session.live is not None:
                try:
                    await self._tell(session, status, told)
                except Exception:
                    logger.exception("a status could not be delivered")
            if position % FAN_OUT_SLICE == 0:
                told.clear()  # a frame carries the time
                await asyncio.sleep(0)

    async def _tell(self, session: Session, status: SheetStatus, told: dict[tuple[SheetStatus, int], str]) -> None:
        try:
            await session.update(status, told)
        except Farewell as farewell:
            await session.say_bye(farewell.code, farewell.close_code)

    async def _listen(self) -> None:
        while True:
            try:
                client = redis.asyncio.Redis.from_url(
                    settings.REDIS_HINTS_URL, socket_connect_timeout=2, socket_timeout=None
                )
                async with client, client.pubsub() as subscription:
                    await subscription.subscribe(CHANGES_CHANNEL)
                    self._redis.back()
                    async for _message in subscription.listen():
                        self._hint.set()
            except (redis.RedisError, OSError) as error:
                self._redis.away(error)
            await asyncio.sleep(WATCH_SECONDS)

    async def _report(self) -> None:
        while True:
            await asyncio.sleep(PRESENCE_SECONDS)
            sessions, self.seen = list(self.seen.values()), {}
            seen: dict[int, dict[int, Presence]] = defaultdict(dict)
            for session in sessions:
                seen[session.ticket.centre_sitting_id][session.ticket.sheet_id] = session.presence
            try:
                if seen:
                    await asyncio.get_running_loop().run_in_executor(self._reporting, publish_presence, seen)
                await self._tell_the_door()
            except redis.RedisError as error:
                self._redis.away(error)
            except Exception:
                logger.exception("the report goes on")
            else:
                self._redis.back()

    async def _tell_the_door(self) -> None:
        report = self.door.report()
        elsewhere = await asyncio.get_running_loop().run_in_executor(self._reporting, self.door.publish, report)
        self.door.take_turns(elsewhere)


class HubSource:
    """Makes the hub of a process when its first tablet comes, on the event loop that serves it."""

    def __init__(self) -> None:
        self._hub: Hub | None = None

    def __call__(self) -> Hub:
        """Return the hub."""
        if self._hub is None:
            self._hub = Hub()
        return self._hub

    def stop(self) -> None:
        """End what the process shares; its sockets are closed by the server."""
        if self._hub is not None:
            self._hub.stop()
