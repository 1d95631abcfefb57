"""What the generator counts: delays in narrow classes, counts, instants; written as lines, read again and added up.

A delay falls in a class 2 % wide, so that a percentile is true within 2 %, and the greatest one is kept exactly. Each
worker writes what is new every second: whatever ends it, what it saw is there.
"""

import json
import math
import struct
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, TextIO

WIDTH = math.log(1.02)
LEAST_MS = 0.05
WITNESS = struct.Struct("12sI32s")
"""An acknowledged op, as the tablet knows it: number of the sheet, place in its chain, digest."""


def class_of(ms: float) -> int:
    """Return the class of a delay in milliseconds."""
    return max(0, int(math.log(ms / LEAST_MS) / WIDTH)) if ms > LEAST_MS else 0


def milliseconds(position: int) -> float:
    """Return the upper bound of a class, in milliseconds."""
    return LEAST_MS * math.exp(WIDTH * (position + 1))


@dataclass(slots=True)
class Delays:
    """Delays in milliseconds, by class, with the greatest."""

    classes: Counter[int] = field(default_factory=Counter)
    greatest: float = 0.0

    def add(self, ms: float) -> None:
        """Count one delay."""
        self.classes[class_of(ms)] += 1
        self.greatest = max(self.greatest, ms)

    def merge(self, other: "Delays") -> None:
        """Add what another one has counted."""
        self.classes.update(other.classes)
        self.greatest = max(self.greatest, other.greatest)

    @property
    def count(self) -> int:
        """How many."""
        return self.classes.total()

    def quantile(self, share: float) -> float:
        """Return the delay that this share of all does not exceed, within 2 %; 0 when there is none."""
        wanted = math.ceil(share * self.count)
        seen = 0
        for position in sorted(self.classes):
            seen += self.classes[position]
            if seen >= wanted:
                return min(milliseconds(position), self.greatest)
        return 0.0


class Tally:
    """What one worker of the generator counts, and where it writes it.

    Args:
        folder: of the run.
        worker: its name.
    """

    def __init__(self, folder: Path, worker: str) -> None:
        self._worker = worker
        self._lines: TextIO = (folder / f"seen-{worker}.jsonl").open("a", encoding="utf-8")
        self._witness: BinaryIO = (folder / f"acked-{worker}.bin").open("ab")
        self._acked = bytearray()
        self._gauges: Counter[str] = Counter()
        self._processor = time.process_time()
        self._forget()

    def delay(self, kind: str, wave: int, ms: float) -> None:
        """Count a delay: `ack` from when the act was due, `late` of the generator itself, and others."""
        self._delays[f"{kind} {wave}"].add(ms)

    def count(self, name: str, wave: int = 0, by: int = 1) -> None:
        """Count something that happens."""
        self._counts[f"{name} {wave}"] += by

    def gauge(self, name: str, wave: int, by: int) -> None:
        """Count something that lasts: up when it begins, down when it ends."""
        self._gauges[f"{name} {wave}"] += by

    def event(self, kind: str, wave: int, centre: int, at: float, value: float = 0.0) -> None:
        """Note the instant of something rare: one tablet in, open, back, out."""
        self._events.append((kind, wave, centre, round(at, 4), round(value, 4)))

    def error(self, text: str, wave: int, at: float) -> None:
        """Note what a candidate was shown that should not have been."""
        self.count("errors", wave)
        self._errors.append((text, wave, round(at, 2)))

    def acked(self, number: str, seq: int, digest: bytes) -> None:
        """Keep an acknowledged op, to be held against the database."""
        self._acked += WITNESS.pack(number.encode(), seq, digest)

    def write(self) -> None:
        """Write what is new."""
        processor = time.process_time()
        line = {
            "at": time.monotonic(),
            "worker": self._worker,
            "processor": round(processor - self._processor, 4),
            "delays": {name: [one.greatest, list(one.classes.items())] for name, one in self._delays.items()},
            "counts": self._counts,
            "gauges": self._gauges,
            "events": self._events,
            "errors": self._errors,
        }
        self._processor = processor
        self._witness.write(self._acked)
        self._witness.flush()
        self._lines.write(json.dumps(line, separators=(",", ":")) + "\n")
        self._lines.flush()
        self._acked.clear()
        self._forget()

    def close(self) -> None:
        """Write what is left, and let go of the files."""
        self.write()
        self._witness.close()
        self._lines.close()

    def _forget(self) -> None:
        self._delays: defaultdict[str, Delays] = defaultdict(Delays)
        self._counts: Counter[str] = Counter()
        self._events: list[tuple[str, int, int, float, float]] = []
        self._errors: list[tuple[str, int, float]] = []


