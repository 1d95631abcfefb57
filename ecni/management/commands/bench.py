"""`make bench`: measure the named benchmarks; write `build/bench.json`; publish in `docs/performance.md` if asked."""

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from ecni.bench.catalogue import BENCHMARKS
from ecni.bench.measures import Size
from ecni.bench.processes import Watch
from ecni.bench.report import Benchmark, Report, as_json, as_table, merged, publish
from ecni.bench.stand import Stand
from ecni.engines import EnginesError, engines, plain_account, reachable_folder
from ecni.preflight.costs import write_costs
from ecni.shared.clock import now
from ecni.supervisor import ROOT, SERVERS, ChildDied

FOLDER = ROOT / ".bench"


class Command(BaseCommand):
    """`bench [NAME …] [--candidates 10000] [--sockets 2000] [--sizes 1000,5000] [--runs 3] [--publish]`."""

    help = "Mesure les bancs d’essai nommés, tous par défaut, chacun à côté d’un plancher mesuré dans le même passage."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        usual = Size()
        parser.add_argument("names", nargs="*", metavar="NAME")
        parser.add_argument("--candidates", type=int, default=usual.candidates)
        parser.add_argument("--questions", type=int, default=usual.questions)
        parser.add_argument("--sockets", type=int, default=usual.sockets, help="sockets ouverts pendant une mesure")
        parser.add_argument("--storm", type=int, default=usual.storm, help="tablettes qui reviennent ensemble")
        parser.add_argument("--logins", type=int, default=usual.logins, help="entrées par coupon")
        parser.add_argument("--seconds", type=float, default=usual.seconds, help="durée de chaque charge")
        parser.add_argument("--sizes", default=os.environ.get("SIZES", ""), help="tailles des courbes")
        parser.add_argument("--runs", type=int, default=int(os.environ.get("RUNS", "1")), help="passages")
        parser.add_argument("--server", choices=SERVERS, default=os.environ.get("SERVER", "daphne"))
        parser.add_argument("--folder", type=Path, default=FOLDER)
        parser.add_argument("--report", type=Path, default=ROOT / "build" / "bench.json")
        parser.add_argument("--profile", action="store_true", help="profile la boucle des serveurs, chiffres faussés")
        parser.add_argument("--publish", action="store_true", help="récrit le tableau de docs/performance.md")
        parser.add_argument("--beside-engines", action="store_true", help="les serveurs de données sont là")

    def handle(self, **options: Any) -> None:
        """Measure, beside engines started for that."""
        names = options["names"] or [name for name in os.environ.get("ONLY", "").split(",") if name] or [*BENCHMARKS]
        if unknown := set(names) - BENCHMARKS.keys():
            raise CommandError(f"Bancs d’essai inconnus : {', '.join(sorted(unknown))}, parmi {', '.join(BENCHMARKS)}.")
        try:
            if options["beside_engines"]:
                self._measure(names, options)
            elif code := again_beside_engines(options["folder"]):
                sys.exit(code)
        except (EnginesError, ChildDied, OSError, RuntimeError, subprocess.CalledProcessError) as error:
            raise CommandError(str(error)) from error

    def _measure(self, names: Sequence[str], options: dict[str, Any]) -> None:
        sizes = tuple(int(size) for size in options["sizes"].split(",") if size) or Size().curve
        size = Size(
            candidates=options["candidates"],
            questions=options["questions"],
            sockets=options["sockets"],
            storm=options["storm"],
            logins=options["logins"],
            seconds=options["seconds"],
            curve=sizes,
        )
        call_command("migrate", verbosity=0)
        stand = Stand(options["folder"], size, options["server"], self._say, is_profiled=options["profile"])
        report = Report(now(), size, options["server"], options["runs"])
        for name in names:
            self._say(f"{name}…")
            report.benchmarks[name] = self._benchmark(name, stand, options["runs"])
            options["report"].parent.mkdir(parents=True, exist_ok=True)
            options["report"].write_text(as_json(report), encoding="utf-8")
        self.stdout.write(as_table(report))
        if options["publish"]:
            publish(report)
            publish_costs(report)

    def _benchmark(self, name: str, stand: Stand, runs: int) -> Benchmark:
        with Watch(os.getppid()) as watch:
            measures = merged([BENCHMARKS[name](stand) for _ in range(runs)])
        for one in measures:
            self._say(f"  {one.words}")
        if watch.is_disturbed:
            self._say(f"  dérangé : d’autres programmes occupaient {watch.foreign:.2f} cœur")
        return Benchmark(measures, watch.load_before, watch.foreign, watch.is_disturbed, watch.seconds)

    def _say(self, text: str) -> None:
        self.stdout.write(f"  {text}")
        self.stdout.flush()


def publish_costs(report: Report) -> None:
    """Hand the unit costs over to `manage.py capacity`."""
    found = report.benchmarks.values()
    write_costs(
        {name: value for one in found for measure in one.measures for name, value in measure.costs.items()},
        disturbed=frozenset(
            name for one in found if one.is_disturbed for measure in one.measures for name in measure.costs
        ),
        machine=f"{os.cpu_count()} cœurs {platform.machine()}, {report.server}, Python {platform.python_version()}",
        on=report.at.date(),
    )


def again_beside_engines(folder: Path) -> int:
    """Run this very command again beside fresh engines, which the settings then name; return its exit code."""
    data = reachable_folder(folder, plain_account())
    forget(data)
    with engines(folder) as pair:
        roots = {f"{name.upper()}_ROOT": str(folder / name) for name in ("papers", "results", "static")}
        command = [sys.executable, *sys.argv, "--beside-engines"]
        environment = os.environ | pair.environment | roots
        code = subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode  # noqa: S603 -- this command
    forget(data)
    return code


def forget(data: Path) -> None:
    """Remove what the engines stored; logs stay."""
    for name in ("postgresql", "redis"):
        shutil.rmtree(data / name, ignore_errors=True)
