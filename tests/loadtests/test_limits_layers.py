"""What a layer leaves behind it: real processes to limit, and a run that goes on whatever a layer fails of."""

import asyncio
import random
import resource
import subprocess
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import redis

from loadtests.limits.layers import Layer, few_descriptors
from loadtests.limits.site import Site
from loadtests.limits.trial import Trial, Wanted
from loadtests.waves.measures import Reader
from loadtests.waves.plan import read_plan
from loadtests.waves.vitals import Component


@dataclass
class Serving:
    """A house of which only processes count."""

    folder: Path
    processes: list = field(default_factory=list)
    base: str = "http://127.0.0.1:1"

    def components(self):
        return [Component(f"sockets-{place}", "server", one.pid) for place, one in enumerate(self.processes)]

    def start_generator(self, name, argv, env):
        """Nobody comes."""


@pytest.fixture
def sleepers(tmp_path):
    processes = [subprocess.Popen(["/bin/sleep", "60"]) for _ in range(2)]
    yield Serving(tmp_path, processes)
    for process in processes:
        process.kill()
        process.wait()


def descriptors(process):
    return resource.prlimit(process.pid, resource.RLIMIT_NOFILE)


def test_a_process_that_ended_leaves_no_other_one_limited(sleepers):
    first, second = sleepers.processes
    before = descriptors(second)

    async def live():
        async with few_descriptors(Site(sleepers, None, ())):
            limited = descriptors(second)
            first.kill()
            first.wait()
            return limited

    assert asyncio.run(live())[0] < before[0]
    assert descriptors(second) == before


def test_whatever_a_layer_fails_of_is_a_trouble_of_its_row(tmp_path):
    @asynccontextmanager
    async def fails(site):
        raise redis.RedisError("max number of clients reached")
        yield ""

    trial = Trial(Serving(tmp_path), {}, read_plan("small"), Wanted(2, 1, 0.0), [], print)
    trial._reader, trial._rng = Reader(tmp_path), random.Random(1)
    row = asyncio.run(trial._try(Layer("redis", "clients de Redis", (), fails), 2, [], None))
    assert row.troubles == ("redis : max number of clients reached",)
    assert not row.raised
