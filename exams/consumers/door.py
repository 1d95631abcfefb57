"""The door of one process: who passes, who waits. Whoever is in never meets it again.

A newcomer that waits costs one handshake and a few look-ups in memory; the database is asked once, for all those that
came in the same few milliseconds, and what the staff changes afterwards comes with the watch of each second.
"""

import asyncio
import logging
import os
import resource
import socket
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from random import random
from typing import Any

from django.db import Error, connection

from exams.actions.guards import Guards
from exams.broadcast import DoorSight, publish_door, share_line
from exams.consumers.batch import Batch
from exams.enums import GuardName, Lack, LimitName, SheetState
from exams.protocol import farewell, waiting
from exams.queries.admission import default_policy, present_policy, returning_sheets
from exams.queries.live import SheetStatus
from exams.rules.admission import SOCKET_KNOCK_MS_PER_PLACE, Line, Places, Standing, Wait, may_pass, places, retry_ms
from exams.rules.networks import comes_from
from exams.tickets import Ticket

logger = logging.getLogger(__name__)

FIRST_READ_SECONDS = 2.0
QUESTIONS_CAPACITY = 5_000
EXCHANGED_SECONDS = 10.0
"""A tablet that speaks by HTTP does so every two seconds."""
RETURNING_STATES = frozenset({SheetState.COMPOSING, SheetState.PAUSED})

Question = tuple[int, asyncio.Future[bool | None]]


