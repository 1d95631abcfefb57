"""What a heartbeat costs: a tablet that thinks says every ten seconds that it is there, and is told the time."""

from collections.abc import Sequence

from ecni.bench.answers import IN_FLIGHT
from ecni.bench.measures import PROCESSOR_MS, Measure
from ecni.bench.stand import FLOOR, PLATFORM, Stand

RATE = 1_000
"""Beats a second: those of ten thousand tablets."""


def beats(stand: Stand) -> list[Measure]:
    """Return the cost of a beat, beside a frame each way on the same server."""
    count = stand.size.sockets
    floor = beat_ms(stand, FLOOR, ["floor"] * count, [1])
    stand.scene.set_open()
    ours = beat_ms(stand, PLATFORM, stand.scene.cookies(count), stand.scene.questions)
    return [
        Measure(
            name="heartbeat",
            value=ours,
            unit=PROCESSOR_MS,
            floor="a frame each way, bare websocket, same server",
            floor_value=floor,
            costs={"beat_ms": ours},
        )
    ]


def beat_ms(stand: Stand, application: str, cookies: Sequence[str], questions: Sequence[int]) -> float:
    """Return the milliseconds of processor that a beat costs a server, its report to the consoles included.

    Raises:
        RuntimeError: a beat was not answered, so that the figure would mean nothing.
    """
    with stand.serving(application) as serving, stand.crowd(serving) as crowd:
        crowd.connect(cookies)
        crowd.ask("rush", questions=questions, in_flight=IN_FLIGHT, seconds=60, each=True)
        before = serving.spent()
        done = crowd.ask("beat", rate=RATE, seconds=stand.size.seconds)
        if not done["sent"] == done["seen"] == RATE * stand.size.seconds:
            raise RuntimeError(f"{done['sent']} beats, {done['seen']} answered")
        return 1000 * serving.since(before).server / int(done["seen"])
