"""A tablet in bad hours: no network, no storage, no browser, two pages, another tablet; at the other end our house.

Each drill asserts on what PostgreSQL holds and on what the screen says.
"""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta

import pytest
from django.db import connections
from playwright.sync_api import expect

from centres.actions.slips import reissue_slip
from centres.models import Seat
from ecni.accounts.models import User
from ecni.shared.clock import now
from exams.actions.centre_sitting import open_centre_sitting, touch, welcome
from exams.actions.sheet import admit_sheet
from exams.enums import GrantCause, OfflineClock
from exams.models import JournalEntry, RefusedOp, Sheet, Sitting, TimeGrant
from exams.queries.journal import replays
from tests.journeys.concours import make_concours
from tests.journeys.network import Cable
from tests.journeys.screens import Screens
from tests.journeys.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(180)]
expect.set_options(timeout=20_000)

TABLET = {"width": 1024, "height": 768}
CONTROLLED = "() => navigator.serviceWorker.controller !== null"
DUMP = """async () => {
  const found = [...await caches.keys()];
  for (const name of await caches.keys()) {
    for (const request of await (await caches.open(name)).keys()) found.push(request.url);
  }
  const result = (request) => new Promise((done) => (request.onsuccess = () => done(request.result)));
  for (const { name } of await indexedDB.databases()) {
    const database = await result(indexedDB.open(name));
    for (const store of database.objectStoreNames) {
      const rows = await result(database.transaction(store).objectStore(store).getAll());
      if (store !== "papers") found.push(...rows);
    }
    database.close();
  }
  return JSON.stringify(found);
}"""
"""All that a script finds on the tablet, but the sealed paper."""

WRITE = """async ([store, key, row]) => {
  const request = indexedDB.open("ecni-copie");
  const database = await new Promise((done) => (request.onsuccess = () => done(request.result)));
  const transaction = database.transaction(store, "readwrite");
  transaction.objectStore(store).put(row, key);
  await new Promise((done) => (transaction.oncomplete = done));
  database.close();
}"""

BUSY = """async () => {
  const request = indexedDB.open("ecni-copie");
  const database = await new Promise((done) => (request.onsuccess = () => done(request.result)));
  const drawer = database.transaction("ops", "readwrite").objectStore("ops");
  globalThis.isBusy = true;
  const again = () => (globalThis.isBusy ? (drawer.count().onsuccess = again) : database.close());
  again();
}"""
"""Hold what is being stored, as a slow disk does."""

FULL = """() => {
  globalThis.put = IDBObjectStore.prototype.put;
  IDBObjectStore.prototype.put = () => { throw new DOMException("full", "QuotaExceededError") };
}"""


def act(function, **arguments):
    """Do something in the house, in a thread without the event loop of the browser's driver."""

    def call():
        try:
            return function(**arguments)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as threads:
        return threads.submit(call).result()


def staff(function, **arguments):
    return act(lambda: function(**arguments, actor=User.objects.get(username="responsable"), now=now()))


def stored(sheet_id):
    """What PostgreSQL holds of a sheet, folded."""
    return act(lambda: replays([Sheet.objects.get(pk=sheet_id)])[sheet_id])


@pytest.fixture
def screens():
    looked = Screens()
    yield looked
    assert looked.findings == {}


@pytest.fixture
def cable(asgi_server):
    with Cable(asgi_server) as cable:
        yield cable


@pytest.fixture
def concours(cable):
    made = make_concours()
    staff(welcome, centre_sitting_id=made.hosting.centre_sitting_id)
    return made


@pytest.fixture
def open_tablet(browser, cable):
    """A tablet of its own, on which nothing is stored; gives its browser."""
    contexts = []

    def open_one():
        context = browser.new_context(locale="fr-FR", base_url=cable.address, viewport=TABLET)
        contexts.append(context)
        return context

    yield open_one
    for context in contexts:
        with suppress(Exception):
            context.close()


def enter(page, slip):
    """Go in by a slip, up to the lobby, everything kept on the tablet."""
    page.goto("/entrer/")
    page.fill("input[name=code]", slip.code if hasattr(slip, "code") else slip)
    page.click("button[type=submit]")
    page.get_by_role("button", name=re.compile("Oui")).click()
    page.wait_for_url("**/copie/")
    page.wait_for_function(CONTROLLED)


def compose(page, concours, slip):
    """Go in, be admitted, and have the sitting opened."""
    enter(page, slip)
    expect(page.locator("#checklist")).to_contain_text("Vérifié")
    staff(admit_sheet, sheet_id=slip.sheet_id)
    expect(page.locator("#readiness")).to_contain_text("Tablette prête")
    staff(open_centre_sitting, centre_sitting_id=concours.hosting.centre_sitting_id)
    expect(question(page, 1)).to_be_visible()


