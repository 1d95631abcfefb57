"""One replay: staff act at the planned second, the generator lives its candidates, limits are watched, all is compared.

What serves is given (`House`): this module starts no server and imports nothing of the product.
"""

import asyncio
import json
import random
import re
import shutil
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import psycopg2

from loadtests.http import Browser
from loadtests.staff import CentreHead, Screen, StaffRefused, log_in
from loadtests.waves.consoles import COMMAND, watching
from loadtests.waves.evidence import Evidence, compare
from loadtests.waves.limits import find_limits
from loadtests.waves.measures import Reader, Seen, Tally
from loadtests.waves.metrics import scrape
from loadtests.waves.orders import ORDERS, Orders, write_slips
from loadtests.waves.plan import Plan, Timetable, slowest_ack_ms, timetable
from loadtests.waves.verdict import ACK, Run, Verdict, judge
from loadtests.waves.vitals import Component, Sample, Vitals

LEAD_SECONDS = 8.0
"""Between the start of the generator and the first arrival."""
SETTLING_SECONDS = 45.0
GLANCE_SECONDS, TELL_SECONDS, WATCHED_SECONDS = 0.5, 10.0, 30.0
MOST_USERS = 16_000
"""Candidates of one process of the generator: two sockets each at the door, under the usual 20,000 descriptors."""
LOGGING_IN = 4
REASON = "essai de charge"
_RELEASE = re.compile(rb"const RELEASE = (\{.*?\});\n")

Say = Callable[[str], None]


class House(Protocol):
    """What serves, and where the generator runs."""

    folder: Path
    database_url: str
    redis_url: str
    has_nginx: bool
    token: str

    @property
    def base(self) -> str:
        """The address where candidates and staff come."""

    @property
    def teller(self) -> str:
        """Name and port of one of its servers, which tells what all of them say of themselves."""

    @property
    def ports(self) -> Sequence[int]:
        """Every port where the platform listens."""

    def components(self) -> list[Component]:
        """What runs now, generator included."""

    def start_generator(self, name: str, argv: Sequence[str], env: Mapping[str, str]) -> None:
        """Start one process of the generator."""

    def stop_generator(self) -> list[str]:
        """End the generator tidily; return what of it had to be killed, with what it had not yet written."""

    def generator_runs(self) -> bool:
        """Whether any of it still runs."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for.

    Attributes:
        generator: `locust` or `raw`.
        storms: `midway`, `closing`.
    """

    candidates: int
    minutes: float
    storms: tuple[str, ...] = ()
    generator: str = "locust"
    seed: int = 1


