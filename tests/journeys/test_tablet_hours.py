"""The other hours of a tablet: pause, time granted, the end by the clock, another tablet; other displays."""

import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta

import pytest
from django.db import connections
from playwright.sync_api import expect

from ecni.accounts.models import User
from ecni.shared.clock import now
from exams.actions.centre_sitting import (
    close_centre_sitting,
    grant_time,
    open_centre_sitting,
    pause_centre_sitting,
    resume_centre_sitting,
    touch,
    welcome,
)
from exams.actions.sheet import admit_sheet, release_sheet
from exams.models import Sheet
from tests.journeys.concours import make_concours
from tests.journeys.screens import Screens

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(280)]
expect.set_options(timeout=20_000)


def act(function, **arguments):
    """Act as the head of the centre, in a thread without the event loop of the browser's driver."""

    def call():
        try:
            return function(**arguments, actor=User.objects.get(username="responsable"), now=now())
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as threads:
        return threads.submit(call).result()


def move_end(*, sheet_id, seconds, actor, now):
    Sheet.objects.filter(pk=sheet_id).update(ends_at=now + timedelta(seconds=seconds))
    touch(Sheet.objects.get(pk=sheet_id).centre_sitting_id)


@pytest.fixture
def screens():
    return Screens()


@pytest.fixture
def concours(asgi_server):
    made = make_concours()
    act(welcome, centre_sitting_id=made.hosting.centre_sitting_id)
    return made


@pytest.fixture
def enter(browser, asgi_server):
    """Enter by a slip on a new tablet, and return its page."""
    contexts = []

    def enter_one(slip, **options):
        context = browser.new_context(locale="fr-FR", base_url=asgi_server, **options)
        contexts.append(context)
        page = context.new_page()
        page.goto("/entrer/")
        page.fill("input[name=code]", slip.code)
        page.click("button[type=submit]")
        page.get_by_role("button", name=re.compile("Oui")).click()
        expect(page.locator("#checklist")).to_contain_text("Vérifié")
        act(admit_sheet, sheet_id=slip.sheet_id)
        return page

    yield enter_one
    for context in contexts:
        with suppress(Exception):
            context.close()


def test_pause_grant_and_another_tablet(concours, enter, screens):
    room = {"centre_sitting_id": concours.hosting.centre_sitting_id}
    page = enter(concours.slips[0], viewport={"width": 1280, "height": 800})
    act(open_centre_sitting, **room)
    expect(page.locator("form[data-question='1']")).to_be_visible()
    screens.look(page, "30-question-1280")
    act(pause_centre_sitting, **room, reason="alarme incendie")
    expect(page.get_by_text("Votre temps ne court pas")).to_be_visible()
    expect(page.locator("form[data-question='1']")).to_be_hidden()
    screens.look(page, "31-paused")
    act(resume_centre_sitting, **room)
    expect(page.locator("form[data-question='1']")).to_be_visible()
    act(grant_time, **room, sheet_ids=None, seconds=600, reason="alarme incendie")
    expect(page.locator("#notes")).to_contain_text("10")
    screens.look(page, "32-granted")
    act(release_sheet, sheet_id=concours.slips[0].sheet_id, reason="tablette en panne")
    expect(page.locator("#notice-title")).to_be_visible()
    screens.look(page, "33-replaced")
    assert screens.findings == {}


def test_the_clock_ends_the_sheet_without_a_click(concours, enter, screens):
    slip = concours.slips[0]
    page = enter(slip, viewport={"width": 768, "height": 1024})
    act(open_centre_sitting, centre_sitting_id=concours.hosting.centre_sitting_id)
    expect(page.locator("form[data-question='1']")).to_be_visible()
    page.locator("input[value=B]").check()
    screens.look(page, "34-portrait")
    act(move_end, sheet_id=slip.sheet_id, seconds=8)
    screens.look(page, "35-last-seconds")
    expect(page.get_by_text("Enregistrement…")).to_be_visible()
    screens.look(page, "36-saving")
    expect(page.locator("#receipt-code")).to_contain_text(re.compile("[0-9A-F]{4}"))
    screens.look(page, "37-time-over")
    act(close_centre_sitting, centre_sitting_id=concours.hosting.centre_sitting_id, reason="fin de répétition")
    expect(page.locator("#receipt-code")).to_be_visible()
    assert screens.findings == {}


@pytest.mark.parametrize("theme", ["dark", "contrast"])
def test_display_choices_hold_in_both_other_themes(concours, enter, screens, theme):
    page = enter(concours.slips[0], viewport={"width": 1024, "height": 768})
    act(open_centre_sitting, centre_sitting_id=concours.hosting.centre_sitting_id)
    expect(page.locator("form[data-question='1']")).to_be_visible()
    page.locator("[popovertarget=display]").first.click()
    page.locator(f"input[name=theme][value={theme}]").check()
    screens.look(page, f"38-display-{theme}")
    page.keyboard.press("Escape")
    screens.look(page, f"39-question-{theme}")
    page.locator("[popovertarget=display]").first.click()
    page.locator("input[name=size][value='200']").check()
    page.keyboard.press("Escape")
    screens.look(page, f"40-question-200-{theme}")
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    page.locator("[popovertarget=display]").first.click()
    page.locator("input[name=size][value='100']").check()
    page.keyboard.press("Escape")
    page.set_viewport_size({"width": 320, "height": 640})
    screens.look(page, f"41-question-320-{theme}")
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    assert screens.findings == {}


def test_image_zooms_by_buttons_and_by_keyboard(concours, enter, screens):
    page = enter(concours.slips[0], viewport={"width": 1024, "height": 768})
    act(open_centre_sitting, centre_sitting_id=concours.hosting.centre_sitting_id)
    expect(page.locator("form[data-question='1']")).to_be_visible()
    for _ in range(3):
        page.click("#next")
    image = page.locator("form[data-question='4'] img")
    expect(image).to_be_visible()
    page.get_by_role("button", name=re.compile("grand", re.IGNORECASE)).first.click()
    expect(page.locator("#zoom")).to_be_visible()
    page.keyboard.press("Tab")
    page.locator("#zoom").get_by_role("button", name="Agrandir").click()
    screens.look(page, "42-zoom")
    page.keyboard.press("Escape")
    expect(page.locator("#zoom")).to_be_hidden()
    assert screens.findings == {}
