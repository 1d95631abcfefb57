"""A plain SQL export of one sitting, for the checker: one JSON line per row. `docs/checker.md` is the format."""

from pathlib import Path

import psycopg2

EXPORTS = {
    "sittings": """
        SELECT id, duration_seconds, grace_seconds FROM exams_sitting WHERE id = %(sitting)s""",
    "questions": """
        SELECT q.number, q.kind, q.propositions, q.is_progressive AS progressive, q.previous
        FROM exams_paperquestion q JOIN exams_paper p ON p.id = q.paper_id
        WHERE p.sitting_id = %(sitting)s AND NOT p.is_reserve ORDER BY q.number""",
    "sheets": """
        SELECT s.id, s.number AS sheet, c.code AS centre, s.state, s.epoch, s.extra_seconds,
            extract(epoch FROM s.ends_at) * 1000 AS ends_at
        FROM exams_sheet s JOIN centres_hosting h ON h.centre_sitting_id = s.centre_sitting_id
        JOIN centres_centre c ON c.id = h.centre_id WHERE s.sitting_id = %(sitting)s""",
    "journal": """
        SELECT s.number AS sheet, j.seq, j.epoch, j.kind, j.question, j.value, j.made_at,
            extract(epoch FROM j.received_at) * 1000 AS received_at, encode(j.digest, 'hex') AS digest
        FROM exams_journalentry j JOIN exams_sheet s ON s.id = j.sheet_id WHERE j.sitting_id = %(sitting)s""",
    "frozen": """
        SELECT s.number AS sheet, encode(f.masks, 'hex') AS masks, f.texts, f.last_seq,
            encode(f.head_digest, 'hex') AS head_digest
        FROM exams_frozensheet f JOIN exams_sheet s ON s.id = f.sheet_id WHERE s.sitting_id = %(sitting)s""",
}
WHERE_THERE_IS_ONE = {
    "exams_refusedop": (
        "refused",
        """SELECT s.number AS sheet, r.seq, r.epoch, r.kind, r.question, r.value, r.made_at, r.skew, r.code,
            encode(r.digest, 'hex') AS digest, extract(epoch FROM r.received_at) * 1000 AS received_at
        FROM exams_refusedop r JOIN exams_sheet s ON s.id = r.sheet_id WHERE r.sitting_id = %(sitting)s""",
    ),
    "exams_checkpoint": (
        "checkpoints",
        """SELECT index, extract(epoch FROM made_at) * 1000 AS made_at, encode(heads, 'hex') AS heads,
            encode(root, 'hex') AS root, encode(previous, 'hex') AS previous, encode(signature, 'hex') AS signature
        FROM exams_checkpoint WHERE sitting_id = %(sitting)s ORDER BY index""",
    ),
}
"""Tables that some versions do not have: the file is not written then, and what needs it is not observed."""


def export(database_url: str, sitting: int, folder: Path) -> None:
    """Write `folder`/<name>.jsonl for each export."""
    folder.mkdir(parents=True, exist_ok=True)
    connection = psycopg2.connect(database_url)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            wanted = dict(EXPORTS)
            for table, (name, sql) in WHERE_THERE_IS_ONE.items():
                cursor.execute("SELECT to_regclass(%s) IS NOT NULL", (table,))
                if cursor.fetchone()[0]:
                    wanted[name] = sql
            for name, sql in wanted.items():
                cursor.execute(f"SELECT row_to_json(t)::text FROM ({sql}) t", {"sitting": sitting})  # noqa: S608 -- ours
                (folder / f"{name}.jsonl").write_text(
                    "".join(f"{line}\n" for (line,) in cursor.fetchall()), encoding="utf-8"
                )
    finally:
        connection.close()
