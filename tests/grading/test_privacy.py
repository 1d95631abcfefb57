"""What marking does, statement by statement, touches no table of people; what it leaves behind names nobody."""

from datetime import date

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from ecni.accounts.enums import Role
from ecni.accounts.models import Deed
from grading.actions.jury import write_remark
from grading.models import SheetMark
from tests.factories.exams import NOW, make_exam, sit, user
from tests.factories.grading import PERFECT, mark_sitting, register
from tests.factories.jury import make_jury, neutralise, paper_of, propose, sat_exam, sitting_jury

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


def test_the_jury_s_pages_read_no_table_of_people_but_the_staff(client):
    agency, (president, members) = user("agence", Role.AGENCY), make_jury()
    exam = sat_exam(agency, candidates=4)
    paper = paper_of(exam)
    sitting_jury(exam, president, members)
    propose(neutralise(paper, 1), members[0])
    client.force_login(members[0])
    pages = [reverse(f"grading:{name}", args=[exam.pk]) for name in ("jury-show", "question-list", "spelling-list")]
    pages.append(reverse("grading:question-show", args=[paper.pk, 1]))
    with CaptureQueriesContext(connection) as statements:
        texts = [client.get(page).content.decode() for page in pages]
    assert [query["sql"] for query in statements.captured_queries if "centres_" in query["sql"]] == []
    assert [word for word in ("Nom1", "Prénom1", "2026-0001", "K2-0001") if word in "".join(texts)] == []


def test_remarks_are_shown_without_their_author(client):
    agency, (_, members) = user("agence", Role.AGENCY), make_jury()
    paper = paper_of(sat_exam(agency, candidates=4))
    write_remark(paper_id=paper.pk, number=1, text="Énoncé ambigu.", actor=members[1], now=NOW)
    client.force_login(members[0])
    page = client.get(reverse("grading:question-show", args=[paper.pk, 1])).content.decode()
    assert ("Énoncé ambigu." in page, members[1].username in page) == (True, False)