class Door:
    """One per hub, on its event loop.

    Args:
        inside: sheets that have a socket in this process.
        has_served: whether this process has had a session of a sheet.
        seconds: since 1970, as the process tells its tablets.
        look_again: has the state of a centre sitting's sheets read at the next watch.
    """

    def __init__(
        self,
        inside: Collection[int],
        has_served: Callable[[int], bool],
        seconds: Callable[[], float],
        look_again: Callable[[int], None],
    ) -> None:
        self.guards = Guards()
        self.policy = default_policy()
        self.places = self._count_places()
        self.line = Line()
        self._inside = inside
        self._has_served = has_served
        self._seconds = seconds
        self._look_again = look_again
        self._asked: set[int] = set()
        self._returning: set[int] = set()
        self._elsewhere: dict[int, float] = {}
        self._passed: set[int] = set()
        self._exchanged: dict[int, float] = {}
        self._is_read = asyncio.Event()
        self._since: float | None = None
        self._questions: Batch[Question, bool] | None = None

    def open(self) -> None:
        """Start the thread that asks the database about those whom this process does not know."""
        self._questions = Batch("door", self._ask, self._answer, QUESTIONS_CAPACITY)

    def close(self) -> None:
        """End that thread."""
        if self._questions is not None:
            self._questions.stop()

    async def knock(self, ticket: Ticket, address: str, *, by_http: bool = False) -> dict[str, Any] | None:
        """Return None when this tablet may come in now, else the frame to tell it; by HTTP it holds no socket."""
        if not self._is_read.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._is_read.wait(), FIRST_READ_SECONDS)
        sheet_id = ticket.sheet_id
        objection = await self._objection(ticket, address)
        if objection is not None:
            return objection
        if not self._admits(sheet_id, by_http=by_http) and self._is_unknown(sheet_id):
            await self._inquire(sheet_id)
        if self._admits(sheet_id, by_http=by_http):
            self._pass(sheet_id)
            if by_http:
                self._exchanged[sheet_id] = self._seconds()
            return None
        return waiting(self._wait(ticket))

    @property
    def rooms(self) -> set[int]:
        """The centre sittings of those who wait."""
        return set(self.line.rooms)

    def count_exchanging(self) -> int:
        """Return how many sheets have lately spoken by HTTP; called in the thread that reports."""
        oldest = self._seconds() - EXCHANGED_SECONDS
        for sheet_id in [one for one, at in list(self._exchanged.items()) if at < oldest]:
            self._exchanged.pop(sheet_id, None)
        return len(self._exchanged)

    def learn(self, statuses: Mapping[int, SheetStatus]) -> None:
        """Take in the states of sheets as the staff has changed them: somebody who waits may be composing now."""
        for sheet_id in statuses.keys() & set(self.line.keys):
            if statuses[sheet_id].state in RETURNING_STATES:
                self._returning.add(sheet_id)
            else:
                self._returning.discard(sheet_id)

    def read(self) -> None:
        """Read limits, guards, networks and descriptors again; called each second in a thread that may wait."""
        try:
            self.policy = present_policy()
            self.guards.learn(self.policy.modes)
        except Error:  # the hub says that PostgreSQL is away
            connection.close()
        self.places = self._count_places()

    def settle(self) -> None:
        """Let those go who have stopped knocking, and say in the log when a wait begins or ends."""
        self._is_read.set()
        self.line.expire(self._seconds())
        present = set(self.line.keys)
        self._asked &= present
        self._returning &= present
        if self.line and self._since is None:
            self._since = self._seconds()
            extra = {"event": "process-full", "count": len(self._inside)}
            what = "descriptors leave room for" if self.places.lacks_descriptors else "limit reached:"
            logger.warning("%s %d sockets in this process, newcomers wait", what, len(self._inside), extra=extra)
        elif not self.line and self._since is not None:
            self._since = None
            extra = {"event": "process-open", "count": len(self._inside)}
            logger.warning("nobody waits any more: %d sockets in this process", len(self._inside), extra=extra)

    def report(self) -> "Report":
        """Return what is to be published now."""
        passed, self._passed = self._passed, set()
        return Report(self._sight(), self.line.firsts, passed, self._seconds())

    def publish(self, report: "Report") -> dict[int, float]:
        """Publish a report, and return since when each sheet has been waiting, wherever; called in a thread."""
        self.guards.tell()
        publish_door(report.sight)
        if not (report.firsts or report.passed or self._elsewhere):
            return {}
        return share_line(LimitName.SOCKETS, report.firsts, report.passed, report.at)

    def take_turns(self, elsewhere: dict[int, float]) -> None:
        """Order those who wait by their first refusal, here or before another process."""
        self._elsewhere = elsewhere
        self.line.learn(elsewhere)

    def _count_places(self) -> Places:
        soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        limits = self.policy.limits
        return places(
            budget=limits[LimitName.SOCKETS],
            reserve=limits[LimitName.RESERVE],
            descriptors=sys.maxsize if soft == resource.RLIM_INFINITY else soft,
        )

    def _sight(self) -> DoorSight:
        return DoorSight(
            process=f"{socket.gethostname()}:{os.getpid()}",
            limit=LimitName.SOCKETS.value,
            value=self.places.budget,
            used=len(self._inside),
            waiting=len(self.line),
            since=None if self._since is None else int(self._since * 1000),
            at=int(self._seconds() * 1000),
            rooms={str(room): count for room, count in self.line.rooms.items()},
            lack=(Lack.DESCRIPTORS if self.places.lacks_descriptors else Lack.NOTHING).value,
        )

    async def _objection(self, ticket: Ticket, address: str) -> dict[str, Any] | None:
        """Return what to tell a tablet from elsewhere than its centre; None for one that composes, or was served."""
        networks = self.policy.networks.get(ticket.centre_sitting_id)
        if networks is None or comes_from(address, networks):
            return None
        if self._is_unknown(ticket.sheet_id):
            await self._inquire(ticket.sheet_id)
        if self._is_unknown(ticket.sheet_id):  # the database did not say
            return waiting(self._wait(ticket))
        is_new = self._standing(ticket.sheet_id) is Standing.NEW
        return farewell("network") if is_new and self.guards.stops(GuardName.ADDRESS) else None

    def _standing(self, sheet_id: int) -> Standing:
        if sheet_id in self._inside:
            return Standing.HOLDING
        if sheet_id in self._returning or self._has_served(sheet_id):
            return Standing.RETURNING
        return Standing.NEW

    def _admits(self, sheet_id: int, *, by_http: bool) -> bool:
        standing = self._standing(sheet_id)
        if by_http and standing is Standing.RETURNING:
            return True
        return may_pass(
            standing,
            inside=len(self._inside),
            budget=self.places.budget,
            reserve=self.places.reserve,
            ahead=self.line.ahead(sheet_id),
        )

    def _is_unknown(self, sheet_id: int) -> bool:
        return sheet_id not in self._asked and self._standing(sheet_id) is Standing.NEW

    async def _inquire(self, sheet_id: int) -> None:
        answer: asyncio.Future[bool | None] = asyncio.get_running_loop().create_future()
        if self._questions is None or not self._questions.submit((sheet_id, answer)):
            return
        composes = await answer
        if composes is not None:
            self._asked.add(sheet_id)
        if composes:
            self._returning.add(sheet_id)

    def _pass(self, sheet_id: int) -> None:
        if sheet_id in self.line:
            self.line.leave(sheet_id)
            self._passed.add(sheet_id)

    def _wait(self, ticket: Ticket) -> Wait:
        sheet_id = ticket.sheet_id
        if sheet_id not in self.line:
            self._passed.discard(sheet_id)
            self._look_again(ticket.centre_sitting_id)  # its state may have changed since it was asked
        place = self.line.join(sheet_id, ticket.centre_sitting_id, self._seconds(), self._elsewhere.get(sheet_id))
        return Wait(place, retry_ms(place, random(), SOCKET_KNOCK_MS_PER_PLACE))  # noqa: S311 -- spreads tablets in time, protects nothing

    def _ask(self, questions: Sequence[Question]) -> list[bool]:
        found = returning_sheets([sheet_id for sheet_id, _ in questions])
        return [sheet_id in found for sheet_id, _ in questions]

    async def _answer(self, question: Question, composes: bool | None) -> None:  # noqa: FBT001 -- a result of `Batch`
        _, answer = question
        if not answer.done():
            answer.set_result(composes)


@dataclass(frozen=True, slots=True)
class Report:
    """What a door has to tell: its sight, the first refusals of those who wait, who has passed, and when."""

    sight: DoorSight
    firsts: dict[int, float]
    passed: set[int]
    at: float
