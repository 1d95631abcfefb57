"""One row for each layer: what was seen while it was full and after it was raised, and what that is worth. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from loadtests.waves.evidence import Evidence
from loadtests.waves.measures import Delays, Line, Seen
from loadtests.waves.tablet import NO_ANSWER
from loadtests.waves.verdict import ACK

NAMED_SECONDS = 5.0
IN_SECONDS = 60.0
"""For those who wait to be in, typing their code and reading their name included."""
P99_MS, P99_GROWTH = 250.0, 1.2
LEAST_ACTS = 1000
"""Below as many acknowledgements, the 99th percentile is the bad luck of a few: it is shown, not judged."""
LEAST_ACTS_TOGETHER = 10_000
"""Below as many, of all rows together, a growth of a fifth is luck: it is shown, not judged."""
LEAST_SHARE = 0.5
"""Of the acts expected while a limit holds: below it, those inside were stalled, however few they are."""


@dataclass(frozen=True, slots=True)
class Spell:
    """When one limit held, monotonic seconds.

    Attributes:
        wave: the number of its newcomers among those of the generator; smaller ones were in before.
        calm: since when nothing had been limited.
        came: when newcomers began to arrive, and their generator to start before them.
        imposed, lifted: when it began and ended.
        named: when the board named it; None when it never did.
        read: how many lines of the generator the rows before have: what comes after is this row's.
    """

    wave: int
    calm: float
    came: float
    imposed: float
    lifted: float
    named: float | None
    read: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """One layer.

    Attributes:
        layer, words: which one.
        limit: what it was put at.
        inside: who composed.
        newcomers: who came while it held.
        entered: of these, who came in all the same; `waited` those among them who are in `told` or `unanswered` too.
        told: who had a page or a frame that says to wait.
        unanswered: who had no byte at all: their tablet's own page has them wait.
        named: whether the board named the layer; `named_s` after how many seconds of somebody being kept out.
        raised: whether it was raised while everything ran; `in_s` after how many seconds the last one was in.
        composing: newcomers who compose at the end of the row.
        inside_p99_before, inside_p99_during: acknowledgements, in milliseconds.
        acts: acknowledged while it held; `acts_expected` as many as there would be at the rate of before.
        dropped: links of those inside that were lost since the row before.
        troubles: what a candidate was shown that should not be, by what it was; and what failed here.
        skipped: why it was not played.
    """

    layer: str
    words: str
    limit: str = ""
    inside: int = 0
    newcomers: int = 0
    entered: int = 0
    waited: int = 0
    told: int = 0
    unanswered: int = 0
    named: bool = False
    named_s: float | None = None
    raised: bool = False
    in_s: float | None = None
    composing: int = 0
    inside_p99_before: float = 0.0
    inside_p99_during: float = 0.0
    acts: int = 0
    acts_expected: int = 0
    dropped: int = 0
    troubles: tuple[str, ...] = ()
    skipped: str = ""
    may_let_in: bool = False

    @property
    def faults(self) -> list[str]:
        """What this row does not keep of what is promised, in French; nothing when it was not played."""
        if self.skipped:
            return []
        most = max(P99_MS, P99_GROWTH * self.inside_p99_before)
        known = self.told + self.unanswered
        unknown = self.newcomers - (self.entered + known - self.waited)
        is_in = self.in_s is not None and self.in_s <= IN_SECONDS
        checks = {
            f"{self.dropped} liaisons de ceux qui composent perdues": not self.dropped,
            f"acquittements à {self.inside_p99_during:.0f} ms au 99e centile": self.acts < LEAST_ACTS
            or self.inside_p99_during <= most,
            f"{self.acts} actes acquittés au lieu d’environ {self.acts_expected}": self.acts
            >= LEAST_SHARE * self.acts_expected,
            f"{unknown} nouveaux venus n’ont ni place, ni page, ni silence": unknown <= 0,
            "la limite n’a retenu personne": self.may_let_in or known > 0,
            "le tableau ne l’a pas nommée": self.named,
            f"nommée après {self.named_s} s": (self.named_s or 0.0) <= NAMED_SECONDS,
            "elle n’a pas été relevée": self.raised,
            "tous ne sont pas entrés une fois la limite relevée": is_in,
            f"{self.newcomers - self.composing} entrés ne composent pas": not is_in or self.composing >= self.newcomers,
        }
        return [
            *(f"anormal : {trouble}" for trouble in self.troubles),
            *(text for text, is_kept in checks.items() if not is_kept),
        ]

    @property
    def ok(self) -> bool:
        """Whether everything promised was kept, or there was nothing to play."""
        return not self.faults

    def as_json(self) -> dict[str, Any]:
        """Return what `build/limits.json` has of it."""
        data = asdict(self) | {"troubles": list(self.troubles), "faults": self.faults, "ok": self.ok}
        del data["may_let_in"]
        return data


@dataclass(frozen=True, slots=True)
class Outcome:
    """One run.

    Attributes:
        candidates, inside: who came in all, who were in before any limit.
        rows: of each layer.
        evidence: of the journal; None when it could not be read.
        handed_in: sheets that their candidates handed in.
        refusals: why the run proves nothing; none when it does.
        before, during: acknowledgements of those who composed, all rows together.
        boards: how old what the staff's screens showed was, looked at each second.
    """

    candidates: int
    inside: int
    rows: Sequence[Row]
    evidence: Evidence | None
    handed_in: int
    refusals: Sequence[str]
    before: Delays = field(default_factory=Delays)
    during: Delays = field(default_factory=Delays)
    boards: Delays = field(default_factory=Delays)

    @property
    def inside_p99(self) -> tuple[float, float]:
        """The 99th percentile of those who composed, in milliseconds, before the limits and while they held."""
        return round(self.before.quantile(0.99), 1), round(self.during.quantile(0.99), 1)

    @property
    def is_felt(self) -> bool:
        """Whether those who composed felt the newcomers, as far as enough acts tell."""
        before, during = self.inside_p99
        return min(self.before.count, self.during.count) >= LEAST_ACTS_TOGETHER and during > P99_GROWTH * before

    @property
    def lost(self) -> int:
        """Acts acknowledged and not stored; -1 when the database could not be read."""
        return -1 if self.evidence is None else self.evidence.lost + self.evidence.broken

    @property
    def came(self) -> int:
        """Who came: the newcomers of a layer that was not played did not."""
        return self.inside + sum(row.newcomers for row in self.rows)

    @property
    def ok(self) -> bool:
        """Whether every row keeps what is promised, nothing is lost or felt, and everybody handed in."""
        return (
            not self.refusals
            and not self.lost
            and not self.is_felt
            and self.handed_in == self.came
            and all(row.ok for row in self.rows)
            and any(not row.skipped for row in self.rows)
        )

    def as_json(self) -> dict[str, Any]:
        """Return what `build/limits.json` holds."""
        return {
            "candidates": self.candidates,
            "inside": self.inside,
            "came": self.came,
            "handed_in": self.handed_in,
            "acknowledged": self.evidence.acknowledged if self.evidence else 0,
            "lost": self.lost,
            "inside_p99_before": self.inside_p99[0],
            "inside_p99_during": self.inside_p99[1],
            "is_felt": self.is_felt,
            "board_ms_p50": round(self.boards.quantile(0.5), 1),
            "board_ms_p99": round(self.boards.quantile(0.99), 1),
            "layers": [row.as_json() for row in self.rows],
            "refusals": list(self.refusals),
            "ok": self.ok,
        }


def seen_figures(seen: Seen, spell: Spell) -> Mapping[str, Any]:
    """Return what a generator saw of a spell, by names of `Row`.

    Links lost and troubles are those of every line since the row before: none falls between two rows.
    """
    mine, wave = Seen(seen.lines[spell.read :]), spell.wave
    told, silent = (
        [(at, value) for *_, at, value in seen.events(kind, wave) if at <= spell.lifted]
        for kind in ("told", "unanswered")
    )
    ready = [(at, value) for *_, at, value in seen.events("ready", wave)]
    before, during = seen.delays(ACK, None, spell.calm, spell.came), seen.delays(ACK, None, spell.imposed, spell.lifted)
    first = min((at for at, _ in (*told, *silent)), default=None)
    return {
        "entered": sum(at <= spell.lifted for at, _ in ready),
        "waited": round(sum(value for at, value in ready if at <= spell.lifted)),
        "told": len(told),
        "unanswered": len(silent) - round(sum(value for _, value in (*told, *silent))),
        "named": spell.named is not None,
        "named_s": None if spell.named is None else round(max(0.0, spell.named - (first or spell.imposed)), 1),
        "in_s": round(max(0.0, max((at for at, _ in ready), default=spell.lifted) - spell.lifted), 1),
        "composing": len(seen.events("opened", wave)) + len(seen.events("opened late", wave)),
        "inside_p99_before": round(before.quantile(0.99), 1),
        "inside_p99_during": round(during.quantile(0.99), 1),
        "acts": during.count,
        "acts_expected": round(before.count * (spell.lifted - spell.imposed) / max(1.0, spell.came - spell.calm)),
        "dropped": sum(number < wave for number, *_ in mine.events("cut")),
        "troubles": errors_of(mine.lines, wave),
    }


def together(seen: Seen, spells: Sequence[Spell]) -> tuple[Delays, Delays]:
    """Return the acknowledgements of several spells, before the limits and while they held."""
    before, during = Delays(), Delays()
    for spell in spells:
        before.merge(seen.delays(ACK, None, spell.calm, spell.came))
        during.merge(seen.delays(ACK, None, spell.imposed, spell.lifted))
    return before, during


def met(seen: Seen, wave: int) -> int:
    """Count the newcomers of a wave who are in, were told to wait or had no answer, each once."""
    events = [event for kind in ("ready", "told", "unanswered") for event in seen.events(kind, wave)]
    return len(events) - round(sum(value for *_, value in events))


def errors_of(lines: Sequence[Line], wave: int) -> tuple[str, ...]:
    """Return what people were shown that should not be, each once: an absence of answer is none for a newcomer."""
    shown = {
        str(text)
        for line in lines
        for text, number, _ in line.errors
        if number < wave or (number == wave and not text.endswith(NO_ANSWER))
    }
    return tuple(sorted(shown))
