"""Everybody at once: the opening, which tells every tablet that it composes; the storm, which brings them all back."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from http.client import HTTPConnection

from django.db import transaction

from ecni.bench.measures import PROCESSOR_MS, Measure, Target
from ecni.bench.stand import FLOOR, PLATFORM, Stand

WAIT_SECONDS = 60
SETTLING_SECONDS = 2.0
STORM_AT_ONCE = 1_000
"""Handshakes under way at the same time."""

ACTS = 40
"""Acts of each sheet that comes back."""


@dataclass(frozen=True, slots=True)
class FanOut:
    """One frame to every socket: processor per 1,000 sockets, when the last one had it, and how long the frame was."""

    ms_per_thousand: float
    last_ms: float
    frame_bytes: int


def broadcast(stand: Stand) -> list[Measure]:
    """Return what the opening costs from its commit on, beside the same bytes sent by a bare application."""
    stand.scene.set_lobby()
    cookies = stand.scene.cookies(stand.size.candidates)
    ours = opening(stand, cookies)
    floor = raw_fan_out(stand, len(cookies), ours.frame_bytes)
    return [
        Measure(
            name=f"opening of {len(cookies)} sheets, per 1,000",
            value=ours.ms_per_thousand,
            unit=PROCESSOR_MS,
            floor="same bytes from a bare application, same server",
            floor_value=floor.ms_per_thousand,
            target=Target("ratio", 1.5),
            details={"last ms": ours.last_ms, "last of the floor ms": floor.last_ms, "bytes": ours.frame_bytes},
            costs={"opening_ms": ours.ms_per_thousand / 1000, "opening_bytes": ours.frame_bytes},
        )
    ]


def opening(stand: Stand, cookies: Sequence[str]) -> FanOut:
    """Open every centre, and count from the commit."""
    with stand.serving() as serving, stand.crowd(serving) as crowd:
        crowd.connect(cookies)
        time.sleep(SETTLING_SECONDS)
        crowd.ask("arm")
        crowd.order("collect", kind="status", seconds=WAIT_SECONDS)
        with transaction.atomic():
            stand.scene.open()
            before, committed = serving.spent(), time.monotonic()
        return fan_out(crowd.answer(), len(cookies), committed, serving.since(before).server)


def raw_fan_out(stand: Stand, count: int, frame_bytes: int) -> FanOut:
    """Have a bare application send as many bytes to as many sockets."""
    with stand.serving(FLOOR) as serving, stand.crowd(serving) as crowd:
        crowd.connect(["floor"] * count, greet=False)
        time.sleep(SETTLING_SECONDS)
        crowd.ask("arm")
        crowd.order("collect", kind="status", seconds=WAIT_SECONDS)
        before, asked = serving.spent(), time.monotonic()
        caller = HTTPConnection("127.0.0.1", serving.port)
        caller.request("GET", f"/fan/?bytes={frame_bytes}")
        caller.getresponse()
        return fan_out(crowd.answer(), count, asked, serving.since(before).server)


def fan_out(seen: dict[str, float], count: int, asked: float, spent: float) -> FanOut:
    """Return what one frame to every socket cost.

    Raises:
        RuntimeError: a socket did not get it.
    """
    if seen["seen"] != count:
        raise RuntimeError(f"{seen['seen']} sockets of {count} were told")
    return FanOut(1e6 * spent / count, 1000 * (seen["last"] - asked), round(seen["bytes"] / count))


def storm(stand: Stand) -> list[Measure]:
    """Return what it costs to have everybody back, each with the state of the sheet read again."""
    count = stand.size.storm
    bare, bare_last = returning(stand, FLOOR, ["floor"] * count)
    stand.scene.set_open(acts=ACTS)
    ours, last = returning(stand, PLATFORM, stand.scene.cookies(count))
    return [
        Measure(
            name=f"return of {count} tablets, {ACTS} acts each",
            value=ours,
            unit=PROCESSOR_MS,
            floor="as many bare handshakes with a frame each way",
            floor_value=bare,
            details={"last s": last, "last of the floor s": bare_last},
            costs={"return_ms": ours},
        )
    ]


def returning(stand: Stand, application: str, cookies: Sequence[str]) -> tuple[float, float]:
    """Drop all, have all back; return the milliseconds of each, and when the last one had its state, in seconds."""
    with stand.serving(application) as serving, stand.crowd(serving) as crowd:
        crowd.connect(cookies)
        crowd.ask("drop")
        time.sleep(SETTLING_SECONDS)
        before = serving.spent()
        done = crowd.connect(cookies, at_once=STORM_AT_ONCE)
        return 1000 * serving.since(before).total / len(cookies), done["last_s"]
