"""`python -m tests.mutants`: every bug must be caught; writes build/mutants.json, exits with 1 if one survives."""

import json
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from tests.mutants.catalogue import MUTANTS
from tests.mutants.patching import ROOT

SEEDS = 400
TOGETHER = 2


def main(names):
    """Hunt the mutants named, or all of them."""
    chosen = [MUTANTS[name] for name in names] or list(MUTANTS.values())
    tests = sorted({mutant.test for mutant in chosen if mutant.test})
    if any(run_simulator("")) or (tests and run_tests("", tests)):
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
        caught_by, place = ("test", mutant.test) if run_tests(mutant.name, [mutant.test]) else ("", "")
    else:
        seed, invariant = run_simulator(mutant.name)
        caught_by, place = (f"simulator {invariant}", seed) if seed else ("", "")
    return {
        "name": mutant.name,
        "where": mutant.where,
        "what": mutant.what,
        "caught_by": caught_by,
        "seed_or_test": place,
        "seconds": round(time.monotonic() - started, 1),
        "caught": bool(caught_by),
    }


def run_simulator(name):
    """Return the first seed that fails and the invariant that it breaks; empty texts when none does.

    Raises:
        RuntimeError: the simulator itself failed.
    """
    command = [sys.executable, "-m", "tests.simulation", "--pairs", "1", "--seeds", str(SEEDS), "--failures", "1"]
    done = run(command, name)
    found = re.search(r"^seed (\d+): (\w+):", done.stdout, re.MULTILINE)
    if done.returncode and not found:
        raise RuntimeError(f"{name or 'no mutant'}: {done.stderr[-2000:]}")
    return found.groups() if found else ("", "")


def run_tests(name, tests):
    """Whether one of the tests fails.

    Raises:
        RuntimeError: pytest could not run them.
    """
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
