"""The authoring form of every kind: what is stored comes back as it was, what is wrong is said at its field."""

import pytest
from django.test import Client
from django.urls import reverse

from ecni.accounts.enums import Role
from ecni.demo.build import BANK
from exams.actions.bank import import_bank
from exams.enums import QuestionKind
from exams.forms import QuestionForm
from exams.imports import read_bank_folder
from exams.models import Question
from exams.queries.bankplan import stored_question
from tests.factories.papers import NOW, staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk():
    bank, media = read_bank_folder(BANK)
    agency = staff(Role.AGENCY)
    import_bank(bank=bank, media=media, actor=agency, now=NOW)
    client = Client()
    client.force_login(agency)
    return client


def filled(question):
    """What a browser sends back when nothing is touched."""
    form = QuestionForm(instance=question)
    values = {name: form[name].value() for name in form.fields}
    return {name: "" if value is None else value for name, value in values.items()}


def of_kind(kind, **filters):
    return Question.objects.filter(kind=kind, **filters).order_by("identifier").first()


def test_every_question_of_the_demo_bank_comes_back_as_it_was(desk):
    for question in Question.objects.all():
        form = QuestionForm(filled(question), instance=question)
        assert form.errors == {}, question.identifier
        assert form.question == stored_question(Question.objects.get(pk=question.pk)), question.identifier


@pytest.mark.parametrize("kind", QuestionKind)
def test_each_kind_has_its_page_to_add_and_to_change(desk, kind):
    page = desk.get(reverse("admin:exams_question_add"), {"kind": kind})
    assert f'value="{kind}"' in page.content.decode()
    change = desk.get(reverse("admin:exams_question_change", args=[of_kind(kind).pk])).content.decode()
    assert 'name="_save"' in change


@pytest.mark.parametrize("kind", QuestionKind)
def test_each_kind_is_added_by_its_form(desk, kind):
    data = filled(of_kind(kind, case=None) or of_kind(kind)) | {"identifier": "NEUVE-1", "new_information": ""}
    response = desk.post(f"{reverse('admin:exams_question_add')}?kind={kind}", data)
    assert response.status_code == 302
    assert Question.objects.get(identifier="NEUVE-1").kind == kind


@pytest.mark.parametrize(
    ("kind", "changes", "field", "reason"),
    [
        ("QRP", {"expected_count": "5"}, "expected_count", "nombre annoncé (5) différent du nombre de propositions"),
        ("QRM", {"expected_count": "2"}, "expected_count", "sans objet pour une question QRM"),
        ("QRM", {"text_A": "même", "text_B": "Même"}, "text_B", "proposition écrite deux fois"),
        ("QRU", {"status_A": "REQUIRED"}, "status_A", "ni indispensable ni inacceptable dans une question QRU"),
        ("QRPL", {"status_B": "FORBIDDEN"}, "status_B", "Sélectionnez un choix valide"),
        ("QRPL", {"text_L": ""}, "text_L", "Une proposition plus loin est écrite, celle-ci manque."),
        (
            "QROC",
            {"exact": "un\ndeux mots de trop pour ça"},
            "exact",
            "Ligne 2\u00a0: de 1 à 5 mots attendus, et non 6",
        ),
        ("QROC", {"acceptable": "Un\nun"}, "acceptable", "Ligne 2\u00a0: réponse écrite deux fois"),
        ("QROC", {"exact": " \n"}, "exact", "Ce champ est obligatoire"),
        ("TCS", {f"votes_{step}": "0" for step in (-2, -1, 0, 1, 2)}, "votes_-2", "aucun vote dans le panel"),
        ("TCS", {"votes_1": "-1"}, "votes_1", "supérieure ou égale à 0"),
        ("TCS", {"label_0": ""}, "label_0", "Ce champ est obligatoire"),
        ("ZAP", {"zones": "rond 1 2 3"}, "zones", "Ligne 1\u00a0: « rond 1 2 3 » n’est ni"),
        ("ZAP", {"zones": "polygone 1 2 3 4"}, "zones", "Ligne 1\u00a0: « polygone 1 2 3 4 » n’est ni"),
        ("ZAP", {"zones": "cercle 50 150 3"}, "zones", "Ligne 1\u00a0: de 0 à 100 pour cent de l’image attendus"),
        ("ZAP", {"zones": "cercle 50 50 0"}, "zones", "Ligne 1\u00a0: zone sans surface"),
        ("ZAP", {"images": ""}, "images", "une image à pointer attendue, et non 0"),
    ],
)
def test_a_wrong_key_is_said_at_its_field(desk, kind, changes, field, reason):
    question = of_kind(kind)
    one_zone = {"expected_count": "1"} if kind == "ZAP" else {}
    form = QuestionForm(filled(question) | one_zone | changes, instance=question)
    assert not form.is_valid()
    assert reason in " ".join(form.errors[field])


def test_rank_item_specialty_and_case_are_filters(desk):
    page = desk.get(reverse("admin:exams_question_changelist"), {"rank": "A", "item": "226", "case__kind": "TCS"})
    found = page.context["cl"].queryset
    assert {(q.rank, q.item, q.case.kind) for q in found} == {("A", 226, "TCS")}
    filters = [spec.title for spec in page.context["cl"].filter_specs]
    assert filters == ["type", "rang", "type", "spécialité", "item du programme"]
