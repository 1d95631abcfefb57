"""The candidates of one centre in a process of their own, with their network: `python -m loadtests.crowd PLAN`.

Commands come on the standard input, one JSON object a line, `{"id": 1, "do": "drop"}`; each is answered by one line
`{"id": 1, "ok": true, …}`. The process may be killed and started again: tablets resume from their own storage.
"""

import asyncio
import json
import random
import sys
import time
from base64 import b64encode
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from loadtests.candidate import Candidate, each
from loadtests.proxy import Proxy, Weather
from loadtests.tablet import FRAMES, Slip, Tablet

ENTERING = 20
ROLES = ("last", "grace", "late", "after", "closed", "http", "slow")
"""How one tablet in ten ends, each in its own way, and one whose frames go by HTTP; the others hand in."""
ROLE_EVERY = 10


@dataclass(slots=True)
class Place:
    """One seat: its slip, its present tablet, and how it will end."""

    number: str
    slip: Slip
    role: str
    candidate: Candidate
    devices: int = 1
    task: asyncio.Task[None] | None = None
    replaced: list[Tablet] = field(default_factory=list)

    @property
    def tablet(self) -> Tablet:
        """The tablet that the candidate holds."""
        return self.candidate.tablet


class Crowd:
    """The candidates of one centre.

    The plan: `base`, `centre`, `folder`, `pace`, `seed`, `duration`, `grace`, `proxied`, `paper` (path of the sealed
    file, if it was fetched before), `slips` (`number`, `code`, `cookies`, `extra`).
    """

    def __init__(self, plan: dict[str, Any]) -> None:
        self._plan = plan
        self._folder = Path(plan["folder"])
        self._rng = random.Random(f"{plan['seed']}/{plan['centre']}")
        self._base: str = plan["base"]
        self._paper = Path(plan["paper"]).read_bytes() if plan.get("paper") else b""
        self._proxy: Proxy | None = None
        self._places: list[Place] = []
        self._closed = asyncio.Event()

    async def prepare(self) -> None:
        """Put everybody on a seat, behind the network that the plan asks for."""
        if self._plan["proxied"]:
            self._proxy = Proxy(urlsplit(self._base).port or 80, random.Random(self._rng.random()))
            self._base = f"http://127.0.0.1:{await self._proxy.open()}"
        for position, slip in enumerate(self._plan["slips"]):
            place = position % ROLE_EVERY
            role = ROLES[place] if place < len(ROLES) and not slip.get("extra") else "early"
            held = Slip(slip["code"], slip.get("cookies"))
            device = self._plan.get("device", 1)
            tablet = self._tablet(slip["number"], held, device)
            candidate = Candidate(tablet, self._plan["pace"], random.Random(self._rng.random()))
            self._places.append(Place(slip["number"], held, role, candidate, device))

    async def carry_out(self, command: dict[str, Any]) -> dict[str, Any]:
        """Do one thing and tell what came of it."""
        act: Callable[[dict[str, Any]], Awaitable[dict[str, Any] | None]] = getattr(self, f"do_{command['do']}")
        return await act(command) or {}

    # Commands

    async def do_enter(self, command: dict[str, Any]) -> dict[str, Any]:
        """Enter and check the paper, then start composing; answer with the cookies of each."""
        places = self._some(command)
        await each(places, self._enter, ENTERING)
        return {"cookies": {place.number: place.tablet.browser.cookies for place in places}}

    async def do_paper(self, _command: dict[str, Any]) -> dict[str, Any]:
        """Hand over the sealed file as it was fetched."""
        fetched = await self._places[0].tablet.browser.get(self._places[0].tablet.state["paper"]["url"])
        return {"paper": b64encode(fetched.body).decode()}

    async def do_report(self, _command: dict[str, Any]) -> dict[str, Any]:
        """Say how things stand."""
        tablets = [place.tablet for place in self._places]
        return {
            "linked": sum(tablet.is_linked for tablet in tablets),
            "opened": sum(tablet.opened.is_set() for tablet in tablets),
            "ended": sum(place.task is not None and place.task.done() for place in self._places),
            "pending": sum(len(tablet.outbox.pending) for tablet in tablets),
            "handed_in": sum(tablet.journal.submitted for tablet in tablets),
            "reconnections": sum(tablet.journal.reconnections for tablet in tablets),
        }

    async def do_weather(self, command: dict[str, Any]) -> None:
        """Change the network of the centre."""
        if self._proxy is not None:
            self._proxy.change(Weather(**command["weather"]))

    async def do_reset(self, _command: dict[str, Any]) -> None:
        """Reset every connection."""
        if self._proxy is not None:
            self._proxy.reset_all()

    async def do_forget(self, _command: dict[str, Any]) -> None:
        """Lose the table of connections."""
        if self._proxy is not None:
            self._proxy.forget_all()

    async def do_drop(self, command: dict[str, Any]) -> None:
        """Lose every socket, and come back within `patience` seconds."""
        for place in self._places:
            place.tablet.habits.patience = command.get("patience", 2.0)
            place.tablet.drop_socket()

    async def do_loop(self, command: dict[str, Any]) -> None:
        """Connect, stay an instant, lose the socket, again, for `seconds`."""
        until = time.monotonic() + command["seconds"]
        while time.monotonic() < until:
            await asyncio.sleep(self._rng.uniform(0.5, 1.0))
            await self.do_drop({"patience": 0.3})

    async def do_echo(self, command: dict[str, Any]) -> None:
        """Send every op several times, in any order, or stop doing so."""
        for place in self._places:
            place.tablet.habits.echo = command["on"]

    async def do_replay(self, command: dict[str, Any]) -> dict[str, Any]:
        """Send again, by HTTP, ops of the past in any order; return how many answers of each kind came."""
        counts: dict[str, int] = {}
        for place in self._some(command):
            ops = [op.frame for op in place.tablet.journal.ops if op.acked is not None][-40:]
            self._rng.shuffle(ops)
            with suppress(OSError, ValueError):
                answer = await place.tablet.browser.post_json(FRAMES, ops)
                for frame in json.loads(answer.body):
                    key = frame["t"] if frame["t"] != "refused" else frame["code"]
                    counts[key] = counts.get(key, 0) + 1
        return {"counts": counts}

    async def do_reload(self, command: dict[str, Any]) -> None:
        """Reload the page of some tablets, their storage being `kept`, `wiped`, `corrupt`, `foreign` or `full`."""
        for position, place in enumerate(self._some(command)):
            await self._reload(place, command["storages"][position % len(command["storages"])])

    async def do_swap(self, command: dict[str, Any]) -> None:
        """Give a candidate another tablet, which enters by the new slip; the old one keeps what it had not sent."""
        place = next(place for place in self._places if place.number == command["number"])
        old = place.tablet
        place.replaced.append(old)
        if place.task is not None:
            place.task.cancel()
        place.devices += 1
        place.slip = Slip(command["code"])
        place.candidate.tablet = self._tablet(place.number, place.slip, place.devices)
        await self._enter(place)

    async def do_offline(self, command: dict[str, Any]) -> None:
        """Take the network from some tablets, or give it back, to those that a swap has replaced too."""
        for place in self._some(command):
            for tablet in (place.tablet, *place.replaced):
                tablet.network(there=not command["on"])

    async def do_closed(self, _command: dict[str, Any]) -> None:
        """The centre has closed: those who kept away come back."""
        self._closed.set()

    async def do_finish(self, _command: dict[str, Any]) -> dict[str, Any]:
        """Wait until everybody has ended, let go of everything, and say what went wrong."""
        self._closed.set()
        tasks = [place.task for place in self._places if place.task is not None]
        await asyncio.wait(tasks or [asyncio.ensure_future(asyncio.sleep(0))], timeout=20)
        troubles = [
            repr(task.exception()) for task in tasks if task.done() and not task.cancelled() and task.exception()
        ]
        stuck = sum(not task.done() for task in tasks)
        for place in self._places:
            await place.tablet.leave()
        if self._proxy is not None:
            self._proxy.close()
        return {"troubles": troubles, "stuck": stuck}

    # Lives

    async def _enter(self, place: Place) -> None:
        tablet = place.tablet
        tablet.habits.by_http = place.role == "http"
        if self._paper:
            tablet.read_paper(self._paper)
        await tablet.enter()
        place.task = asyncio.create_task(self._live(place))

    async def _live(self, place: Place) -> None:
        candidate, tablet = place.candidate, place.tablet
        await tablet.opened.wait()
        with suppress(TimeoutError):
            await asyncio.wait_for(candidate.answer_all(), self._until_last_second(tablet))
        await getattr(self, f"_end_{place.role}")(candidate)
        tablet.record("finish", pending=len(tablet.outbox.pending))

    def _until_last_second(self, tablet: Tablet) -> float:
        return 3600.0 if tablet.ends is None else max(0.0, tablet.ends - time.monotonic() - 1.0)

    async def _end_early(self, candidate: Candidate) -> None:
        with suppress(TimeoutError):
            await candidate.hand_in()

    _end_http = _end_early

    async def _end_last(self, candidate: Candidate) -> None:
        await candidate.revise_until(lambda: (candidate.tablet.ends or 0.0) - 0.05)
        await self._see_the_end(candidate)

    async def _end_slow(self, candidate: Candidate) -> None:
        """Hands in at the very end; with time granted at the last second, a little after everybody's."""
        tablet = candidate.tablet
        common = (tablet.journal.opened_at or 0.0) + self._plan["duration"] + self._plan["grace"] + 1.5
        await candidate.revise_until(lambda: min((tablet.ends or 0.0) - 0.05, common))
        await self._end_early(candidate)

    async def _end_grace(self, candidate: Candidate) -> None:
        await self._end_offline(candidate, back=1.0)

    async def _end_late(self, candidate: Candidate) -> None:
        await self._end_offline(candidate, back=self._plan["grace"] + 0.4)

    async def _end_closed(self, candidate: Candidate) -> None:
        await self._end_offline(candidate, back=None)

    async def _end_after(self, candidate: Candidate) -> None:
        """A page that lies about the time: it lets its holder act when it is over."""
        tablet = candidate.tablet
        await candidate.revise_until(lambda: (tablet.ends or 0.0) - 0.5)
        tablet.network(there=False)
        await sleep_until(lambda: (tablet.ends or 0.0) + 2.0)
        candidate.revise()
        await sleep_until(lambda: (tablet.ends or 0.0) + self._plan["grace"] + 0.4)
        tablet.network(there=True)
        await self._see_the_end(candidate)

    async def _end_offline(self, candidate: Candidate, back: float | None) -> None:
        tablet = candidate.tablet
        await candidate.revise_until(lambda: (tablet.ends or 0.0) - 0.9)
        tablet.network(there=False)
        await candidate.revise_until(lambda: (tablet.ends or 0.0) - 0.1)
        if back is None:
            await self._closed.wait()
        else:
            await sleep_until(lambda: (tablet.ends or 0.0) + back)
        tablet.network(there=True)
        await self._see_the_end(candidate)

    async def _see_the_end(self, candidate: Candidate) -> None:
        tablet = candidate.tablet
        await sleep_until(lambda: tablet.ends or 0.0)
        if await tablet.settled(60) and not tablet.over:
            tablet.show_receipt()

    async def _reload(self, place: Place, storage: str) -> None:
        old = place.tablet
        if place.task is not None:
            place.task.cancel()
        await old.leave()
        path = old.outbox.storage.path
        if path is not None and path.exists():
            if storage == "wiped":
                path.unlink()
            elif storage == "corrupt":
                path.write_bytes(path.read_bytes()[:-40] + b"\x00\xff{{{\n")
            elif storage == "foreign":
                path.write_text('{"sheet":"ZZ-0000","head":[3,"00"]}\n', encoding="utf-8")
        old.record("reload", storage=storage)
        cookies = Slip(place.slip.code, old.browser.cookies)
        place.candidate.tablet = self._tablet(place.number, cookies, place.devices)
        place.tablet.outbox.storage.full = storage == "full"
        place.tablet.outbox.acts = old.outbox.acts  # the witness counts acts, whatever the tablet remembers
        await self._enter(place)

    def _tablet(self, number: str, slip: Slip, device: int) -> Tablet:
        return Tablet(self._base, slip, random.Random(self._rng.random()), self._folder, f"{number}-{device}")

    def _some(self, command: dict[str, Any]) -> list[Place]:
        numbers = command.get("numbers")
        return [place for place in self._places if numbers is None or place.number in numbers]


async def sleep_until(instant: Callable[[], float]) -> None:
    """Sleep until an instant (monotonic seconds) that may move meanwhile."""
    while (left := instant() - time.monotonic()) > 0:  # noqa: ASYNC110 -- the instant moves by itself
        await asyncio.sleep(min(left, 0.5))


async def main(plan: dict[str, Any]) -> None:
    """Serve commands until the input closes."""
    crowd = Crowd(plan)
    await crowd.prepare()
    reader = asyncio.StreamReader(limit=2**24)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    running: set[asyncio.Task[None]] = set()
    say({"ok": True, "ready": True})
    while line := await reader.readline():
        task = asyncio.create_task(answer(crowd, json.loads(line)))
        running.add(task)
        task.add_done_callback(running.discard)


async def answer(crowd: Crowd, command: dict[str, Any]) -> None:
    """Carry out one command and write its answer."""
    try:
        say({"id": command["id"], "ok": True, **await crowd.carry_out(command)})
    except Exception as error:  # noqa: BLE001 -- told to whoever asked
        say({"id": command["id"], "ok": False, "error": f"{type(error).__name__}: {error}"})


def say(line: dict[str, Any]) -> None:
    """Write one line to whoever asks."""
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))
