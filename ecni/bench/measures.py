"""One measure: seconds and peak memory of a piece of work, beside a floor measured in the same run."""

import gc
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time
from typing import TypeVar

Result = TypeVar("Result")
STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


@dataclass(frozen=True, slots=True)
class Size:
    """How large a benchmark is: candidates and questions."""

    candidates: int
    questions: int


@dataclass(frozen=True, slots=True)
class Measure:
    """What one piece of work cost.

    Attributes:
        name: of the work.
        seconds, processor: wall time, and processor time, which a busy machine disturbs less.
        peak_mib: the highest resident memory of the process meanwhile (0 where unknown).
        floor: what the floor is.
        floor_processor: processor time of the least that any program must do with the same data, just before.
    """

    name: str
    seconds: float
    processor: float
    peak_mib: int
    floor: str
    floor_processor: float

    @property
    def ratio(self) -> float:
        """How many floors the work cost."""
        return self.processor / self.floor_processor if self.floor_processor else float("inf")


def measured(name: str, work: Callable[[], Result], floor: str, least: Callable[[], object]) -> tuple[Measure, Result]:
    """Time the floor, then the work; return the measure and what the work returned."""
    _, floor_processor, _, _ = _timed(least)
    seconds, processor, peak, result = _timed(work)
    return Measure(name, seconds, processor, peak, floor, floor_processor), result


def _timed(work: Callable[[], Result]) -> tuple[float, float, int, Result]:
    gc.collect()
    if CLEAR.exists():
        CLEAR.write_text("5")  # Linux: the high-water mark starts again from the present memory
    start, spent = perf_counter(), process_time()
    result = work()
    return perf_counter() - start, process_time() - spent, _peak_mib(), result


def _peak_mib() -> int:
    if not STATUS.exists():
        return 0
    line = next((line for line in STATUS.read_text().splitlines() if line.startswith("VmHWM:")), "VmHWM: 0 kB")
    return int(line.split()[1]) // 1024
