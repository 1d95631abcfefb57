"""No server to be reached: the tablet itself says to wait, keeps the code, and goes on as soon as it is answered."""

import pytest
from playwright.sync_api import expect

from tests.house.test_crowded_proxy import crowded, folder  # noqa: F401 -- fixtures
from tests.journeys.network import Cable
from tests.journeys.screens import Screens
from tests.journeys.steps import log_in
from tests.journeys.test_admission import welcomed
from tests.journeys.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(280)]

TABLET = {"width": 1180, "height": 820}
WAITING = "Le serveur ne répond pas encore"
SCREENS = Screens()
FORGOTTEN = "() => sessionStorage.length === 0"
BOTH_KEPT = """async () => {
  const all = await navigator.serviceWorker.getRegistrations();
  const areActive = all.length === 2 && all.every(({ active }) => active?.state === "activated");
  return areActive && (await caches.keys()).length === 2;
}"""
READY = "() => navigator.serviceWorker.ready.then(() => true)"


@pytest.fixture
def cable(asgi_server):
    with Cable(asgi_server) as one:
        yield one


@pytest.fixture
def people(browser, cable):
    """Give as many browsers as asked for, at the end of one cable."""
    contexts = []

    def arrive(**options):
        contexts.append(browser.new_context(locale="fr-FR", base_url=cable.address, viewport=TABLET, **options))
        return contexts[-1].new_page()

    yield arrive
    for context in contexts:
        context.close()


def type_code(page, slip):
    page.goto("/entrer/")
    page.evaluate(READY)
    page.fill("#code", slip.code)


def test_a_dead_server_is_a_page_that_waits_and_nobody_types_again(people, cable):
    concours, _ = welcomed(people)
    page = people()
    type_code(page, concours.slips[0])
    cable.cut()
    page.click("#enter")
    expect(page.locator("h1")).to_contain_text(WAITING)
    expect(page.locator("#again")).to_contain_text("Nouvel essai dans")
    expect(page.locator("#kept")).to_be_visible()
    SCREENS.look(page, "86-unanswered")
    page.set_viewport_size({"width": 320, "height": 640})
    SCREENS.look(page, "87-unanswered-narrow")
    page.wait_for_timeout(17_000)  # an attempt at least, in vain
    expect(page.locator("h1")).to_contain_text(WAITING)
    cable.mend()
    expect(page.locator("h1")).to_contain_text("Est-ce bien vous", timeout=30_000)
    cable.cut()
    page.click("text=Oui, c’est moi")
    expect(page.locator("h1")).to_contain_text(WAITING)
    cable.mend()
    expect(page.locator("h1")).to_contain_text("Est-ce bien vous", timeout=30_000)
    page.click("text=Oui, c’est moi")
    expect(page.locator("#readiness")).to_be_visible()
    page.wait_for_function(FORGOTTEN)
    assert SCREENS.findings == {}


def test_a_tablet_without_network_waits_with_its_scanned_code(people):
    concours, _ = welcomed(people)
    page = people()
    page.goto("/entrer/")
    page.evaluate(READY)
    page.context.set_offline(True)
    page.goto(f"/entrer/#{concours.slips[0].code}")
    page.reload()
    expect(page.locator("h1")).to_contain_text(WAITING)
    expect(page.locator("#kept")).to_be_visible()
    page.context.set_offline(False)
    expect(page.locator("h1")).to_contain_text("Est-ce bien vous", timeout=30_000)


def test_who_takes_the_tablet_finds_no_code_of_another(people, cable):
    concours, _ = welcomed(people)
    page = people()
    type_code(page, concours.slips[0])
    cable.cut()
    page.click("#enter")
    expect(page.locator("#other")).to_be_visible()
    cable.mend()
    page.click("#other")
    expect(page.locator("#code")).to_have_value("")
    page.wait_for_function(FORGOTTEN)
    page.fill("#code", concours.slips[0].code)
    page.click("#enter")
    page.click("text=Non, ce n’est pas moi")
    page.click("text=Entrer un autre code")
    expect(page.locator("#code")).to_have_value("")
    page.wait_for_function(FORGOTTEN)


def test_a_tablet_page_that_never_had_its_socket_says_to_wait(people, cable):
    concours, _ = welcomed(people)
    page = people()
    type_code(page, concours.slips[0])
    page.click("#enter")
    expect(page.locator("h1")).to_contain_text("Est-ce bien vous")
    cable.forbid_websockets()
    cable.forbids_frames = True
    page.click("text=Oui, c’est moi")
    expect(page.locator("[data-on=unanswered] h1")).to_contain_text(WAITING)
    expect(page.locator("#unanswered-again")).to_contain_text("Nouvel essai")
    SCREENS.look(page, "88-unanswered-tablet")
    cable.allow_websockets()
    cable.forbids_frames = False
    expect(page.locator("#readiness")).to_be_visible(timeout=30_000)
    assert SCREENS.findings == {}


