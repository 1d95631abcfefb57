"""What the database says, by plain SQL, held against what the tablets saw. Imports nothing of the product."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import psycopg2

from loadtests.record import Journal

Row = tuple[str, int, str]
"""Number of the sheet, place in its chain, digest."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """The counts that the promises are about; all but `acknowledged`, `found` and `frozen` must be zero."""

    acknowledged: int
    found: int
    lost: int
    duplicated: int
    foreign: int
    opened: int
    frozen: int


class Database:
    """Plain SQL on one connection."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg2.connect(url)
        self._connection.autocommit = True

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Return the rows of a query."""
        with self._connection.cursor() as cursor:
            cursor.execute(sql, values)
            found: list[tuple[Any, ...]] = cursor.fetchall()
            return found

    def evidence(self, sitting: int, journals: Iterable[Journal]) -> Evidence:
        """Compare the journal of a sitting with the tablets' own journals."""
        kept = list(journals)
        stored: list[Row] = [
            (number, seq, digest)
            for number, seq, digest in self.rows(
                "SELECT s.number, j.seq, encode(j.digest, 'hex') FROM exams_journalentry j"
                " JOIN exams_sheet s ON s.id = j.sheet_id WHERE j.sitting_id = %s",
                sitting,
            )
        ]
        made = {(journal.number, op.seq, op.digest) for journal in kept for op in journal.ops}
        acknowledged = {
            (journal.number, op.seq, op.digest) for journal in kept for op in journal.ops if op.acked is not None
        }
        found = set(stored)
        opened = self.rows("SELECT count(*) FROM exams_sheet WHERE sitting_id = %s AND ends_at IS NOT NULL", sitting)
        frozen = self.rows(
            "SELECT count(*) FROM exams_frozensheet f JOIN exams_sheet s ON s.id = f.sheet_id"
            " WHERE s.sitting_id = %s AND f.last_seq ="
            " (SELECT coalesce(max(seq), 0) FROM exams_journalentry j WHERE j.sitting_id = %s AND j.sheet_id = s.id)",
            sitting,
            sitting,
        )
        return Evidence(
            acknowledged=len(acknowledged),
            found=len(acknowledged & found),
            lost=len(acknowledged - found),
            duplicated=len(stored) - len({(number, seq) for number, seq, _ in stored}),
            foreign=len(found - made),
            opened=opened[0][0],
            frozen=frozen[0][0],
        )
