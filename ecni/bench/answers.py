"""What a durable answer costs, server and PostgreSQL, at several rates and in a closed loop, on one socket process."""

from collections.abc import Mapping, Sequence
from typing import Any

from ecni.bench.measures import PROCESSOR_MS, Measure, Target
from ecni.bench.stand import FLOOR, PLATFORM, Crowd, Crowds, Serving, Stand

RATES = (200, 1_000, 2_000)
JUDGED = "1000/s"
RUSH = "closed loop"
TOLD = ("server ms", "PostgreSQL ms", "p50 ms", "p99 ms", "answers/s", "WAL bytes")
UNIT_COSTS = {
    "answer_server_ms": "server ms",
    "answer_database_ms": "PostgreSQL ms",
    "answer_wal_bytes": "WAL bytes",
    "answer_wire_bytes": "wire bytes",
}
IN_FLIGHT = 512
ACTS = 200
"""Acts of each sheet before: in mid exam each sheet has a page of the index to itself, and writes in it."""

RATE_OF_A_SHEET = 5.0
"""Answers a second of one tablet, at most, while it is measured: half of what the platform lets it send."""

RUSHING_SOCKETS = 1_000
"""Below so many sockets a closed loop would measure the limit of each tablet."""


def answers(stand: Stand) -> list[Measure]:
    """Return the cost of an answer at each load, beside a bare websocket with group commit on the same server.

    Beside them, the same commits without any socket: what PostgreSQL and one connection cost alone.
    """
    count = stand.size.sockets
    alone = {f"{rate}/s": commit_alone(stand, rate) for rate in rates(count)}
    floor = costs(stand, FLOOR, ["floor"] * count, [1])
    stand.scene.set_open(acts=ACTS, among=count)
    ours = costs(stand, PLATFORM, stand.scene.cookies(count), stand.scene.questions)
    return [measure(load, ours[load], floor[load], alone.get(load)) for load in ours]


def measure(load: str, ours: Mapping[str, float], floor: Mapping[str, float], alone: float | None) -> Measure:
    """Return the measure of one load."""
    details = {name: ours[name] for name in TOLD}
    if alone is not None:
        details |= {"commit alone ms": alone, "ratio to commit alone": ours["ms"] / alone}
    return Measure(
        name=f"durable answer, {load}",
        value=ours["ms"],
        unit=PROCESSOR_MS,
        floor="bare websocket and group commit",
        floor_value=floor["ms"],
        target=Target("ratio", 2.0) if load == JUDGED else None,
        details=details,
        costs={name: ours[key] for name, key in UNIT_COSTS.items()} if load == JUDGED else {},
    )


def rates(sockets: int) -> list[int]:
    """Return the rates that so many tablets may keep up."""
    return [rate for rate in RATES if rate <= RATE_OF_A_SHEET * sockets]


def commit_alone(stand: Stand, rate: int) -> float:
    """Return the milliseconds of processor that one row costs by group commit alone, PostgreSQL included."""
    before = stand.database_seconds()
    done = stand.run("ecni.bench.group_commit", rate, stand.size.seconds)
    return 1000 * (float(done["processor"]) + stand.database_seconds() - before) / int(done["rows"])


def costs(
    stand: Stand, application: str, cookies: Sequence[str], questions: Sequence[int]
) -> dict[str, dict[str, float]]:
    """Return the costs of an answer at each load, by its name."""
    with stand.serving(application) as serving, stand.crowd(serving) as crowd:
        crowd.connect(cookies)
        crowd.ask("rush", questions=questions, in_flight=IN_FLIGHT, seconds=60, each=True)
        common = {"questions": questions, "seconds": stand.size.seconds}
        found = {
            f"{rate}/s": cost(stand, serving, crowd, "answer", rate=rate, **common) for rate in rates(len(cookies))
        }
        if len(cookies) >= RUSHING_SOCKETS:
            found[RUSH] = cost(stand, serving, crowd, "rush", in_flight=IN_FLIGHT, **common)
    return found


def cost(stand: Stand, serving: Serving, crowd: Crowd | Crowds, do: str, **load: Any) -> dict[str, float]:
    """Put one load on the servers and return what each answer cost.

    Raises:
        RuntimeError: an answer was not acknowledged, so that the figure would mean nothing.
    """
    stand.flush()
    before, written = serving.spent(), stand.wal_bytes()
    done = crowd.ask(do, **load)
    spent = serving.since(before)
    if done["acked"] != done["sent"]:
        raise RuntimeError(f"{done['sent']} answers, {done['acked']} acknowledged: {done['refused']} {done['errors']}")
    return {
        "ms": 1000 * spent.total / done["acked"],
        "server ms": 1000 * spent.server / done["acked"],
        "PostgreSQL ms": 1000 * spent.database / done["acked"],
        "p50 ms": done["p50_ms"],
        "p99 ms": done["p99_ms"],
        "answers/s": done["acked"] / done["seconds"],
        "WAL bytes": (stand.wal_bytes() - written) / done["acked"],
        "wire bytes": done["bytes"] / done["acked"],
    }
