"""What getting in costs: the handshake of a socket with a ticket, and the whole entry by slip."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from ecni.bench.measures import PROCESSOR_MS, Measure, Target
from ecni.bench.stand import FLOOR, PLATFORM, Stand
from ecni.bench.visitor import Visitor

EMPTY_PAGE = "ecni.bench.empty_page:application"
WARMING = 50
ENTERING = 20
"""How many enter at the same time."""


def handshake(stand: Stand) -> list[Measure]:
    """Return what a handshake with ticket costs, beside one that is accepted and does nothing."""
    count = stand.size.sockets
    floor, _ = greeted(stand, FLOOR, ["floor"] * count, greet=False)
    stand.scene.set_open()
    cookies = stand.scene.cookies(count)
    ours, last = greeted(stand, PLATFORM, cookies, greet=False)
    whole, _ = greeted(stand, PLATFORM, cookies, greet=True)
    bare_whole, _ = greeted(stand, FLOOR, ["floor"] * count, greet=True)
    bare = "bare handshake, same server"
    return [
        Measure(
            "handshake with ticket",
            ours,
            PROCESSOR_MS,
            bare,
            floor,
            Target("ratio", 1.5),
            {"handshakes/s": count / last},
        ),
        Measure("handshake, hello, state", whole, PROCESSOR_MS, f"{bare}, a frame each way", bare_whole),
    ]


def greeted(stand: Stand, application: str, cookies: Sequence[str], *, greet: bool) -> tuple[float, float]:
    """Return the milliseconds of processor of each socket that opens, and when the last one was there, in seconds."""
    with stand.serving(application) as serving, stand.crowd(serving) as crowd:
        crowd.connect(cookies[:WARMING], greet=greet)
        crowd.ask("drop")
        before = serving.spent()
        done = crowd.connect(cookies, greet=greet)
        return 1000 * serving.since(before).total / len(cookies), done["last_s"]


def login(stand: Stand) -> list[Measure]:
    """Return what an entry by slip costs, beside as many requests for an empty page through the same middleware."""
    count = stand.size.logins
    floor = visited(stand, EMPTY_PAGE, [""] * (count + WARMING), Visitor.get_empty_pages)
    stand.scene.set_lobby()
    ours = visited(stand, PLATFORM, stand.scene.slip_codes(count + WARMING), Visitor.enter)
    pages = "three empty pages, same middleware, Django's own handler"
    return [Measure("entry by slip", ours, PROCESSOR_MS, pages, floor, costs={"login_ms": ours})]


def visited(
    stand: Stand, application: str, codes: Sequence[str], visit: Callable[[Visitor, str], Awaitable[None]]
) -> float:
    """Return the milliseconds of processor of each visit, PostgreSQL included."""

    async def all_of(some: Sequence[str], port: int) -> None:
        gate = asyncio.Semaphore(ENTERING)

        async def one(code: str) -> None:
            async with gate, Visitor(port) as visitor:
                await visit(visitor, code)

        await asyncio.gather(*map(one, some))

    with stand.serving(application, role="web") as serving:
        asyncio.run(all_of(codes[:WARMING], serving.port))
        before = serving.spent()
        asyncio.run(all_of(codes[WARMING:], serving.port))
        return 1000 * serving.since(before).total / (len(codes) - WARMING)
