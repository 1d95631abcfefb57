"""The jury's pages in a real browser: looked at on a desk and on a tablet, read by axe, used by keyboard."""

import pytest

from ecni.accounts.enums import Role
from ecni.accounts.models import User
from grading.actions.chunks import mark_chunk
from grading.actions.jury import cast_ballot, close_vote, write_remark
from grading.actions.minutes import sign_minutes
from grading.actions.runs import start_marking
from grading.actions.spellings import judge_spellings
from grading.enums import BallotChoice, NeutralisationMode, SpellingCategory
from grading.models import SpellingOpinion
from ranking.actions.computing import compute_ranking
from tests.factories.exams import NOW, user
from tests.factories.jury import (
    MISKEYED,
    make_jury,
    miskeyed,
    neutralise,
    open_exam,
    paper_of,
    propose,
    rekey,
    sat_exam,
    sitting_jury,
)
from tests.journeys.concours import PASSWORD
from tests.journeys.screens import PICTURES, Screens

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(280)]

SIZES = {"1280": {"width": 1280, "height": 900}, "tablet": {"width": 820, "height": 1180}}
ANSWERS = {
    **{f"K3-{place:04}": "aortte" for place in range(1, 9)},
    **{f"K3-{place:04}": "l’artère aorte" for place in range(9, 13)},
    "K3-0013": "veine cave",
    "K3-0014": "aorte abdominale",
    "K3-0015": "Aorte",
}


@pytest.fixture
def people(transactional_db):
    agency, (president, members) = user("agence", Role.AGENCY), make_jury()
    for person in User.objects.all():
        person.set_password(PASSWORD)
        person.save()
    return agency, president, members


def deliberation(agency, president, members):
    """A session held and signed, another one open, with proposals in every state."""
    exam = sat_exam(agency, miskeyed(), candidates=200)
    compute_ranking(exam_id=exam.pk, actor=agency, now=NOW)
    paper = paper_of(exam)
    session = sitting_jury(exam, president, members)
    first = propose(neutralise(paper, 2), members[0])
    for member in (president, *members):
        cast_ballot(proposal_id=first.pk, choice=BallotChoice.FOR, actor=member, now=NOW)
    close_vote(proposal_id=first.pk, actor=president, now=NOW)
    for sitting in exam.sittings.order_by("number"):
        for chunk in start_marking(sitting_id=sitting.pk, actor=agency, now=NOW).chunks.all():
            mark_chunk(chunk_id=chunk.pk, now=NOW)
    compute_ranking(exam_id=exam.pk, actor=agency, now=NOW)
    sign_minutes(session_id=session.pk, actor=president, now=NOW)
    sitting_jury(exam, president, members)
    proposals = [
        propose(rekey(paper, MISKEYED, "FFFTF"), members[0]),
        propose(neutralise(paper, MISKEYED, mode=NeutralisationMode.FULL), members[1]),
        propose(neutralise(paper, 10, 11, 12), members[1]),
    ]
    cast_ballot(proposal_id=proposals[0].pk, choice=BallotChoice.FOR, actor=members[0], now=NOW)
    write_remark(paper_id=paper.pk, number=MISKEYED, text="Le cours dit D.", actor=members[0], now=NOW)
    return exam, paper, proposals


def enter(page, name):
    page.goto("/connexion/")
    page.fill("input[name=username]", name)
    page.fill("input[name=password]", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_url(lambda url: "/connexion/" not in url)


def test_pages_of_the_jury_have_no_serious_barrier(browser, asgi_server, people):
    exam, paper, proposals = deliberation(*people)
    asked = "&".join(f"p={proposal.pk}" for proposal in proposals[:2])
    pages = {
        "jury": f"/notation/{exam.pk}/jury/",
        "questions": f"/notation/{exam.pk}/jury/questions/",
        "question": f"/notation/jury/sujet/{paper.pk}/{MISKEYED}/",
        "question-case": f"/notation/jury/sujet/{paper.pk}/11/",
        "whatif": f"/classement/{exam.pk}/et-si/?{asked}&postes=50+120",
        "comparison": f"/classement/{exam.pk}/comparer/?postes=50",
    }
    screens = Screens()
    for name, size in SIZES.items():
        context = browser.new_context(locale="fr-FR", base_url=asgi_server, viewport=size)
        page = context.new_page()
        enter(page, "presidente")
        for subject, path in pages.items():
            assert page.goto(path).status == 200
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (name, subject)
            screens.look(page, f"60-{subject}-{name}")
            page.screenshot(path=PICTURES / f"60-{subject}-{name}-whole.png", full_page=True)
        context.close()
    assert screens.findings == {}


def test_short_answers_are_put_in_lists_by_keyboard(browser, asgi_server, people):
    agency, _president, members = people
    exam = open_exam(agency, ANSWERS)
    judge_spellings(
        paper_id=paper_of(exam).pk, number=2, opinions={"aortte": SpellingCategory.EXACT}, actor=members[0], now=NOW
    )
    screens = Screens()
    context = browser.new_context(locale="fr-FR", base_url=asgi_server, viewport=SIZES["1280"])
    page = context.new_page()
    enter(page, "membre2")
    page.goto(f"/notation/{exam.pk}/jury/reponses/")
    page.locator("[data-spelling] input").first.focus()
    for key in "1203":
        page.keyboard.press(key)
    screens.look(page, "61-spellings-1280")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=3 avis enregistrés")
    screens.look(page, "62-spellings-after-1280")
    context.close()
    found = SpellingOpinion.objects.order_by("form", "place").values_list("form", "category", "place")
    assert list(found) == [
        ("aortte", "EXACT", 1),
        ("aortte", "EXACT", 2),
        ("artere aorte", "ACCEPTABLE", 1),
        ("veine cave", "WRONG", 1),
    ]
    assert screens.findings == {}


def test_short_answers_are_put_in_lists_without_script(browser, asgi_server, people):
    exam = open_exam(people[0], ANSWERS)
    context = browser.new_context(
        locale="fr-FR", base_url=asgi_server, viewport=SIZES["tablet"], java_script_enabled=False
    )
    page = context.new_page()
    enter(page, "membre2")
    page.goto(f"/notation/{exam.pk}/jury/reponses/")
    page.locator("[data-spelling]").first.get_by_text("Exacte").click()
    page.screenshot(path=PICTURES / "63-spellings-tablet.png")
    page.get_by_role("button", name="Enregistrer ces avis").click()
    page.wait_for_selector("text=1 avis enregistré.")
    assert SpellingOpinion.objects.get().category == SpellingCategory.EXACT
    context.close()
