"""`make rehearsal CANDIDATES=350`: two Daphnes, a worker, PostgreSQL and Redis of their own, and simulated tablets."""

import asyncio
import json
import os
import shutil
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ecni.engines import EnginesError, engines, plain_account, reachable_folder
from ecni.management.commands.demo import prepare, wait_until_served
from ecni.supervisor import ROOT, ChildDied, Supervisor, celery_beat, celery_worker, daphne, listening_socket
from loadtests.rehearsal import Day

SERVERS = 2


class Command(BaseCommand):
    """`rehearsal [--candidates 350] [--kill] [--pace 0.4] [--seed 1]`; exits with 1 when a promise is broken."""

    help = "Répète toute la journée d’épreuve avec des tablettes simulées."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--candidates", type=int, default=int(os.environ.get("CANDIDATES", "350")))
        parser.add_argument("--kill", action="store_true", default=os.environ.get("KILL", "") in {"1", "yes"})
        parser.add_argument("--pace", type=float, default=0.4, help="secondes moyennes entre deux actes")
        parser.add_argument("--seed", type=int, default=1)

    def handle(self, *_args: Any, **options: Any) -> None:
        """Live the day, write `build/rehearsal.json`."""
        data_dir = ROOT / ".rehearsal"
        shutil.rmtree(data_dir, ignore_errors=True)
        shutil.rmtree(reachable_folder(data_dir, plain_account()), ignore_errors=True)
        data_dir.mkdir(exist_ok=True)
        try:
            with engines(data_dir) as pair, Supervisor(data_dir) as supervisor:
                os.environ |= pair.environment
                os.environ |= {f"{name.upper()}_ROOT": str(data_dir / name) for name in ("papers", "results", "static")}
                report = self._live(data_dir, supervisor, pair.database_url, options)
        except (EnginesError, ChildDied, OSError, RuntimeError) as error:
            raise CommandError(str(error)) from error
        write_report(report)
        self.stdout.write(table(report))
        if not report["ok"]:
            raise CommandError("Une promesse est rompue.")

    def _live(
        self, data_dir: Path, supervisor: Supervisor, database_url: str, options: dict[str, Any]
    ) -> dict[str, Any]:
        guide = prepare(data_dir, options["candidates"])
        listener = listening_socket(0)
        for number in range(1, SERVERS + 1):
            supervisor.start(f"daphne-{number}", daphne(listener), sockets=[listener], keep=number == 1)
        supervisor.start("worker", celery_worker(), {"ROLE": "worker"})
        supervisor.start("beat", celery_beat(data_dir), {"ROLE": "beat"})
        base = f"http://127.0.0.1:{listener.getsockname()[1]}"
        wait_until_served(base, supervisor)

        def kill() -> str:
            supervisor.kill("daphne-1")
            return "daphne-1"

        day = Day(
            base=base,
            database_url=database_url,
            guide=guide,
            pace=options["pace"],
            seed=options["seed"],
            say=self._say,
            kill=kill if options["kill"] else None,
        )
        return asyncio.run(day.run())

    def _say(self, text: str) -> None:
        self.stdout.write(f"  {text}")
        self.stdout.flush()


def write_report(report: dict[str, Any]) -> None:
    """Write the report where tools look for it."""
    build = ROOT / "build"
    build.mkdir(exist_ok=True)
    (build / "rehearsal.json").write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def table(report: dict[str, Any]) -> str:
    """Return the report as lines of name and value."""
    width = max(map(len, report))
    return "\n".join(["", *(f"  {name:<{width}}  {value}" for name, value in report.items()), ""])
