"""Saying once that something went away and once that it is back, not at each attempt."""

import logging


class Turn:
    """What is known of one thing that may be away: PostgreSQL, Redis.

    Args:
        logger: of the module that meets it.
        thing: as the log names it.
        event: its name in the log, completed by `-away` or `-back`.
    """

    def __init__(self, logger: logging.Logger, thing: str, event: str) -> None:
        self._logger = logger
        self._thing = thing
        self._event = event
        self.is_away = False

    def away(self, error: BaseException) -> None:
        """It did not answer."""
        if not self.is_away:
            self.is_away = True
            extra = {"event": f"{self._event}-away"}
            self._logger.warning("%s is away (%s)", self._thing, type(error).__name__, extra=extra)

    def back(self) -> None:
        """It answered."""
        if self.is_away:
            self.is_away = False
            self._logger.warning("%s is back", self._thing, extra={"event": f"{self._event}-back"})