def question(page, number):
    return page.locator(f"form[data-question='{number}']")


def go(page, number):
    while not question(page, number).is_visible():
        page.click("#next")
        page.wait_for_timeout(50)


def tick(page, letter):
    page.locator(f"#question input[value={letter}]").check()


def saved(page):
    expect(page.locator("#save")).to_contain_text(re.compile("^Enregistré"))


def unsaved(page):
    expect(page.locator("#save")).to_contain_text("Non enregistré")


def seal(page):
    page.click("#seal-button")
    page.locator("#seal-dialog button[value=seal]").click()


def ends_at(slip):
    return act(lambda: Sheet.objects.get(pk=slip.sheet_id).ends_at)


def ops_stored():
    return act(JournalEntry.objects.count)


def test_reload_and_restart_without_network(browser_type, browser_type_launch_args, cable, concours, screens, tmp_path):
    slip = concours.slips[0]
    options = browser_type_launch_args | {"locale": "fr-FR", "base_url": cable.address, "viewport": TABLET}
    with browser_type.launch_persistent_context(tmp_path / "profile", **options) as context:
        page = context.pages[0]
        compose(page, concours, slip)
        tick(page, "B")
        go(page, 2)
        tick(page, "A")
        page.click("#flag-button")
        saved(page)
        cable.cut()
        reload_without_network(page, screens)
        assert stored(slip.sheet_id).answers == {1: "B", 2: "A"}
    with browser_type.launch_persistent_context(tmp_path / "profile", **options) as context:
        start_without_network(context.pages[0], screens)
        cable.mend()
        saved(context.pages[0])
    assert stored(slip.sheet_id).answers == {1: "B", 2: "C", 3: "D"}


def reload_without_network(page, screens):
    expect(page.locator("#link")).to_contain_text("Hors ligne")
    page.evaluate(BUSY)
    tick(page, "C")
    page.wait_for_timeout(500)
    expect(page.locator("#save")).to_contain_text("En cours…")
    page.evaluate("() => (globalThis.isBusy = false)")
    unsaved(page)
    page.reload()
    expect(question(page, 2).locator("input[value=C]")).to_be_checked()
    expect(page.locator("#flag-button")).to_have_attribute("aria-pressed", "true")
    unsaved(page)
    expect(page.locator("#notes")).to_contain_text("rien n’est perdu")
    screens.look(page, "50-reloaded-offline")
    go(page, 3)
    tick(page, "D")
    unsaved(page)


def start_without_network(page, screens):
    page.goto("/copie/")
    expect(question(page, 3).locator("input[value=D]")).to_be_checked()
    unsaved(page)
    page.click("#previous")
    expect(question(page, 2).locator("input[value=C]")).to_be_checked()
    screens.look(page, "51-restarted-offline")


def test_a_case_waits_for_its_key_and_the_wait_is_given_back(cable, concours, open_tablet, screens):
    slip = concours.slips[0]
    act(lambda: Sitting.objects.update(offline_clock=OfflineClock.STOP))
    page = open_tablet().new_page()
    compose(page, concours, slip)
    go(page, 5)
    tick(page, "A")
    saved(page)
    before = ends_at(slip)
    cable.cut()
    seal_and_go_on_without_network(page, screens)
    assert stored(slip.sheet_id).sealed == set()
    page.click("#next")
    page.click("#next")
    cable.mend()
    expect(question(page, 6)).to_be_visible()
    saved(page)
    assert (stored(slip.sheet_id).sealed, stored(slip.sheet_id).answers) == ({5}, {4: "B", 5: "A"})
    grant = act(lambda: TimeGrant.objects.get(sheet_id=slip.sheet_id, cause=GrantCause.OUTAGE))
    assert ends_at(slip) == before + timedelta(seconds=grant.seconds)


def seal_and_go_on_without_network(page, screens):
    seal(page)
    expect(page.locator("#question")).to_contain_text("Étape en attente")
    expect(page.locator("#question")).to_contain_text("Le temps d’attente vous sera rendu")
    unsaved(page)
    screens.look(page, "52-awaited-offline")
    page.wait_for_timeout(6_000)  # less than five seconds are not given back
    page.reload()
    expect(page.locator("#question")).to_contain_text("Étape en attente")
    page.click("#previous")
    expect(question(page, 5).locator("input[value=A]")).to_be_disabled()
    page.click("#previous")
    tick(page, "B")
    unsaved(page)


