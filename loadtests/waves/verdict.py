"""From what was seen to a verdict: figures per wave and overall, promises kept or not, what makes a run worth nothing.

Pure, so that each refusal has its test.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from loadtests.waves.consoles import BOARD, COMMAND
from loadtests.waves.evidence import Evidence
from loadtests.waves.limits import GENERATOR, Limit, as_lines, nearest
from loadtests.waves.measures import Delays, Seen
from loadtests.waves.plan import Plan, Promise, Timetable, promise_for

LATE_MS_P99, LOOP_MS_P99, GENERATOR_CORES = 100.0, 200.0, 0.9
"""Beyond these the generator is what is measured."""
BLIND_MS = 30_000.0
"""Median age beyond which the boards of a run are those of screens that showed nothing, and cost nothing."""
ACK, AFTER_CUT = "ack", "ack after a cut"


@dataclass(frozen=True, slots=True)
class Run:
    """One run, ended.

    Attributes:
        orders: when each wave was ordered to open, monotonic seconds, by number; a wave that never was is not there.
        paper: questions and bytes of the sealed paper that was used.
        aborted: why it was ended before its time; empty when it was not.
        setting: what served: server, processes, proxy, generator.
        wave_of: the wave of each sheet, by its number.
    """

    plan: Plan
    timetable: Timetable
    candidates: int
    seen: Seen
    evidence: Evidence | None
    limits: Sequence[Limit]
    orders: Mapping[int, float]
    paper: tuple[int, int]
    aborted: str = ""
    setting: Mapping[str, str] = field(default_factory=dict)
    wave_of: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Kept:
    """One promise: what was promised, what was seen, whether it was kept."""

    words: str
    promised: str
    seen: str
    ok: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """All that is said of a run."""

    figures: dict[str, Any]
    waves: list[dict[str, Any]]
    promises: list[Kept]
    refusals: list[str]
    limits: list[dict[str, Any]]
    nearest: Limit | None

    @property
    def ok(self) -> bool:
        """Whether every promise was kept, in a run that proves something."""
        return not self.refusals and all(promise.ok for promise in self.promises)

    def summary(self, plan: str, candidates: int) -> dict[str, Any]:
        """Return what `build/waves.json` holds."""
        return {
            "plan": plan,
            "candidates": candidates,
            "waves": self.waves,
            **{name: self.figures[name] for name in SUMMED_UP},
            "limits": self.limits,
            "nearest_limit": self.nearest.name if self.nearest else "",
            "headroom": self.nearest.headroom if self.nearest else 0.0,
            "ok": self.ok,
        }


SUMMED_UP = (
    "lost",
    "errors_shown",
    "ack_ms_p50",
    "ack_ms_p99",
    "ack_ms_max",
    "opening_ms_last",
    "reconnect_s_last",
)


def judge(run: Run) -> Verdict:
    """Return what is said of a run."""
    waves = [_wave(run, times.number) for times in run.timetable.waves]
    figures = _figures(run, None) | {
        "lost": run.evidence.lost if run.evidence else -1,
        "submitted": run.evidence.submitted if run.evidence else -1,
        "opening_ms_last": max((wave["opening_ms_last"] for wave in waves), default=0.0),
    }
    return Verdict(
        figures=figures,
        waves=waves,
        promises=_promises(run, figures),
        refusals=refusals(run),
        limits=as_lines(run.limits, run.candidates),
        nearest=nearest(run.limits),
    )


def refusals(run: Run) -> list[str]:
    """Return why the run proves nothing, in words; none when it does."""
    found = [f"Arrêté avant la fin : {run.aborted}."] if run.aborted else []
    questions, size = run.paper
    if questions < run.plan.paper.questions or size < run.plan.paper.bytes:
        found.append(
            f"Le sujet est plus petit que celui qu’il remplace : {questions} questions et {size} octets,"
            f" au lieu de {run.plan.paper.questions} et {run.plan.paper.bytes}."
        )
    entered = len(run.seen.events("entered"))
    if entered < run.candidates:
        found.append(f"{run.candidates - entered} candidats sur {run.candidates} ne sont pas entrés.")
    if run.evidence is None:
        found.append("La base n’a pas pu être lue : rien ne dit que tout y est.")
    return [*found, *blindness(run.seen), *saturation(run)]


def saturation(run: Run) -> list[str]:
    """Return what shows that the generator, and not the platform, was measured."""
    processors = [
        f"Le générateur était saturé : {limit.used:.0%} d’un cœur pour {limit.name.partition(' ')[2]}."
        for limit in run.limits
        if limit.layer == GENERATOR and limit.name.startswith("processor") and limit.used > GENERATOR_CORES
    ]
    return [*lateness(run.seen), *processors]


def blindness(seen: Seen) -> list[str]:
    """Return in words that the screens of the staff showed nothing, or were not looked at."""
    ages = seen.delays(BOARD)
    if not ages.count:
        return ["Les écrans des responsables n’ont pas été regardés."]
    usual = ages.quantile(0.5)
    return (
        [f"Les écrans des responsables étaient aveugles : {usual / 1000:.0f} s d’âge médian."]
        if usual > BLIND_MS
        else []
    )


def lateness(seen: Seen) -> list[str]:
    """Return in words by how much the generator was late on itself, when that was too much."""
    found = []
    late, loop = seen.delays("late").quantile(0.99), seen.delays("loop").quantile(0.99)
    if late > LATE_MS_P99:
        found.append(f"Le générateur était en retard sur ses propres actes : {late:.0f} ms au 99e centile.")
    if loop > LOOP_MS_P99:
        found.append(f"La boucle du générateur s’arrêtait : {loop:.0f} ms au 99e centile.")
    return found


def _promises(run: Run, figures: Mapping[str, Any]) -> list[Kept]:
    lost, errors = figures["lost"], figures["errors_shown"]
    again, seen = figures["logins_again"], figures["losses_seen"]
    kept = [
        Kept("Aucune réponse acquittée n’est perdue", "0", str(lost), lost == 0),
        Kept("Aucun trou dans une copie", "0", str(figures["broken"]), figures["broken"] == 0),
        Kept("Aucune tablette n’a vu revenir moins qu’elle n’avait donné", "0", str(seen), seen == 0),
        Kept("Aucune erreur montrée à un candidat", "0", str(errors), errors == 0),
        Kept("Aucune connexion redemandée", "0", str(again), again == 0),
        Kept(
            "Toutes les copies remises",
            str(run.candidates),
            str(figures["submitted"]),
            figures["submitted"] == run.candidates,
        ),
    ]
    promise = promise_for(run.plan, run.candidates)
    if promise is None:
        return kept
    timed = (
        ("Acquittement, 99e centile", "ack_ms_p99", promise.ack_ms_p99, "ms"),
        ("Dernière tablette revenue", "reconnect_s_last", promise.reconnect_s_last, "s"),
        ("Âge du tableau d’une console, 99e centile", "board_ms_p99", promise.board_ms_p99, "ms"),
    )
    for words, name, most, unit in timed:
        kept.append(Kept(words, f"≤ {most:g} {unit}", f"{figures[name]:g} {unit}", figures[name] <= most))
    return [*kept, _opening(run, figures["opening_ms_last"], promise)]


def _opening(run: Run, last: float, promise: Promise) -> Kept:
    """Return the promise of the opening.

    A wave ordered to open of which nothing was seen to open keeps none, nor does a platform that is late with the
    papers: who has none by the order opens when it comes.
    """
    closed = [number for number in sorted(run.orders) if not run.seen.events("opened", number)]
    late = len(run.seen.events("opened late"))
    is_ready = late <= promise.late_share * run.candidates
    seen = [f"{last:g} ms", *(f"aucune ouverture dans la vague {number}" for number in closed)]
    if late:
        seen.append(f"prêtes après l’ordre, non comptées : {late}")
    words = "Dernière tablette ouverte après l’ordre"
    is_kept = is_ready and not closed and last <= promise.opening_ms_last
    promised = f"≤ {promise.opening_ms_last:g} ms, prêtes après l’ordre ≤ {promise.late_share:.0%}"
    return Kept(words, promised, " ; ".join(seen), is_kept)


def _wave(run: Run, number: int) -> dict[str, Any]:
    times = run.timetable.waves[number - 1]
    order = run.orders.get(number)
    opened = sorted(at for _, _, at, _ in run.seen.events("opened", number))
    spread = [1000 * (at - order) for at in opened] if order is not None else []
    return {
        "wave": number,
        "candidates": times.size,
        "centres": len(times.centres),
        **_figures(run, number),
        "opened": len(opened),
        "opened_late": len(run.seen.events("opened late", number)),
        "opening_ms_p50": round(spread[len(spread) // 2], 1) if spread else 0.0,
        "opening_ms_last": round(spread[-1], 1) if spread else 0.0,
        "lost": _lost(run, number),
    }


def _lost(run: Run, wave: int) -> int:
    if run.evidence is None:
        return -1
    return sum(count for number, count in run.evidence.lost_of.items() if run.wave_of.get(number) == wave)


def _figures(run: Run, wave: int | None) -> dict[str, Any]:
    seen = run.seen
    acks = seen.delays(ACK, wave)
    back = [value for *_, value in seen.events("back", wave)]
    entered = [value for *_, value in seen.events("entered", wave)]
    figures: dict[str, Any] = {
        "logins": len(entered),
        "entry_s_last": round(max(entered, default=0.0), 1),
        "waited": seen.count("waited", wave),
        "errors_shown": seen.count("errors", wave),
        "acts": seen.count("acts", wave),
        "acknowledged": seen.count("acked", wave),
        **quantiles("ack_ms", acks),
        "ack_after_cut_ms_max": round(seen.delays(AFTER_CUT, wave).greatest, 1),
        "page_ms_p99": round(seen.delays("page", wave).quantile(0.99), 1),
        "late_ms_p99": round(seen.delays("late", wave).quantile(0.99), 1),
        "late_ms_max": round(seen.delays("late", wave).greatest, 1),
        "reconnects": len(back),
        "reconnect_s_last": round(max(back, default=0.0), 2),
        "dropped": seen.count("dropped", wave),
        "logins_again": seen.count("logins again", wave),
        "losses_seen": seen.count("losses seen", wave),
        "submitted": len(seen.events("submitted", wave)),
        "bytes": seen.count("bytes", wave),
        "papers": seen.count("papers", wave),
    }
    if wave is not None:
        return figures
    figures |= {"screens_cut": seen.count("screens cut"), "boards": seen.count("boards")}
    figures |= quantiles("board_ms", seen.delays(BOARD)) | quantiles("command_ms", seen.delays(COMMAND))
    found = run.evidence
    if found is None:
        return figures | {"broken": -1, "stored": -1, "frozen": -1}
    return figures | {"broken": found.broken, "stored": found.stored, "frozen": found.frozen}


def quantiles(name: str, delays: Delays) -> dict[str, float]:
    """Return the percentiles of delays, by name."""
    shares = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "p999": 0.999}
    found = {f"{name}_{label}": round(delays.quantile(share), 1) for label, share in shares.items()}
    return found | {f"{name}_max": round(delays.greatest, 1)}
