"""A full house, in a browser: a tablet waits calmly with its place, and goes straight on when a limit is raised."""

import pytest
from playwright.sync_api import expect

from ecni.accounts.models import User
from ecni.shared.clock import now
from exams import broadcast
from exams.actions.admission import propose_guard, set_limit
from exams.enums import GuardMode, GuardName, LimitName
from tests.journeys.concours import make_concours
from tests.journeys.screens import Screens
from tests.journeys.steps import log_in

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(280)]

TABLET = {"width": 1180, "height": 820}
SCREENS = Screens()


@pytest.fixture
def people(browser, asgi_server):
    """Give as many browsers as asked for, each with its own cookies."""
    contexts = []

    def arrive(**options):
        contexts.append(browser.new_context(locale="fr-FR", base_url=asgi_server, viewport=TABLET, **options))
        return contexts[-1].new_page()

    yield arrive
    for context in contexts:
        context.close()


def enter(page, slip):
    page.goto("/entrer/")
    page.fill("#code", slip.code)
    page.click("#enter")


def limit(name, value):
    set_limit(name=name, value=value, reason="essai", actor=User.objects.get(username="agence"), now=now())


def welcomed(people):
    """Return the concours with its doors open, and the page of the head of the centre."""
    concours = make_concours()
    broadcast._redis().delete(broadcast.DOORS_KEY, broadcast.GUARDED_KEY)
    head = people()
    log_in(head, "responsable")
    head.goto(f"/salle/{concours.hosting.pk}/")
    head.click("text=Ouvrir l’accueil")
    return concours, head


def raise_on_the_page(agency):
    propose_guard(
        name=GuardName.ORIGIN,
        mode=GuardMode.OBSERVE,
        reason="nom d’hôte",
        actor=User.objects.get(username="agence2"),
        now=now(),
    )
    agency.click("text=Limites et gardes")
    SCREENS.look(agency, "84-limits")
    line = agency.locator("tr", has_text="Connexions par processus").first
    line.locator("input[name=value]").fill("10")
    line.locator("input[name=reason]").fill("affluence à Amiens")
    line.locator("button").click()
    expect(agency.locator(".banner")).to_contain_text("Connexions par processus : 10")


def begin_to_type(page):
    page.goto("/national/limites/")
    page.fill("tr[data-row=SOCKETS] input[name=reason]", "à moitié")


def see_who_waits(page):
    """The page follows by itself, and leaves what is being typed."""
    line = page.locator("tr[data-row=SOCKETS]")
    expect(line.locator("[data-part=SOCKETS-waiting]")).to_have_text("1", timeout=6_000)
    expect(line).to_have_attribute("data-tone", "danger")
    expect(line.locator("input[name=reason]")).to_have_value("à moitié")


def see_the_line(page):
    """The national board names the limit, with the way to raise it."""
    page.goto("/national/")
    expect(page.locator("#limits")).to_contain_text("connexions par processus", timeout=6_000)
    expect(page.locator("#limits a")).to_have_attribute("href", "/national/limites/")


def see_what_was_set(page):
    expect(page.locator("[data-part=SOCKETS-value]")).to_have_text("10", timeout=6_000)
    expect(page.locator("[data-part=ORIGIN-proposal]")).to_contain_text("nom d’hôte")


def test_a_full_house_makes_wait_and_lets_in(people):
    concours, head = welcomed(people)
    first, second, agency, watching = (people() for _ in range(4))
    for page, username in ((agency, "agence"), (watching, "agence2")):
        log_in(page, username)
    begin_to_type(watching)
    limit(LimitName.SOCKETS, 1)
    first.wait_for_timeout(1_500)
    for page, slip in zip((first, second), concours.slips, strict=True):
        enter(page, slip)
        page.click("text=Oui, c’est moi")
        expect(page.locator("#readiness" if page is first else "[data-on=waiting]")).to_be_visible()

    expect(second.locator("#waiting-place")).to_have_text("1")
    expect(second.locator("#link")).to_have_text("En attente")
    SCREENS.look(second, "80-waiting-tablet")
    second.set_viewport_size({"width": 320, "height": 640})
    SCREENS.look(second, "81-waiting-narrow")
    expect(head.locator("#limits")).to_contain_text("1 tablette de ce centre attend", timeout=6_000)
    SCREENS.look(head, "82-waiting-room")
    see_the_line(agency)
    SCREENS.look(agency, "83-waiting-national")
    see_who_waits(watching)
    raise_on_the_page(agency)

    expect(second.locator("#readiness")).to_be_visible(timeout=8_000)
    expect(head.locator("#limits")).to_be_empty(timeout=6_000)
    see_what_was_set(watching)
    assert SCREENS.findings == {}


CROWD = """(field, code) => Promise.all(Array.from({ length: 22 }, (_, rank) => {
  const body = new FormData(field.form), cut = 1 + (rank % 11), typed = rank < 11 ? code : code.toLowerCase();
  body.set("code", `${typed.slice(0, cut)}-${typed.slice(cut)}`);
  return fetch(field.form.action, { method: "POST", body });
}))"""
"""More than pass while a place near the head is kept, and no wrong code, for which a tablet would pause."""


def test_an_entry_waits_without_javascript_and_types_nothing_again(people):
    concours, _ = welcomed(people)
    limit(LimitName.LOGINS, 1)
    crowd, patient, held = people(), people(java_script_enabled=False), people()
    crowd.goto("/entrer/")
    crowd.locator("#code").evaluate(CROWD, concours.slips[0].code)
    held.route("**/entrer/attente/", lambda route: route.fulfill(status=204))  # held there, to be looked at
    for page in (patient, held):
        enter(page, concours.slips[0])
        expect(page.locator("h1")).to_contain_text("Votre tour vient")
    SCREENS.look(held, "85-waiting-entry")
    limit(LimitName.LOGINS, 100)
    expect(patient.locator("h1")).to_contain_text("Est-ce bien vous", timeout=30_000)
    assert SCREENS.findings == {}
