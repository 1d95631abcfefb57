"""How long people think: log-normal seconds with an effect of the person and one of the item, and bursts of flicking.

The defaults of a plan were fitted on 278,015 response times of a real computer exam (CredentialForm1: 170 items, 1,636
persons) and on the navigation of two online finals (53 % of views follow the one before within 5 s). `fitted` does it
again on any table of the same shape.
"""

import csv
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from statistics import fmean, pvariance

LONGEST_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Pace:
    """What people do, and how fast.

    Attributes:
        mu, person_sd, item_sd, rest_sd: of the logarithm of the seconds spent on a question.
        flicks: mean number of questions flicked through after one was answered.
        flick_mu, flick_sd: of the logarithm of the seconds spent on each of these.
        revise: chance that an answer is changed at once; a quarter of it, that a flick ends in a change.
        flag, strike: chance that a question is flagged, that a proposition is struck out.
        double_click: chance that a change is made twice within a tenth of a second.
        elsewhere: share of people who do not begin with the first question.
        drop: chance, per answer, that the network of the tablet goes away and comes back.
    """

    mu: float
    person_sd: float
    item_sd: float
    rest_sd: float
    flicks: float
    flick_mu: float
    flick_sd: float
    revise: float
    flag: float
    strike: float
    double_click: float
    elsewhere: float
    drop: float


def think_seconds(pace: Pace, person: float, item: int, rng: random.Random) -> float:
    """Return the seconds that somebody of effect `person` spends on an item."""
    log = pace.mu + person + pace.item_sd * item_effect(item) + rng.gauss(0, pace.rest_sd)
    return min(LONGEST_SECONDS, math.exp(log))


def flick_seconds(pace: Pace, rng: random.Random) -> list[float]:
    """Return the seconds spent on each question of a burst; mostly none or a few, sometimes the whole paper."""
    seconds = []
    chance = pace.flicks / (1 + pace.flicks)
    while rng.random() < chance:
        seconds.append(math.exp(rng.gauss(pace.flick_mu, pace.flick_sd)))
    return seconds


@lru_cache(maxsize=2000)
def item_effect(item: int) -> float:
    """Return how slow an item is, in standard deviations: the same for everybody."""
    return random.Random(f"item/{item}").gauss(0, 1)


def fitted(pace: Pace, folder: Path) -> Pace:
    """Return the pace with its four log-normal figures fitted on `folder`/timing_credential, if that is there."""
    tables = sorted((folder / "timing_credential").glob("response_times_*.csv"))
    return replace(pace, **_components(_logs(tables[0]))) if tables else pace


def _logs(table: Path) -> list[list[float | None]]:
    with table.open(encoding="utf-8") as file:
        rows = list(csv.reader(file))[1:]
    return [[math.log(float(cell)) if cell and float(cell) > 0 else None for cell in row[1:]] for row in rows]


def _components(logs: Sequence[Sequence[float | None]]) -> dict[str, float]:
    """Return the components of variance of a table of persons by items, by the method of moments."""
    mu = fmean(cell for row in logs for cell in row if cell is not None)
    persons = [fmean(cell for cell in row if cell is not None) - mu for row in logs]
    items = [
        fmean(cell - persons[position] for position, cell in enumerate(column) if cell is not None) - mu
        for column in zip(*logs, strict=True)
    ]
    rest = pvariance(
        [
            cell - mu - persons[row] - items[column]
            for row, line in enumerate(logs)
            for column, cell in enumerate(line)
            if cell is not None
        ]
    )
    return {
        "mu": mu,
        "person_sd": math.sqrt(max(0.0, pvariance(persons) - rest / len(items))),
        "item_sd": math.sqrt(max(0.0, pvariance(items) - rest / len(persons))),
        "rest_sd": math.sqrt(rest),
    }
