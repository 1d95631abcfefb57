"""Log lines as JSON: a fixed list of fields, none of which names a person.

A line that tells a change of state has an `event`, one of `EVENTS`, written once when the state changes.
"""

import json
import logging
import os
import re
from datetime import UTC, datetime

# What `extra=` may add to a line; anything else, a name or an address among them, is left out.
FIELDS = (
    *("event", "layer", "where", "share"),
    *("sitting", "centre_sitting", "sheet", "status_code", "code", "count", "milliseconds"),
)

EVENTS = {
    "limit-near": "a limit is nearly used up",
    "limit-reached": "a limit has 1 % left, or turns newcomers away",
    "limit-lifted": "it does no more",
    "process-full": "a process has newcomers wait",
    "process-open": "nobody waits for it any more",
    "guard-observed": "a guard that only observes would have refused",
    "guard-refused": "a guard has refused",
    "writer-stalled": "a process has not committed answers for two seconds",
    "writer-recovered": "it commits again",
    "redis-away": "Redis does not answer this process",
    "redis-back": "it answers again",
    "postgresql-away": "PostgreSQL does not answer this process",
    "postgresql-back": "it answers again",
}
"""Every event, with what it means; `docs/operations.md` lists them."""

_OF_A_ROW = re.compile(
    r"(?:\b|\\n)(?:D[EÉ]TAIL|CONTEXTE?|QUERY|REQUÊTE|LI(?:NE|GNE) \d+)\s?:.*?(?=\n\n(?:The above|During)|\Z)", re.DOTALL
)
"""What PostgreSQL adds to an error, until its end: values of the row or of the statement, which may name somebody."""


class JsonLines(logging.Formatter):
    """One JSON object a line: time (UTC), level, logger, role and pid of the process, message, the allowed fields."""

    def __init__(self, role: str) -> None:
        super().__init__()
        self.role = role

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record, its traceback included when it has one."""
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "role": self.role,
            "pid": os.getpid(),
            "message": _OF_A_ROW.sub("…", record.getMessage()),
        }
        line |= {field: getattr(record, field) for field in FIELDS if hasattr(record, field)}
        if record.exc_info:
            line["exception"] = _OF_A_ROW.sub("…", self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False, default=str)
