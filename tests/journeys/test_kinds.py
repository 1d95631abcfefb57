"""Every kind of question in a real browser: by touch, then by keyboard alone; what PostgreSQL holds is compared."""

import re
from contextlib import suppress

import pytest
from playwright.sync_api import expect

from ecni.accounts.models import User
from ecni.shared.clock import now
from exams.actions.centre_sitting import open_centre_sitting, welcome
from exams.actions.sheet import admit_sheet
from exams.models import Sheet
from exams.queries.journal import replays
from tests.journeys.concours import make_concours
from tests.journeys.screens import PICTURES, Screens, is_of_page

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(280)]

ISOLATED = ("QI-101", "QI-201", "QI-236", "QI-126", "QI-128", "ZAP-04")
CASES = ("TCS-01", "KFP-01", "LCA-01")
QRU, QRM, QRP, QRPL, QROC, ZAP, TCS, KFP, LCA = 1, 2, 3, 4, 5, 6, 7, 10, 13
TABLET = {"width": 1024, "height": 768}
expect.set_options(timeout=20_000)


@pytest.fixture
def screens():
    return Screens()


@pytest.fixture
def complaints():
    return []


@pytest.fixture
def tablet(browser, asgi_server, complaints):
    """Sit the first candidate down: returns a function that opens the sitting in a context with these options."""
    contexts = []

    def sit(**options):
        concours = make_concours(ISOLATED, CASES)
        context = browser.new_context(**({"viewport": TABLET, "locale": "fr-FR", "base_url": asgi_server} | options))
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console",
            lambda message: (
                complaints.append(message.text) if message.type == "error" and is_of_page(message) else None
            ),
        )
        actor, centre_sitting_id = User.objects.get(username="responsable"), concours.hosting.centre_sitting_id
        welcome(centre_sitting_id=centre_sitting_id, actor=actor, now=now())
        page.goto("/entrer/")
        page.fill("input[name=code]", concours.slips[0].code)
        page.click("button[type=submit]")
        page.get_by_role("button", name=re.compile("Oui")).click()
        expect(page.locator("#checklist")).to_contain_text("Vérifié")
        admit_sheet(sheet_id=sheet_of(concours).pk, actor=actor, now=now())
        open_centre_sitting(centre_sitting_id=centre_sitting_id, actor=actor, now=now())
        expect(page.locator("form[data-question='1']")).to_be_visible()
        return concours, page

    yield sit
    for number, context in enumerate(contexts):
        with suppress(Exception):
            context.pages[0].screenshot(path=PICTURES / f"kinds-last-{number}.png")
        context.close()


def sheet_of(concours):
    return Sheet.objects.get(sitting=concours.sitting, number=concours.slips[0].number)


def stored(concours):
    sheet = sheet_of(concours)
    return replays([sheet])[sheet.pk]


def go(page, number):
    """Reach a question by the navigator's own cells."""
    if page.locator(f"form[data-question='{number}']").count() == 0:
        page.evaluate(PRESS_CELL, f"Question {number},")
    form = page.locator(f"form[data-question='{number}']")
    expect(form).to_be_visible()
    return form


PRESS_CELL = """label => [...document.querySelectorAll('#cells .cell')]
  .find((cell) => cell.getAttribute('aria-label').startsWith(label)).click()"""


def saved(page):
    page.wait_for_timeout(400)
    expect(page.locator("#save")).to_contain_text(re.compile("^Enregistré"))


def tap_letters(form, *letters):
    for letter in letters:
        form.locator(".option", has=form.page.locator(f"input[value={letter}]")).locator(".text").tap()


def tap_image(form, x, y):
    box = form.locator(".target img").bounding_box()
    form.page.touchscreen.tap(box["x"] + box["width"] * x / 100, box["y"] + box["height"] * y / 100)


def near(value, *wanted):
    """Whether points lie where they were wanted, a pixel of the screen being more than a tenth of the image."""
    found = [tuple(map(float, point.split(","))) for point in value.split(";")]
    return len(found) == len(wanted) and all(
        abs(x - right) < 0.4 and abs(y - down) < 0.4 for (x, y), (right, down) in zip(found, wanted, strict=True)
    )


