"""What journeys hold against a page is the page's own."""

import pytest

from tests.journeys.screens import is_of_page

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PAGE = '<!doctype html><html lang="fr"><title>Page</title><main><h1 {style}>Titre</h1></main>'
STYLED = """() => new Promise((done) => setTimeout(() => {
  document.body.setAttribute("style", "color: red");
  setTimeout(done, 200);
}))"""


@pytest.mark.parametrize(("style", "of_page"), [("", 0), ('style="color: red"', 1)])
def test_a_style_is_held_against_the_page_that_has_it_and_not_against_what_a_test_runs_there(page, style, of_page):
    headers = {"Content-Security-Policy": "default-src 'self'", "Content-Type": "text/html"}
    page.route("**/*", lambda route: route.fulfill(body=PAGE.format(style=style), headers=headers))
    heard = []
    page.on("console", lambda message: heard.append(is_of_page(message)))
    page.goto("http://page.test/page")
    page.evaluate(STYLED)
    assert sorted(heard) == [False] + [True] * of_page
