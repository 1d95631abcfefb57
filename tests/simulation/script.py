"""What happens in one history, drawn from its seed: acts of two candidates, deeds of the staff, faults.

A list of events that can be read, replayed and shortened.
"""

from dataclasses import dataclass
from random import Random

from exams.enums import OfflineClock

OPENING_MS = 3_000
LETTERS = "ABCDE"


@dataclass(frozen=True, slots=True)
class Script:
    """One history: its timetable and its events `(ms, kind, arguments)`, in order."""

    seed: int
    duration: int
    grace: int
    extra: dict
    clock: OfflineClock
    skews: dict
    end: int
    events: tuple


def script(seed):
    """Return the history of a seed."""
    random = Random(seed)
    duration, grace = random.randint(8, 18), random.choice((2, 3, 5))
    extra = {1: 0, 2: random.choice((0, 0, 10))}
    end = OPENING_MS + (duration + max(extra.values())) * 1000
    skews = {"A1": random.randint(-300_000, 300_000), "B1": random.choice((0, 3_000, 90_000))}
    clock = random.choice(list(OfflineClock))
    faults = [fault for fault in _FAULTS if random.random() < 0.3]
    drawn = [(OPENING_MS, "open", ()), *_acts(random, end), *_last_acts(random, duration, extra)]
    for fault in faults:
        for _ in range(random.choice((1, 1, 2))):
            drawn += _FAULTS[fault](random, random.randint(OPENING_MS, end + 1_000), end)
    drawn += [(end + grace * 1000 + random.randint(-500, 3_000), "close", (random.random() < 0.2,))]
    events = tuple(sorted(drawn, key=lambda event: event[0]))
    return Script(seed, duration, grace, extra, clock, skews, end + grace * 1000 + 4_000, events)


def _acts(random, end):
    events = []
    for sheet, count in ((1, random.randint(6, 16)), (2, random.randint(2, 7))):
        events += [(random.randint(OPENING_MS, end), "act", (sheet, *_act(random), False)) for _ in range(count)]
    if random.random() < 0.15:
        events.append((random.randint(OPENING_MS, end), "act", (1, "submit", 0, "", False)))
    if random.random() < 0.25:
        at = random.randint(OPENING_MS, end)
        events += [(at + 3 * i, "act", (1, *_act(random), False)) for i in range(random.choice((5, 12, 22)))]
    return events


def _act(random):
    kind = random.choices(("answer", "seal", "flag", "strike"), (8, 4, 1, 1))[0]
    if kind == "seal":
        return kind, random.randint(3, 5), ""
    question = random.randint(1, 5)
    if kind == "flag":
        return kind, question, random.choice("01")
    single = kind == "answer" and question in {1, 4}
    letters = random.sample(LETTERS, random.randint(0, 1 if single else 3))
    return kind, question, "".join(sorted(letters))


def _last_acts(random, duration, extra):
    """Acts around the end, some by a hand that the screen does not stop."""
    events = []
    for sheet in (1, 2):
        end = OPENING_MS + (duration + extra[sheet]) * 1000
        events += [(end + random.randint(-1_500, 2_600), "act", (sheet, *_act(random), True)) for _ in range(3)]
    return events


def _network(random, at, _end):
    for_ms = random.choice((300, 2_000, 8_000))
    return random.choice(
        (
            [(at, "cut", (random.choice("AB"),))],
            [(at, "half_open", (random.choice("AB"),))],
            [
                (at, "latency", (random.choice((400, 1_500)),)),
                (at + random.randint(50, 1_500), "straggle", ("A",)),
                (at + for_ms, "latency", (30,)),
            ],
            [(at, "network", (False,)), (at + for_ms, "network", (True,))],
            [(at, "latency", (random.choice((400, 1_500)),)), (at + for_ms, "latency", (30,))],
            [
                (at, "cut", ("A",)),
                (at + random.randint(1, 60), "cut", ("A",)),
                (at + random.randint(60, 900), "cut", ("A",)),
            ],
        )
    )


def _process(random, at, _end):
    name = random.choice(("p1", "p2"))
    return [(at, "kill", (name, random.random() < 0.5)), (at + random.choice((200, 3_000)), "restart", (name,))]


def _database(random, at, _end):
    mode, for_ms = random.choice((("refuses", 1_500), ("unknown", 1_500), ("unknown", 4_000), ("slow", 3_000)))
    return [(at, "database", (mode,)), (at + for_ms, "database", ("up",))]


def _page(random, at, _end):
    return [(at, "die", (random.choice("AB"),)), (at + random.choice((10, 500, 4_000)), "boot", ())]


def _storage(random, at, _end):
    who, mode = random.choice("AB"), random.choice(("full", "full", "hang", "wipe", "corrupt", "spoil"))
    events = [(at, "disk", (who, mode))]
    if mode in {"full", "hang"}:
        events.append((at + 3_000, "disk", (who, "ok")))
    if random.random() < 0.5:
        events += [(at + 700, "die", (who,)), (at + 1_200, "boot", ())]
    return events


def _sleep(random, at, _end):
    return [
        (at, "sleep", (random.choice("AB"),)),
        (at + random.choice((800, 6_000, 40_000)), "wake", (random.random() < 0.5,)),
    ]


def _swap(random, at, _end):
    return [(at, "swap", (random.choice("AB"), random.randint(500, 3_000)))]


def _clock(random, at, _end):
    return [(at, "clock", (random.choice("AB"), random.choice((-3_600_000, -5_000, 5_000, 3_600_000))))]


def _staff(random, at, end):
    for_ms = random.choice((500, 4_000))
    last = end + random.randint(-1_000, 900)
    return random.choice(
        (
            [(at, "pause", ()), (at + for_ms, "resume", ())],
            [(at, "grant", (random.choice((1, 2, None)), 10))],
            [(last, "grant", (random.choice((1, 2, None)), 8))],
            [(at, "close", (False,))],
            [(min(at, end), "close", (True,))],
        )
    )


def _edges(random, _at, _end):
    return [(OPENING_MS + 1, "edge", (random.choice((1, 2)), random.choice((-1, 0, 1)), random.random() < 0.7))]


def _hints(random, at, _end):
    return [(at, "hints", (False,)), (at + 10_000, "hints", (True,))]


def _http(random, at, _end):
    return [(at, "http", (True,)), (at + 1, "cut", (random.choice("AB"),)), (at + 12_000, "http", (False,))]


_FAULTS = {
    "network": _network,
    "process": _process,
    "database": _database,
    "page": _page,
    "storage": _storage,
    "sleep": _sleep,
    "swap": _swap,
    "clock": _clock,
    "staff": _staff,
    "edges": _edges,
    "hints": _hints,
    "http": _http,
}