def test_every_kind_by_touch(tablet, screens, complaints):  # noqa: PLR0915 - one sitting, one line a gesture
    concours, page = tablet(has_touch=True)
    form = go(page, QRU)
    tap_letters(form, "B", "C")
    tap_letters(go(page, QRM), "A", "C")
    form = go(page, QRP)
    tap_letters(form, "A", "B", "C", "D")
    expect(form.locator("[data-tally]")).to_have_text(
        "3 réponses sont déjà cochées : décochez-en une pour en choisir une autre."
    )
    expect(form.locator("input[value=D]")).not_to_be_checked()
    screens.look(page, "60-qrp")
    form = go(page, QRPL)
    form.locator("input[type=search]").tap()
    page.keyboard.type("fact")
    screens.look(page, "61-qrpl")
    form.locator(".option:visible .text").first.tap()
    form.locator("input[type=search]").fill("")
    form.locator(".option .text").first.tap()
    form = go(page, QROC)
    form.locator("input").tap()
    page.keyboard.type("  mutation   JAK2 ")
    screens.look(page, "62-qroc")
    form = go(page, ZAP)
    tap_image(form, 30, 40)
    tap_image(form, 70.5, 55)
    screens.look(page, "63-zap")
    form = go(page, TCS)
    form.locator(".scale label").nth(3).tap()
    screens.look(page, "64-tcs")
    form = go(page, KFP)
    form.locator("input").tap()
    page.keyboard.type("insuffisance surrénale aiguë")
    saved(page)
    page.locator("#seal-button").tap()
    expect(page.locator("#seal-recap")).to_have_text("insuffisance surrénale aiguë")
    screens.look(page, "65-kfp-seal")
    page.locator("#seal-dialog button[value=seal]").tap()
    expect(page.locator(f"form[data-question='{KFP + 1}']")).to_be_visible()
    screens.look(page, "66-kfp")
    form = go(page, LCA)
    page.get_by_role("button", name="Surligner").tap()
    sentence = page.locator(".article .sentence").nth(3)
    sentence.tap()
    expect(sentence).to_have_attribute("aria-pressed", "true")
    tap_letters(form, "A")
    screens.look(page, "67-lca")
    page.reload()
    expect(page.locator("form[data-question]")).to_be_visible()
    go(page, LCA + 1)
    expect(page.locator(".article [data-marked]")).to_have_count(1)
    saved(page)
    answers = stored(concours).answers
    points = answers.pop(ZAP)
    assert near(points, (30, 40), (70.5, 55))
    assert answers == {
        QRU: "C",
        QRM: "AC",
        QRP: "ABC",
        QRPL: "AB",
        QROC: "mutation JAK2",
        TCS: "1",
        KFP: "insuffisance surrénale aiguë",
        LCA: "A",
    }
    assert stored(concours).sealed == {KFP}
    assert screens.findings == {}
    assert complaints == []


def keys(page, *names):
    for name in names:
        page.keyboard.press(name)


def tab_to(page, selector, key="Tab"):
    """Walk with the Tab key until the focus is there: nothing else moves it."""
    for _ in range(80):
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
        keys(page, key)
    pytest.fail(f"no way to {selector} by the keyboard")


def next_by_keyboard(page, number):
    tab_to(page, "#next")
    keys(page, "Enter")
    expect(page.locator(f"form[data-question='{number}']")).to_be_visible()


def test_every_kind_by_keyboard_alone(tablet, complaints):  # noqa: PLR0915 - one sitting, one line a gesture
    concours, page = tablet()
    tab_to(page, ".option input")
    keys(page, "ArrowDown", "ArrowDown")
    next_by_keyboard(page, QRM)
    tab_to(page, ".option input[value=B]")
    keys(page, "Space")
    next_by_keyboard(page, QRP)
    for letter in "BDE":
        tab_to(page, f".option input[value={letter}]")
        keys(page, "Space")
    next_by_keyboard(page, QRPL)
    tab_to(page, "input[type=search]")
    page.keyboard.type("facteur v")
    keys(page, "ArrowDown", "Space", "ArrowDown", "Space", "ArrowUp", "ArrowUp")
    next_by_keyboard(page, QROC)
    tab_to(page, ".answer input")
    page.keyboard.type("un deux trois quatre cinq six")
    expect(page.locator("[data-count]")).to_have_text(
        "6 mots : seuls les 5 premiers sont gardés, « un deux trois quatre cinq »."
    )
    next_by_keyboard(page, ZAP)
    tab_to(page, "[data-move=right]")
    keys(page, "Enter", "ArrowRight", "Shift+ArrowDown", "Enter")
    tab_to(page, "[data-point] input[type=radio]", "Shift+Tab")
    keys(page, "ArrowDown", "Tab")
    page.keyboard.type("12.34")
    keys(page, "Tab")
    page.keyboard.type("80")
    next_by_keyboard(page, TCS)
    tab_to(page, ".scale input")
    keys(page, "Space", "ArrowRight")
    saved(page)
    answers = stored(concours).answers
    assert answers == {
        QRU: "C",
        QRM: "B",
        QRP: "BDE",
        QRPL: answers[QRPL],
        QROC: "un deux trois quatre cinq",
        ZAP: "52.0,55.0;12.3,80.0",
        TCS: "-1",
    }
    assert len(answers[QRPL]) == 2
    assert complaints == []