def test_a_storage_wiped_full_or_corrupted_loses_nothing(cable, concours, open_tablet, screens):
    slip = concours.slips[0]
    page = open_tablet().new_page()
    compose(page, concours, slip)
    tick(page, "A")
    saved(page)
    wipe_without_network(page, cable)
    assert stored(slip.sheet_id).answers == {1: "B", 2: "C"}
    wipe_all(page, cable)
    page.evaluate(FULL)
    tick(page, "D")
    expect(page.locator("#notes")).to_contain_text("La mémoire de cette tablette ne répond pas")
    saved(page)
    screens.look(page, "53-storage-full")
    assert stored(slip.sheet_id).answers == {1: "B", 2: "D"}
    tick_without_network_nor_storage(page, cable, screens)
    page.evaluate("() => (IDBObjectStore.prototype.put = globalThis.put)")
    tick(page, "E")
    expect(page.locator("#notes")).not_to_contain_text("La mémoire de cette tablette")
    saved(page)
    corrupt(page, f"{concours.sitting.pk}|{slip.number}")
    assert stored(slip.sheet_id).answers == {1: "B", 2: "A"}
    assert ops_stored() == stored(slip.sheet_id).seq == 7


def tick_without_network_nor_storage(page, cable, screens):
    cable.cut()
    tick(page, "C")
    expect(page.locator("#save")).to_contain_text("ne fermez pas")
    expect(page.locator("#notes")).to_contain_text("sans fermer cette page")
    expect(page.locator("#notes")).to_contain_text("n’est que sur cette page")
    screens.look(page, "53-storage-full-offline")
    cable.mend()


def wipe(page, cable, kinds):
    arguments = {"origin": cable.address, "storageTypes": kinds}
    page.context.new_cdp_session(page).send("Storage.clearDataForOrigin", arguments)


def wipe_without_network(page, cable):
    cable.cut()
    tick(page, "B")
    unsaved(page)
    wipe(page, cable, "indexeddb")
    go(page, 2)
    tick(page, "C")
    unsaved(page)
    page.reload()
    expect(question(page, 2).locator("input[value=C]")).to_be_checked()
    unsaved(page)
    cable.mend()
    saved(page)


def wipe_all(page, cable):
    """Without its page, a tablet takes it again as soon as it is on line."""
    wipe(page, cable, "indexeddb,cache_storage,local_storage")
    page.reload()
    until(page, "async () => (await caches.match('/copie/')) !== undefined")


def corrupt(page, key):
    for place in (
        ["sheets", key, {"seq": "deux"}],
        ["ops", [key, 3], {"seq": 3, "kind": "danse"}],
        ["sessions", "last", 7],
    ):
        page.evaluate(WRITE, place)
    page.reload()
    expect(question(page, 2).locator("input[value=E]")).to_be_checked()
    saved(page)
    tick(page, "A")
    saved(page)


@pytest.mark.parametrize(
    ("is_full", "said"),
    [
        (True, ("Non enregistré, ne fermez pas", "Réseau interrompu. Ne fermez pas cette page.")),
        (False, ("Non enregistré, rien n’est perdu", "Réseau interrompu. Laissez cette tablette allumée.")),
    ],
)
def test_a_sheet_handed_in_without_network_says_what_waits(cable, concours, open_tablet, screens, is_full, said):
    slip = concours.slips[0]
    page = open_tablet().new_page()
    compose(page, concours, slip)
    go_to_the_end(page)
    if is_full:
        page.evaluate(FULL)
    cable.cut()
    page.click("#submit")
    page.locator("#submit-dialog button[value=submit]").click()
    expect(page.locator("#receipt-badge")).to_contain_text(said[0])
    expect(page.locator("#receipt-proof")).to_be_hidden()
    expect(page.locator("#notes")).to_contain_text(said[1])
    expect(page.locator("#print-button")).to_be_hidden()
    screens.look(page, f"53-handed-in-offline{'-storage-full' * is_full}")
    cable.mend()
    expect(page.locator("#receipt-badge")).to_contain_text("Copie remise")
    expect(page.locator("#receipt-proof")).to_be_visible()
    screens.look(page, f"53-handed-in-back{'-storage-full' * is_full}")


def go_to_the_end(page):
    while page.locator("#submit").is_hidden():
        button = page.locator("#seal-button")
        if button.is_visible() and button.is_enabled():
            seal(page)
            page.wait_for_timeout(500)
        else:
            page.click("#next")


