"""Whether every acknowledged op is in the database, digest for digest, by plain SQL and whatever their number."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psycopg2

from loadtests.waves.measures import WITNESS

ROWS = 50_000


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was acknowledged to tablets, what is stored, and what is missing.

    Attributes:
        acknowledged: ops, each once.
        stored: rows of the journal.
        lost: acknowledged and not stored as they were.
        broken: sheets in whose journal a number is missing.
        submitted, frozen: sheets handed in, sheets whose answers are final.
        lost_of: how many are lost of each sheet that lost some, by its number.
    """

    acknowledged: int
    stored: int
    lost: int
    broken: int
    submitted: int
    frozen: int
    lost_of: Mapping[str, int] = field(default_factory=dict)


def compare(database_url: str, sitting: int, folder: Path) -> Evidence:
    """Hold what the tablets of a run were told against the journal of the sitting."""
    acknowledged = np.unique(_acknowledged(folder))
    connection = psycopg2.connect(database_url)
    try:
        stored = np.array(list(_stored(connection, sitting)), dtype=f"S{WITNESS.size}")
        found = np.isin(acknowledged, stored, assume_unique=False)
        return Evidence(
            acknowledged=int(acknowledged.size),
            stored=int(stored.size),
            lost=int(np.count_nonzero(~found)),
            broken=_one(connection, _BROKEN, sitting),
            submitted=_one(connection, _SUBMITTED, sitting),
            frozen=_one(connection, _FROZEN, sitting),
            lost_of=Counter(_number(witness) for witness in acknowledged[~found].tolist()),
        )
    finally:
        connection.close()


_BROKEN = (
    "SELECT count(*) FROM (SELECT sheet_id FROM exams_journalentry WHERE sitting_id = %s"
    " GROUP BY sheet_id HAVING count(*) <> max(seq)) gaps"
)
_SUBMITTED = "SELECT count(*) FROM exams_sheet WHERE sitting_id = %s AND submitted_at IS NOT NULL"
_FROZEN = "SELECT count(*) FROM exams_frozensheet f JOIN exams_sheet s ON s.id = f.sheet_id WHERE s.sitting_id = %s"


def _acknowledged(folder: Path) -> "np.ndarray[tuple[int], np.dtype[np.bytes_]]":
    """Every op acknowledged; a worker that was killed may have left half of its last one."""
    parts = []
    for path in sorted(folder.glob("acked-*.bin")):
        data = path.read_bytes()
        parts.append(np.frombuffer(data[: len(data) // WITNESS.size * WITNESS.size], dtype=f"S{WITNESS.size}"))
    return np.concatenate(parts) if parts else np.array([], dtype=f"S{WITNESS.size}")


def _stored(connection: "psycopg2.extensions.connection", sitting: int) -> Iterator[bytes]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, number FROM exams_sheet WHERE sitting_id = %s", (sitting,))
        numbers = {sheet: number.encode() for sheet, number in cursor.fetchall()}
    with connection.cursor("stored") as cursor:
        cursor.itersize = ROWS
        cursor.execute("SELECT sheet_id, seq, digest FROM exams_journalentry WHERE sitting_id = %s", (sitting,))
        for sheet, seq, digest in cursor:
            yield WITNESS.pack(numbers[sheet], seq, bytes(digest))


def _number(witness: bytes) -> str:
    number: bytes = WITNESS.unpack(witness.ljust(WITNESS.size, b"\0"))[0]  # numpy drops the zeros at the end
    return number.rstrip(b"\0").decode()


def _one(connection: "psycopg2.extensions.connection", query: str, sitting: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(query, (sitting,))
        return int(cursor.fetchone()[0])
