"""The scene of one drill: a house, its staff, its crowds, and the notes that the checker will read."""

import asyncio
import json
import os
import random
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any, Protocol

import psycopg2

from loadtests.http import Browser

REASON = "exercice de panne"
ROOT = Path(__file__).resolve().parents[2]
ASK_SECONDS = 300.0
STAFF_SECONDS = 90.0
STAFF_PATIENCE = 30.0
RETRY_SECONDS = 0.3
PATIENT_TRIES = 100


class House(Protocol):
    """What serves: processes that can be broken one by one."""

    folder: Path
    engine_folder: Path
    logs: Path

    @property
    def database_url(self) -> str:
        """Of its PostgreSQL."""

    @property
    def redis_url(self) -> str:
        """Of its Redis."""

    @property
    def port(self) -> int:
        """Where the servers listen."""

    def start(self, name: str, env: Mapping[str, str] | None = None) -> None:
        """Start `server-1`, `server-2` or `worker`."""

    def stop(self, name: str, *, cleanly: bool) -> None:
        """End one of these."""

    def pid(self, name: str) -> int:
        """Return the process of one of these, of `postgresql` or of `redis`."""

    def kill_postgresql(self) -> None:
        """End the postmaster by SIGKILL."""

    def stop_postgresql(self) -> None:
        """Stop PostgreSQL cleanly."""

    def start_postgresql(self, env: Mapping[str, str] | None = None) -> None:
        """Start PostgreSQL again."""

    def kill_redis(self, *, empty: bool) -> None:
        """End Redis by SIGKILL."""

    def start_redis(self) -> None:
        """Start Redis again."""

    def send_task(self, name: str, **arguments: int) -> None:
        """Put one more message for the worker in the queue."""


