"""`make drills CANDIDATES=300`: every fault of the matrix that this machine can inject, each from a clean start."""

import json
import os
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ecni.engines import EnginesError
from ecni.management.house import DRILLS, Folders
from ecni.supervisor import ROOT, SERVERS, ChildDied
from loadtests.drills.faults import CATALOGUE, Drill, pairs
from loadtests.drills.run import play, prepare, seconds_for

COLUMNS = ("fault", "variant", "phase", "acknowledged", "lost", "duplicated", "foreign", "false_saved", "recovery_s")


class Command(BaseCommand):
    """`drills [--candidates 300] [--only F01,F03] [--server daphne] …`; exits with 1 when an invariant is broken."""

    help = "Joue les pannes d’une journée d’épreuve et fait juger ce qui en reste."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--candidates", type=int, default=int(os.environ.get("CANDIDATES", "300")))
        parser.add_argument("--only", default=os.environ.get("ONLY", ""), help="pannes à jouer, comme F01,F03")
        parser.add_argument("--server", choices=SERVERS, default=os.environ.get("SERVER") or "daphne")
        parser.add_argument("--seed", type=int, default=int(os.environ.get("SEED", "1")))
        parser.add_argument("--seconds", type=int, help="durée de l’épreuve")
        parser.add_argument("--folder", type=Path, default=DRILLS)
        parser.add_argument("--report", type=Path, default=ROOT / "build" / "drills.json")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Prepare once, play each drill, write the report."""
        chosen = chosen_drills(options["only"], options["seed"])
        seconds = options["seconds"] or seconds_for(options["candidates"])
        folders = Folders(options["folder"], options["candidates"], seconds, options["server"])
        try:
            prepare(folders, seconds=seconds, seed=options["seed"], say=self._say)
            lines = []
            for drill in chosen:
                lines.append(play(drill, folders, seed=options["seed"]))
                self._say(words(lines[-1]))
                write_report(options["report"], lines)
        except (EnginesError, ChildDied, OSError, RuntimeError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(table(lines))
        if not all(line["ok"] for line in lines):
            raise CommandError("Une promesse est rompue.")

    def _say(self, text: str) -> None:
        self.stdout.write(f"  {text}")
        self.stdout.flush()


def chosen_drills(only: str, seed: int) -> list[Drill]:
    """Return the drills asked for, in the order of the matrix; F35 is ten pairs.

    Raises:
        CommandError: a name is not in the catalogue.
    """
    every = [*CATALOGUE, *pairs(seed)]
    names = {name.strip() for name in only.split(",") if name.strip()}
    unknown = names - {drill.fault for drill in every}
    if unknown:
        raise CommandError(f"Pannes inconnues : {', '.join(sorted(unknown))}.")
    return [drill for drill in every if not names or drill.fault in names]


def write_report(path: Path, lines: list[dict[str, Any]]) -> None:
    """Write the report where tools look for it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(lines, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def words(line: dict[str, Any]) -> str:
    """Return one drill in a line."""
    name = f"{line['fault']} {line['variant']}".strip()
    if line["skipped"]:
        return f"{name} : non joué, {line['skipped']}"
    broken = [name for name, verdict in line["invariants"].items() if verdict == "broken"]
    trouble = [f"rompu : {', '.join(broken)}"] * bool(broken) + line["troubles"]
    figures = f"{line['acknowledged']} actes acquittés, {line['lost']} perdus, reprise {line['recovery_s']} s"
    return f"{name} : {figures}, {line['seconds']} s · {' ; '.join(trouble) or 'tenu'}"


def table(lines: list[dict[str, Any]]) -> str:
    """Return the report as a table."""
    rows = [[*COLUMNS, ""]]
    for line in lines:
        verdict = "non joué" if line["skipped"] else "tenu" if line["ok"] else "ROMPU"
        rows.append([*("" if line.get(name) is None else str(line.get(name)) for name in COLUMNS), verdict])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
