"""What is in no sheet is read by the jury, with its evidence and without identity."""

from datetime import timedelta

import pytest
from django.urls import reverse

from ecni.accounts.enums import Role
from exams.actions.refusing import Refusal, keep_refusals
from exams.actions.sheet import release_sheet
from exams.enums import OpKind
from exams.models import Sheet
from grading.queries.quarantine import kept_sheets
from grading.views import quarantine
from tests.exams.sitting import NOON, Chain, opened
from tests.factories.exams import user

pytestmark = pytest.mark.django_db


@pytest.fixture
def sheet():
    return opened(count=2).sheets.order_by("number").first()


def keep(sheet, code, *, ends_at, at, skew=0, epoch=1):
    Sheet.objects.filter(pk=sheet.pk).update(ends_at=ends_at)
    made_at = int(at.timestamp() * 1000) - skew
    op = Chain(sheet).op(OpKind.ANSWER, 2, "AC", made_at=made_at)
    keep_refusals(refusals=[Refusal(sheet.pk, epoch, skew, op, code)], now=ends_at + timedelta(minutes=5))


def test_acts_kept_apart_are_told_with_what_the_jury_needs(sheet):
    end = NOON + timedelta(hours=1)
    keep(sheet, "late", ends_at=end, at=end - timedelta(seconds=3), skew=90_000)
    keep(sheet, "late", ends_at=end, at=end + timedelta(seconds=30))
    ((kept,),) = [kept_sheets(sheet.sitting.exam_id)]
    (act,) = kept.acts
    assert (kept.number, act.question, act.value, act.kind) == (sheet.number, 2, "AC", OpKind.ANSWER)
    assert (act.made_at, act.received_at) == (end - timedelta(seconds=3), end + timedelta(minutes=5))
    assert (act.is_of_old_tablet, act.is_clock_known) == (False, True)


def test_acts_of_a_replaced_tablet_are_said_to_be(sheet):
    release_sheet(sheet_id=sheet.pk, actor=user("chef", Role.CENTRE_HEAD), now=NOON, reason="panne")
    keep(sheet, "replaced", ends_at=NOON + timedelta(hours=1), at=NOON)
    assert [act.is_of_old_tablet for kept in kept_sheets(sheet.sitting.exam_id) for act in kept.acts] == [True]


@pytest.mark.parametrize("made_at", [2**53 - 1, -(2**53) + 1, 0])
def test_an_act_whose_tablet_tells_no_time_hides_nobody_elses(client, sheet, made_at):
    keep(sheet, "replaced", ends_at=NOON + timedelta(hours=1), at=NOON)
    keep_refusals(refusals=[Refusal(sheet.pk, 1, None, Chain(sheet).op(made_at=made_at), "replaced")], now=NOON)
    client.force_login(user("juré", Role.JURY))
    page = client.get(reverse("grading:kept-list", args=[sheet.sitting.exam_id])).content.decode()
    assert (page.count("horloge illisible"), page.count("AC</td>")) == (1, 1)
    client.force_login(user("agence", Role.AGENCY, is_staff=True))
    assert "horloge illisible" in client.get(reverse("admin:exams_refusedop_changelist")).content.decode()


def test_the_page_shows_them_to_the_jury_alone(client, sheet):
    keep(sheet, "replaced", ends_at=NOON + timedelta(hours=1), at=NOON)
    path = reverse("grading:kept-list", args=[sheet.sitting.exam_id])
    for role, status in ((Role.JURY, 200), (Role.AGENCY, 200), (Role.COUNCIL, 403), (Role.CENTRE_HEAD, 403)):
        client.force_login(user(f"kept-{role}", role))
        answer = client.get(path)
        assert answer.status_code == status
    client.force_login(user("juré", Role.JURY))
    page = client.get(path).content.decode()
    assert (page.count(sheet.number), page.count("AC</td>")) == (1, 1)
    assert "Aucune copie ne correspond" in client.get(path, {"q": "ZZ"}).content.decode()
    assert "AC</td>" in client.get(path, {"q": sheet.number[-4:].lower()}).content.decode()
    export = client.get(reverse("grading:kept-export", args=[sheet.sitting.exam_id]))
    (line,) = export.content.decode("utf-8-sig").splitlines()[1:]
    assert line.split(";")[1:6] == [sheet.number, "1", "Réponse", "2", "AC"]
    assert line.endswith(";arrivé après le délai")


def test_long_lists_come_by_pages(client, sheet, monkeypatch):
    monkeypatch.setattr(quarantine, "SHEETS", 1)
    other = Sheet.objects.exclude(pk=sheet.pk).first()
    for one in (sheet, other):
        keep(one, "replaced", ends_at=NOON + timedelta(hours=1), at=NOON)
    client.force_login(user("juré", Role.JURY))
    path = reverse("grading:kept-list", args=[sheet.sitting.exam_id])
    pages = [client.get(path, {"page": number}).content.decode() for number in (1, 2)]
    assert [page.count("AC</td>") for page in pages] == [1, 1]
    assert "page=2" in pages[0]
    assert "Page 2 sur 2" in pages[1]


def test_an_exam_without_any_says_so(client, sheet):
    client.force_login(user("juré", Role.JURY))
    assert "Aucun acte" in client.get(reverse("grading:kept-list", args=[sheet.sitting.exam_id])).content.decode()
