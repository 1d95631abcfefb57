"""Log lines as JSON: a fixed list of fields, none of which names a person."""

import json
import logging
from datetime import UTC, datetime

# What `extra=` may add to a line; anything else, a name or an address among them, is left out.
FIELDS = ("sitting", "centre_sitting", "sheet", "status_code", "code", "count", "milliseconds")


class JsonLines(logging.Formatter):
    """One JSON object a line: time (UTC), level, logger, role of the process, message, and the allowed fields."""

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
            "message": record.getMessage(),
        }
        line |= {field: getattr(record, field) for field in FIELDS if hasattr(record, field)}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)
