"""PostgreSQL's clock, which decides in the statement that writes; what it decides must not hang on one clock alone."""

from datetime import datetime

from django.db import connection

from exams.rules.states import ClocksDisagree
from exams.rules.timing import do_clocks_agree


def database_now() -> datetime:
    """Return the present instant on PostgreSQL's clock, aware."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        ((instant,),) = cursor.fetchall()
    moment: datetime = instant
    return moment


def agreed_now(own: datetime) -> datetime:
    """Return the instant of an act of the staff: PostgreSQL's, held against this process's `own`.

    Raises:
        ClocksDisagree: one of the two is wrong, and nobody here can tell which.
    """
    instant = database_now()
    if not do_clocks_agree(instant, own):
        raise ClocksDisagree
    return instant