@dataclass(frozen=True, slots=True)
class Line:
    """What one worker saw in about one second; keys of the three mappings are `<name> <wave>`."""

    at: float
    worker: str
    processor: float
    delays: Mapping[str, Delays]
    counts: Mapping[str, int]
    gauges: Mapping[str, int]
    events: list[list[Any]]
    errors: list[list[Any]]


class Reader:
    """Reads the lines of every worker as they come."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._places: dict[Path, int] = {}

    def fresh(self) -> list[Line]:
        """Return the lines that have come since the last call, whole ones only."""
        found: list[Line] = []
        for path in sorted(self._folder.glob("seen-*.jsonl")):
            with path.open("rb") as file:
                file.seek(self._places.get(path, 0))
                data = file.read()
            whole = data[: data.rfind(b"\n") + 1]
            self._places[path] = self._places.get(path, 0) + len(whole)
            found += [parse_line(json.loads(text)) for text in whole.splitlines()]
        return found


def parse_line(data: dict[str, Any]) -> Line:
    """Return one line as its worker knew it."""
    delays = {
        name: Delays(Counter({int(position): int(times) for position, times in classes}), float(greatest))
        for name, (greatest, classes) in data["delays"].items()
    }
    return Line(**data | {"delays": delays})


class Seen:
    """Everything that the workers saw, added up."""

    def __init__(self, lines: Iterable[Line] = ()) -> None:
        self.lines: list[Line] = []
        self._counts: Counter[str] = Counter()
        self._events: defaultdict[tuple[str, int], list[tuple[int, int, float, float]]] = defaultdict(list)
        self._last: dict[str, Line] = {}
        self.add(lines)

    def add(self, lines: Iterable[Line]) -> None:
        """Add what has come."""
        for line in lines:
            self.lines.append(line)
            self._counts.update(line.counts)
            self._last[line.worker] = line
            for kind, wave, centre, at, value in line.events:
                self._events[kind, wave].append((wave, centre, at, value))

    def delays(self, kind: str, wave: int | None = None, since: float = 0.0, until: float = math.inf) -> Delays:
        """Return the delays of one kind, of every wave or of one, seen between two instants."""
        total = Delays()
        for line in self._between(since, until):
            for name, one in line.delays.items():
                if _is(name, kind, wave):
                    total.merge(one)
        return total

    def count(self, name: str, wave: int | None = None) -> int:
        """Return how often something happened, in every wave or in one."""
        return sum(times for key, times in self._counts.items() if _is(key, name, wave))

    def now(self, name: str, wave: int | None = None) -> int:
        """Return what lasts at present."""
        return sum(
            number for line in self._last.values() for key, number in line.gauges.items() if _is(key, name, wave)
        )

    def events(self, kind: str, wave: int | None = None) -> list[tuple[int, int, float, float]]:
        """Return (wave, centre, instant, value) of each event of a kind, wave by wave."""
        if wave is not None:
            return list(self._events.get((kind, wave), ()))
        return [event for (found, _), events in self._events.items() if found == kind for event in events]

    def errors(self) -> Counter[str]:
        """Return what candidates were shown, and how often."""
        return Counter(str(error[0]) for line in self.lines for error in line.errors)

    def _between(self, since: float, until: float) -> Iterable[Line]:
        return (line for line in self.lines if since <= line.at < until)


def _is(key: str, name: str, wave: int | None) -> bool:
    found, _, number = key.rpartition(" ")
    return found == name and (wave is None or int(number) == wave)
