"""The tablet's testimony: one JSON line per thing that happened to it, on disk at once (`docs/checker.md`)."""

import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from loadtests.outbox import SentOp


@dataclass(slots=True)
class Journal:
    """What one tablet saw, in memory: its ops in order, and the marks that a report needs (seconds, monotonic)."""

    number: str = ""
    sitting: int = 0
    ops: list[SentOp] = field(default_factory=list)
    opened_at: float | None = None
    submitted: bool = False
    receipt: str = ""
    reconnections: int = 0
    errors: list[str] = field(default_factory=list)


class Record:
    """Writes a tablet's testimony to a file; to nowhere without a `path`."""

    def __init__(self, path: Path | None, tablet: str) -> None:
        self._path = path
        self._tablet = tablet
        self._file: TextIO | None = None

    def __call__(self, event: str, **seen: object) -> None:
        """Write one line."""
        if self._path is None:
            return
        if self._file is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("a", buffering=1, encoding="utf-8")
        line = {"e": event, "tablet": self._tablet, "mono": time.monotonic(), "wall": int(time.time() * 1000)}
        self._file.write(json.dumps(line | seen, separators=(",", ":")) + "\n")

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def op(self, event: str, op: SentOp, **seen: object) -> None:
        """Write one line about an op."""
        self(
            event,
            act=op.act,
            seq=op.seq,
            kind=op.kind,
            q=op.question,
            value=op.value,
            at=op.at,
            digest=op.digest,
            **seen,
        )
