"""What marking does, statement by statement, touches no table of people; what it leaves behind names nobody."""

from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ecni.accounts.enums import Role
from ecni.accounts.models import Deed
from grading.models import SheetMark
from tests.factories.exams import make_exam, sit, user
from tests.factories.grading import PERFECT, mark_sitting, register

pytestmark = pytest.mark.django_db


@pytest.fixture
def sitting():
    exam = make_exam()
    register(exam, {"K2-0001": date(2001, 1, 1)})
    sitting = exam.sittings.get(number=1)
    sit(sitting, {"K2-0001": PERFECT[0]})
    return sitting


def test_marking_reads_and_writes_no_table_of_people(sitting):
    agency = user("agence", Role.AGENCY)
    with CaptureQueriesContext(connection) as statements:
        mark_sitting(sitting, agency)
    touched = [query["sql"] for query in statements.captured_queries if "centres_" in query["sql"]]
    assert len(statements) > 10
    assert touched == []


def test_marks_and_deeds_bear_a_number_and_no_name(sitting):
    mark_sitting(sitting, user("agence", Role.AGENCY))
    assert list(SheetMark.objects.values_list("number", flat=True)) == ["K2-0001"]
    left = str([list(SheetMark.objects.values()), list(Deed.objects.values())])
    assert [name for name in ("Nom1", "Prénom1", "2026-0001", "C01") if name in left] == []
