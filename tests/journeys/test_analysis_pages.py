"""The item analysis as the jury sees it: wide, narrow and dark, with a question whose key is wrong."""

from random import Random

import pytest

from ecni.accounts.enums import Role
from ecni.accounts.models import User
from tests.factories.exams import make_exam, sit
from tests.factories.grading import mark_sitting
from tests.journeys.screens import Screens

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(200)]

PASSWORD = "une longue phrase de passe"
QUESTIONS = [("QRU", "TFFFF")] * 14 + [("QRU", "FTFFF")] + [("QRM", "TTFFX")] * 5


def answers(count=300, seed=4):
    """By number, from the weakest to the best; the 15th question is keyed B where A is right."""
    rng = Random(seed)
    for place in range(count):
        able = 0.25 + 0.65 * place / count
        single = ["A" if rng.random() < able else rng.choice("BCDE") for _ in range(15)]
        several = [
            rng.choice(["AB", "AB", "A", "ABC"]) if rng.random() < able else rng.choice(["B", "CE", "", "AE"])
            for _ in range(5)
        ]
        yield f"K2-{place:04}", (*single, *several)


@pytest.mark.parametrize("width", [1440, 320])
def test_analysis_pages_are_read_without_a_barrier(browser, asgi_server, width):
    jury = User.objects.create_user(username="jury", password=PASSWORD, role=Role.JURY)
    sitting = make_exam([[("QI", [question]) for question in QUESTIONS]]).sittings.get()
    sit(sitting, dict(answers()))
    mark_sitting(sitting, jury)
    context = browser.new_context(
        locale="fr-FR", base_url=asgi_server, viewport={"width": width, "height": 1000}, java_script_enabled=True
    )
    page, screens = context.new_page(), Screens()
    page.goto("/connexion/")
    page.fill("input[name=username]", "jury")
    page.fill("input[name=password]", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_url(lambda url: "/connexion/" not in url)
    page.goto(f"/notation/epreuve/{sitting.pk}/analyse/")
    screens.look(page, f"60-analysis-{width}")
    first = page.locator("tbody a").first
    assert first.inner_text() == "Question\u00a015"
    first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/analyse/*/15/")
    screens.look(page, f"61-question-{width}")
    page.screenshot(path=f"build/screens/61-question-{width}-whole.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    context.close()
    assert screens.findings == {}
