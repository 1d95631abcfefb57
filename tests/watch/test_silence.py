"""Who told how they are, and tells nothing any more."""

import os
import signal
import socket
import subprocess
import sys
import time

import pytest
import redis

from ecni.vitals import hints
from ecni.watch.silence import GONE_SECONDS, MUTE_SECONDS, Silence
from tests.watch.houses import PATIENCE, ROOT

HOST = socket.gethostname()
ELSEWHERE = "ailleurs"
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


@pytest.mark.slow
def test_a_process_that_is_frozen_is_named_until_it_speaks_again_or_ends(hinting):
    silence = Silence(HOST)
    environment = os.environ | {"ROLE": "web", "DJANGO_SETTINGS_MODULE": "ecni.settings"}
    with subprocess.Popen([sys.executable, "-c", TALKING], cwd=ROOT, env=environment) as process:
        name = f"web {process.pid}@{HOST}"

        def named(later=0.0):
            return [one for one in silence.read(time.time() + later) if one.where == name]

        waited_for(lambda: hinting.exists(f"{hints.INDEX}:{name}"))
        assert named() == []
        process.send_signal(signal.SIGSTOP)
        (frozen,) = waited_for(named)
        assert (frozen.layer, frozen.refused) == ("silence", 1)
        assert MUTE_SECONDS < frozen.used < hints.FRESH_SECONDS
        hinting.delete(f"{hints.INDEX}:{name}")  # as soon as Redis forgets it
        assert named()
        process.send_signal(signal.SIGCONT)
        waited_for(lambda: not named())
        process.kill()
        process.wait()
        assert named(later=2 * MUTE_SECONDS) == []


@pytest.fixture
def silence(hinting):
    """Give one that has heard the watcher of another host, which has stopped since."""
    found = Silence(HOST)
    for host in (HOST, ELSEWHERE):
        hints.publish_pressures(hinting, host, [], time.time())
    assert found.read(time.time()) == []
    for host in (HOST, ELSEWHERE):
        hinting.delete(f"{hints.WATCHERS}:{host}")
    return found


def test_another_host_that_nobody_watches_any_more_is_named_for_a_while(silence):
    (gone,) = silence.read(time.time())
    assert (gone.layer, gone.where, gone.words) == (
        "silence", ELSEWHERE, "plus personne ne surveille ailleurs depuis 0 s"
    )  # fmt: skip
    silence.watched[ELSEWHERE] -= GONE_SECONDS
    assert silence.read(time.time()) == []


def test_nobody_is_mute_because_redis_was_away(silence, settings):
    settings.REDIS_HINTS_URL, there = "redis://127.0.0.1:1/0", settings.REDIS_HINTS_URL
    hints._shared.cache_clear()
    with pytest.raises(redis.RedisError):
        silence.read(time.time())
    settings.REDIS_HINTS_URL = there
    hints._shared.cache_clear()
    assert silence.read(time.time()) == []
