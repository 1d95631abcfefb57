"""What is kept of each screen of a journey: a picture to look at, and what axe finds wrong with it."""

from pathlib import Path

from playwright.sync_api import Error

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / "build" / "screens"
AT_REST = "() => document.getAnimations().every((one) => !(one instanceof CSSTransition))"
AXE = ROOT / "tests" / "vendor" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


def is_of_page(message):
    """Whether a line of the console is of the page: axe tries inline styles and fetches, even late, from nowhere."""
    return message.location["url"] != ""


class Screens:
    """Look at a page as it is: `build/screens/<name>.png`, and axe's serious and critical findings."""

    def __init__(self):
        PICTURES.mkdir(parents=True, exist_ok=True)
        self.findings = {}

    def look(self, page, name):
        self._picture(page, name)
        self._run_axe(page, name)

    def _picture(self, page, name):
        page.wait_for_load_state()
        try:
            page.screenshot(path=PICTURES / f"{name}.png")
        except Error:  # a page that gives way to another one at this instant has no surface: Chromium's own words
            page.wait_for_timeout(500)
            page.wait_for_load_state()
            page.screenshot(path=PICTURES / f"{name}.png")

    def _run_axe(self, page, name):
        if not page.evaluate("() => 'axe' in window"):
            page.evaluate(AXE.read_text(encoding="utf-8"))
        page.wait_for_function(AT_REST)  # half way from grey to blue a button has a contrast that nobody reads
        found = page.evaluate(
            "tags => axe.run(document, {runOnly: {type: 'tag', values: tags}, resultTypes: ['violations']})", TAGS
        )
        serious = [
            f"{violation['id']}: {violation['nodes'][0]['html'][:160]}"
            for violation in found["violations"]
            if violation["impact"] in {"serious", "critical"}
        ]
        if serious:
            self.findings[name] = serious
