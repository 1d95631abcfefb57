"""What a composing candidate takes of a server's memory: `hello` said, `state` received, an answer stored."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from ecni.bench.answers import IN_FLIGHT
from ecni.bench.measures import Measure, Target
from ecni.bench.processes import private_kb
from ecni.bench.stand import FLOOR, PLATFORM, Stand

WARMING = 50
"""Candidates who come first: what the first one makes a process load is not theirs."""

REPORTING_SECONDS = 3.0
"""More than the pause between two reports of presence."""


@dataclass(frozen=True, slots=True)
class Taken:
    """KB of a candidate, of a server without any, of a connection of PostgreSQL; bytes of an act, of a presence."""

    candidate_kb: float
    empty_kb: float
    act_bytes: float
    presence_bytes: float
    backend_kb: float


def memory(stand: Stand) -> list[Measure]:
    """Return the KB of a composing candidate, beside those of a bare websocket on the same server."""
    count = stand.size.sockets
    floor = taken(stand, FLOOR, ["floor"] * count, [1])
    stand.scene.set_open()
    ours = taken(stand, PLATFORM, stand.scene.cookies(count), stand.scene.questions)
    return [
        Measure(
            name="composing candidate",
            value=ours.candidate_kb,
            unit="KB",
            floor="bare websocket, same server",
            floor_value=floor.candidate_kb,
            target=Target("value", 40.0),
            details={
                "server without any MB": ours.empty_kb / 1000,
                "journal bytes an act": ours.act_bytes,
                "Redis bytes": ours.presence_bytes,
                "connection of PostgreSQL MB": ours.backend_kb / 1000,
            },
            costs={
                "candidate_kb": ours.candidate_kb,
                "process_mb": ours.empty_kb / 1000,
                "act_bytes": ours.act_bytes,
                "presence_bytes": ours.presence_bytes,
                "backend_mb": ours.backend_kb / 1000,
            },
        )
    ]


def taken(stand: Stand, application: str, cookies: Sequence[str], questions: Sequence[int]) -> Taken:
    """Return what one process takes (PSS), and what each socket adds to it."""
    warming, others = cookies[: min(WARMING, len(cookies) // 2)], cookies[min(WARMING, len(cookies) // 2) :]
    stand.empty_redis()
    with stand.serving(application) as serving, stand.crowd(serving) as crowd:
        crowd.connect(warming)
        crowd.ask("rush", questions=questions, in_flight=IN_FLIGHT, seconds=60, each=True)
        before, shown = serving.memory_kb, stand.redis_bytes()
        crowd.connect(others)
        crowd.ask("rush", questions=questions, in_flight=IN_FLIGHT, seconds=60, each=True)
        time.sleep(REPORTING_SECONDS)
        return Taken(
            candidate_kb=(serving.memory_kb - before) / len(others),
            empty_kb=before,
            act_bytes=stand.scene.act_bytes(),
            presence_bytes=max(0.0, stand.redis_bytes() - shown) / len(others),
            backend_kb=private_kb(backends := stand.backends()) / max(1, len(backends)),
        )
