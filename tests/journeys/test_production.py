"""The house as on the day, in a browser: production, nginx, TLS, hashed files, cookies that never travel in clear."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from urllib.parse import quote

import pytest
from django.db import connection
from playwright.sync_api import expect

from ecni.engines import plain_account
from ecni.management.certificate import write_certificate
from ecni.management.commands.demo import wait_until_served
from ecni.management.commands.waves import free_ports
from ecni.supervisor import ProxyError, Supervisor, find_nginx
from exams.models import JournalEntry
from tests import chromium
from tests.house.test_production import SECRETS
from tests.journeys.concours import make_concours
from tests.journeys.screens import is_of_page
from tests.journeys.steps import log_in, open_room, question, saved, tick

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(280)]
ROOT = Path(__file__).parents[2]
TABLET = {"width": 1024, "height": 768}
PROTOCOL = "() => performance.getEntriesByType('navigation')[0].nextHopProtocol"
CONTROLLED = "() => navigator.serviceWorker.controller"


@pytest.fixture
def folder(settings):
    """Where the account of nginx can read, and papers are sealed."""
    try:
        find_nginx()
    except ProxyError:
        pytest.skip("no nginx on this machine")
    with tempfile.TemporaryDirectory(prefix="ecni-production-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        settings.PAPERS_ROOT = folder / "papers"
        yield folder


@pytest.fixture
def address(transactional_db, folder, settings, monkeypatch):
    """The address of a house in production on the test database, with a certificate that this test trusts."""
    place, port = connection.settings_dict, free_ports(8)
    variables = {name: getattr(settings, name) for name in SECRETS} | {
        "ECNI_ENV": "production",
        "ALLOWED_HOSTS": "127.0.0.1",
        "DATABASE_URL": f"postgresql://ecni@/{place['NAME']}?host={quote(place['HOST'])}",
        **{f"{name.upper()}_ROOT": str(folder / name) for name in ("papers", "results", "static")},
    }
    monkeypatch.setenv("SSL_CERT_FILE", str(write_certificate(folder / "tls", "127.0.0.1", plain_account())))
    collect = [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity", "0"]
    subprocess.run(collect, cwd=ROOT, env=os.environ | variables, check=True)
    words = ["serve", "--nginx", "--web", "1", "--sockets", "1", "--port", str(port), "--tls", str(folder / "tls")]
    with Supervisor(folder) as supervisor:
        supervisor.start("serve", [sys.executable, "manage.py", *words, "--folder", str(folder / "files")], variables)
        wait_until_served(f"https://127.0.0.1:{port}", supervisor)
        yield f"https://127.0.0.1:{port}"


@pytest.fixture
def complaints():
    return []


@pytest.fixture
def people(playwright, chromium_path, address, complaints):
    """Open the browser of one more person; none of them asks who signed a certificate of tests."""
    arguments = [*chromium.LAUNCH_ARGUMENTS, "--ignore-certificate-errors"]
    browser = playwright.chromium.launch(executable_path=chromium_path, args=arguments)

    def hear(message):
        if message.type == "error" and is_of_page(message):
            complaints.append(message.text)

    def arrive():
        page = browser.new_context(locale="fr-FR", base_url=address, viewport=TABLET).new_page()
        page.on("console", hear)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return page

    yield arrive
    browser.close()


def enter(page, slip):
    answer = page.goto("/entrer/")
    assert page.evaluate(PROTOCOL) == "h2"
    assert answer.headers["strict-transport-security"].startswith(f"max-age={365 * 24 * 3600};")
    page.fill("input[name=code]", slip.code)
    page.click("button[type=submit]")
    page.get_by_role("button", name=re.compile("Oui")).click()
    page.wait_for_url("**/copie/")
    expect(page.locator("#checklist")).to_contain_text("Vérifié")
    cookies = {cookie["name"]: cookie for cookie in page.context.cookies()}
    assert [name for name, cookie in cookies.items() if not cookie["secure"]] == []
    assert cookies["ecni_ticket"]["httpOnly"]


def test_a_candidate_composes_in_production(people, complaints):
    concours = make_concours()
    slip, _ = concours.slips
    head, candidate = people(), people()
    log_in(head, "responsable")
    head.goto(f"/salle/{concours.hosting.pk}/")
    head.get_by_role("button", name="Ouvrir l’accueil").click()

    enter(candidate, slip)
    row = head.locator("tr", has_text=slip.number)
    row.get_by_role("button", name="Admettre").click()
    expect(row).to_contain_text("Prêt")
    open_room(head)
    tick(question(candidate, 1), "B")
    saved(candidate)
    candidate.wait_for_function(CONTROLLED)
    candidate.reload()
    expect(question(candidate, 1).locator("input[value=B]")).to_be_checked()
    assert JournalEntry.objects.count() == 1
    assert complaints == []