class CrowdProcess:
    """The candidates of one centre, in another process."""

    def __init__(self, centre: str, plan: dict[str, Any], folder: Path) -> None:
        self.centre = centre
        self.plan = plan
        self._folder = folder
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._asked = 0

    async def start(self, env: Mapping[str, str] | None = None) -> None:
        """Start the process on its plan."""
        path = self._folder / f"plan-{self.centre}.json"
        path.write_text(json.dumps(self.plan), encoding="utf-8")
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "loadtests.crowd",
            str(path),
            cwd=ROOT,
            env={**os.environ, **(env or {})},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=2**26,
        )
        ready = asyncio.get_running_loop().create_future()
        self._waiting[0] = ready
        self._reading = asyncio.create_task(self._read(self._process))
        await asyncio.wait_for(ready, ASK_SECONDS)

    async def ask(self, do: str, **fields: Any) -> dict[str, Any]:
        """Have one thing done.

        Raises:
            RuntimeError: the process could not do it.
        """
        if self._process is None or self._process.stdin is None:
            raise RuntimeError(f"the crowd of {self.centre} is not there")
        self._asked += 1
        answer = asyncio.get_running_loop().create_future()
        self._waiting[self._asked] = answer
        self._process.stdin.write((json.dumps({"id": self._asked, "do": do, **fields}) + "\n").encode())
        got: dict[str, Any] = await asyncio.wait_for(answer, ASK_SECONDS)
        if not got["ok"]:
            raise RuntimeError(f"{self.centre}: {got['error']}")
        return got

    def signal(self, number: int) -> None:
        """Send a signal."""
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(number)

    async def kill(self) -> None:
        """End the process by SIGKILL and wait until it is gone."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
        if self._reading is not None:
            self._reading.cancel()

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        if process.stdout is None:
            return
        while line := await process.stdout.readline():
            answer = json.loads(line)
            waiter = self._waiting.pop(answer.get("id", 0), None)
            if waiter is not None and not waiter.done():
                waiter.set_result(answer)


class TooLate(RuntimeError):
    """What the staff asks cannot be done any more; the text is what the platform said."""


class Head:
    """The head of one centre, who insists: what fails for want of a server is asked again."""

    def __init__(self, base: str, centre: dict[str, Any], cookies: dict[str, str], scene: "Scene") -> None:
        self.centre: str = centre["code"]
        self._hosting: int = centre["hosting"]
        self._scene = scene
        self._browser = Browser(base, dict(cookies))

    async def do(self, act: str, **fields: Any) -> str:
        """Do one thing in the room, and note it in the timetable once done; return what was said.

        Raises:
            TooLate: the sheet or the centre is past it.
            TimeoutError: the platform did not do it for a minute and a half; the text is its last words.
        """
        asked = clocks()
        deadline = time.monotonic() + STAFF_SECONDS
        while True:
            words = await self.attempt(act, **fields)
            if words is not None and (words[0] == HTTPStatus.OK or words[1].get("code") == "already"):
                self._scene.note_deed(act, self.centre, asked, fields, words[1])
                return str(words[1].get("text", ""))
            if words is not None and words[1].get("code") == "wrong-state":
                raise TooLate(f"{act} {self.centre}: {words[1]['text']}")
            if time.monotonic() > deadline:
                raise TimeoutError(f"{act} {self.centre}: {words}")
            await asyncio.sleep(RETRY_SECONDS)

    async def attempt(self, act: str, **fields: Any) -> tuple[int, dict[str, Any]] | None:
        """Ask once; return the status and the words, None when nothing came back."""
        try:
            answer = await asyncio.wait_for(
                self._browser.post(f"/salle/{self._hosting}/{act}/", fields, accept="application/json"), STAFF_PATIENCE
            )
            return answer.status, json.loads(answer.body)
        except (OSError, TimeoutError, ValueError):
            return None


class Scene:
    """One drill, as it goes on.

    Args:
        house: what serves.
        guide: logins, tickets and the shape of the exam.
        folder: where the notes go.
        seed: of all that is random.
    """

    def __init__(self, house: House, guide: dict[str, Any], folder: Path, seed: str) -> None:
        self.house = house
        self.guide = guide
        self.folder = folder
        self.rng = random.Random(seed)
        self.seed = seed
        self.base = f"http://127.0.0.1:{house.port}"
        self.crowds: dict[str, CrowdProcess] = {}
        self.heads: dict[str, Head] = {}
        self.opened = 0.0
        self._opening = asyncio.Event()
        self.deeds: list[dict[str, Any]] = []
        self.probes: list[dict[str, Any]] = []

    # Arriving

    async def arrive(self, *, proxied: bool, env: Mapping[str, str] | None = None) -> None:
        """Have staff and crowds there; nobody has entered yet."""
        for centre in self.guide["centres"]:
            code = centre["code"]
            self.heads[code] = Head(self.base, centre, self.guide["staff"].get(centre["login"], {}), self)
            plan = {
                "base": self.base,
                "centre": code,
                "folder": str(self.folder),
                "pace": self.guide["pace"],
                "seed": self.seed,
                "duration": self.guide["duration"],
                "grace": self.guide["grace"],
                "proxied": proxied,
                "paper": self.guide.get("paper"),
                "slips": [
                    {name: slip.get(name) for name in ("number", "code", "cookies", "extra")}
                    for slip in centre["slips"]
                ],
            }
            self.crowds[code] = CrowdProcess(code, plan, self.folder)
        await asyncio.gather(*(crowd.start(env) for crowd in self.crowds.values()))

    async def enter(self, centres: Sequence[str]) -> None:
        """Have the candidates of some centres enter, and be admitted."""
        await asyncio.gather(*(self.crowds[centre].ask("enter") for centre in centres))
        await asyncio.gather(*(self.heads[centre].do("admettre-tous") for centre in centres))

    async def open(self) -> None:
        """Open every centre at once; the time of drills counts from here."""
        self.opened = time.monotonic()
        self._opening.set()
        await asyncio.gather(*(head.do("ouvrir") for head in self.heads.values()))

    async def close(self) -> None:
        """Close every centre, as soon as its checklist allows."""
        await asyncio.gather(*(head.do("clore") for head in self.heads.values()))

    # Time

    @property
    def end(self) -> float:
        """When the sitting ends for most, monotonic seconds."""
        return self.opened + float(self.guide["duration"])

    async def at(self, seconds: float) -> None:
        """Wait until so many seconds after the opening was asked; a negative number counts back from the end."""
        await self._opening.wait()
        instant = (self.opened if seconds >= 0 else self.end) + seconds
        await asyncio.sleep(max(0.0, instant - time.monotonic()))

    async def after_end(self, seconds: float) -> None:
        """Wait until so many seconds after the end."""
        await asyncio.sleep(max(0.0, self.end + seconds - time.monotonic()))

    # Crowds

    @property
    def centres(self) -> list[str]:
        """Codes of the centres, in order."""
        return list(self.crowds)

    async def everybody(self, do: str, **fields: Any) -> list[dict[str, Any]]:
        """Have the same done by every crowd."""
        return list(await asyncio.gather(*(crowd.ask(do, **fields) for crowd in self.crowds.values())))

    def numbers(self, centre: str) -> list[str]:
        """The sheets of a centre."""
        return [slip["number"] for slip in self.crowds[centre].plan["slips"]]

    # Notes for the checker

    @contextmanager
    def fault(self, what: str, centre: str | None = None) -> Iterator[None]:
        """Note a fault for as long as the block lasts; `centre` when it touches that one alone."""
        started = clocks()
        try:
            yield
        finally:
            line = {"what": what, "centre": centre, "from": started, "until": clocks()}
            with (self.folder / "faults.jsonl").open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")

    def note_deed(
        self, act: str, centre: str, asked: dict[str, float], fields: dict[str, Any], words: dict[str, Any]
    ) -> None:
        """Note what the staff did."""
        self.deeds.append({"act": act, "centre": centre, "asked": asked, "done": clocks(), **fields, "words": words})

    def probe(self, kind: str, **seen: Any) -> None:
        """Note what somebody looked for, for the invariants that only a look can observe."""
        self.probes.append({"kind": kind, **clocks(), **seen})

    def write_notes(self) -> None:
        """Write the timetable that was granted, and the probes."""
        timetable = {
            "duration": self.guide["duration"],
            "grace": self.guide["grace"],
            "sheets": {
                slip["number"]: {"centre": centre["code"], "extra": slip["extra"]}
                for centre in self.guide["centres"]
                for slip in centre["slips"]
            },
            "deeds": self.deeds,
        }
        (self.folder / "timetable.json").write_text(json.dumps(timetable), encoding="utf-8")
        (self.folder / "probes.jsonl").write_text(
            "".join(json.dumps(probe) + "\n" for probe in self.probes), encoding="utf-8"
        )

    # SQL, plainly

    async def ask(self, text: str, *values: object) -> list[tuple[Any, ...]]:
        """Run one query, as often as it takes while PostgreSQL is away."""
        for _ in range(PATIENT_TRIES):
            try:
                return self.sql(text, *values)
            except psycopg2.OperationalError:
                await asyncio.sleep(RETRY_SECONDS)
        return self.sql(text, *values)

    def sql(self, text: str, *values: object, fetch: bool = True) -> list[tuple[Any, ...]]:
        """Run one statement on a connection of its own."""
        connection = psycopg2.connect(self.house.database_url)
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(text, values)
                return list(cursor.fetchall()) if fetch else []
        finally:
            connection.close()

    async def database_is_back(self) -> None:
        """Wait until PostgreSQL answers."""
        await self.ask("SELECT 1")

    async def seat_of(self, number: str) -> int:
        """The seat of a sheet, for the console."""
        ((seat,),) = await self.ask(
            "SELECT s.id FROM centres_seat s JOIN exams_sheet e ON e.id = s.sheet_id"
            " WHERE e.number = %s AND e.sitting_id = %s",
            number,
            self.guide["sitting"],
        )
        return int(seat)


def clocks() -> dict[str, float]:
    """Both clocks: monotonic seconds, shared by the processes of one machine, and milliseconds since 1970."""
    return {"mono": time.monotonic(), "wall": time.time() * 1000}
