"""Each centre prints the checkpoints of its sitting: who may, what the page says, and that the paper is enough."""

import json
import re

import pytest

from ecni.accounts.enums import Role
from exams.actions.checkpoints import take_checkpoint
from exams.queries.checkpoints import last_checkpoint
from exams.reports import qr_svg
from exams.rules.witness import parse_witness
from tests.factories.centres import NOW, make_centre, make_hosting, make_staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def hosting():
    return make_hosting(state="OPEN")


@pytest.fixture
def checkpoint(hosting):
    take_checkpoint(sitting_id=hosting.sitting_id, now=NOW)
    return last_checkpoint(hosting.sitting_id)


def page(client, hosting, user, name=""):
    client.force_login(user)
    return client.get(f"/salle/{hosting.pk}/preuve{name or '/'}")


def test_the_page_says_what_is_signed(client, hosting, checkpoint):
    head = make_staff(Role.CENTRE_HEAD, hosting.centre)
    text = page(client, hosting, head).content.decode()
    facts = dict(re.findall(r"<dt>([^<]+)</dt><dd[^>]*>([^<]*)</dd>", text))
    assert facts["Actes enregistrés"] == "0"
    assert facts["Racine"].replace(" ", "").lower() == checkpoint.statement.root.hex()
    assert facts["Signature"].replace(" ", "").lower() == checkpoint.signature.hex()
    assert facts["Clé"].replace(" ", "").lower() == checkpoint.key_id
    assert qr_svg(checkpoint.witness) in text
    assert "Nom1" not in text


def test_the_file_is_a_witness(client, hosting, checkpoint):
    response = page(client, hosting, make_staff(Role.INVIGILATOR, hosting.centre), ".json")
    assert response.headers["Content-Disposition"] == (
        f'attachment; filename="preuve-{hosting.sitting_id}-{hosting.centre.code}.json"'
    )
    (line,) = parse_witness("x", response.content)
    assert (line.text.decode(), line.signature) == (checkpoint.text, checkpoint.signature)
    assert json.loads(response.content)["keys"].keys() == {checkpoint.key_id}


def test_before_the_first_checkpoint_the_page_says_so(client, hosting):
    text = page(client, hosting, make_staff(Role.CENTRE_HEAD, hosting.centre)).content.decode()
    assert "Pas encore de point de contrôle" in text


@pytest.mark.parametrize(
    ("role", "is_ours", "status"),
    [
        (Role.AGENCY, False, 200),
        (Role.CENTRE_HEAD, True, 200),
        (Role.INVIGILATOR, True, 200),
        (Role.CENTRE_HEAD, False, 404),
        (Role.INVIGILATOR, False, 404),
        (Role.OPS, False, 403),
        (Role.JURY, True, 404),
        (Role.COUNCIL, True, 404),
    ],
)
def test_the_staff_of_the_centre_and_the_agency_alone_see_it(client, hosting, role, is_ours, status):
    centre = hosting.centre if is_ours else make_centre("lille")
    user = make_staff(role, centre, username="quelqu-un")
    assert [page(client, hosting, user, name).status_code for name in ("/", ".json")] == [status, status]


@pytest.mark.parametrize("name", ["/", ".json"])
def test_strangers_are_led_to_the_door(client, hosting, name):
    response = client.get(f"/salle/{hosting.pk}/preuve{name}")
    assert response.headers["Location"].startswith("/connexion/?next=")


def test_the_room_leads_to_it_for_those_who_may(client, hosting):
    for user, shown in ((make_staff(Role.CENTRE_HEAD, hosting.centre), True), (make_staff(Role.OPS), False)):
        client.force_login(user)
        text = client.get(f"/salle/{hosting.pk}/").content.decode()
        assert (f"/salle/{hosting.pk}/preuve/" in text) is shown
