"""What people do in a browser, step by step, in more than one journey."""

import re

from playwright.sync_api import expect

from tests.journeys.concours import PASSWORD


def log_in(page, username):
    page.goto("/connexion/")
    page.fill("input[name=username]", username)
    page.fill("input[name=password]", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_url(lambda url: "/connexion/" not in url)


def question(page, number):
    """Wait until a question is on the screen, and return its form."""
    form = page.locator(f"form[data-question='{number}']")
    expect(form).to_be_visible()
    return form


def tick(form, *letters):
    for letter in letters:
        form.locator(f"input[value={letter}]").check()


def saved(page):
    expect(page.locator("#save")).to_contain_text(re.compile("^Enregistré"))


def seal(page):
    page.click("#seal-button")
    expect(page.locator("#seal-dialog")).to_be_visible()
    page.locator("#seal-dialog button[value=seal]").click()


def open_room(staff):
    staff.get_by_role("button", name=re.compile("Ouvrir l’épreuve")).click()
    staff.locator("[popover]:popover-open, dialog[open]").get_by_role("button", name=re.compile("Ouvrir")).click()
