"""The plan of a load test: which centres come when, how people behave, what is promised, when to stop.

Read from JSON, `loadtests/waves/plans/`. Pure but for reading the file; seconds everywhere, from the start of the test.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from math import inf
from pathlib import Path
from typing import Any, TypeVar

from loadtests.waves.pace import Pace

PLANS = Path(__file__).parent / "plans"
STORMS = frozenset({"midway", "closing"})
SHORTEST_LOBBY = 20.0
"""Below it, people who type their code at the usual pace would not be in at the opening."""

Made = TypeVar("Made")


class BadPlan(ValueError):
    """The plan cannot be replayed; the message, in French, says why."""


@dataclass(frozen=True, slots=True)
class Wave:
    """Centres that come together.

    Attributes:
        centres: how many; they are taken in order.
        pause: seconds between the opening of the wave before and the first arrival of this one.
        rate: arrivals a second, all its centres together.
        lobby: seconds between the last arrival and the opening.
    """

    centres: int
    pause: float
    rate: float
    lobby: float


@dataclass(frozen=True, slots=True)
class Paper:
    """The sealed paper that the test stands for: a run whose paper is smaller proves nothing, and is refused."""

    questions: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Shares:
    """Which share of the tablets really fetch, instead of having it already: the paper, the page's static files.

    Without nginx, Python would serve both, which no exam day asks of it: they are another share.
    """

    paper: float
    paper_by_nginx: float
    statics: float
    statics_by_nginx: float


@dataclass(frozen=True, slots=True)
class Stop:
    """When to give up: errors shown in all, p99 of acknowledgements over half a minute, share of a wave offline."""

    errors_shown: int
    ack_ms_p99: float
    offline_share: float


@dataclass(frozen=True, slots=True)
class Promise:
    """What is promised up to so many candidates; beyond the last one, only that nothing is lost.

    `late_share` is of those who may have no paper yet at the order, for want of network. `board_ms_p99` is of the age
    of the boards that the staff's screens show.
    """

    up_to: int
    ack_ms_p99: float
    opening_ms_last: float
    late_share: float
    reconnect_s_last: float
    board_ms_p99: float


@dataclass(frozen=True, slots=True)
class Plan:
    """One plan, as its file says it."""

    name: str
    about: str
    candidates: int
    centres: int
    minutes: float
    waves: tuple[Wave, ...]
    closing: float
    paper: Paper
    pace: Pace
    shares: Shares
    stop: Stop
    promises: tuple[Promise, ...]


@dataclass(frozen=True, slots=True)
class WaveTimes:
    """When one wave comes.

    Attributes:
        number: from 1.
        centres: positions of its centres, from 0.
        size: how many candidates.
        arrives: when the first one arrives.
        arrived: when the last one has.
        opens: when its centres are opened.
    """

    number: int
    centres: range
    size: int
    arrives: float
    arrived: float
    opens: float


@dataclass(frozen=True, slots=True)
class Timetable:
    """One test: its waves, then one closing for everybody, with everybody composing until then.

    Attributes:
        closes: from when people hand in.
        ends: when the last one does.
        storms: when every socket is dropped at once.
        duration: whole seconds that the sitting must last.
    """

    waves: tuple[WaveTimes, ...]
    closes: float
    ends: float
    storms: tuple[float, ...]
    duration: int


def read_plan(name: str) -> Plan:
    """Read a plan by its name, or from the path of a file.

    Raises:
        BadPlan: it is not there, or something in it is missing, unknown or impossible.
    """
    path = Path(name) if name.endswith(".json") else PLANS / f"{name}.json"
    try:
        return parse_plan(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        known = ", ".join(sorted(file.stem for file in PLANS.glob("*.json")))
        raise BadPlan(f"Plan inconnu : {name}. Plans fournis : {known}.") from error
    except ValueError as error:
        raise BadPlan(f"Plan {path.name} : {error}") from error


def parse_plan(data: dict[str, Any]) -> Plan:
    """Return the plan that a file's content describes.

    Raises:
        BadPlan: something is missing, unknown or impossible.
    """
    plan = _made(
        Plan,
        data
        | {
            "waves": tuple(_made(Wave, wave) for wave in data.get("waves", ())),
            "promises": tuple(_made(Promise, promise) for promise in data.get("promises", ())),
            "paper": _made(Paper, data.get("paper", {})),
            "pace": _made(Pace, data.get("pace", {})),
            "shares": _made(Shares, data.get("shares", {})),
            "stop": _made(Stop, data.get("stop", {})),
        },
    )
    if not plan.waves or any(wave.centres < 1 or wave.rate <= 0 for wave in plan.waves):
        raise BadPlan("il faut au moins une vague, et dans chacune un centre et des arrivées.")
    if sum(wave.centres for wave in plan.waves) != plan.centres:
        raise BadPlan(f"les vagues ne font pas {plan.centres} centres.")
    return plan


def promise_for(plan: Plan, candidates: int) -> Promise | None:
    """Return what is promised to so many candidates; None when only "nothing lost" is."""
    fitting = [promise for promise in plan.promises if candidates <= promise.up_to]
    return min(fitting, key=lambda promise: promise.up_to, default=None)


def slowest_ack_ms(plan: Plan, candidates: int) -> float:
    """Return the 99th percentile beyond which a run ends by itself; infinite where nothing is promised on time."""
    return inf if promise_for(plan, candidates) is None else plan.stop.ack_ms_p99


def centre_sizes(candidates: int, centres: int) -> list[int]:
    """Return how many candidates each centre has: as equal as can be."""
    return [candidates // centres + (position < candidates % centres) for position in range(centres)]


def timetable(plan: Plan, *, candidates: int, minutes: float, storms: Sequence[str] = ()) -> Timetable:
    """Return when everything happens: `minutes` are those that the last wave composes.

    A test shorter than its plan shortens waits by as much, never arrivals: their rate is what is tested.

    Raises:
        BadPlan: a storm is unknown, there is nobody for some centre, or no time.
    """
    if unknown := sorted(set(storms) - STORMS):
        raise BadPlan(f"orage inconnu : {', '.join(unknown)} (midway, closing).")
    if candidates < plan.centres or minutes <= 0:
        raise BadPlan(f"il faut au moins un candidat par centre ({plan.centres}) et du temps pour composer.")
    factor = min(1.0, minutes / plan.minutes)
    waves = _wave_times(plan, centre_sizes(candidates, plan.centres), factor)
    closes = waves[-1].opens + 60 * minutes
    ends = closes + max(5.0, plan.closing * factor)
    at = {"midway": (waves[-1].opens + closes) / 2, "closing": (closes + ends) / 2}
    duration = int(ends - waves[0].opens) + 300
    return Timetable(waves, closes, ends, tuple(sorted(at[storm] for storm in set(storms))), duration)


def _wave_times(plan: Plan, sizes: Sequence[int], factor: float) -> tuple[WaveTimes, ...]:
    found: list[WaveTimes] = []
    first, opened = 0, 0.0
    for number, wave in enumerate(plan.waves, start=1):
        centres = range(first, first + wave.centres)
        size = sum(sizes[position] for position in centres)
        arrives = opened + wave.pause * factor
        arrived = arrives + size / wave.rate
        opened = arrived + max(SHORTEST_LOBBY, wave.lobby * factor)
        found.append(WaveTimes(number, centres, size, arrives, arrived, opened))
        first = centres.stop
    return tuple(found)


def with_pace(plan: Plan, pace: Pace) -> Plan:
    """Return the plan with other people in it."""
    return replace(plan, pace=pace)


def with_rate(plan: Plan, rate: float) -> Plan:
    """Return the plan with so many arrivals a second in each wave.

    Raises:
        BadPlan: nobody would arrive.
    """
    if rate <= 0:
        raise BadPlan("il faut des arrivées.")
    return replace(plan, waves=tuple(replace(wave, rate=rate) for wave in plan.waves))


def _made(kind: type[Made], data: dict[str, Any]) -> Made:
    names = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    if missing := sorted(names - set(data)):
        raise BadPlan(f"{kind.__name__} : il manque {', '.join(missing)}.")
    if unknown := sorted(set(data) - names):
        raise BadPlan(f"{kind.__name__} : clé inconnue {', '.join(unknown)}.")
    return kind(**data)
