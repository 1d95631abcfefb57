"""How many may enter per second in one web process: the others wait, and who composes passes before them."""

import os
import socket
import time
from hashlib import sha256
from random import random
from threading import Lock

import redis
from django.db import Error

from centres.queries.slips import waiting_sheet
from exams.broadcast import DoorSight, publish_door, share_passed
from exams.enums import Lack, LimitName
from exams.queries.admission import default_limits, present_limits
from exams.rules.admission import KNOCK_MS_PER_PLACE, LATEST_MS, Line, Wait, retry_ms
from exams.rules.bucket import TokenBucket
from exams.rules.states import LIVE_STATES, WAITING_STATES

FRESH_SECONDS = 1.0
TOLD_SECONDS = 2.0
ASKED_SECONDS = 10.0
"""How long a sheet that did not compose is believed not to."""
TURN_SECONDS = 10
"""With a full bucket whoever would be served within these seconds may pass: nobody near the head idles the door."""
LATE_SECONDS = 5.0
"""Of pages that waited so long for a thread one a second lets somebody in: bursts are served, not sent away."""
KNOCKS_PER_TOKEN = 2
"""How many knock for each that passes: with several processes, those who wait are shared between them."""
LONGEST_MS = 120_000
"""Nobody is told much more than that; nor than `LATEST_MS`, unless looked up: admitted sheets start without them."""
PATIENCE = 1.5
"""Of the wait that was told: who has not knocked here by then knocks elsewhere, and comes back with their place."""
SLOWEST_PACE = 1.0
"""Entries a second, also of late pages."""
SLOWER, FASTER = 0.8, 1.05
"""What a second makes of the pace."""


