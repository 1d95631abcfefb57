"""Who told how they are, and tells nothing any more."""

import os
import signal
import socket
import subprocess
import sys
import time

import pytest
import redis

from ecni.vitals import Gauges, Vitals, hints
from ecni.watch.silence import GONE_SECONDS, MUTE_SECONDS, Silence
from tests.watch.houses import PATIENCE, ROOT

HOST = socket.gethostname()
ELSEWHERE = "ailleurs"
NOW = 1_800_000_000.0
RECORD = Vitals(
    role="web", host=HOST, pid=os.getpid(), started_at=NOW, at=NOW, gauges=Gauges(), acks=0, refusals={}, logins=0,
    http_exchanges=0, acks_per_second=0, logins_per_second=0, loop_lag_ms=0, gc_pause_ms=0,
    descriptors=9, descriptors_limit=99, resident_bytes=9, cpu_share=0,
)  # fmt: skip
TALKING = """
import time, django
django.setup()
from ecni.vitals import REPORTER
REPORTER.start()
time.sleep(600)
"""


def waited_for(look):
    deadline = time.monotonic() + PATIENCE
    while not (found := look()):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return found


@pytest.fixture
def talking():
    """Give a process that says how it is, whatever becomes of it."""
    environment = os.environ | {"ROLE": "web", "DJANGO_SETTINGS_MODULE": "ecni.settings"}
    with subprocess.Popen([sys.executable, "-c", TALKING], cwd=ROOT, env=environment) as process:
        yield process
        process.kill()


@pytest.mark.slow
def test_a_process_that_is_frozen_is_named_until_it_speaks_again_or_ends(hinting, talking):
    silence = Silence(HOST)
    name = f"web {talking.pid}@{HOST}"

    def looked(later=0.0):
        return [one for one in silence.read(time.time() + later) if one.where == name]

    waited_for(lambda: hinting.exists(f"{hints.INDEX}:{name}"))
    assert looked() == []
    talking.send_signal(signal.SIGSTOP)
    (frozen,) = waited_for(looked)
    assert (frozen.layer, frozen.refused, frozen.used >= MUTE_SECONDS) == ("silence", 1, True)
    hinting.delete(f"{hints.INDEX}:{name}")  # as soon as Redis forgets it
    assert looked()
    talking.send_signal(signal.SIGCONT)
    waited_for(lambda: not looked())
    talking.kill()
    talking.wait()
    assert looked(later=2 * MUTE_SECONDS) == []


@pytest.fixture
def silence(hinting):
    """Give one that has heard a process of this host, and the watcher of another; both are mute since."""
    found = Silence(HOST)
    hints.publish_pressures(hinting, HOST, [], NOW)
    hints.publish_pressures(hinting, ELSEWHERE, [], NOW)
    hints.publish_vitals(hinting, RECORD)
    assert named(found, NOW) == []
    hinting.flushdb()
    return found


def named(silence, now):
    return [(one.where, one.used) for one in silence.read(now) if one.where in {RECORD.name, ELSEWHERE}]


def test_both_are_named_once_three_words_are_missing(silence):
    assert named(silence, NOW + MUTE_SECONDS) == []
    late = MUTE_SECONDS + 1
    assert named(silence, NOW + late) == [(RECORD.name, late), (ELSEWHERE, late)]
    assert {one.layer for one in silence.read(NOW + late)} == {"silence"}


def test_a_watcher_that_was_stopped_on_purpose_is_named_for_a_while(silence):
    assert [where for where, _ in named(silence, NOW + GONE_SECONDS)] == [RECORD.name]


def test_nobody_is_mute_because_redis_was_away_and_who_is_stays_known(silence, settings):
    settings.REDIS_HINTS_URL, there = "redis://127.0.0.1:1/0", settings.REDIS_HINTS_URL
    hints._shared.cache_clear()
    with pytest.raises(redis.RedisError):
        silence.read(NOW + 7)
    settings.REDIS_HINTS_URL = there
    hints._shared.cache_clear()
    assert named(silence, NOW + 8) == []
    assert named(silence, NOW + 8 + MUTE_SECONDS) == []
    assert {where for where, _ in named(silence, NOW + 9 + MUTE_SECONDS)} == {RECORD.name, ELSEWHERE}
