"""Axe on the pages that no journey stops at: administration, seats, lists, refusals."""

import pytest

from ecni.accounts.models import User
from ecni.shared.clock import now
from exams.actions.centre_sitting import open_centre_sitting, welcome
from exams.actions.checkpoints import take_checkpoint
from tests.journeys.concours import PASSWORD, make_concours
from tests.journeys.screens import Screens

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(280)]

AGENCY_PAGES = {
    "home": "/",
    "national": "/national/",
    "operations": "/exploitation/",
    "marking-list": "/notation/",
    "marking": "/notation/{exam}/",
    "ranking": "/classement/{exam}/",
    "seat": "/salle/{hosting}/place/{seat}/",
    "room": "/salle/{hosting}/",
    "admin": "/admin/",
    "admin-exam": "/admin/exams/exam/{exam}/change/",
    "admin-sitting": "/admin/exams/sitting/{sitting}/change/",
    "admin-paper": "/admin/exams/paper/{paper}/change/",
    "admin-questions": "/admin/exams/question/",
    "admin-question-add": "/admin/exams/question/add/",
    "admin-question-add-zap": "/admin/exams/question/add/?kind=ZAP",
    "admin-question-add-tcs": "/admin/exams/question/add/?kind=TCS",
    "admin-preset": "/admin/exams/exam/{exam}/prereglage/",
    "admin-bank-import": "/admin/exams/question/import/",
    "admin-candidates": "/admin/centres/candidate/",
    "admin-deeds": "/admin/accounts/deed/",
    "not-found": "/rien/",
}
PUBLIC_PAGES = {"slip": "/entrer/", "results": "/resultats/", "login": "/connexion/", "tablet": "/copie/"}


@pytest.fixture
def page(browser, asgi_server):
    context = browser.new_context(locale="fr-FR", base_url=asgi_server, viewport={"width": 1440, "height": 900})
    yield context.new_page()
    context.close()


def test_pages_have_no_serious_barrier(page):
    concours = make_concours()
    screens = Screens()
    for name, path in PUBLIC_PAGES.items():
        page.goto(path)
        screens.look(page, f"50-{name}")
    page.goto("/connexion/")
    page.fill("input[name=username]", "agence")
    page.fill("input[name=password]", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_url(lambda url: "/connexion/" not in url)
    places = {
        "exam": concours.exam.pk,
        "sitting": concours.sitting.pk,
        "paper": concours.sitting.papers.get().pk,
        "hosting": concours.hosting.pk,
        "seat": concours.slips[0].seat_id,
    }
    for name, path in AGENCY_PAGES.items():
        page.goto(path.format(**places))
        screens.look(page, f"51-{name}")
    act = {
        "centre_sitting_id": concours.hosting.centre_sitting_id,
        "actor": User.objects.get(username="agence"),
        "now": now(),
    }
    welcome(**act)
    open_centre_sitting(**act)
    take_checkpoint(sitting_id=concours.sitting.pk, now=now())
    page.goto(f"/salle/{concours.hosting.pk}/preuve/")
    screens.look(page, "52-checkpoint")
    assert "\n".join(f"{name}: {found}" for name, found in screens.findings.items()) == ""
