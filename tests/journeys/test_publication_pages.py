"""From the ranking to the complaint in a real browser: each page looked at, and axe finds no serious barrier."""

from datetime import date

import pytest
from django.conf import settings
from django.core import signing
from django.test import Client

from centres.models import Candidate
from ecni.accounts.enums import Role
from ecni.shared.clock import now
from ranking.actions.complaints import file_complaint, handle_complaint
from ranking.actions.computing import compute_ranking
from ranking.actions.policy import publish_policy
from ranking.actions.publication import propose_publication
from ranking.enums import ComplaintState, Status, Treatment
from ranking.models import Publication
from ranking.rules import Policy
from ranking.views.results import COOKIE, COOKIE_SALT
from tests.factories.exams import NOW, make_exam, user
from tests.factories.grading import BLANK, PERFECT, lift, mark_exam, prepare, publish, ranked_exam, register
from tests.journeys.screens import Screens

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(280)]


def exam_with_ties(agency, slug):
    exam = make_exam(slug=slug)
    register(exam, dict.fromkeys([f"K2-{place:04}" for place in range(1, 9)], date(2001, 1, 1)))
    Candidate.objects.filter(exam=exam, number="K2-0008").update(category="MILITARY")
    policy = Policy(
        seed="tirage public du 1er juin", treatments=Policy().treatments | {Status.MILITARY: Treatment.APART}
    )
    publish_policy(exam_id=exam.pk, policy=policy, actor=agency, now=NOW, reason="Arrêté")
    papers = [PERFECT, PERFECT, BLANK, (PERFECT[0], None), (None, None), PERFECT, (BLANK[0], PERFECT[1]), PERFECT]
    mark_exam(exam, agency, {f"K2-{place:04}": paper for place, paper in enumerate(papers, start=1)})
    return exam


def sign_in(context, server, person):
    client = Client()
    client.force_login(person)
    name = settings.SESSION_COOKIE_NAME
    context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": server}])


def published_with_a_complaint(agency, jury):
    run = compute_ranking(exam_id=exam_with_ties(agency, "publie").pk, actor=agency, now=NOW)
    publish(run, jury, agency)
    Publication.objects.filter(run=run).update(confirmed_at=now())
    candidate = Candidate.objects.get(exam=run.exam, number="K2-0001")
    complaint = file_complaint(
        candidate_id=candidate.pk, sitting_number=1, question=2, text="La proposition C est juste aussi.", now=now()
    )
    handle_complaint(complaint_id=complaint.pk, step=ComplaintState.TAKEN, text="", actor=agency, now=now())
    return run, candidate, complaint


@pytest.fixture
def console(browser, asgi_server):
    context = browser.new_context(locale="fr-FR", base_url=asgi_server, viewport={"width": 1440, "height": 1000})
    yield context.new_page()
    context.close()


def test_acts_that_take_back_have_no_serious_barrier(console, asgi_server):
    agency, president = (user(name, Role[name]) for name in ("AGENCY", "PRESIDENT"))
    run = ranked_exam(agency, {"K2-0001": PERFECT, "K2-0002": BLANK})
    lift(run)
    screens = Screens()
    sign_in(console.context, asgi_server, president)
    console.goto(f"/classement/{run.exam_id}/")
    console.locator("summary", has_text="Retirer ce classement").click()
    screens.look(console, "60-withdraw")
    prepare(run)
    sign_in(console.context, asgi_server, agency)
    console.goto(f"/classement/{run.exam_id}/")
    console.locator("summary", has_text="Préparer les pages à nouveau").click()
    console.locator("#prepare-again-reason").scroll_into_view_if_needed()
    screens.look(console, "66-prepare-again")
    propose_publication(run_id=run.pk, not_before=now(), actor=agency, now=now(), reason="Jury réuni")
    console.goto(f"/classement/{run.exam_id}/")
    console.locator("summary", has_text="Retirer la proposition").click()
    screens.look(console, "67-withdraw-proposal")
    assert screens.findings == {}


def test_pages_of_the_publication_have_no_serious_barrier(console, asgi_server):
    agency, jury, president = (user(name, Role[name]) for name in ("AGENCY", "JURY", "PRESIDENT"))
    waiting = ranked_exam(agency, {"K2-0001": PERFECT, "K2-0002": BLANK}, slug="attente")
    empty = make_exam(slug="regles")
    run, candidate, complaint = published_with_a_complaint(agency, jury)
    screens = Screens()
    page, context = console, console.context
    sign_in(context, asgi_server, president)
    _look(screens, page, "60-sign", f"/classement/{waiting.exam_id}/")
    lift(waiting)
    sign_in(context, asgi_server, agency)
    for name, path in {
        "61-lifted": f"/classement/{waiting.exam_id}/",
        "62-policy": f"/classement/{empty.pk}/regles/",
        "63-policy-fixed": f"/classement/{run.exam_id}/regles/",
        "64-ranking": f"/classement/{run.exam_id}/",
        "65-official": f"/classement/{run.exam_id}/officiel/",
        "66-complaints": f"/classement/{run.exam_id}/reclamations/",
        "67-complaint": f"/classement/{run.exam_id}/reclamations/{complaint.pk}/",
    }.items():
        _look(screens, page, name, path)
    visit = signing.get_cookie_signer(salt=COOKIE + COOKIE_SALT).sign(f"{run.exam_id}.{candidate.pk}")
    context.add_cookies([{"name": COOKIE, "value": visit, "url": f"{asgi_server}/resultats/"}])
    _look(screens, page, "68-results", "/resultats/copie/")
    page.locator("details").first.locator("summary").click()
    page.locator("#complaints").scroll_into_view_if_needed()
    screens.look(page, "69-results-complaint")
    page.set_viewport_size({"width": 320, "height": 800})
    _look(screens, page, "70-results-narrow", "/resultats/copie/")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert "\n".join(f"{name}: {found}" for name, found in screens.findings.items()) == ""


def _look(screens, page, name, path):
    answer = page.goto(path)
    assert answer.status == 200, path
    screens.look(page, name)
