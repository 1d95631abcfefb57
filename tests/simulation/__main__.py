"""`python -m tests.simulation --seeds 10000`, or `--seed 1234` to see one history again."""

import argparse
import logging
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("ECNI_ENV", "test")


def main():
    """Play the histories asked for; exit with 1 when one breaks an invariant."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--pairs", type=int, default=2)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--shrink", action="store_true")
    parser.add_argument("--failures", type=int, default=5, help="stop after so many")
    asked = parser.parse_args()
    if asked.seed is None and asked.pairs > 1:
        return split(asked)
    with tempfile.TemporaryDirectory(prefix="ecni-mutant-") as folder:
        return play(asked, mutated(folder))


def play(asked, tablets):
    """Play in this process."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ecni.settings")
    django.setup()
    logging.disable(logging.CRITICAL)
    from tests.simulation import reporting

    if asked.seed is not None:
        return reporting.show(asked.seed, tablets, is_shrunk=asked.shrink)
    return reporting.play_all(range(asked.first, asked.first + asked.seeds), tablets, asked.failures)


def mutated(folder):
    """Apply the seeded bug that ECNI_MUTANT names; return the folder of the tablets' modules, or None."""
    name = os.environ.get("ECNI_MUTANT")
    if not name:
        return None
    from tests.mutants.catalogue import MUTANTS
    from tests.mutants.patching import install, mutated_copy

    mutant = MUTANTS[name]
    if mutant.where == "client":
        return mutated_copy(mutant, Path(folder))
    install(mutant)
    return None


def split(asked):
    """Play the seeds in several pairs of processes."""
    started = time.monotonic()
    share = -(-asked.seeds // asked.pairs)
    commands = [
        [sys.executable, "-m", "tests.simulation", "--pairs", "1", "--first", str(first), "--seeds", str(count)]
        for first in range(asked.first, asked.first + asked.seeds, share)
        for count in [min(share, asked.first + asked.seeds - first)]
    ]
    pairs = [subprocess.Popen(command) for command in commands]
    codes = [pair.wait() for pair in pairs]
    print(f"{asked.seeds} histories in {time.monotonic() - started:.0f} s, {len(pairs)} pairs")
    return max(codes)


if __name__ == "__main__":
    sys.exit(main())