def test_who_is_sent_to_a_page_that_does_not_come_has_it_already(people, cable):
    concours, _ = welcomed(people)
    page = people()
    type_code(page, concours.slips[0])
    until(page, BOTH_KEPT)
    page.click("#enter")
    expect(page.locator("h1")).to_contain_text("Est-ce bien vous")
    cable.forbids_tablet_page = cable.forbids_frames = True
    cable.forbid_websockets()
    page.click("text=Oui, c’est moi")
    expect(page.locator("[data-on=unanswered] h1")).to_contain_text(WAITING)


@pytest.mark.parametrize("has_script", [True, False])
def test_the_page_of_nginx_comes_back_by_itself(browser, crowded, cable, has_script):  # noqa: F811 -- the fixture
    house = crowded(cable.address.removeprefix("http://"))
    with browser.new_context(base_url=house.base, viewport=TABLET, java_script_enabled=has_script) as context:
        page = context.new_page()
        cable.cut()
        assert page.goto("/entrer/#ABCD").status == 503
        expect(page.locator("h1")).to_contain_text(WAITING)
        if has_script:  # axe needs timers of its own
            SCREENS.look(page, "89-unanswered-nginx")
        cable.mend()
        expect(page.locator("h1")).to_contain_text("Entrez le code", timeout=40_000)
        if has_script:
            expect(page.locator("#code")).to_have_value("ABCD")
    assert SCREENS.findings == {}


def test_the_kiosk_browser_gets_no_worker_between_its_pages_and_the_server(people):
    page = people(user_agent="Mozilla/5.0 Chrome/120 SEB/3.7")
    page.goto("/entrer/")
    page.wait_for_timeout(500)
    assert page.evaluate("() => navigator.serviceWorker.getRegistrations().then((all) => all.length)") == 0


def test_a_command_without_network_leaves_the_console_where_it_is_and_one_without_socket_is_done(people, cable):
    concours, head = welcomed(people)
    slips = [slip.number for slip in concours.slips[:2]]
    expect(head.locator(".console-head > [data-label=state]")).to_have_text("Accueil")
    expect(head.locator("#live")).to_have_text("À jour")
    cable.cut()
    expect(head.locator("#live")).to_contain_text("Liaison coupée")
    head.locator("tr", has_text=slips[0]).get_by_role("button", name="Admettre").click()
    expect(head.locator("#answers")).to_contain_text("Le serveur ne répond pas : rien n’a été envoyé")
    SCREENS.look(head, "90-console-unanswered")
    expect(head.locator("tr", has_text=slips[0])).to_contain_text("Attendu")
    cable.forbid_websockets()
    sent = []
    head.on("request", lambda request: sent.append(request.method) if request.method != "GET" else None)
    head.locator("tr", has_text=slips[0]).get_by_role("button", name="Admettre").dblclick()
    expect(head.locator("tr", has_text=slips[0])).to_contain_text("Admis")
    assert sent == ["HEAD", "POST"]
    expect(head.locator("#live")).not_to_have_text("À jour")
    cable.allow_websockets()
    expect(head.locator("#live")).to_have_text("À jour", timeout=30_000)
    assert SCREENS.findings == {}


def test_the_agency_s_forms_without_network_leave_their_pages_where_they_are(people, cable):
    concours, _ = welcomed(people)
    agency = people()
    log_in(agency, "agence")
    agency.goto(f"/national/?epreuve={concours.hosting.sitting_id}")
    expect(agency.locator("#live")).to_have_text("À jour")
    cable.cut()
    agency.click("text=Ouvrir l’épreuve dans tous les centres")
    agency.click("text=Ouvrir maintenant")
    expect(agency.locator("#answers")).to_contain_text("Le serveur ne répond pas : rien n’a été envoyé")
    SCREENS.look(agency, "91-national-unanswered")
    cable.mend()
    agency.click("text=Limites et gardes")
    expect(agency.locator("#live")).to_have_text("À jour")
    cable.cut()
    line = agency.locator("tr", has_text="Connexions par processus").first
    line.locator("input[name=value]").fill("10")
    line.locator("input[name=reason]").fill("affluence")
    line.locator("button").click()
    expect(agency.locator("#answers")).to_contain_text("Le serveur ne répond pas : rien n’a été envoyé")
    SCREENS.look(agency, "92-limits-unanswered")
    cable.mend()
    expect(agency.locator("#live")).to_have_text("À jour", timeout=30_000)
    line.locator("button").click()
    expect(agency.locator(".banner")).to_contain_text("Connexions par processus : 10")
    assert SCREENS.findings == {}
