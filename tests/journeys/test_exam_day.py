"""The whole day in real browsers: slip, lobby, opening, a lost network, closing, marking, publication, marks."""

import re
from contextlib import suppress

import pytest
from playwright.sync_api import expect

from exams.models import FrozenSheet, JournalEntry, Sheet
from tests.journeys.concours import make_concours
from tests.journeys.screens import PICTURES, Screens, is_of_page
from tests.journeys.steps import log_in, open_room, question, saved, seal, tick

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(280)]

TABLET = {"width": 1024, "height": 768}
CONSOLE = {"width": 1440, "height": 900}
expect.set_options(timeout=20_000)


@pytest.fixture
def screens():
    return Screens()


@pytest.fixture
def complaints():
    return []


@pytest.fixture
def open_page(browser, asgi_server, complaints):
    """Open the browser of one more person."""
    contexts = []

    def hear(message):
        if message.type == "error" and is_of_page(message):
            complaints.append(message.text)

    def open_one(viewport):
        context = browser.new_context(viewport=viewport, locale="fr-FR", base_url=asgi_server, bypass_csp=False)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("console", hear)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return page

    yield open_one
    for number, context in enumerate(contexts):
        with suppress(Exception):
            context.pages[0].screenshot(path=PICTURES / f"last-{number}.png")
        with suppress(Exception):
            context.close()


def enter(page, slip, screens):
    page.goto("/entrer/")
    screens.look(page, "01-slip")
    page.fill("input[name=code]", slip.code)
    page.click("button[type=submit]")
    screens.look(page, "02-identity")
    page.get_by_role("button", name=re.compile("Oui")).click()
    page.wait_for_url("**/copie/")


def test_exam_day(open_page, screens, complaints):
    concours = make_concours()
    slip, absent = concours.slips
    staff, candidate = open_page(CONSOLE), open_page(TABLET)
    open_doors(staff, concours.hosting, screens)
    enter(candidate, slip, screens)
    expect(candidate.locator("#checklist")).to_contain_text("Vérifié")
    screens.look(candidate, "05-lobby")
    admit(staff, candidate, slip, screens)
    open_room(staff)

    answer_isolated_questions(candidate, screens)
    answer_case_through_a_lost_network(candidate, screens)
    expect(staff.locator("tr", has_text=slip.number)).to_contain_text("Compose")
    screens.look(staff, "13-room-composing")
    hand_in(candidate, screens)
    mark_absent_and_close(staff, concours.hosting, absent, screens)
    assert Sheet.objects.filter(number=slip.number, state="SUBMITTED").exists()
    assert FrozenSheet.objects.get().last_seq == JournalEntry.objects.count()

    publish(open_page, concours, screens)
    read_marks(open_page(TABLET), slip, screens)
    assert screens.findings == {}
    assert [text for text in complaints if "ERR_INTERNET_DISCONNECTED" not in text and "WebSocket" not in text] == []


def open_doors(staff, hosting, screens):
    staff.goto("/connexion/")
    screens.look(staff, "03-staff-login")
    log_in(staff, "responsable")
    screens.look(staff, "04-staff-home")
    staff.goto(f"/salle/{hosting.pk}/")
    staff.get_by_role("button", name="Ouvrir l’accueil").click()
    expect(staff.locator("body")).to_contain_text("Accueil")


def admit(staff, candidate, slip, screens):
    row = staff.locator("tr", has_text=slip.number)
    row.get_by_role("button", name="Admettre").click()
    expect(row).to_contain_text("Prêt")
    expect(candidate.locator("#readiness")).to_contain_text("Tablette prête")
    screens.look(candidate, "06-ready")
    screens.look(staff, "07-room-lobby")


def answer_isolated_questions(candidate, screens):
    form = question(candidate, 1)
    screens.look(candidate, "08-question-qru")
    tick(form, "B")
    tick(form, "C")
    saved(candidate)
    candidate.click("#next")
    form = question(candidate, 2)
    tick(form, "A")
    candidate.click("#flag-button")
    candidate.click("#next")
    form = question(candidate, 3)
    tick(form, "A", "C")
    form.locator("button[data-strike=B]").click()
    expect(form.locator("button[data-strike=B]")).to_have_attribute("aria-pressed", "true")
    saved(candidate)
    screens.look(candidate, "09-question-qrm")
    candidate.click("#next")
    form = question(candidate, 4)
    expect(form.locator("img")).to_be_visible()
    screens.look(candidate, "10-question-image")
    tick(form, "A")
    saved(candidate)
    candidate.click("#next")


