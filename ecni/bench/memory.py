"""What a composing candidate takes of a server's memory: `hello` said, `state` received, an answer stored."""

from collections.abc import Sequence

from ecni.bench.answers import IN_FLIGHT
from ecni.bench.measures import Measure, Target
from ecni.bench.stand import FLOOR, PLATFORM, Stand

WARMING = 50
"""Candidates who come first: what the first one makes a process load is not theirs."""


def memory(stand: Stand) -> list[Measure]:
    """Return the KB of a composing candidate, beside those of a bare websocket on the same server."""
    count = stand.size.sockets
    floor = kilobytes(stand, FLOOR, ["floor"] * count, [1])
    stand.scene.set_open()
    ours = kilobytes(stand, PLATFORM, stand.scene.cookies(count), stand.scene.questions)
    return [
        Measure("composing candidate", ours, "KB", "bare websocket", floor, Target("value", 40.0), cost="candidate_kb")
    ]


def kilobytes(stand: Stand, application: str, cookies: Sequence[str], questions: Sequence[int]) -> float:
    """Return the memory (PSS) of one process that each socket adds."""
    warming, others = cookies[: min(WARMING, len(cookies) // 2)], cookies[min(WARMING, len(cookies) // 2) :]
    with stand.serving(application) as serving, stand.crowd(serving) as crowd:
        crowd.connect(warming)
        crowd.ask("rush", questions=questions, in_flight=IN_FLIGHT, seconds=60, each=True)
        before = serving.memory_kb
        crowd.connect(others)
        crowd.ask("rush", questions=questions, in_flight=IN_FLIGHT, seconds=60, each=True)
        return (serving.memory_kb - before) / len(others)
