"""What a candidate does with a tablet: reads, answers, changes an answer, seals, hands in, or goes on to the end."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import Any

from loadtests.tablet import Tablet

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
WORDS = ("aorte", "anévrisme", "de", "l’artère", "pulmonaire", "gauche", "scanner", "à", "jeun", "β-hCG")
"""What a short open answer is made of, accents and signs included."""
REVISING, FLAGGING, STRIKING = 0.35, 0.1, 0.1
"""Chances that an answer is changed once, that a question is flagged, that a proposition is struck out."""
DONE_SECONDS = 120.0


class Candidate:
    """Somebody who composes.

    Args:
        tablet: what they hold; another one may be put in its place.
        pace: mean seconds between two acts.
        rng: source of all that is random here.
        dodge: chance, per act, of losing the network.
    """

    def __init__(self, tablet: Tablet, pace: float, rng: random.Random, dodge: float = 0.0) -> None:
        self.tablet = tablet
        self._pace = pace
        self._rng = rng
        self._dodge = dodge
        self._on_progress: Callable[[], None] = lambda: None

    async def compose(self, on_progress: Callable[[], None]) -> None:
        """Wait for the opening, answer everything, hand in."""
        self._on_progress = on_progress
        await self.tablet.opened.wait()
        await self.answer_all()
        await self.hand_in()
        await self.tablet.leave()

    async def answer_all(self) -> None:
        """Answer what is not sealed yet, in order, until the end."""
        self.tablet.decrypt(int(self.tablet.questions[0]["number"]))
        for question in self.tablet.questions:
            if question["number"] not in self.tablet.sealed:
                await self._answer(question)
            self._on_progress()

    async def hand_in(self) -> None:
        """Hand in and read the receipt.

        Raises:
            TimeoutError: the platform did not take it.
        """
        if not self.may_act:
            return
        self.tablet.act("submit", 0, "")
        if not await self.tablet.settled(DONE_SECONDS):
            if self.tablet.over:
                return
            raise TimeoutError("not handed in")
        if self.tablet.journal.submitted:
            self.tablet.show_receipt()

    async def revise_until(self, instant: Callable[[], float]) -> None:
        """Change answers until an instant (monotonic seconds, asked again each time)."""
        while self.may_act and time.monotonic() < instant():
            await asyncio.sleep(min(self._rng.expovariate(1 / self._pace), max(0.0, instant() - time.monotonic())))
            if self.may_act:
                self.revise()

    def revise(self) -> None:
        """Change one answer that is not final."""
        free = [q for q in self.tablet.questions if not q["progressive"]]
        if free:
            question = self._rng.choice(free)
            self.tablet.act("answer", question["number"], self._choice(question))

    @property
    def may_act(self) -> bool:
        """Whether the screen still lets anything be done."""
        tablet = self.tablet
        in_time = tablet.ends is None or time.monotonic() < tablet.ends
        return in_time and not tablet.over and tablet.state.get("status") == "COMPOSING"

    async def _answer(self, question: dict[str, Any]) -> None:
        number = question["number"]
        await self._until(lambda: self.tablet.decrypt(number))
        for _ in range(1 + (self._rng.random() < REVISING)):
            await self._do("answer", number, self._choice(question))
        if self._rng.random() < FLAGGING:
            await self._do("flag", number, "1")
        if question["propositions"] and self._rng.random() < STRIKING:
            await self._do("strike", number, self._rng.choice(LETTERS[: question["propositions"]]))
        if question["progressive"]:
            await self._do("seal", number, "")
            await self._until(lambda: number in self.tablet.sealed)

    def _choice(self, question: dict[str, Any]) -> str:
        return any_answer(question, self.tablet.expected.get(question["number"], 1), self._rng)

    async def _do(self, kind: str, question: int, value: str) -> None:
        await asyncio.sleep(self._rng.expovariate(1 / self._pace))
        if self._rng.random() < self._dodge:
            self.tablet.drop_socket()
        if await self._allowed() and question not in self.tablet.sealed:
            self.tablet.act(kind, question, value)

    async def _allowed(self) -> bool:
        while self.tablet.state.get("status") == "PAUSED":
            await self._wait()
        return self.may_act

    async def _until(self, condition: Callable[[], object]) -> None:
        while not condition() and (self.may_act or self.tablet.state.get("status") == "PAUSED"):
            await self._wait()

    async def _wait(self) -> None:
        self.tablet.changed.clear()
        try:
            await asyncio.wait_for(self.tablet.changed.wait(), 0.5)
        except TimeoutError:
            return


def any_answer(question: dict[str, Any], most: int, rng: random.Random) -> str:
    """Return any answer that could be given, in the canonical form of its kind; `most` choices where it counts."""
    letters = LETTERS[: question["propositions"]]
    match question["kind"]:
        case "QRU":
            return rng.choice(letters)
        case "QROC":
            return " ".join(rng.sample(WORDS, rng.randint(1, 5)))
        case "TCS":
            return rng.choice(["-2", "-1", "0", "1", "2"])
        case "ZAP":
            return ";".join(_point(rng) for _ in range(rng.randint(0, most)))
        case _:
            return "".join(sorted(rng.sample(letters, rng.randint(0, most))))


def _point(rng: random.Random) -> str:
    return f"{rng.randint(0, 1000) / 10:.1f},{rng.randint(0, 1000) / 10:.1f}"


async def each(things: list[Any], do: Callable[[Any], Awaitable[object]], at_once: int) -> None:
    """Do the same with each thing, `at_once` at a time."""
    gate = asyncio.Semaphore(at_once)

    async def one(thing: Any) -> None:
        async with gate:
            await do(thing)

    await asyncio.gather(*(one(thing) for thing in things))
