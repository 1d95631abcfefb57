"""What an act of the staff costs does not grow with the centre."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ecni.accounts.models import Deed
from exams.actions.centre_sitting import open_centre_sitting, welcome
from exams.actions.sheet import admit_sheets
from exams.enums import SheetState
from exams.models import CentreSitting
from exams.rules.states import Already
from tests.exams.sitting import NOON, make_centre_sitting, make_sitting, staff

pytestmark = pytest.mark.django_db


def lobby(count):
    centre_sitting = make_centre_sitting(make_sitting(), count)
    welcome(centre_sitting_id=centre_sitting.pk, actor=staff(), now=NOON)
    return centre_sitting


def admit(centre_sitting):
    sheets = list(centre_sitting.sheets.values_list("pk", flat=True))
    return admit_sheets(centre_sitting_id=centre_sitting.pk, sheet_ids=sheets, actor=staff(), now=NOON)


def test_admitting_a_centre_is_one_deed_for_the_database_and_one_change_for_the_servers():
    counts = []
    for size in (2, 40):
        centre_sitting = lobby(size)
        before = CentreSitting.objects.get(pk=centre_sitting.pk).revision
        with CaptureQueriesContext(connection) as asked:
            assert admit(centre_sitting) == {}
        counts.append(len(asked))
        assert CentreSitting.objects.get(pk=centre_sitting.pk).revision == before + 1
        assert set(centre_sitting.sheets.values_list("state", flat=True)) == {SheetState.ADMITTED}
        assert Deed.objects.filter(verb="admit_sheet").count() == sum((2, 40)[: len(counts)])
    assert counts[0] == counts[1]


def test_who_was_admitted_before_is_told_apart_and_nothing_is_written_twice():
    centre_sitting = lobby(3)
    admit(centre_sitting)
    refusals = admit(centre_sitting)
    assert [type(refusal) for refusal in refusals.values()] == [Already] * 3
    assert Deed.objects.filter(verb="admit_sheet").count() == 3


def test_latecomers_admitted_together_compose_at_once():
    centre_sitting = lobby(3)
    open_centre_sitting(centre_sitting_id=centre_sitting.pk, actor=staff(), now=NOON)
    assert admit(centre_sitting) == {}
    assert set(centre_sitting.sheets.values_list("state", flat=True)) == {SheetState.COMPOSING}