@dataclass(slots=True)
class Replay:
    """One replay of a plan.

    Args:
        house: what serves.
        guide: centres with their logins and codes, the sitting, as the preparation wrote it.
        plan: what is replayed.
        wanted: how big, how long.
        say: told, in French, how it goes.
    """

    house: House
    guide: dict[str, Any]
    plan: Plan
    wanted: Wanted
    say: Say
    setting: dict[str, str] = field(default_factory=dict)
    seen: Seen = field(default_factory=Seen)
    orders: dict[int, float] = field(default_factory=dict)
    aborted: str = ""
    start: float = 0.0
    _reader: Reader = field(init=False)
    _table: Timetable = field(init=False)
    _heads: list[CentreHead] = field(default_factory=list)
    _staff: Tally = field(init=False)
    _told: float = 0.0

    def run(self) -> tuple[Run, Verdict, list[Sample]]:
        """Replay, and judge."""
        wanted = self.wanted
        self._table = timetable(self.plan, candidates=wanted.candidates, minutes=wanted.minutes, storms=wanted.storms)
        shutil.rmtree(self.house.folder, ignore_errors=True)
        self.house.folder.mkdir(parents=True)
        self._reader = Reader(self.house.folder)
        self._staff = Tally(self.house.folder, "staff")
        self._set_duration()
        vitals = Vitals(
            self.house.components,
            self.house.database_url,
            self.house.redis_url,
            self.house.ports,
            partial(scrape, self.house.teller, self.house.token),
        )
        vitals.start()
        try:
            asyncio.run(self._live())
        finally:
            killed = self.house.stop_generator()
            vitals.stop()
        if killed:
            self.abort(f"le générateur ne s’arrêtait pas ({', '.join(killed)})")
        self.seen.add(self._reader.fresh())
        return self._judge(vitals)

    # The day

    async def _live(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.abort, "demandé au clavier ou par le système")
        async with watching(await self._staff_arrives(), self._staff):
            statics = await self._statics()
            self.start = time.monotonic() + LEAD_SECONDS
            self._start_generator(statics)
            acting = [asyncio.create_task(self._lead(wave.number)) for wave in self._table.waves]
            while not self._is_over():
                await asyncio.sleep(GLANCE_SECONDS)
                self._look()
            for task in acting:
                task.cancel()
            if not self.aborted:
                await self._close()

    def abort(self, why: str) -> None:
        """End before the time; the report is written all the same."""
        if not self.aborted:
            self.aborted = why
            self.say(f"Arrêt : {why}. Le rapport suit…")

    def _is_over(self) -> bool:
        if self.aborted:
            return True
        elapsed = time.monotonic() - self.start
        if elapsed > 0 and not self.house.generator_runs():
            self.abort("le générateur s’est arrêté de lui-même")
            return True
        everybody = len(self.seen.events("submitted")) >= self.wanted.candidates
        return everybody or elapsed > self._table.ends + SETTLING_SECONDS

    async def _staff_arrives(self) -> list[Screen]:
        """Have the staff log in; return what each of them keeps on their screen."""
        centres = self.guide["centres"][: self.plan.centres]
        self.say(f"{len(centres)} responsables de centre se connectent…")
        password = self.guide["password"]
        self._heads = [CentreHead(self.house.base, c["hosting"], c["login"], password) for c in centres]
        for first in range(0, len(self._heads), LOGGING_IN):
            await asyncio.gather(*(head.arrive() for head in self._heads[first : first + LOGGING_IN]))
        agency = await log_in(self.house.base, "agence", password)
        return [*(head.screen for head in self._heads), (agency, "/ws/national/")]

    async def _statics(self) -> list[str]:
        """The files of the tablet's page, as its service worker lists them."""
        answer = await Browser(self.house.base).get("/copie/sw.js")
        found = _RELEASE.match(answer.body)
        return [str(path) for path in json.loads(found[1])["assets"]] if found else []

    def _start_generator(self, statics: Sequence[str]) -> None:
        shares, workers = self.plan.shares, -(-self.wanted.candidates // MOST_USERS)
        slips, path = self.house.folder / "slips.csv", self.house.folder / "orders.json"
        write_slips(slips, self.guide["centres"], self._table, random.Random(self.wanted.seed))
        orders = Orders(
            base=self.house.base,
            folder=str(self.house.folder),
            slips=str(slips),
            start=self.start,
            until=self._table.ends + 4 * SETTLING_SECONDS,
            workers=workers,
            storms=self._table.storms,
            paper_share=shares.paper_by_nginx if self.house.has_nginx else shares.paper,
            statics_share=shares.statics_by_nginx if self.house.has_nginx else shares.statics,
            statics=tuple(statics),
            pace=asdict(self.plan.pace),
        )
        path.write_text(json.dumps(asdict(orders)), encoding="utf-8")
        self.say(f"Générateur {self.wanted.generator}, {workers} processus…")
        env = {ORDERS: str(path)}
        if self.wanted.generator == "raw":
            for worker in range(workers):
                argv = [sys.executable, "-m", "loadtests.waves.raw", str(worker)]
                self.house.start_generator(f"generator-{worker + 1}", argv, env)
            return
        locust = [sys.executable, "-m", "locust", "-f", "loadtests/waves/locustfile.py", "--headless", "--only-summary"]
        several = ["--processes", str(workers)] if workers > 1 else []
        self.house.start_generator(
            "generator", [*locust, *several, "--stop-timeout", "0", "--loglevel", "WARNING"], env
        )

    async def _lead(self, number: int) -> None:
        """Have the staff of one wave admit its candidates and open its centres."""
        wave = self._table.waves[number - 1]
        heads = [self._heads[position] for position in wave.centres]
        await self._until((wave.arrives + wave.arrived) / 2)
        await self._together(heads, "admettre-tous")
        await self._until(wave.opens)
        self.say(f"vague {number} : {len(heads)} centres, {wave.size} candidats, ouverture")
        self.orders[number] = time.monotonic()
        await self._together(heads, "ouvrir")

    async def _close(self) -> None:
        self.say("Clôture dans chaque centre…")
        await self._together(self._heads, "clore", reason=REASON)

    async def _together(self, heads: Sequence[CentreHead], act: str, **fields: str) -> None:
        done = await asyncio.gather(*(self._do(head, act, **fields) for head in heads), return_exceptions=True)
        failed = [error for error in done if isinstance(error, BaseException)]
        if failed:
            words = str(failed[0]) if isinstance(failed[0], StaffRefused) else repr(failed[0])
            self.abort(f"« {act} » a échoué dans {len(failed)} centre(s) : {words}")

    async def _do(self, head: CentreHead, act: str, **fields: str) -> None:
        asked = time.monotonic()
        try:
            await head.do(act, **fields)
        finally:
            self._staff.delay(COMMAND, 0, 1000 * (time.monotonic() - asked))

    async def _until(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, self.start + seconds - time.monotonic()))

    # Watching

    def _look(self) -> None:
        self.seen.add(self._reader.fresh())
        now = time.monotonic()
        if reason := self._reason_to_stop(now):
            self.abort(reason)
        if now - self._told >= TELL_SECONDS:
            self._told = now
            self._tell(now)

    def _reason_to_stop(self, now: float) -> str:
        stop, since = self.plan.stop, now - WATCHED_SECONDS
        errors = self.seen.count("errors")
        if errors > stop.errors_shown:
            return f"{errors} erreurs montrées à des candidats"
        if self.seen.count("losses seen"):
            return "une tablette a vu revenir moins qu’elle n’avait donné"
        p99 = self.seen.delays(ACK, since=since).quantile(0.99)
        if p99 > slowest_ack_ms(self.plan, self.wanted.candidates):
            return f"acquittements à {p99:.0f} ms au 99e centile depuis {WATCHED_SECONDS:.0f} s"
        return self._lost_wave(now)

    def _lost_wave(self, now: float) -> str:
        """Name a wave, open for a while, whose tablets have lost their link; a storm has its time to pass."""
        elapsed = now - self.start
        if any(0 <= elapsed - storm < WATCHED_SECONDS for storm in self._table.storms):
            return ""
        for number, order in self.orders.items():
            entered = len(self.seen.events("entered", number))
            offline = 1 - self.seen.now("linked", number) / entered if entered else 0.0
            if now - order > WATCHED_SECONDS and offline > self.plan.stop.offline_share:
                return f"{offline:.0%} des tablettes de la vague {number} ont perdu leur lien"
        return ""

    def _tell(self, now: float) -> None:
        acks = self.seen.delays(ACK, since=now - TELL_SECONDS)
        late = self.seen.delays("late", since=now - TELL_SECONDS).quantile(0.99)
        self.say(
            f"{max(0.0, now - self.start):5.0f} s : {len(self.seen.events('entered'))} entrés,"
            f" {self.seen.now('linked')} reliés, {self.seen.now('composing')} composent,"
            f" {acks.count / TELL_SECONDS:.0f} actes/s, p99 {acks.quantile(0.99):.0f} ms"
            f" (générateur {late:.0f}), {self.seen.count('errors')} erreurs,"
            f" {len(self.seen.events('submitted'))} remises"
        )

    # Before and after

    def _set_duration(self) -> None:
        """Give the sitting the time that the plan needs: the centres are not open yet."""
        connection = psycopg2.connect(self.house.database_url)
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(
                    "UPDATE exams_sitting SET duration_seconds = %s WHERE id = %s",
                    (self._table.duration, self.guide["sitting"]),
                )
        finally:
            connection.close()

    def _judge(self, vitals: Vitals) -> tuple[Run, Verdict, list[Sample]]:
        evidence: Evidence | None = None
        with suppress(psycopg2.Error):
            evidence = compare(self.house.database_url, self.guide["sitting"], self.house.folder)
        run = Run(
            plan=self.plan,
            timetable=self._table,
            candidates=self.wanted.candidates,
            seen=self.seen,
            evidence=evidence,
            limits=find_limits(list(vitals.known.values()), vitals.samples, vitals.limits, vitals.descriptor_limits),
            orders=dict(self.orders),
            paper=(self.guide["paper"]["questions"], self.guide["paper"]["bytes"]),
            aborted=self.aborted,
            setting=self.setting,
            wave_of={
                slip["number"]: wave.number
                for wave in self._table.waves
                for position in wave.centres
                for slip in self.guide["centres"][position]["slips"]
            },
        )
        return run, judge(run), vitals.samples
