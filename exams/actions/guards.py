"""What the guards of one process do with what they object to: turn it away, or count it and let it through."""

import logging
from collections import Counter
from collections.abc import Mapping
from threading import Lock

import redis
from django.db import Error

from exams.broadcast import publish_guarded
from exams.enums import GuardMode, GuardName
from exams.queries.admission import guard_modes

logger = logging.getLogger(__name__)

FRESH_SECONDS = 1.0


class Guards:
    """The modes of every guard as last read, and what each objected to since it was last told.

    Nothing is read nor written unless a guard objects: what is in order costs nothing.
    """

    def __init__(self) -> None:
        self._modes: Mapping[GuardName, GuardMode] = {}
        self._objections: Counter[tuple[GuardName, GuardMode]] = Counter()
        self._read_at = float("-inf")
        self._lock = Lock()

    def learn(self, modes: Mapping[GuardName, GuardMode]) -> None:
        """Take in the modes as PostgreSQL has them."""
        self._modes = modes

    def stops(self, name: GuardName) -> bool:
        """Count one objection of a guard; return whether it turns away. Touches nothing but memory."""
        mode = self._modes.get(name, GuardMode.ENFORCE)
        with self._lock:
            self._objections[name, mode] += 1
        return mode is GuardMode.ENFORCE

    def look_and_stop(self, name: GuardName, monotonic: float) -> bool:
        """Do the same in a process that nothing keeps informed: modes are read again, and counts told, each second.

        Args:
            name: of the guard that objects.
            monotonic: seconds.
        """
        with self._lock:
            is_due = monotonic - self._read_at >= FRESH_SECONDS
            if is_due:
                self._read_at = monotonic
        if is_due:
            try:
                self.learn(guard_modes())
            except Error:
                logger.warning("the modes of the guards could not be read")
        stopped = self.stops(name)
        if is_due:
            self.tell()
        return stopped

    def tell(self) -> None:
        """Log and publish what was objected to since the last time, without any identity."""
        with self._lock:
            objections, self._objections = self._objections, Counter()
        for (name, mode), count in objections.items():
            done = "turned away" if mode is GuardMode.ENFORCE else "let through, observed only"
            event = {"event": "guard-refused" if mode is GuardMode.ENFORCE else "guard-observed"}
            logger.warning("guard %s: %d %s", name.value, count, done, extra=event)
        if objections:
            try:
                publish_guarded(objections)
            except redis.RedisError:
                logger.warning("what the guards met could not be published: Redis is away")
