"""The whole day in one go, against real processes: login to receipt, then closing, marking, ranking, publication."""

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Any
from zoneinfo import ZoneInfo

from loadtests.candidate import Candidate
from loadtests.evidence import Database, Evidence
from loadtests.http import Browser
from loadtests.staff import CentreHead, do, log_in, together
from loadtests.tablet import Slip, Tablet

REASON = "répétition"
READERS = 20
PAGES_SECONDS = 900.0
ARRIVING = 20
"""How many tablets log in at the same time."""

Say = Callable[[str], None]


@dataclass(slots=True)
class Day:
    """What the day is made of.

    Attributes:
        base: address of the platform.
        database_url: of the same PostgreSQL, for the evidence.
        guide: logins, as `prepare_demo` writes them.
        pace: mean seconds between two acts of a candidate.
        seed: of all that is random.
        kill: called once, half way through the composition; its name tells the report.
    """

    base: str
    database_url: str
    guide: dict[str, Any]
    pace: float
    seed: int
    say: Say
    kill: Callable[[], str] | None
    tablets: list[Tablet] = field(default_factory=list)
    kills: list[str] = field(default_factory=list)
    report: dict[str, Any] = field(default_factory=dict)

    async def run(self) -> dict[str, Any]:
        """Live the day and return its report."""
        database = Database(self.database_url)
        heads = await self._arrive()
        await self._compose(heads)
        self.say("Clôture dans chaque centre…")
        await together(heads, "clore")
        evidence = database.evidence(self.guide["sitting"], [tablet.journal for tablet in self.tablets])
        self._tell(evidence)
        await self._publish(database)
        await self._read_results()
        self.report["ok"] = self._is_kept(evidence)
        return self.report

    async def _arrive(self) -> list[CentreHead]:
        centres = self.guide["centres"]
        self.say(f"{len(centres)} centres ouvrent leurs portes…")
        heads = [CentreHead(self.base, c["hosting"], c["login"], self.guide["password"]) for c in centres]
        for head in heads:
            await head.arrive()
        generator = random.Random(self.seed)
        self.tablets = [
            Tablet(self.base, Slip(slip["code"]), random.Random(generator.random()))
            for centre in centres
            for slip in centre["slips"]
        ]
        await in_groups(self.tablets, self.say)
        await together(heads, "admettre-tous")
        return heads

    async def _compose(self, heads: list[CentreHead]) -> None:
        total = len(self.tablets)
        done = 0
        questions = 0

        def on_progress() -> None:
            nonlocal done
            done += 1

        candidates = [
            Candidate(tablet, self.pace, random.Random(f"{self.seed}/{position}"), dodge=0.002)
            for position, tablet in enumerate(self.tablets)
        ]
        composing = [asyncio.create_task(candidate.compose(on_progress)) for candidate in candidates]
        ordered = time.monotonic()
        await together(heads, "ouvrir")
        while not all(task.done() for task in composing):
            await asyncio.wait(composing, timeout=2)
            questions = questions or len(self.tablets[0].questions)
            failed = next((task for task in composing if task.done() and task.exception()), None)
            if failed is not None:
                raise RuntimeError(f"a tablet gave up: {failed.exception()}") from failed.exception()
            refused = next((tablet for tablet in self.tablets if tablet.journal.errors), None)
            if refused is not None:
                raise RuntimeError(f"refused for good: {refused.journal.errors[-1]}")
            self.say(f"composition : {done} réponses sur {questions * total}")
            if self.kill is not None and not self.kills and done > questions * total / 2:
                self.kills.append(self.kill())
                self.say(f"kill -9 {self.kills[-1]}")
        journals = [tablet.journal for tablet in self.tablets]
        self.report["opening_ms_last"] = round(1000 * max((j.opened_at or 0) - ordered for j in journals), 1)

    def _tell(self, evidence: Evidence) -> None:
        journals = [tablet.journal for tablet in self.tablets]
        known = [op for journal in journals for op in journal.ops]
        delays = sorted(1000 * (op.acked - op.first_sent) for op in known if op.acked and op.first_sent)
        self.report = {
            "candidates": len(self.tablets),
            "acknowledged": evidence.acknowledged,
            "found": evidence.found,
            "lost": evidence.lost,
            "duplicated": evidence.duplicated,
            "foreign": evidence.foreign,
            "ack_ms_p50": round(quantile(delays, 0.50), 1),
            "ack_ms_p99": round(quantile(delays, 0.99), 1),
            "opening_ms_last": self.report["opening_ms_last"],
            "opened": evidence.opened,
            "frozen": evidence.frozen,
            "reconnections": sum(journal.reconnections for journal in journals),
            "kills": self.kills,
        }

    async def _rank(self, agency: Browser, database: Database) -> int:
        """Mark, rank, and return the number of the ranking."""
        self.say("Correction…")
        started = time.monotonic()
        await do(agency, f"/notation/epreuve/{self.guide['sitting']}/noter/", reason=REASON)
        await until(lambda: database.rows("SELECT 1 FROM grading_markingrun WHERE state = 'DONE'"))
        self.report["marking_s"] = round(time.monotonic() - started, 2)
        self.say("Classement…")
        started = time.monotonic()
        await do(agency, f"/classement/{self.guide['exam']}/calculer/", reason=REASON)
        await until(lambda: database.rows("SELECT 1 FROM ranking_rankingrun WHERE digest <> ''"))
        self.report["ranking_s"] = round(time.monotonic() - started, 2)
        run, digest = database.rows("SELECT id, digest FROM ranking_rankingrun ORDER BY id DESC LIMIT 1")[0]
        self.report["ranking_digest"] = digest
        return int(run)

    async def _publish(self, database: Database) -> None:
        agency = await log_in(self.base, "agence", self.guide["password"])
        second = await log_in(self.base, "agence2", self.guide["password"])
        run = await self._rank(agency, database)
        self.say("Signature de la présidente, levée de l’anonymat à deux…")
        president = await log_in(self.base, "presidente", self.guide["password"])
        await do(president, f"/classement/{run}/signer/", reason=REASON)
        for person in (agency, second):
            await do(person, f"/classement/{run}/lever/", reason=REASON)
        self.say("Pages des candidats…")
        started = time.monotonic()
        await do(agency, f"/classement/{run}/preparer/", reason=REASON)
        publication = await self._propose(agency, run, database)
        self.report["pages_s"] = round(time.monotonic() - started, 2)
        self.say("Publication à deux…")
        await do(second, f"/classement/{publication}/confirmer/", reason=REASON)
        await until(lambda: database.rows("SELECT 1 FROM ranking_publication WHERE confirmed_at IS NOT NULL"))

    async def _propose(self, proposer: Browser, run: int, database: Database) -> int:
        """Propose the publication, which is refused while a page is missing, and return its number."""
        hour = datetime.now(ZoneInfo("Europe/Paris")).strftime("%Y-%m-%dT%H:%M")
        deadline = time.monotonic() + PAGES_SECONDS
        while time.monotonic() < deadline:
            await do(proposer, f"/classement/{run}/proposer/", reason=REASON, not_before=hour)
            found = database.rows("SELECT id FROM ranking_publication WHERE run_id = %s", run)
            if found:
                return int(found[0][0])
            await asyncio.sleep(1)
        raise TimeoutError("pages are not prepared")

    async def _read_results(self) -> None:
        slips = [slip for centre in self.guide["centres"] for slip in centre["slips"]]
        readers = slips[:: max(1, len(slips) // READERS)]
        self.say(f"{len(readers)} candidats lisent leur copie…")
        self.report["results_read"] = sum([await reads_own_copy(self.base, slip) for slip in readers])
        self.report["results_asked"] = len(readers)

    def _is_kept(self, evidence: Evidence) -> bool:
        nothing_wrong = evidence.lost == evidence.duplicated == evidence.foreign == 0
        everything_there = evidence.frozen == evidence.opened == len(self.tablets)
        everyone_read = self.report["results_read"] == self.report["results_asked"]
        everyone_left = all(tablet.journal.submitted for tablet in self.tablets)
        return nothing_wrong and everything_there and everyone_read and everyone_left


async def reads_own_copy(base: str, slip: dict[str, str]) -> bool:
    """Whether the holder of a slip gets their own results, with the number and the code printed on it."""
    browser = Browser(base)
    await browser.get("/resultats/")
    answer = await browser.post(
        "/resultats/entrer/", {"official_number": slip["official_number"], "code": slip["results_code"]}
    )
    return answer.status == HTTPStatus.OK and slip["official_number"] in answer.text


async def in_groups(tablets: Sequence[Tablet], say: Say) -> None:
    """Have the tablets enter, `ARRIVING` at a time."""
    gate = asyncio.Semaphore(ARRIVING)
    entered = 0

    async def enter(tablet: Tablet) -> None:
        nonlocal entered
        async with gate:
            await tablet.enter()
        entered += 1
        if entered % 50 == 0 or entered == len(tablets):
            say(f"{entered} tablettes prêtes sur {len(tablets)}")

    await asyncio.gather(*(enter(tablet) for tablet in tablets))


async def until(condition: Callable[[], object], seconds: float = 300) -> None:
    """Wait until something is true.

    Raises:
        TimeoutError: it did not become true in time.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError
        await asyncio.sleep(0.1)


def quantile(ordered: Sequence[float], share: float) -> float:
    """Return the value below which `share` of an ordered sequence lies; 0 for an empty one."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0
