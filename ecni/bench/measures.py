"""One measure: what a piece of work cost, a floor measured in the same run, and the target that it is held to."""

import gc
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from time import perf_counter, process_time
from typing import TypeVar

Result = TypeVar("Result")
STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
PROCESSOR_SECONDS = "s of processor"
PROCESSOR_MS = "ms of processor"


@dataclass(frozen=True, slots=True)
class Size:
    """How large benchmarks are.

    Attributes:
        candidates, questions: of the exam that is marked, opened, frozen.
        sockets: open ones while answers, handshakes and memory are measured.
        storm: sockets that come back at once.
        logins: entries by slip.
        seconds: of each load at a rate.
        curve: numbers of sockets of the cost curves.
    """

    candidates: int = 10_000
    questions: int = 450
    sockets: int = 2_000
    storm: int = 9_800
    logins: int = 400
    seconds: float = 5.0
    curve: tuple[int, ...] = (1_000, 5_000, 10_000)

    @property
    def most(self) -> int:
        """The most candidates that any benchmark asks for."""
        return max(self.candidates, self.sockets, self.storm, *self.curve)


@dataclass(frozen=True, slots=True)
class Target:
    """What a measure must not exceed: its `ratio`, its `value`, or one of its details."""

    of: str
    at_most: float


@dataclass(frozen=True, slots=True)
class Measure:
    """What one piece of work cost.

    Attributes:
        name: of the work.
        value, unit: the figure.
        floor, floor_value: what the floor is, and its figure in the same unit, taken just before.
        target: what is to be met, if something is.
        details: other figures of the same run, by name with unit.
        worst: the highest ratio of all runs, when there were several; `worst_judged` the same of what the target holds.
        costs: the unit costs that it gives to `manage.py capacity`, by their names there.
    """

    name: str
    value: float
    unit: str
    floor: str
    floor_value: float
    target: Target | None = None
    details: Mapping[str, float] = field(default_factory=dict)
    worst: float | None = None
    worst_judged: float | None = None
    costs: Mapping[str, float] = field(default_factory=dict)

    @property
    def ratio(self) -> float:
        """How many floors the work cost."""
        return self.value / self.floor_value if self.floor_value else inf

    @property
    def words(self) -> str:
        """The figure, its floor and their ratio in a line."""
        floor = f"plancher {figure(self.floor_value)}, rapport {self.ratio:.2f}"
        said = f"{self.name} : {figure(self.value)} {self.unit}, {floor}"
        others = ", ".join(f"{name} {figure(value)}" for name, value in self.details.items())
        return f"{said} ({others})" if others else said

    @property
    def judged(self) -> float:
        """What the target holds: the ratio without one."""
        known = {"ratio": self.ratio, "value": self.value, **self.details}
        return known[self.target.of if self.target else "ratio"]

    @property
    def is_met(self) -> bool | None:
        """Whether the target is met; None without one."""
        return self.judged <= self.target.at_most if self.target else None


def figure(value: float) -> str:
    """Return a number with three significant digits, whole above 100."""
    return f"{value:,.0f}".replace(",", " ") if abs(value) >= 100 else f"{value:.3g}"  # noqa: PLR2004 -- as said


@dataclass(frozen=True, slots=True)
class Timed:
    """Wall and processor seconds of this process, and its highest resident memory meanwhile (0 where unknown)."""

    seconds: float
    processor: float
    peak_mib: int


def measured(
    name: str, work: Callable[[], Result], floor: str, least: Callable[[], object], target: Target | None = None
) -> tuple[Measure, Result]:
    """Time the floor, then the work, in this process; return the measure and what the work returned."""
    lowest, _ = timed(least)
    cost, result = timed(work)
    details = {"seconds": cost.seconds, "peak MiB": cost.peak_mib}
    return Measure(name, cost.processor, PROCESSOR_SECONDS, floor, lowest.processor, target, details), result


def timed(work: Callable[[], Result]) -> tuple[Timed, Result]:
    """Return what a piece of work of this process costs, and its result."""
    gc.collect()
    if CLEAR.exists():
        CLEAR.write_text("5")  # Linux: the high-water mark starts again from the present memory
    start, spent = perf_counter(), process_time()
    result = work()
    return Timed(perf_counter() - start, process_time() - spent, _peak_mib()), result


def _peak_mib() -> int:
    if not STATUS.exists():
        return 0
    line = next((line for line in STATUS.read_text().splitlines() if line.startswith("VmHWM:")), "VmHWM: 0 kB")
    return int(line.split()[1]) // 1024
