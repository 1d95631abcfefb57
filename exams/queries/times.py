"""How long candidates spent on each question, as far as the journal can tell."""

from dataclasses import dataclass

from django.db import connection

from exams.enums import OpKind


@dataclass(frozen=True, slots=True)
class ResponseTime:
    """Seconds spent on one question: how many sheets acted on it, and the quartiles over these sheets."""

    sheets: int
    lower: float
    median: float
    upper: float


_STATEMENT = """
WITH act AS (
    SELECT sheet_id, question, made_at - lag(made_at) OVER (PARTITION BY sheet_id ORDER BY seq) AS gap
    FROM exams_journalentry WHERE sitting_id = %(sitting)s AND kind <> %(submit)s
), spent AS (
    SELECT sheet_id, question, sum(greatest(gap, 0)) / 1000.0 AS seconds
    FROM act WHERE gap IS NOT NULL GROUP BY sheet_id, question
)
SELECT question, count(*), percentile_cont(ARRAY[0.25, 0.5, 0.75]) WITHIN GROUP (ORDER BY seconds)
FROM spent GROUP BY question
"""


def response_times(sitting_id: int) -> dict[int, ResponseTime]:
    """Return the time spent on each question of a sitting, by number; a question nobody acted on is left out.

    The journal knows acts, not glances: the time between two successive acts of a sheet, by the tablet's clock, goes to
    the question of the second one (answer, tick, flag, strike, seal), and a sheet's times on a question add up. So
    reading without acting counts for the next question acted on, a pause counts too, and the time before the very
    first act is not known. Medians bear this well; means would not, and are not given.
    """
    with connection.cursor() as cursor:
        cursor.execute(_STATEMENT, {"sitting": sitting_id, "submit": OpKind.SUBMIT.value})
        return {number: ResponseTime(sheets, *quartiles) for number, sheets, quartiles in cursor.fetchall()}
