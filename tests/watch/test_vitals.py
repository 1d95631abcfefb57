"""What a process says of itself, through a real Redis."""

import asyncio
import gc
import logging
import os
import time
from pathlib import Path

import pytest
import redis

from ecni.vitals import Gauges, Pulse, Severity, Turn, Vitals, hints
from ecni.vitals.descriptors import count_descriptors
from ecni.vitals.pressure import Pressure
from ecni.vitals.reporter import CollectorPauses, LoopLag, Reporter, open_descriptors
from ecni.vitals.tally import Tally


@pytest.fixture
def reporter(monkeypatch):
    monkeypatch.setattr(Reporter, "_run", lambda _self: None)
    ours = Reporter()
    ours.start()
    yield ours
    gc.callbacks.remove(ours._pauses._note)


def test_a_record_travels_whole(hinting, reporter):
    reporter.source = lambda: Gauges(sockets=12, composing=9, writer_capacity=100)
    vitals = reporter.vitals()
    hints.publish_vitals(hinting, vitals)
    assert hints.read_vitals() == [vitals]
    assert hints.read_past([vitals.name])[vitals.name] == [hints.Past(12, 0.0, round(vitals.loop_lag_ms))]
    assert (vitals.descriptors > 3, vitals.resident_bytes > 2**20, vitals.descriptors_limit > 3) == (True, True, True)


def test_a_record_of_another_version_is_read(reporter):
    text = reporter.vitals().encode().replace('"sockets":0', '"sockets":4,"unheard":1')
    assert Vitals.decode(text).gauges.sockets == 4


def test_a_process_that_says_nothing_more_is_forgotten(hinting, reporter):
    vitals = reporter.vitals()
    hints.publish_vitals(hinting, vitals)
    assert 0 < hinting.ttl(f"{hints.INDEX}:{vitals.name}") <= hints.FRESH_SECONDS
    hinting.delete(f"{hints.INDEX}:{vitals.name}")
    assert hints.read_vitals() == []


def test_nobody_watching_is_not_the_same_as_nothing_found(hinting):
    assert hints.read_pressures() is None
    hints.publish_pressures(hinting, "a", [], time.time())
    assert hints.read_pressures() == []
    reached = Pressure("nginx", "", 10, 10, 1.0, Severity.REACHED, "nginx est plein", "relever", 5.0)
    hints.publish_pressures(hinting, "b", [reached], time.time())
    assert hints.read_pressures() == [reached]
    assert hints.reached_limit() == "Limite atteinte : nginx est plein"


def test_nothing_breaks_without_redis(settings, caplog):
    settings.REDIS_HINTS_URL = "redis://127.0.0.1:1/0"
    hints._shared.cache_clear()
    ours = Reporter()
    ours._pauses = CollectorPauses()
    ours._before = ours._counts()
    with caplog.at_level(logging.WARNING):
        ours._publish(hints.client())
        ours._publish(hints.client())
    assert hints.reached_limit() == ""
    with pytest.raises(redis.RedisError):
        hints.read_vitals()
    assert [record.event for record in caplog.records] == ["redis-away"]
    gc.callbacks.remove(ours._pauses._note)
    hints._shared.cache_clear()


def test_going_and_coming_back_are_each_said_once(caplog):
    turn = Turn(logging.getLogger("house"), "PostgreSQL", "postgresql")
    turn.back()
    for _ in range(3):
        turn.away(OSError("password=secret"))
    turn.back()
    turn.back()
    assert [record.event for record in caplog.records] == ["postgresql-away", "postgresql-back"]
    assert "secret" not in caplog.text


async def test_the_lag_of_a_loop_is_what_it_keeps_waiting():
    lag, loop = LoopLag(), asyncio.get_running_loop()
    lag.ask(loop)
    await asyncio.sleep(0.01)
    assert lag.take_ms() < 1000
    lag.ask(loop)
    time.sleep(0.2)  # noqa: ASYNC251 -- what stops a loop
    await asyncio.sleep(0)
    assert lag.take_ms() >= 200
    lag.ask(loop)
    time.sleep(0.1)  # noqa: ASYNC251
    assert lag.take_ms() >= 100
    await asyncio.sleep(0)


def test_a_loop_that_has_closed_is_not_asked():
    loop = asyncio.new_event_loop()
    loop.close()
    lag = LoopLag()
    lag.ask(loop)
    assert lag.take_ms() == 0


def test_pauses_of_the_collector_are_timed():
    pauses = CollectorPauses()
    gc.collect()
    assert pauses.take_ms() > 0
    assert pauses.take_ms() == 0
    gc.callbacks.remove(pauses._note)


def test_a_writer_under_way_counts_before_it_ends():
    pulse = Pulse()
    pulse.begin()
    time.sleep(0.05)
    assert pulse.take_max_ms() >= 50
    pulse.end(3)
    assert (pulse.busy_since, pulse.last_size, pulse.last_ms >= 50) == (None, 3, True)


def test_a_stalled_writer_is_said_once_and_again_when_it_recovers(reporter, caplog):
    stalled = Gauges(writer_waiting=40, stalled_seconds=3.0)
    for gauges in (Gauges(), stalled, stalled, Gauges()):
        reporter._say_stalled(gauges)
    assert [record.event for record in caplog.records] == ["writer-stalled", "writer-recovered"]


def test_frames_are_counted_by_what_they_say():
    tally = Tally()
    for frame in ({"t": "ack", "seq": 1}, {"t": "refused", "code": "busy"}, {"t": "status"}, {"t": "ack", "seq": 2}):
        tally.note_frame(frame)
    assert (tally.acks, tally.refusals) == (2, {"busy": 1})


def test_descriptors_are_all_used_when_none_is_left_to_look_with():
    assert 3 < open_descriptors(10**6) < 10**6


def test_descriptors_are_counted_without_being_named():
    opened = [os.open(os.devnull, os.O_RDONLY) for _ in range(50)]
    try:
        named = len(list(Path("/proc/self/fd").iterdir())) - 1  # the one that lists
        assert count_descriptors() in {named, named + 1}  # a kernel that does not count has them listed
    finally:
        for one in opened:
            os.close(one)
