"""The time that tablets are told: PostgreSQL's, carried by this process's monotonic counter."""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from exams.rules.timing import CLOCKS_SECONDS, do_clocks_agree

logger = logging.getLogger(__name__)


class ServerClock:
    """Follows PostgreSQL's clock; a wall clock that is wrong or jumps, here or there, misleads no tablet.

    Args:
        own: this process's wall clock, believed until the first measure.
        monotonic: seconds of a counter that nobody sets.
    """

    def __init__(self, own: datetime, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.monotonic = monotonic
        self._offset = self._own_offset = own.timestamp() - monotonic()
        self._is_measured = False

    def now(self) -> datetime:
        """Return the present instant, aware, in UTC."""
        return datetime.fromtimestamp(self.monotonic() + self._offset, UTC)

    def witness(self) -> datetime:
        """Return the instant to hold against PostgreSQL's: the earlier of what it said first and of this process's own.

        A process that starts while PostgreSQL is wrong would else agree with it that the time is over.
        """
        offset = self._offset
        if self._offset - self._own_offset > CLOCKS_SECONDS:
            offset = self._own_offset
        return datetime.fromtimestamp(self.monotonic() + offset, UTC)

    def milliseconds(self) -> int:
        """Return the present instant in milliseconds since 1970."""
        return int((self.monotonic() + self._offset) * 1000)

    def follow(self, instant: datetime, asked: float) -> None:
        """Take in PostgreSQL's clock; a jump is not followed but said, as only people know which time is right.

        Args:
            instant: what PostgreSQL answered.
            asked: monotonic seconds when it was asked.
        """
        answered = self.monotonic()
        instant += timedelta(seconds=(answered - asked) / 2)
        if self._is_measured and not do_clocks_agree(instant, self.now()):
            logger.error("PostgreSQL's clock has jumped: its time is not followed until this process restarts")
            return
        if not self._is_measured and not do_clocks_agree(instant, self.now()):
            logger.error("PostgreSQL's clock and that of this machine do not agree: one of them is to be set right")
        self._offset = instant.timestamp() - answered
        self._is_measured = True
