"""`python -m tests.mutants`: every bug must be caught; writes build/mutants.json, exits with 1 if one survives."""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.mutants.catalogue import MUTANTS
from tests.mutants.patching import ROOT, mutated_copy
from tests.mutants.seeds import FOUND_BY
from tests.simulation.node import node

SEEDS = 1000
QUIET_SEEDS = 200
TOGETHER = 2


def main(names):
    """Hunt the mutants named, or all of them."""
    chosen = [MUTANTS[name] for name in names] or list(MUTANTS.values())
    tests = sorted({mutant.test for mutant in chosen if mutant.test})
    if run_simulator("", 1, QUIET_SEEDS) or run_tests("", [test for test in tests if not test.endswith(".js")]):
        print("The house without any mutant does not pass: nothing can be said of mutants.", file=sys.stderr)
        return 1
    found = []
    with ThreadPoolExecutor(TOGETHER) as threads:
        for row in threads.map(hunt, chosen):
            found.append(row)
            word = "caught" if row["caught"] else "SURVIVES"
            place = row["seed_or_test"].rpartition("::")[2]
            print(
                f"{word:9}{row['where']:7}{row['name']:34}{row['seconds']:5.0f} s  {row['caught_by']} {place}",
                flush=True,
            )
    folder = ROOT / "build"
    folder.mkdir(exist_ok=True)
    (folder / "mutants.json").write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return int(not all(row["caught"] for row in found))


def hunt(mutant):
    """Look for one seeded bug where it must be found; return its line."""
    started = time.monotonic()
    if mutant.test:
        is_found = run_node(mutant) if mutant.test.endswith(".js") else run_tests(mutant.name, [mutant.test])
        caught_by, place = ("test", mutant.test) if is_found else ("", "")
    else:
        known = FOUND_BY.get(mutant.name)
        found = (known and run_simulator(mutant.name, known, 1)) or run_simulator(mutant.name, 1, SEEDS)
        caught_by, place = (f"simulator {found[1]}", found[0]) if found else ("", "")
    return {
        "name": mutant.name,
        "where": mutant.where,
        "what": mutant.what,
        "caught_by": caught_by,
        "seed_or_test": place,
        "seconds": round(time.monotonic() - started, 1),
        "caught": bool(caught_by),
    }


def run_simulator(name, first, seeds):
    """Return the first seed found that fails and the invariant that it breaks, or None.

    Raises:
        RuntimeError: the simulator itself failed.
    """
    options = ["--pairs", "1", "--first", str(first), "--seeds", str(seeds), "--failures", "1"]
    done = run([sys.executable, "-m", "tests.simulation", *options], name)
    found = re.search(r"^seed (\d+): (\w+):", done.stdout, re.MULTILINE)
    if done.returncode and not found:
        raise RuntimeError(f"{name or 'no mutant'}: {done.stderr[-2000:]}")
    return found.groups() if found else None


def run_node(mutant):
    """Whether a test of the tablet's modules fails on a copy that has the bug."""
    with tempfile.TemporaryDirectory(prefix="ecni-mutant-") as folder:
        mutated_copy(mutant, Path(folder))
        done = subprocess.run([node(), "--test", mutant.test], capture_output=True, check=False, cwd=folder)
    return done.returncode != 0


def run_tests(name, tests):
    """Whether one of the tests fails.

    Raises:
        RuntimeError: pytest could not run them.
    """
    if not tests:
        return False
    done = run([sys.executable, "-m", "pytest", "-q", "-x", "-p", "tests.mutants.plugin", *tests], name)
    if done.returncode not in {0, 1}:
        raise RuntimeError(f"{name or 'no mutant'}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.returncode == 1


def run(command, name):
    """Run a command on the house with one seeded bug, or none."""
    env = os.environ | {"ECNI_ENV": "test", "ECNI_MUTANT": name}
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False, cwd=ROOT)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
