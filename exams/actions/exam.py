"""Holding an exam, so that two acts that decide of the whole of it do not pass each other."""

from django.db import OperationalError
from psycopg2.errors import LockNotAvailable

from exams.models import Exam
from exams.rules.states import Busy


def own_exam(exam_id: int) -> Exam:
    """Lock an exam until the end of the transaction, and return it.

    Raises:
        Busy: somebody else has held it for longer than `lock_timeout` (ecni.settings).
        Exam.DoesNotExist: there is none.
    """
    try:
        return Exam.objects.select_for_update(of=("self",), no_key=True).get(pk=exam_id)
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable):
            raise Busy from error
        raise
