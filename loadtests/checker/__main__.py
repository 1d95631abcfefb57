"""`python -m loadtests.checker FOLDER [--json]`: exits with 1 when an invariant is broken."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from loadtests.checker.history import History
from loadtests.checker.invariants import NAMES, Findings, decide

SHOWN = 50


def report(findings: Findings) -> dict[str, Any]:
    """Return the verdict as JSON: per invariant the word, how much was looked at, and the first places broken."""
    return {
        "invariants": {
            name: {
                "verdict": findings.verdict(name),
                "looked": findings.looked[name],
                "breaches": len(findings.broken.get(name, [])),
                "places": [
                    {"sheet": sheet, "seq": seq, "reason": reason}
                    for sheet, seq, reason in findings.broken.get(name, [])[:SHOWN]
                ],
            }
            for name in NAMES
        },
        "counts": findings.counts,
    }


def words(verdict: dict[str, Any]) -> str:
    """Return the verdict as lines."""
    lines = []
    for name, found in verdict["invariants"].items():
        lines.append(f"{name:<4} {found['verdict']:<13} {found['looked']:>8} looked at, {found['breaches']} broken")
        lines += [f"       {place['sheet']} {place['seq']}: {place['reason']}" for place in found["places"]]
    return "\n".join([*lines, *(f"{name}: {value}" for name, value in verdict["counts"].items())])


def main(argv: list[str]) -> int:
    """Judge one folder."""
    parser = argparse.ArgumentParser(prog="python -m loadtests.checker", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(argv)
    verdict = report(decide(History(options.folder)))
    sys.stdout.write((json.dumps(verdict, indent=1) if options.json else words(verdict)) + "\n")
    return int(any(found["verdict"] == "broken" for found in verdict["invariants"].values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
