"""The staff of the day: centre heads who admit, open and close; two people of the agency who mark, rank and publish."""

import asyncio
import json
from collections.abc import Sequence
from http import HTTPStatus

from loadtests.http import Browser

Screen = tuple[Browser, str]
"""A browser logged in, and the path of the socket that shows its board."""


class StaffRefused(RuntimeError):
    """The platform refused what the staff asked; the text is what it said."""


async def log_in(base: str, login: str, password: str) -> Browser:
    """Return a browser logged in as one member of the staff."""
    browser = Browser(base)
    await browser.get("/connexion/")
    await browser.post("/connexion/", {"username": login, "password": password})
    if "sessionid" not in browser.cookies:
        raise StaffRefused(f"{login} cannot log in")
    return browser


async def do(browser: Browser, path: str, **fields: str | Sequence[str]) -> str:
    """Send one form and return what the platform answers.

    Raises:
        StaffRefused: it says no.
    """
    answer = await browser.post(path, fields, accept="application/json")
    body = json.loads(answer.body) if answer.headers.get("content-type", "").startswith("application/json") else {}
    if answer.status != HTTPStatus.OK or not body.get("ok", True):
        raise StaffRefused(f"{path}: {answer.status} {body.get('text', '')}")
    return str(body.get("text", ""))


class CentreHead:
    """The head of one centre."""

    def __init__(self, base: str, hosting: int, login: str, password: str) -> None:
        self._base, self._hosting, self._login, self._password = base, hosting, login, password
        self.browser = Browser(base)

    async def arrive(self) -> None:
        """Log in."""
        self.browser = await log_in(self._base, self._login, self._password)

    async def do(self, act: str, **fields: str | Sequence[str]) -> str:
        """Do one thing in the room."""
        return await do(self.browser, f"/salle/{self._hosting}/{act}/", **fields)

    @property
    def screen(self) -> Screen:
        """The browser, and the socket that shows the room in it."""
        return self.browser, f"/ws/salle/{self._hosting}/"


async def together(heads: list[CentreHead], act: str, **fields: str) -> None:
    """Have every centre do the same thing at the same time."""
    await asyncio.gather(*(head.do(act, **fields) for head in heads))
