"""Ten thousand histories hold every invariant, and each is the same when it is played again."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation.node import node

pytestmark = pytest.mark.skipif(node() is None, reason="no Node on this machine: tablets cannot be simulated")
ROOT = Path(__file__).parent.parent.parent


def simulated(*options):
    """Run the command; it gives way to other tests, some of which look at the time."""
    command = ["nice", sys.executable, "-m", "tests.simulation", *options]
    env = os.environ | {"ECNI_ENV": "test", "ECNI_MUTANT": ""}
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False, env=env)


@pytest.mark.slow
@pytest.mark.longest
@pytest.mark.timeout(1200)
def test_ten_thousand_histories_hold_every_invariant():
    pairs = "1" if "PYTEST_XDIST_WORKER" in os.environ else "2"  # the other core is then for the other tests
    done = simulated("--seeds", os.environ.get("SEEDS", "10000"), "--pairs", pairs)
    assert (done.stdout.rpartition("\n  make")[0], done.returncode) == ("", 0), done.stderr[-2000:]


@pytest.mark.parametrize("seed", ["7", "979"])
def test_a_seed_replays_byte_for_byte(seed):
    first, again = simulated("--seed", seed), simulated("--seed", seed)
    assert first.stdout == again.stdout
    assert first.stdout.endswith(f"seed {seed}: every invariant holds\n")


def test_a_history_does_not_depend_on_its_neighbours():
    alone, among = simulated("--pairs", "1", "--first", "3", "--seeds", "1"), simulated("--pairs", "1", "--seeds", "40")
    assert (alone.returncode, among.returncode) == (0, 0)
