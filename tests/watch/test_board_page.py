"""The operations board in a browser: it follows what the watcher says, without a reload and without a barrier."""

import time

import pytest

from ecni.accounts.enums import Role
from ecni.accounts.models import User
from ecni.vitals import Gauges, hints
from ecni.watch.engines import full
from ecni.watch.rules import Attempt, Reading, judge, newcomer
from tests.factories.centres import make_hosting
from tests.journeys.screens import Screens, is_of_page
from tests.watch.test_metrics import vitals

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(280)]

PASSWORD = "un mot de passe assez long"


CALM = [
    Reading("descriptors", "sockets 4012@centre-1", 5100, 20_000),
    Reading("descriptors", "sockets 4013@centre-1", 5213, 20_000),
    Reading("conntrack", "", 20_113, 262_144),
    Reading("backlog", "port 8000", 0, 4096),
    Reading("redis-clients", "", 41, 10_000),
    newcomer(Attempt("https://concours.example.fr", "", 14.0, is_silent=False, port=443, is_local=False), None),
]
NEAR = Reading("processes", "sockets 4012@centre-1", 8500, 10_000)
REACHED = full(197, 197)


@pytest.fixture
def client():
    hints._shared.cache_clear()
    to = hints.client()
    yield to
    to.flushdb()
    to.close()


@pytest.fixture
def page(browser, asgi_server):
    context = browser.new_context(locale="fr-FR", base_url=asgi_server, viewport={"width": 1440, "height": 900})
    yield context.new_page()
    context.close()


def tell(client, readings):
    pressures = [judge(reading, None, time.time()).pressure for reading in readings]
    hints.publish_pressures(client, "here", pressures, time.time())
    for number, pid in enumerate((4012, 4013), start=1):
        for step in range(hints.PAST_LENGTH // 2):
            sockets = Gauges(40 * step * number, 39 * step, 10_000, 0, 12 * number, 20_000, 2.1, 9.4 * number, 31, 0.0)
            one = vitals(
                host="centre-1", pid=pid, gauges=sockets, acks_per_second=160 + 11 * (step % 7),
                loop_lag_ms=float(3 + step % 5), started_at=time.time() - 7300, at=time.time(),
            )  # fmt: skip
            hints.publish_vitals(client, one)


def test_the_board_follows_and_has_no_serious_barrier(client, page):
    make_hosting(state="LOBBY")
    User.objects.create_user("ops", password=PASSWORD, role=Role.OPS)
    complaints, screens = [], Screens()
    page.on("console", lambda message: complaints.append(message.text) if is_of_page(message) else None)
    page.goto("/connexion/")
    page.fill("input[name=username]", "ops")
    page.fill("input[name=password]", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_url(lambda url: "/connexion/" not in url)
    tell(client, CALM)
    page.goto("/exploitation/")
    page.get_by_text("Aucune limite n’est proche.").wait_for()
    screens.look(page, "54-operations-calm")
    tell(client, [REACHED, NEAR, *CALM])
    page.get_by_text("Limite atteinte : PostgreSQL refuse").wait_for(timeout=20_000)
    page.get_by_text("À jour").wait_for()
    screens.look(page, "54-operations-reached")
    page.goto("/national/")
    page.get_by_text("Limite atteinte : PostgreSQL refuse").wait_for()
    screens.look(page, "54-national-reached")
    tell(client, CALM)
    page.get_by_text("Limite atteinte").wait_for(state="hidden", timeout=20_000)
    assert screens.findings == {}
    assert [text for text in complaints if "Content Security Policy" in text] == []