def test_a_page_that_could_not_be_kept_is_kept_once_on_line(cable, concours, open_tablet):
    page = open_tablet().new_page()
    cable.forbids_worker = True
    page.goto("/entrer/")
    page.fill("input[name=code]", concours.slips[0].code)
    page.click("button[type=submit]")
    page.get_by_role("button", name=re.compile("Oui")).click()
    expect(page.locator("#checklist")).to_contain_text("mémoire de la tablette")
    assert page.evaluate(CONTROLLED) is False
    cable.forbids_worker = False
    cable.cut()
    cable.mend()
    page.wait_for_function(CONTROLLED)
    until(page, "async () => (await caches.match('/copie/')) !== undefined")


def test_the_next_candidate_finds_nothing(cable, concours, open_tablet, screens):
    first, second = concours.slips
    page = open_tablet().new_page()
    compose(page, concours, first)
    go(page, 2)
    cable.cut()
    tick(page, "B")
    unsaved(page)
    page.goto("about:blank")
    cable.mend()
    find_leftover(page, cable, first, second, screens)
    assert stored(first.sheet_id).answers == {2: "B"}

    page.evaluate(WRITE, ["sheets", f"{concours.sitting.pk}|{first.number}", {"seq": 1}])
    enter(page, second)
    expect(page.locator("#sheet-number")).to_have_text(second.number)
    staff(admit_sheet, sheet_id=second.sheet_id)
    expect(question(page, 1)).to_be_visible()
    assert first.number not in page.content() + page.evaluate(DUMP)
    hand_in(page)
    screens.look(page, "56-receipt")
    addresses = "copie/|entrer/sans-reponse/|static/(js|css|img)/.*"
    for_everybody = re.compile(rf"ecni-(copie|entree)-[0-9a-f]{{16}}|{cable.address}/({addresses})")
    assert [one for one in json.loads(page.evaluate(DUMP)) if not for_everybody.fullmatch(str(one))] == []


def find_leftover(page, cable, first, second, screens):
    """The door warns of acts of another sheet, holds the next candidate, and sends them."""
    cable.forbids_frames = True
    page.goto("/entrer/")
    expect(page.locator("#leftover")).to_contain_text(f"1 acte non enregistré de la copie {first.number}")
    page.fill("input[name=code]", second.code)
    page.locator("#enter").click(force=True)
    expect(page.locator("#leftover-own input")).to_be_focused()
    screens.look(page, "54-leftover")
    cable.forbids_frames = False
    expect(page.locator("#leftover")).to_contain_text("a été envoyé")
    expect(page.locator("#enter")).to_have_attribute("aria-disabled", "false")
    screens.look(page, "55-leftover-sent")


def hand_in(page):
    go(page, 3)
    tick(page, "A")
    saved(page)
    while page.locator("#submit").is_hidden():
        if page.locator("#seal-button").is_visible():
            seal(page)
        else:
            page.click("#next")
        page.wait_for_timeout(150)
    page.click("#submit")
    page.locator("#submit-dialog button[value=submit]").click()
    expect(page.locator("#receipt-code")).to_contain_text(re.compile("[0-9A-F]{4}"))
    expect(page.locator("#receipt-qr")).to_be_visible()
    page.wait_for_timeout(500)


def test_one_tab_lives_and_sleeps(cable, concours, open_tablet, screens):
    slip = concours.slips[0]
    context = open_tablet()
    page = context.new_page()
    compose(page, concours, slip)
    other = context.new_page()
    other.goto("/copie/")
    expect(other.locator("#notice-title")).to_contain_text("autre onglet")
    screens.look(other, "57-other-tab")
    tick(page, "A")
    saved(page)
    page.close()
    expect(question(other, 1).locator("input[value=A]")).to_be_checked()
    tick(other, "B")
    saved(other)
    sleep(other, cable, slip)
    tick(other, "C")
    saved(other)
    assert (stored(slip.sheet_id).answers, ops_stored()) == ({1: "C"}, 3)
    expect(other.locator("#clock-button b")).to_have_text("2 h 00")


