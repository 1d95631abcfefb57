"""The administration of people and places: who enters, what is done by actions, statements that do not grow."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from centres.models import Candidate, Hosting, Incident
from ecni.accounts.enums import Role
from ecni.accounts.models import Deed
from exams.models import Exam
from tests.factories.centres import NOW, make_candidates, make_centre, make_hosting, make_sitting, make_staff

LISTS = ["centre", "candidate", "hosting", "incident"]
HEADING = "numero;nom;prenom;date_naissance;centre"


@pytest.fixture
def agency(db, client):
    user = make_staff(username="agence2")
    client.force_login(user)
    return user


@pytest.mark.parametrize("name", LISTS)
def test_lists_open_to_the_agency_at_a_constant_cost(client, agency, name):
    hosting = make_hosting(agency=agency)
    Incident.objects.create(hosting=hosting, text="chute", reported_by=agency, at=NOW)
    path = reverse(f"admin:centres_{name}_changelist")
    client.get(path)
    with CaptureQueriesContext(
        connection,
    ) as few:
        assert client.get(path).status_code == 200
    other = make_hosting(centre=make_centre("lille", 9), sitting=make_sitting(number=2), agency=agency)
    Incident.objects.create(hosting=other, text="panne", reported_by=agency, at=NOW)
    with CaptureQueriesContext(connection) as more:
        client.get(path)
    assert len(more) <= len(few) + 1


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.AGENCY])
def test_other_roles_stay_outside(client, db, role):
    user = make_staff(role)
    user.is_staff = True
    user.save()
    client.force_login(user)
    pages = [reverse(f"admin:centres_{name}_changelist") for name in LISTS]
    for path in [*pages, reverse("admin:centres_hosting_seat"), reverse("admin:centres_candidate_import")]:
        assert client.get(path).status_code in {302, 403}
        assert client.post(path).status_code in {302, 403}


def test_seating_from_the_administration(client, agency):
    sitting = make_sitting()
    path = reverse("admin:centres_hosting_seat")
    assert "Aucun candidat" in client.post(path, {"sitting": sitting.pk}).content.decode()
    make_candidates(sitting.exam, make_centre(), 3)
    page = client.post(path, {"sitting": sitting.pk}, follow=True).content.decode()
    assert "1 centre(s) préparé(s)" in page
    assert "C’est déjà fait." in client.post(path, {"sitting": sitting.pk}).content.decode()
    assert Hosting.objects.count() == 1


def test_import_from_the_administration_checks_then_writes(client, agency):
    make_centre()
    exam = make_sitting().exam
    path = reverse("admin:centres_candidate_import")

    def send(text, **fields):
        file = SimpleUploadedFile("candidats.csv", f"{HEADING}\n{text}\n".encode())
        return client.post(path, {"exam": exam.pk, "file": file, **fields}, follow=True).content.decode()

    assert "<code>=1</code>" in send("C1;=1;Zoé;2001-02-03;rennes")
    assert "aucune erreur" in send("C1;Martin;Zoé;2001-02-03;rennes", dry_run="on")
    assert not Candidate.objects.exists()
    assert "1 créés" in send("C1;Martin;Zoé;2001-02-03;rennes")
    assert Candidate.objects.get().results_hmac
    assert Deed.objects.get(verb="register_candidates").actor == agency


def test_lists_are_exported_without_formulas(client, agency):
    make_candidates(Exam.objects.create(name="E", slug="e"), make_centre(), 1)
    Candidate.objects.update(last_name="=cmd()")
    path = reverse("admin:centres_candidate_changelist")
    data = {"action": "export", "_selected_action": [Candidate.objects.get().pk]}
    assert "'=cmd()" in client.post(path, data).content.decode("utf-8-sig")
    data = {"action": "export", "_selected_action": [Candidate.objects.get().centre.pk]}
    assert "rennes;Rennes" in client.post(reverse("admin:centres_centre_changelist"), data).content.decode("utf-8-sig")


def test_a_name_is_corrected_and_the_deed_written(client, agency):
    (candidate,) = make_candidates(Exam.objects.create(name="E", slug="e"), make_centre(), 1)
    path = reverse("admin:centres_candidate_change", args=[candidate.pk])
    page = client.get(path)
    assert page.status_code == 200
    assert candidate.number not in page.content.decode()
    data = {
        "last_name": "Corrigé",
        "first_name": "Zoé",
        "born_on": "2001-02-03",
        "email": "",
        "category": "STUDENT",
        "accommodation-TOTAL_FORMS": "0",
        "accommodation-INITIAL_FORMS": "0",
    }
    assert client.post(path, data).status_code == 302
    assert Candidate.objects.get().last_name == "Corrigé"
    assert Deed.objects.filter(verb="change_candidate").exists()


def test_a_centre_page_shows_rooms_and_staff(client, agency):
    page = client.get(reverse("admin:centres_centre_change", args=[make_centre("rennes", 4).pk]))
    assert page.status_code == 200
    assert "Salle 1" in page.content.decode()


def test_the_networks_of_a_centre_hold_in_the_sittings_that_it_hosts(client, agency):
    hosting = make_hosting(agency=agency)
    path = reverse("admin:centres_centre_change", args=[hosting.centre_id])
    centre = {name: getattr(hosting.centre, name) for name in ("code", "name", "city", "academy")}
    none = {f"{inline}-{name}_FORMS": 0 for inline in ("rooms", "memberships") for name in ("TOTAL", "INITIAL")}
    wrong = client.post(path, centre | none | {"networks": "193.52.10.0/24 10.0.0.1/8"}).content.decode()
    assert "10.0.0.1/8 : ce n’est pas un réseau" in wrong
    assert client.post(path, centre | none | {"networks": "193.52.10.0/24\n2001:db8::/32"}).status_code == 302
    hosting.centre_sitting.refresh_from_db()
    assert hosting.centre_sitting.networks == ["193.52.10.0/24", "2001:db8::/32"]
    assert Deed.objects.filter(verb="set_networks", actor=agency).count() == 1
    later = make_hosting(count=0, centre=hosting.centre, sitting=make_sitting(number=2), agency=agency)
    assert later.centre_sitting.networks == ["193.52.10.0/24", "2001:db8::/32"]
