"""One run: some compose, then each layer in turn is full when others come, is named, is raised, and lets them in."""

import asyncio
import json
import math
import random
import shutil
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Protocol

import psycopg2

from loadtests.limits.layers import Layer
from loadtests.limits.rows import IN_SECONDS, Outcome, Row, Spell, met, seen_figures, together
from loadtests.limits.site import Site
from loadtests.staff import CentreHead, StaffRefused, log_in
from loadtests.waves.consoles import BOARD, watching
from loadtests.waves.evidence import Evidence, compare
from loadtests.waves.measures import Reader, Seen, Tally
from loadtests.waves.orders import ORDERS, Orders, arrivals, write_rows
from loadtests.waves.pace import Pace
from loadtests.waves.plan import Plan
from loadtests.waves.replay import LOGGING_IN, REASON, Say
from loadtests.waves.replay import House as ServingHouse
from loadtests.waves.verdict import blindness, lateness

INSIDE = 1
"""The wave of those who compose; newcomers of the layers are the next ones."""
ARRIVALS_A_SECOND = 20.0
LEAD_SECONDS = 5.0
"""Between the start of a generator and its first arrival."""
STORM_SECONDS = 1.0
"""Within which the newcomers of a layer come: all at once, as far as a crowd can."""
BEFORE_SECONDS = 1.5
"""Between the beginning of a limit and the first newcomer."""
GLANCE_SECONDS = 0.25
BOARD_SECONDS = 0.5
SETTLING_SECONDS = 90.0
TYPING_SECONDS = 20.0
"""What two pages of the entry may take to people who type slowly."""
PAGE_PATIENCE_SECONDS = 8.0
DURATION_SECONDS = 4 * 3600
LEAST_ACTS_A_SECOND = 10
"""Below it, a percentile would say nothing: a small crowd is made to answer faster."""
SEATS_AT_ONCE = 50


class House(ServingHouse, Protocol):
    """What serves, and can have everybody hand in."""

    def hand_in(self) -> None:
        """Ask every process of the generator to have its candidates hand in."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for.

    Attributes:
        candidates: who come in all.
        inside: of these, who compose before any limit.
        seconds: for how long each limit holds; nothing is limited for half as long before.
    """

    candidates: int
    inside: int
    seconds: float
    seed: int = 1


Place = tuple[str, int, str]
"""A slip's code, the position of its centre, the number of its sheet."""