def sleep(page, cable, slip):
    """The page is frozen; meanwhile its socket dies and its end moves."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("Page.setWebLifecycleState", {"state": "frozen"})
    cable.cut()
    cable.mend()
    act(lambda: Sheet.objects.filter(pk=slip.sheet_id).update(ends_at=now() + timedelta(hours=2)))
    act(lambda: touch(Sheet.objects.get(pk=slip.sheet_id).centre_sitting_id))
    page.wait_for_timeout(2_000)
    devtools.send("Page.setWebLifecycleState", {"state": "active"})


def test_a_swap_keeps_what_was_not_sent_for_the_jury(cable, concours, open_tablet, screens):
    slip = concours.slips[0]
    old, new = open_tablet().new_page(), open_tablet().new_page()
    compose(old, concours, slip)
    go(old, 3)
    tick(old, "A")
    old.click("#flag-button")
    saved(old)
    lose_network_for_good(old, cable)
    seat = act(lambda: Seat.objects.get(sheet_id=slip.sheet_id))
    code = staff(reissue_slip, seat_id=seat.pk, reason="écran cassé")
    cable.mend()
    expect(old.locator("#notice-title")).to_contain_text("une autre tablette")
    expect(old.locator("#notice-more")).to_contain_text("2 actes qui n’étaient pas partis")
    expect(old.locator("#notice-more")).to_contain_text("gardés à part pour le jury")
    screens.look(old, "58-replaced-and-sent")
    enter(new, code)
    expect(question(new, 3).locator("input[value=A]")).to_be_checked()
    expect(new.locator("#flag-button")).to_have_attribute("aria-pressed", "true")
    tick(new, "D")
    saved(new)
    assert stored(slip.sheet_id).answers == {3: "AD"}
    kept = act(lambda: list(RefusedOp.objects.order_by("seq").values_list("question", "value", "code")))
    assert kept == [(3, "AB", "quarantined"), (4, "C", "quarantined")]
    assert slip.number not in old.evaluate(DUMP)


def lose_network_for_good(page, cable):
    cable.cut()
    tick(page, "B")
    go(page, 4)
    tick(page, "C")
    unsaved(page)


def test_an_act_that_arrives_after_the_end_is_kept_for_the_jury(cable, concours, open_tablet, screens):
    slip = concours.slips[0]
    act(lambda: Sitting.objects.update(grace_seconds=0))
    page = open_tablet().new_page()
    compose(page, concours, slip)
    tick(page, "A")
    saved(page)
    cable.cut()
    tick(page, "B")
    unsaved(page)
    act(lambda: Sheet.objects.filter(pk=slip.sheet_id).update(ends_at=now() + timedelta(seconds=1)))
    page.wait_for_timeout(2_500)
    cable.mend()
    expect(page.locator("#receipt-facts")).to_contain_text("Gardés à part pour le jury")
    expect(page.locator("#receipt-facts")).to_contain_text("1 acte")
    expect(page.locator("#notes")).to_contain_text("1 acte est arrivé après la fin")
    screens.look(page, "60-quarantined")
    assert stored(slip.sheet_id).answers == {1: "A"}
    assert act(lambda: list(RefusedOp.objects.values_list("value", "code"))) == [("B", "quarantined")]


def test_a_clock_moved_by_an_hour_moves_nothing(cable, concours, open_tablet):
    slip = concours.slips[0]
    page = open_tablet().new_page()
    compose(page, concours, slip)
    shown, before = page.locator("#clock-button small").text_content(), ends_at(slip)
    page.evaluate("() => { const was = Date.now; Date.now = () => was() + 3600_000 }")
    tick(page, "A")
    saved(page)
    cable.cut()
    page.wait_for_timeout(300)
    cable.mend()
    tick(page, "B")
    saved(page)
    assert page.locator("#clock-button small").text_content() == shown
    page.add_init_script("{ const was = Date.now; Date.now = () => was() - 3600_000 }")
    page.reload()
    tick(page, "C")
    saved(page)
    assert page.locator("#clock-button small").text_content() == shown
    assert (stored(slip.sheet_id).answers, ends_at(slip)) == ({1: "C"}, before)
    made = act(lambda: list(JournalEntry.objects.order_by("seq").values_list("made_at", flat=True)))
    assert [round((at - made[0]) / 3_600_000) for at in made] == [0, 0, -2]


def test_frames_go_by_http_where_websockets_are_forbidden(cable, concours, open_tablet, screens):
    slip = concours.slips[0]
    cable.forbid_websockets()
    page = open_tablet().new_page()
    compose(page, concours, slip)
    expect(page.locator("#link")).to_contain_text("Secours HTTP")
    for letter in "ABC":
        tick(page, letter)
    saved(page)
    screens.look(page, "59-by-http")
    go(page, 5)
    tick(page, "A")
    seal(page)
    expect(question(page, 6)).to_be_visible()
    saved(page)
    assert stored(slip.sheet_id).answers == {1: "C", 5: "A"}
    cable.allow_websockets()
    expect(page.locator("#link")).to_contain_text("En ligne", timeout=60_000)
    tick(page, "B")
    saved(page)
    assert stored(slip.sheet_id).answers == {1: "C", 5: "A", 6: "B"}
    assert ops_stored() == stored(slip.sheet_id).seq
