"""Cost curves: what an answer and a candidate cost as sockets grow in number, on the same servers."""

from collections.abc import Mapping, Sequence
from math import log2
from statistics import linear_regression

from ecni.bench.answers import IN_FLIGHT, RATE_OF_A_SHEET, cost
from ecni.bench.measures import PROCESSOR_MS, Measure
from ecni.bench.memory import WARMING
from ecni.bench.stand import PLATFORM, SOCKETS_OF_A_PROCESS, Crowds, Serving, Stand

RATE = 1_000


def curves(stand: Stand) -> list[Measure]:
    """Return both costs at each size, beside those at the smallest one: flat is 1."""
    sizes = sorted(stand.size.curve)
    stand.scene.set_open()
    cookies, questions = stand.scene.cookies(sizes[-1]), stand.scene.questions
    answers: dict[int, float] = {}
    memory: dict[int, float] = {}
    tails: dict[int, float] = {}
    count = -(-sizes[-1] // SOCKETS_OF_A_PROCESS)
    warming = min(WARMING * count, sizes[0] // 2)
    with stand.serving(PLATFORM, count=count) as serving, Crowds(serving) as crowd:
        rate, empty = min(RATE, int(RATE_OF_A_SHEET * sizes[0])), warmed(serving, crowd, cookies[:warming], questions)
        for before, size in zip([warming, *sizes], sizes, strict=False):
            stand.say(f"  {size} sockets")
            crowd.connect(cookies[before:size])
            crowd.ask("rush", questions=questions, in_flight=IN_FLIGHT, seconds=120, each=True)
            memory[size] = (serving.memory_kb - empty) / (size - warming)
            found = cost(stand, serving, crowd, "answer", rate=rate, questions=questions, seconds=stand.size.seconds)
            answers[size], tails[size] = found["ms"], found["p99 ms"]
    return [
        *points("durable answer", PROCESSOR_MS, answers, {size: {"p99 ms": tail} for size, tail in tails.items()}),
        *points("composing candidate", "KB", memory, {}),
    ]


def warmed(serving: Serving, crowd: Crowds, cookies: Sequence[str], questions: Sequence[int]) -> float:
    """Return the memory of servers that have loaded what the first candidates make them load, an answer each."""
    crowd.connect(cookies)
    crowd.ask("rush", questions=questions, in_flight=IN_FLIGHT, seconds=60, each=True)
    return serving.memory_kb


def points(
    what: str, unit: str, costs: Mapping[int, float], details: Mapping[int, Mapping[str, float]]
) -> list[Measure]:
    """Return one measure for each size; the last one also says the slope, in per cent for each doubling."""
    least = costs[min(costs)]
    measures = []
    for size in sorted(costs):
        slope = {"slope, % a doubling": slope_of(costs)} if size == max(costs) and len(costs) > 1 else {}
        name, floor = f"{what}, {size} sockets", f"at {min(costs)} sockets"
        measures.append(Measure(name, costs[size], unit, floor, least, details={**details.get(size, {}), **slope}))
    return measures


def slope_of(costs: Mapping[int, float]) -> float:
    """Return by how many per cent a cost grows when the number of sockets doubles, over the whole curve."""
    fitted = linear_regression([log2(size) for size in costs], [log2(value) for value in costs.values()])
    return 100 * (float(2**fitted.slope) - 1)
