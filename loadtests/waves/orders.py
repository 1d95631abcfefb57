"""What the command gives to the generator: one file of orders and one of codes; the generator reads nothing else."""

import csv
import json
import math
import os
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loadtests.waves.measures import Tally
from loadtests.waves.pace import Pace
from loadtests.waves.plan import Timetable
from loadtests.waves.tablet import Slip, Trip

ORDERS = "WAVES_ORDERS"
"""The variable that names the file of orders."""
Row = tuple[str, int, int, float, float]
"""Code, wave, position of the centre, arrival, hand-in."""
COLUMNS = ("code", "wave", "centre", "arrives", "hands_in")


@dataclass(frozen=True, slots=True)
class Orders:
    """One run of the generator.

    Attributes:
        base: address of the platform.
        folder: where it writes what it sees.
        slips: the file of codes, in the order of arrivals.
        start: monotonic seconds, shared by every process of the machine, from which slips count.
        until: seconds after the start when it gives up.
        workers: how many processes share the candidates.
        storms: seconds after the start.
        name: of its processes, in what they write.
        patience: seconds without a byte of a page after which a tablet asks again.
        closing: seconds within which everybody hands in once SIGUSR1 asks for it.
    """

    base: str
    folder: str
    slips: str
    start: float
    until: float
    workers: int
    storms: tuple[float, ...]
    paper_share: float
    statics_share: float
    statics: tuple[str, ...]
    pace: dict[str, float]
    name: str = "raw"
    patience: float = math.inf
    closing: float = 60.0

    @classmethod
    def read(cls) -> "Orders":
        """Read the orders that the environment names."""
        data = json.loads(Path(os.environ[ORDERS]).read_text(encoding="utf-8"))
        return cls(**data | {"storms": tuple(data["storms"]), "statics": tuple(data["statics"])})

    def trip(self, worker: str) -> Trip:
        """Return what the tablets of one worker share."""
        return Trip(
            base=self.base,
            pace=Pace(**self.pace),
            storms=tuple(self.start + storm for storm in self.storms),
            paper_share=self.paper_share,
            statics_share=self.statics_share,
            statics=self.statics,
            tally=Tally(Path(self.folder), worker),
            rng=random.Random(f"waves/{worker}"),
            patience=self.patience,
        )

    def read_slips(self) -> list[Slip]:
        """Return the slips, in the order of arrivals, instants being monotonic seconds."""
        with Path(self.slips).open(encoding="utf-8", newline="") as file:
            return [
                Slip(
                    row["code"],
                    int(row["wave"]),
                    int(row["centre"]),
                    self.start + float(row["arrives"]),
                    self.start + float(row["hands_in"]),
                )
                for row in csv.DictReader(file)
            ]


def write_slips(path: Path, centres: Sequence[dict[str, Any]], timetable: Timetable, rng: random.Random) -> None:
    """Write the codes of every candidate, with a wave, an arrival, and a hand-in that draws near the end for most."""
    rows: list[Row] = []
    for wave in timetable.waves:
        slips = [(slip["code"], position) for position in wave.centres for slip in centres[position]["slips"]]
        rng.shuffle(slips)
        for (code, position), arrives in zip(slips, arrivals(len(slips), wave.arrives, wave.arrived, rng), strict=True):
            hands_in = timetable.closes + (timetable.ends - timetable.closes) * rng.random() ** 0.5
            rows.append((code, wave.number, position, round(arrives, 3), round(hands_in, 3)))
    write_rows(path, rows)


def write_rows(path: Path, rows: Iterable[Row]) -> None:
    """Write slips in the order of arrivals."""
    ordered = sorted(rows, key=lambda row: row[3])
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(ordered)


def arrivals(count: int, begin: float, end: float, rng: random.Random) -> list[float]:
    """Return ordered instants, as of people who come independently of each other."""
    return sorted(rng.uniform(begin, end) for _ in range(count))