class Gate:
    """The door of entries, one per process, whose requests come in several threads.

    An entry costs ten times the CPU of a knock that must wait; nothing is read for those within the budget,
    but the limit itself, once a second. The database and Redis are never waited for while others are held back.
    When the processor gives less than the limit allows, requests wait for a thread: newcomers are then told to wait
    as well (docs/adr/0025-entries-wait-when-pages-come-late.md).
    """

    def __init__(self) -> None:
        self._rate = default_limits()[LimitName.LOGINS]
        self._pace: float = self._rate
        self._waited: list[int] = []
        self._forgotten: set[int] = set()
        self._newcomers = TokenBucket(time.monotonic(), self._rate)
        self._late_ones = TokenBucket(time.monotonic(), SLOWEST_PACE)
        self._returning = TokenBucket(time.monotonic(), self._rate)
        self._line = Line()
        self._asked: set[int] = set()
        self._read_at = self._asked_at = self._told_at = self._late_at = float("-inf")
        self._since: float | None = None
        self._lock = Lock()

    def knock(self, *, device: str, code: str, now: float, since: float | None, waited: float) -> Wait | None:
        """Return None when this candidate may enter now, else the wait.

        Args:
            device: random identity of the tablet.
            code: as typed.
            now: seconds since 1970.
            since: since when this tablet has been waiting, if it has.
            waited: seconds that this request has waited for a thread.
        """
        self._follow(now)
        key = int.from_bytes(sha256(f"{device}|{code}".encode()).digest()[:6])
        is_late = waited > LATE_SECONDS
        with self._lock:
            if is_late:
                self._late_at = time.monotonic()
            if self._has_turn(key, since) and (
                self._take(self._late_ones, SLOWEST_PACE) if is_late else self._take(self._newcomers, self._pace)
            ):
                self._let_pass(key, since)
                return None
            is_unknown = key not in self._asked and self._take(self._returning, self._rate)
        room, state = waiting_sheet(code) if is_unknown else (0, None)
        with self._lock:
            if state in LIVE_STATES:
                self._let_pass(key, since)
                return None
            if is_unknown:
                self._asked.add(key)
            place = self._line.join(key, room, now, since)
            per_place_ms = 1000 / (self._pace * KNOCKS_PER_TOKEN)
            may_be_late = is_unknown and state not in WAITING_STATES
            latest_ms = self._longest_ms if may_be_late else LATEST_MS
            wait = Wait(place, retry_ms(place, random(), per_place_ms, latest_ms))  # noqa: S311 -- spreads tablets in time, protects nothing
            self._line.expect(key, now + wait.retry_ms / 1000 * PATIENCE)
        self._tell(now)
        return wait

    @property
    def _longest_ms(self) -> int:
        """While pages come in time, what keeps a line's knocks cheap: a short one learns soon of a limit raised."""
        is_slow = self._pace < self._rate
        return LONGEST_MS if is_slow else min(LONGEST_MS, max(LATEST_MS, len(self._line) * KNOCK_MS_PER_PLACE))

    def _has_turn(self, key: int, since: float | None) -> bool:
        """Whether somebody is near enough to the head: the nearer, the fewer tokens are left."""
        tokens = self._newcomers.filled(time.monotonic(), self._pace, self._pace)
        return self._line.ahead(key, since) < tokens * TURN_SECONDS

    def _let_pass(self, key: int, since: float | None) -> None:
        if since is not None or key in self._line:
            self._waited.append(key)
        self._line.leave(key)

    def _take(self, bucket: TokenBucket, rate: float) -> bool:
        return bucket.take(time.monotonic(), rate, rate)

    def _follow(self, now: float) -> None:
        """Once a second, let those go who have stopped knocking and read the limit again."""
        instant = time.monotonic()
        with self._lock:
            if instant - self._read_at < FRESH_SECONDS:
                return
            self._adapt()
            self._read_at = instant
            self._line.expire(now)
            if instant - self._asked_at > ASKED_SECONDS:
                self._asked_at = instant
                self._asked.clear()
            self._since = (self._since or now) if self._line else None
            passed, self._waited = self._waited, []
            is_alone = not (self._line or passed)
        if not is_alone:
            self._forget(passed, now)
        try:
            rate = present_limits()[LimitName.LOGINS]
        except Error:
            return  # the limit stays as it was; the entry itself will say that the database is away
        with self._lock:
            self._pace = rate if rate > self._rate else min(self._pace, rate)
            self._rate = rate

    def _forget(self, passed: list[int], now: float) -> None:
        """Take off the line who has passed at another process: ahead of everybody, they would hold their turn."""
        try:
            elsewhere = set(share_passed(LimitName.LOGINS.value, passed, now))
        except redis.RedisError:
            with self._lock:
                self._waited += passed  # told when Redis is back; forgotten elsewhere when they should have knocked
            return
        with self._lock:
            for key in elsewhere - self._forgotten:  # once: who passed may have to wait again
                self._line.leave(key)
            self._forgotten = elsewhere

    @property
    def _is_late(self) -> bool:
        """Whether a page came late since the limit was last read."""
        return self._late_at >= self._read_at

    def _adapt(self) -> None:
        """Find the pace at which pages come in time while others wait: slower when they are late, faster by and by."""
        pace = self._pace * (SLOWER if self._is_late else FASTER) if self._line else self._rate
        self._pace = min(max(pace, SLOWEST_PACE), self._rate)

    def _tell(self, now: float) -> None:
        instant = time.monotonic()
        with self._lock:
            if instant - self._told_at < TOLD_SECONDS:
                return
            self._told_at = instant
            sight = DoorSight(
                process=f"{socket.gethostname()}:{os.getpid()}",
                limit=LimitName.LOGINS.value,
                value=self._rate,
                used=round(self._pace),
                waiting=len(self._line),
                since=int((self._since or now) * 1000),
                at=int(now * 1000),
                rooms={str(room): count for room, count in self._line.rooms.items() if room},
                lack=(Lack.PAGES if self._is_late or self._pace < self._rate else Lack.NOTHING).value,
            )
        try:
            publish_door(sight)
        except redis.RedisError:
            return  # a hint