@dataclass(slots=True)
class Trial:
    """One run of the limits.

    Args:
        house: what serves.
        guide: centres with their logins and codes, the sitting, as the preparation wrote it.
        plan: how people behave.
        wanted: how many, how long.
        layers: those to play, in order.
        say: told, in French, how it goes.
    """

    house: House
    guide: dict[str, Any]
    plan: Plan
    wanted: Wanted
    layers: Sequence[Layer]
    say: Say
    seen: Seen = field(default_factory=Seen)
    aborted: str = ""
    _reader: Reader = field(init=False)
    _heads: list[CentreHead] = field(default_factory=list)
    _seats: dict[str, str] = field(default_factory=dict)
    _spells: list[Spell] = field(default_factory=list)
    _rng: random.Random = field(init=False)
    _came: int = 0
    _read: int = 0

    def run(self) -> Outcome:
        """Play every layer, and compare what was acknowledged with the journal."""
        shutil.rmtree(self.house.folder, ignore_errors=True)
        self.house.folder.mkdir(parents=True)
        self._reader, self._rng = Reader(self.house.folder), random.Random(f"limits/{self.wanted.seed}")
        self._read_seats()
        rows: list[Row] = []
        try:
            asyncio.run(self._live(rows))
        finally:
            killed = self.house.stop_generator()
        if killed:
            self.aborted = f"le générateur ne s’arrêtait pas ({', '.join(killed)})"
        self._look()
        evidence: Evidence | None = None
        with suppress(psycopg2.Error):
            evidence = compare(self.house.database_url, self.guide["sitting"], self.house.folder)
        before, during = together(self.seen, self._spells)
        return Outcome(
            candidates=self.wanted.candidates,
            inside=self.wanted.inside,
            rows=rows,
            evidence=evidence,
            handed_in=evidence.submitted if evidence else 0,
            refusals=[*self._ended_early(), *blindness(self.seen), *lateness(self.seen)],
            before=before,
            during=during,
            boards=self.seen.delays(BOARD),
        )

    def _ended_early(self) -> list[str]:
        return [f"Arrêté avant la fin : {self.aborted}."] if self.aborted else []

    # The day

    async def _live(self, rows: list[Row]) -> None:
        living = asyncio.current_task()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, lambda: living.cancel() if living else None)
        try:
            await self._play(rows)
        except asyncio.CancelledError:
            self.aborted = "demandé au clavier ou par le système"
        except Exception as error:  # noqa: BLE001 -- whatever ends the run, its report is written and says so
            self.aborted = str(error) or repr(error)

    async def _play(self, rows: list[Row]) -> None:
        missing = {layer.name: layer.missing() for layer in self.layers}
        playable = [layer for layer in self.layers if not missing[layer.name]]
        rows += [Row(one.name, one.words, skipped=missing[one.name]) for one in self.layers if missing[one.name]]
        inside, batches = self._shared_out(len(playable))
        await self._staff_arrives()
        site = await self._site([code for code, *_ in inside])
        screens = [*(head.screen for head in self._heads), (site.ops, "/ws/national/")]
        async with watching(screens, Tally(self.house.folder, "staff")):
            await self._let_in(inside)
            for number, (layer, batch) in enumerate(zip(playable, batches, strict=True), start=INSIDE + 1):
                row = await self._try(layer, number, batch, site)
                rows.append(row)
                self.say(f"{layer.words} : {'tenue' if row.ok else ' ; '.join(row.faults)}")
            await self._close()

    def _shared_out(self, layers: int) -> tuple[list[Place], list[list[Place]]]:
        """Draw who composes and who comes during each limit, in every centre alike."""
        places = [
            (slip["code"], position, slip["number"])
            for position, centre in enumerate(self.guide["centres"])
            for slip in centre["slips"]
        ]
        self._rng.shuffle(places)
        inside, rest = places[: self.wanted.inside], places[self.wanted.inside : self.wanted.candidates]
        return inside, [rest[first::layers] for first in range(layers)]

    async def _staff_arrives(self) -> None:
        centres = self.guide["centres"]
        self.say(f"{len(centres)} responsables de centre se connectent…")
        password = self.guide["password"]
        self._heads = [CentreHead(self.house.base, one["hosting"], one["login"], password) for one in centres]
        for first in range(0, len(self._heads), LOGGING_IN):
            await asyncio.gather(*(head.arrive() for head in self._heads[first : first + LOGGING_IN]))

    async def _site(self, codes: list[str]) -> Site:
        """Log ops in, on a server of pages itself, and have the board seen once: it then opens without PostgreSQL."""
        ops = await log_in(f"http://127.0.0.1:{self.house.ports[1]}", "agence", self.guide["password"])
        site = Site(self.house, ops, codes)
        await ops.get("/exploitation/")
        return site

    async def _let_in(self, inside: Sequence[Place]) -> None:
        """Have those who compose enter, be admitted and opened, and find their pace: half have answered by then."""
        seconds = len(inside) / ARRIVALS_A_SECOND
        self.say(f"{len(inside)} candidats entrent, en {seconds:.0f} s…")
        self._start_generator(INSIDE, inside, time.monotonic() + LEAD_SECONDS, seconds)
        await self._until_all(("ready",), INSIDE, len(inside), LEAD_SECONDS + seconds + SETTLING_SECONDS)
        await self._admit(inside)
        await asyncio.gather(*(head.do("ouvrir") for head in self._heads))
        await self._until_all(("opened", "opened late"), INSIDE, len(inside), SETTLING_SECONDS)
        self.say(f"{len(inside)} candidats composent")
        await asyncio.sleep(math.exp(self._pace.mu))

    async def _try(self, layer: Layer, wave: int, batch: Sequence[Place], site: Site) -> Row:
        """Hide one limit, have its newcomers come, raise it, have them compose."""
        inside = self.wanted.inside + self._came
        calm = time.monotonic()
        await asyncio.sleep(self.wanted.seconds / 2)
        self.say(f"{layer.words} : {len(batch)} nouveaux venus arrivent sur {inside} qui composent")
        came = time.monotonic()
        first = came + LEAD_SECONDS
        self._start_generator(wave, batch, first, STORM_SECONDS)
        row = Row(layer.name, layer.words, inside=inside, newcomers=len(batch), may_let_in=layer.may_let_in)
        await self._until(first - BEFORE_SECONDS)
        imposed = time.monotonic()
        spell = Spell(wave, calm, came, imposed, imposed, None, self._read)
        try:
            async with layer.hold(site) as limit:
                row = replace(row, limit=limit)
                spell = replace(spell, imposed=time.monotonic())
                named = await self._watch(layer, site, spell, len(batch))
                spell = replace(spell, named=named, lifted=time.monotonic())
            row = replace(row, raised=True)
        except Exception as error:  # noqa: BLE001 -- whatever a layer fails of is a trouble of its row alone
            row = replace(row, troubles=(f"{layer.name} : {str(error) or repr(error)}",))
        return await self._after(row, batch, spell)

    async def _watch(self, layer: Layer, site: Site, spell: Spell, count: int) -> float | None:
        """Look at the board while the limit holds; return when it first named the layer.

        It holds until each newcomer is in or has been turned away, typing included, and for as long as was asked.
        """
        named: float | None = None
        until = max(spell.came + LEAD_SECONDS, spell.imposed) + self.wanted.seconds
        while (now := time.monotonic()) < until or (
            now < until + TYPING_SECONDS and met(self.seen, spell.wave) < count
        ):
            if named is None:
                with suppress(OSError):
                    said = await site.named()
                    named = time.monotonic() if any(sign in text for sign in layer.signs for text in said) else None
            await asyncio.sleep(BOARD_SECONDS)
            self._look()
        return named

    async def _after(self, row: Row, batch: Sequence[Place], spell: Spell) -> Row:
        """Have those who waited come in and compose, and write the row."""
        trouble: tuple[str, ...] = row.troubles
        is_in = False
        try:
            await self._until_all(("ready",), spell.wave, len(batch), IN_SECONDS)
            is_in = True
            await self._admit(batch)
            await self._until_all(("opened", "opened late"), spell.wave, len(batch), IN_SECONDS)
        except (StaffRefused, OSError, TimeoutError) as error:
            trouble = (*trouble, str(error) or repr(error))
        self._came += len(batch)
        await asyncio.sleep(1.5)  # what the generator saw is written once a second
        self._look()
        self._read = len(self.seen.lines)
        self._spells.append(spell)
        figures = dict(seen_figures(self.seen, spell))
        figures["troubles"] = (*trouble, *figures["troubles"])
        return replace(row, **figures | ({} if is_in else {"in_s": None}))

    async def _close(self) -> None:
        self.say("Tous remettent leur copie…")
        self.house.hand_in()
        everybody = self.wanted.inside + self._came
        deadline = time.monotonic() + self._closing + SETTLING_SECONDS
        while len(self.seen.events("submitted")) < everybody and time.monotonic() < deadline:
            await asyncio.sleep(GLANCE_SECONDS)
            self._look()
        await asyncio.gather(*(head.do("clore", reason=REASON) for head in self._heads))

    # Staff, generator, time

    async def _admit(self, places: Sequence[Place]) -> None:
        """Admit these candidates and nobody else, each centre by its own head."""
        seats: list[list[str]] = [[] for _ in self._heads]
        for _, centre, number in places:
            seats[centre].append(self._seats[number])
        for first in range(0, len(seats), LOGGING_IN):
            some = slice(first, first + LOGGING_IN)
            await asyncio.gather(*map(_admit_all, self._heads[some], seats[some]))

    def _start_generator(self, wave: int, places: Sequence[Place], start: float, seconds: float) -> None:
        slips, path = self.house.folder / f"slips-{wave}.csv", self.house.folder / f"orders-{wave}.json"
        come = arrivals(len(places), 0, seconds, self._rng)
        write_rows(
            slips, [(code, wave, centre, at, math.inf) for (code, centre, _), at in zip(places, come, strict=True)]
        )
        orders = Orders(
            base=self.house.base,
            folder=str(self.house.folder),
            slips=str(slips),
            start=start,
            until=DURATION_SECONDS,
            workers=1,
            storms=(),
            paper_share=self.plan.shares.paper_by_nginx,
            statics_share=0.0,
            statics=(),
            pace=asdict(self._pace),
            name=f"raw-{wave}",
            patience=PAGE_PATIENCE_SECONDS,
            closing=self._closing,
        )
        path.write_text(json.dumps(asdict(orders)), encoding="utf-8")
        argv = [sys.executable, "-m", "loadtests.waves.raw", "0"]
        self.house.start_generator(f"generator-{wave}", argv, {ORDERS: str(path)})

    @property
    def _pace(self) -> Pace:
        return pace_of(self.plan.pace, self.wanted.inside)

    @property
    def _closing(self) -> float:
        return max(5.0, min(60.0, self.wanted.candidates / 100))

    async def _until_all(self, kinds: tuple[str, ...], wave: int, count: int, seconds: float) -> None:
        """Wait until as many tablets of a wave told of one of these events.

        Raises:
            TimeoutError: they did not.
        """
        deadline = time.monotonic() + seconds
        while (reached := sum(len(self.seen.events(kind, wave)) for kind in kinds)) < count:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{count - reached} tablettes sur {count} sans « {kinds[0]} » après {seconds:.0f} s")
            await asyncio.sleep(GLANCE_SECONDS)
            self._look()

    async def _until(self, instant: float) -> None:
        await asyncio.sleep(max(0.0, instant - time.monotonic()))

    def _look(self) -> None:
        self.seen.add(self._reader.fresh())

    def _read_seats(self) -> None:
        """Learn the seat of each sheet, for the consoles, and give the sitting time enough."""
        connection = psycopg2.connect(self.house.database_url)
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(
                    "UPDATE exams_sitting SET duration_seconds = %s WHERE id = %s",
                    (DURATION_SECONDS, self.guide["sitting"]),
                )
                cursor.execute(
                    "SELECT e.number, s.id FROM centres_seat s JOIN exams_sheet e ON e.id = s.sheet_id"
                    " WHERE e.sitting_id = %s",
                    (self.guide["sitting"],),
                )
                self._seats = {str(number): str(seat) for number, seat in cursor.fetchall()}
        finally:
            connection.close()


async def _admit_all(head: CentreHead, seats: Sequence[str]) -> None:
    for first in range(0, len(seats), SEATS_AT_ONCE):
        await head.do("admettre", seats=seats[first : first + SEATS_AT_ONCE])


def pace_of(pace: Pace, inside: int) -> Pace:
    """Return how people behave: nobody's network goes away by itself, and a small crowd answers faster."""
    fast = math.log(max(1.0, inside / LEAST_ACTS_A_SECOND))
    return replace(pace, mu=min(pace.mu, fast), drop=0.0)
