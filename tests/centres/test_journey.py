"""In a real browser: a candidate enters by the QR, the head of the centre admits and opens, nobody reloads anything."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db import connections
from playwright.sync_api import expect

from centres.models import Incident
from centres.queries.slips import printed_slips
from ecni.accounts.enums import Role
from ecni.accounts.models import User
from exams.enums import SheetState
from exams.models import Sheet
from tests.factories.centres import NOW, make_centre, make_hosting, make_sitting, make_staff
from tests.holding import held_elsewhere, lock_table

pytestmark = pytest.mark.browser
ALBUM = os.environ.get("ALBUM")


@pytest.fixture
def room(asgi_server):
    return away_from_the_driver(make_room)


def make_room():
    sitting = make_sitting()
    sitting.starts_at = NOW.replace(year=2020)
    sitting.save()
    centre = make_centre("rennes", 6, 6, extra_time=2)
    return make_hosting(count=9, centre=centre, sitting=sitting, state="LOBBY", extra={3})


def away_from_the_driver(function):
    """Call actions, which announce what they did, in a thread without the event loop of the browser's driver."""

    def call():
        try:
            return function()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as executor:
        return executor.submit(call).result()


@pytest.fixture
def errors(page):
    """What a strict content policy or a module that fails would say; also waits for nothing to be said."""
    found = []
    page.on("console", lambda message: found.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: found.append(str(error)))
    return found


def log_in(page, base, user):
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[-1]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    page.context.add_cookies([{"name": "sessionid", "value": session.session_key, "url": base}])


def keep(page, name):
    if ALBUM:
        page.screenshot(path=Path(ALBUM) / f"{name}.png", full_page=True)


def test_a_board_that_the_database_does_not_give_is_said_to_be_dated(page, errors, asgi_server, room):
    log_in(page, asgi_server, away_from_the_driver(lambda: User.objects.get(role=Role.AGENCY)))
    page.goto(f"{asgi_server}/salle/{room.pk}/")
    expect(page.locator("#live")).to_contain_text("À jour")
    with held_elsewhere(lambda: lock_table("centres_seat")):
        expect(page.locator("#live")).to_contain_text("le tableau se fait attendre", timeout=10_000)
        keep(page, "salle-affichage-date")
    expect(page.locator("#live")).to_contain_text("À jour", timeout=10_000)
    assert errors == []


def test_a_scanned_slip_leads_to_the_identity_check_then_to_the_tablet_page(page, errors, asgi_server, room):
    code = printed_slips(room.pk)[0].code
    page.goto(f"{asgi_server}/entrer/")
    keep(page, "slip")
    page.goto(f"{asgi_server}/entrer/#{code}")
    page.reload()
    expect(page.get_by_role("heading", name="Est-ce bien vous ?")).to_be_visible()
    keep(page, "identity")
    assert code not in page.url
    page.get_by_role("button", name="Oui, c’est moi").click()
    page.wait_for_url("**/copie/")
    assert not errors


def test_a_typed_wrong_code_is_explained(page, errors, asgi_server, room):
    page.goto(f"{asgi_server}/entrer/")
    page.get_by_label("Code du coupon").fill("0000-0000-0000")
    page.get_by_role("button", name="Continuer").click()
    expect(page.get_by_role("alert")).to_contain_text("n’est pas reconnu")
    keep(page, "wrong-code")
    assert [text for text in errors if "422" not in text] == []


def test_the_head_conducts_the_room_without_a_reload(page, errors, asgi_server, room):  # noqa: PLR0915 -- one day
    log_in(page, asgi_server, make_staff(Role.CENTRE_HEAD, room.centre))
    page.goto(f"{asgi_server}/")
    page.get_by_role("link", name="Épreuve 1").click()
    expect(page.locator("#live")).to_contain_text("À jour")
    keep(page, "room-lobby")
    page.evaluate("window.sameDocument = true")
    page.get_by_role("button", name="Admettre", exact=True).nth(1).click()
    expect(page.locator("#answers")).to_contain_text("1 admis.")
    expect(page.locator("tbody", has_text="Admis")).to_have_count(1)
    page.get_by_role("button", name="Admettre tous les attendus").click()
    expect(page.locator("tbody", has_text="Admis")).to_have_count(9)
    page.get_by_role("button", name="Ouvrir l’épreuve…").click()
    keep(page, "room-open-sheet")
    page.get_by_role("button", name="Ouvrir maintenant").click()
    expect(page.locator("tbody", has_text="Compose")).to_have_count(9)
    page.get_by_role("button", name="Temps pour tous…").click()
    page.locator("#time-reason").fill("alarme")
    page.get_by_role("button", name="Ajouter à tous").click()
    expect(page.locator("#answers")).to_contain_text("5 min de plus pour tout le centre.")
    page.get_by_role("button", name="Clore…").click()
    expect(page.locator("#obstacles")).to_contain_text("9 copie(s) composent encore")
    keep(page, "room-close")
    page.get_by_role("button", name="Clore et figer").click()
    expect(page.locator("#answers")).to_contain_text("composent encore")
    keep(page, "room-open")
    page.get_by_text("Plan", exact=True).click()
    keep(page, "room-map")
    assert page.evaluate("window.sameDocument")
    assert set(Sheet.objects.values_list("state", flat=True)) == {SheetState.COMPOSING}
    assert not errors


def test_a_seat_has_its_own_page(page, errors, asgi_server, room):
    log_in(page, asgi_server, make_staff(Role.INVIGILATOR, room.centre))
    page.goto(f"{asgi_server}/salle/{room.pk}/")
    page.locator("tbody th a").first.click()
    page.get_by_role("button", name="Montrer le nom").click()
    expect(page.get_by_text("Cette consultation est consignée")).to_be_visible()
    page.get_by_label("Que s’est-il passé").fill("malaise")
    page.get_by_role("button", name="Consigner").click()
    expect(page.get_by_text("Incident consigné.")).to_be_visible()
    page.locator("tbody th a").first.click()
    keep(page, "seat")
    assert Incident.objects.get().text == "malaise"
    assert not errors


def test_the_agency_watches_and_opens_the_nation(page, errors, asgi_server, room):
    away_from_the_driver(lambda: make_hosting(centre=make_centre("lille", 9), sitting=room.sitting, state="LOBBY"))
    log_in(page, asgi_server, User.objects.get(role=Role.AGENCY))
    page.goto(f"{asgi_server}/national/")
    expect(page.locator("#live")).to_contain_text("À jour")
    keep(page, "national")
    page.get_by_role("button", name="Ouvrir l’épreuve dans tous les centres…").click()
    page.get_by_role("button", name="Ouvrir maintenant").click()
    expect(page.get_by_text("2 centre(s) ouvert(s) au même instant.")).to_be_visible()
    assert not errors


def test_the_room_works_without_javascript(browser, asgi_server, room):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    log_in(page, asgi_server, make_staff(Role.CENTRE_HEAD, room.centre))
    page.goto(f"{asgi_server}/salle/{room.pk}/")
    page.get_by_role("button", name="Admettre tous les attendus").click()
    expect(page.get_by_text("9 admis.")).to_be_visible()
    page.get_by_role("button", name="Ouvrir l’épreuve…").click()
    page.get_by_role("button", name="Ouvrir maintenant").click()
    expect(page.locator("tbody", has_text="Compose")).to_have_count(9)
    context.close()