def test_points_are_moved_and_removed_by_keyboard(tablet):
    concours, page = tablet()
    form = go(page, ZAP)
    tab_to(page, "[data-move=up]")
    keys(page, "Enter", "ArrowUp")
    expect(form.locator(".point:visible")).to_have_count(1)
    tab_to(page, f"#x-{ZAP}-1", "Shift+Tab")
    keys(page, "Control+A", "Delete")
    page.wait_for_timeout(700)
    page.keyboard.type("35.5")
    keys(page, "Tab")
    saved(page)
    assert stored(concours).answers == {ZAP: "35.5,49.0"}
    tab_to(page, "[data-remove]", "Shift+Tab")
    keys(page, "Enter")
    expect(form.locator(".point:visible")).to_have_count(0)
    saved(page)
    assert stored(concours).answers == {ZAP: ""}


def test_article_is_read_and_a_step_validated_by_keyboard_alone(tablet, complaints):  # noqa: PLR0915 - one sitting
    concours, page = tablet()
    go(page, KFP)
    tab_to(page, ".answer input")
    page.keyboard.type("syndrome")
    tab_to(page, "#seal-button")
    keys(page, "Enter", "Tab", "Enter")
    expect(page.locator(f"form[data-question='{KFP + 1}']")).to_be_visible()
    go(page, LCA)
    tab_to(page, ".sections summary", "Shift+Tab")
    keys(page, "Enter", "Tab", "Tab", "Enter")
    assert page.evaluate("() => document.activeElement.matches('.article :is(h2, h3)')")
    tab_to(page, ".toolbar [aria-pressed]", "Shift+Tab")
    keys(page, "Enter")
    tab_to(page, ".sentence")
    keys(page, "ArrowRight", "ArrowRight", "Enter", "ArrowLeft", "Space")
    expect(page.locator(".article [data-marked]")).to_have_count(2)
    keys(page, "Space")
    expect(page.locator(".article [data-marked]")).to_have_count(1)
    tab_to(page, "[aria-label='Agrandir le texte de l’article']", "Shift+Tab")
    keys(page, "Enter")
    expect(page.locator(".article")).to_have_attribute("data-text", "115")
    tab_to(page, ".option input")
    keys(page, "Space")
    saved(page)
    assert stored(concours).answers == {KFP: "syndrome", LCA: "A"}
    assert stored(concours).sealed == {KFP}
    assert complaints == []


LOOKS = {
    "320": ({"width": 320, "height": 640}, {}),
    "200": (TABLET, {"size": "200"}),
    "dark": (TABLET, {"theme": "dark"}),
    "contrast": (TABLET, {"theme": "contrast"}),
}


def test_every_kind_narrow_large_dark_and_in_contrast(tablet, screens):
    _concours, page = tablet(has_touch=True)
    tap_image(go(page, ZAP), 30, 40)
    go(page, TCS).locator(".scale label").nth(1).tap()
    tap_letters(go(page, QRP), "A")
    small, wide = [], []
    for look, (viewport, display) in LOOKS.items():
        page.set_viewport_size(viewport)
        for name in ("size", "theme"):
            page.evaluate(
                "([name, value]) => document.documentElement.dataset[name] = value",
                [name, display.get(name, "100" if name == "size" else "light")],
            )
        for kind, number in {
            "qrm": QRM,
            "qrp": QRP,
            "qrpl": QRPL,
            "qroc": QROC,
            "zap": ZAP,
            "tcs": TCS,
            "kfp": KFP,
            "lca": LCA,
        }.items():
            go(page, number)
            screens.look(page, f"70-{look}-{kind}")
            page.screenshot(path=PICTURES / f"70-{look}-{kind}-full.png", full_page=True)
            if page.evaluate(IS_WIDE):
                wide.append(f"{look} {kind}")
            small.extend(f"{look} {kind}: {found}" for found in page.evaluate(SMALL_TARGETS))
    assert screens.findings == {}
    assert wide == []
    assert small == []


IS_WIDE = """() => [document.documentElement, document.querySelector('#main')]
  .some((frame) => frame.scrollWidth > frame.clientWidth)"""

SMALL_TARGETS = """() => [...document.querySelectorAll('#question :is(button, input, summary, select)')]
  .filter((target) => target.checkVisibility() && !target.closest('[hidden]'))
  .map((target) => [target, (target.closest('label') ?? target).getBoundingClientRect()])
  .filter(([, box]) => box.width < 43.5 || box.height < 43.5)
  .map(([target, box]) => `${target.outerHTML.slice(0, 60)} ${box.width.toFixed(0)} x ${box.height.toFixed(0)}`)"""
"""Controls of a question under 44 px, their label counted; 24 px is the minimum of WCAG 2.2, 44 the house's."""