def answer_case_through_a_lost_network(candidate, screens):
    form = question(candidate, 5)
    tick(form, "A", "B")
    saved(candidate)
    screens.look(candidate, "11-case")
    context = candidate.context
    context.set_offline(True)
    candidate.evaluate("() => dispatchEvent(new Event('offline'))")
    tick(form, "C")
    expect(candidate.locator("#save")).to_contain_text("Non enregistré", timeout=20_000)
    screens.look(candidate, "12-offline")
    candidate.wait_for_timeout(10_000)
    tick(form, "D")
    context.set_offline(False)
    expect(candidate.locator("#save")).to_contain_text(re.compile("^Enregistré"), timeout=30_000)
    seal(candidate)
    form = question(candidate, 6)
    tick(form, "A")
    saved(candidate)


def hand_in(candidate, screens):
    candidate.evaluate("() => document.querySelector('#position').click()")
    screens.look(candidate, "14-navigator")
    candidate.keyboard.press("Escape")
    while candidate.locator("#submit").is_hidden():
        if candidate.locator("#seal-button").is_visible() and candidate.locator("#seal-button").is_enabled():
            seal(candidate)
            candidate.wait_for_timeout(500)
        else:
            candidate.click("#next")
    screens.look(candidate, "15-review")
    candidate.click("#submit")
    expect(candidate.locator("#submit-dialog")).to_be_visible()
    screens.look(candidate, "16-submit")
    candidate.locator("#submit-dialog button[value=submit]").click()
    expect(candidate.locator("#receipt-code")).to_contain_text(re.compile("[0-9A-F]{4}"))
    screens.look(candidate, "17-receipt")


def mark_absent_and_close(staff, hosting, absent, screens):
    staff.goto(f"/salle/{hosting.pk}/")
    staff.locator("tr", has_text=absent.number).locator("input[type=checkbox]").check()
    staff.get_by_role("button", name="Noter absents").click()
    expect(staff.locator("tr", has_text=absent.number)).to_contain_text("Absent")
    staff.get_by_role("button", name=re.compile("Clore")).first.click()
    screens.look(staff, "18-room-close")
    staff.locator("[popover]:popover-open, dialog[open]").get_by_role("button", name=re.compile("Clore")).click()
    expect(staff.locator("body")).to_contain_text("Close")
    screens.look(staff, "19-room-closed")


def publish(open_page, concours, screens):
    agency, second = open_page(CONSOLE), open_page(CONSOLE)
    log_in(agency, "agence")
    log_in(second, "agence2")
    agency.goto("/national/")
    screens.look(agency, "20-national")
    agency.goto(f"/notation/{concours.exam.pk}/")
    agency.fill("input[name=reason]", "correction de la répétition")
    agency.get_by_role("button", name=re.compile("Noter|Lancer")).first.click()
    screens.look(agency, "21-marking")
    agency.goto(f"/classement/{concours.exam.pk}/")
    agency.locator("form[action$='/calculer/'] input[name=reason]").fill("classement de la répétition")
    agency.locator("form[action$='/calculer/'] button[type=submit]").click()
    screens.look(agency, "22-ranking")
    president = open_page(CONSOLE)
    log_in(president, "presidente")
    for person, deed in (
        *((president, "signer"), (agency, "lever"), (second, "lever")),
        *((agency, "preparer"), (agency, "proposer")),
    ):
        decide(person, concours, deed)
    second.goto(f"/classement/{concours.exam.pk}/")
    screens.look(second, "23-publication")
    decide(second, concours, "confirmer")
    expect(second.locator("body")).to_contain_text("publiés")


def decide(person, concours, deed):
    person.goto(f"/classement/{concours.exam.pk}/")
    person.locator(f"form[action$='/{deed}/'] input[name=reason]").fill("jury du jour")
    person.locator(f"form[action$='/{deed}/'] button[type=submit]").click()


def read_marks(page, slip, screens):
    page.goto("/resultats/")
    screens.look(page, "24-results-ask")
    page.fill("input[name=official_number]", "20260001" if slip.seat_number == 1 else "20260002")
    page.fill("input[name=code]", slip.results_code)
    page.get_by_role("button", name=re.compile("Lire|Voir|Ouvrir|Continuer")).click()
    page.wait_for_url("**/resultats/copie/")
    expect(page.locator("body")).to_contain_text("Votre rang")
    screens.look(page, "25-results")
