"""The least that makes answers durable: rows gathered for 4 ms, one statement, one commit, one connection. No socket.

`python -m ecni.bench.group_commit RATE SECONDS` stores rows at a rate and prints what that took, as JSON.
"""

import json
import os
import sys
import time
from collections.abc import Sequence
from hashlib import sha256

import psycopg2

LINGER_SECONDS = 0.004
Row = tuple[int, int, int, int, bytes, str]
"""Sheet, seq, question, instant, digest, value."""

CREATE = """
CREATE TABLE IF NOT EXISTS bench_floor (
    sitting_id integer NOT NULL, sheet_id integer NOT NULL, seq integer NOT NULL, epoch smallint NOT NULL,
    kind smallint NOT NULL, question smallint NOT NULL, made_at bigint NOT NULL, received_at timestamptz NOT NULL,
    digest bytea NOT NULL, value text NOT NULL, PRIMARY KEY (sitting_id, sheet_id, seq))"""
INSERT = """
INSERT INTO bench_floor SELECT 1, sheet_id, seq, 1, 1, question, made_at, clock_timestamp(), digest, value
FROM unnest(%s::int[], %s::int[], %s::smallint[], %s::bigint[], %s::bytea[], %s::text[])
    AS row(sheet_id, seq, question, made_at, digest, value)"""


class Table:
    """A table of the journal's shape, and the connection that writes it; emptied at the start."""

    def __init__(self, database_url: str) -> None:
        self._connection = psycopg2.connect(database_url)
        self._connection.autocommit = True
        self._cursor = self._connection.cursor()
        self._cursor.execute(CREATE)
        self._cursor.execute("TRUNCATE bench_floor")

    def store(self, rows: Sequence[Row]) -> None:
        """Commit some rows."""
        self._cursor.execute(INSERT, [list(column) for column in zip(*rows, strict=True)])


def main(rate: float, seconds: float) -> None:
    """Store rows at a rate, as they would arrive from tablets."""
    table = Table(os.environ["DATABASE_URL"])
    digest, total, done, batches = sha256().digest(), int(rate * seconds), 0, 0
    started, spent = time.monotonic(), time.process_time()
    while done < total:
        time.sleep(max(0.0, started + done / rate - time.monotonic()) + LINGER_SECONDS)
        until = min(total, int((time.monotonic() - started) * rate) + 1)
        now = int(time.time() * 1000)
        table.store([(number, 1, 1, now, digest, "A") for number in range(done, until)])
        done, batches = until, batches + 1
    print(json.dumps({"rows": done, "batches": batches, "processor": time.process_time() - spent}))  # noqa: T201 -- its answer


if __name__ == "__main__":
    main(float(sys.argv[1]), float(sys.argv[2]))
