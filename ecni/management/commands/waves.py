"""`make waves PLAN=uness-2022 CANDIDATES=9800`: waves of candidates on real processes, and what they prove."""

import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from secrets import token_urlsafe
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ecni.demo.build import BANK
from ecni.engines import Engines, EnginesError, engines, plain_account, reachable_folder
from ecni.management.commands.demo import wait_until_served
from ecni.management.house import ENGINE_FOLDERS, environment, forget
from ecni.supervisor import ROOT, ChildDied, Supervisor, celery_worker, daphne, listening_socket
from loadtests.waves.pace import fitted
from loadtests.waves.plan import BadPlan, Plan, read_plan, with_pace
from loadtests.waves.replay import Replay, Wanted
from loadtests.waves.report import components, kernel_refusals, page
from loadtests.waves.verdict import Run, Verdict
from loadtests.waves.vitals import Component, Sample

PHOTOGRAPHS = 30
PREPARED = "prepared.json"
PLACES = ("papers", "results", "static")


class Command(BaseCommand):
    """`waves [--plan uness-2022] [--candidates 9800] …`; exits with 1 when a promise is broken or nothing is proved."""

    help = "Rejoue une épreuve nationale par vagues, mesure tout, et dit ce qui céderait d’abord."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options; each has its variable, for `make`."""
        asked = os.environ.get
        parser.add_argument("--plan", default=asked("PLAN") or "uness-2022", help="nom d’un plan fourni, ou fichier")
        parser.add_argument("--candidates", type=int, default=asked("CANDIDATES") or None)
        parser.add_argument(
            "--minutes", type=float, default=asked("MINUTES") or None, help="composition de la dernière"
        )
        parser.add_argument("--storm", default=asked("STORM", ""), help="midway, closing : toutes les liaisons coupées")
        parser.add_argument("--server", choices=["daphne", "uvicorn"], default=asked("SERVER") or "daphne")
        parser.add_argument("--processes", type=int, default=asked("PROCESSES") or 2)
        parser.add_argument("--nginx", action="store_true", default=asked("NGINX", "") in {"1", "yes"})
        parser.add_argument("--generator", choices=["locust", "raw"], default=asked("GENERATOR") or "locust")
        parser.add_argument("--timing", type=Path, default=asked("TIMING") or None, help="dossier des temps à ajuster")
        parser.add_argument("--seed", type=int, default=asked("SEED") or 1)
        parser.add_argument("--folder", type=Path, default=ROOT / ".waves")
        parser.add_argument("--report", type=Path, default=ROOT / "build")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Prepare unless that is done, serve, replay, report."""
        try:
            plan = chosen_plan(options)
            wanted = Wanted(
                candidates=options["candidates"] or plan.candidates,
                minutes=options["minutes"] or plan.minutes,
                storms=tuple(filter(None, options["storm"].split(","))),
                generator=options["generator"],
                seed=options["seed"],
            )
            verdict = self._replay(plan, wanted, options)
        except (BadPlan, EnginesError, ChildDied, OSError, RuntimeError) as error:
            raise CommandError(str(error)) from error
        if not verdict.ok:
            raise CommandError("Cet essai ne prouve rien." if verdict.refusals else "Une promesse est rompue.")

    def _replay(self, plan: Plan, wanted: Wanted, options: dict[str, Any]) -> Verdict:
        stock = Stock(options["folder"], wanted.candidates, plan.centres)
        if not stock.is_ready:
            self._say(f"Préparation de {wanted.candidates} candidats, une fois pour toutes…")
            stock.prepare()
        with stock.copy() as pair, Supervisor(stock.running) as supervisor:
            house = WavesHouse(stock.root / "run", pair, supervisor, options)
            try:
                house.open()
                replay = Replay(house, stock.guide, plan, wanted, self._say, setting=setting(options))
                run, verdict, samples = replay.run()
            finally:
                house.close()
        write_reports(options["report"], run, verdict, samples, replay.start)
        self.stdout.write(words(verdict, options["report"]))
        return verdict

    def _say(self, text: str) -> None:
        self.stdout.write(f"  {text}")
        self.stdout.flush()


class Stock:
    """The prepared database, kept for the next run while nothing that it is made of has changed, and its copy."""

    def __init__(self, root: Path, candidates: int, centres: int) -> None:
        self.root = root
        self.prepared = root / f"prepared-{candidates}"
        self.running = root / "running"
        self._candidates, self._centres = candidates, centres

    @property
    def guide(self) -> dict[str, Any]:
        """What the preparation wrote of itself: the sitting, its paper, the centres and their codes."""
        found: dict[str, Any] = json.loads((self.prepared / PREPARED).read_text(encoding="utf-8"))
        return found

    @property
    def is_ready(self) -> bool:
        """Whether what is prepared is what would be prepared now."""
        return (self.prepared / PREPARED).exists() and self.guide["made_of"] == self._made_of()

    def prepare(self) -> None:
        """Migrate, register, seat, seal."""
        forget(self.prepared)
        self.prepared.mkdir(parents=True)
        guide = self.prepared / "guide.json"
        with engines(self.prepared) as pair, environment(self._variables(pair)):
            run_ours(
                *("prepare_waves", "--candidates", str(self._candidates), "--centres", str(self._centres)),
                *("--photographs", str(PHOTOGRAPHS), "--guide", str(guide)),
            )
        made = json.loads(guide.read_text(encoding="utf-8")) | {"made_of": self._made_of()}
        (self.prepared / PREPARED).write_text(json.dumps(made, ensure_ascii=False), encoding="utf-8")

    @contextmanager
    def copy(self) -> Iterator[Engines]:
        """Run the engines on a fresh copy, thrown away at the next one, with the variables that name them."""
        forget(self.running)
        self.running.mkdir(parents=True)
        account = plain_account()
        source, target = reachable_folder(self.prepared, account), reachable_folder(self.running, account)
        for name in ENGINE_FOLDERS:
            subprocess.run(["cp", "-aT", str(source / name), str(target / name)], check=True)  # noqa: S603, S607 -- our own
        with engines(self.running) as pair, environment(self._variables(pair)):
            run_ours("collectstatic", "--no-input", "--verbosity", "0")
            yield pair

    def _variables(self, pair: Engines) -> dict[str, str]:
        return pair.environment | {f"{name.upper()}_ROOT": str(self.prepared / name) for name in PLACES}

    def _made_of(self) -> str:
        """A digest of all that the prepared database depends on: its size, the bank, the schema, what builds it."""
        sources = [*BANK.rglob("*"), *ROOT.glob("*/migrations/*.py"), *ROOT.glob("*/*/migrations/*.py")]
        sources += [
            *(ROOT / "ecni/demo").glob("*.py"),
            *ROOT.glob("*/actions/*.py"),
            *(ROOT / "templates/exams").rglob("*"),
        ]
        sources += [Path(__file__).with_name("prepare_waves.py"), ROOT / "loadtests/waves/bank.py"]
        digest = hashlib.sha256(f"{self._candidates}/{self._centres}/{PHOTOGRAPHS}".encode())
        for path in sorted(path for path in sources if path.is_file()):
            digest.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
        return digest.hexdigest()


class WavesHouse:
    """What serves a run, and the generator beside it."""

    def __init__(self, folder: Path, pair: Engines, supervisor: Supervisor, options: dict[str, Any]) -> None:
        self.folder = folder
        self.database_url, self.redis_url = pair.database_url, pair.redis_url
        self.has_nginx = bool(options["nginx"])
        self.token = token_urlsafe(32)
        self._pair, self._supervisor = pair, supervisor
        self._server, self._processes = options["server"], options["processes"]
        self._listener: socket.socket = listening_socket(0)
        self._servers: list[str] = []
        self._generators: list[str] = []

    @property
    def ports(self) -> list[int]:
        """Where something listens: candidates and staff come to the first."""
        return [int(self._listener.getsockname()[1])]

    @property
    def host(self) -> str:
        """Where candidates and staff come."""
        return f"127.0.0.1:{self.ports[0]}"

    def open(self) -> None:
        """Start what serves: the one place that knows how.

        Raises:
            CommandError: this machine cannot serve as asked.
        """
        if self.has_nginx or self._server != "daphne":
            raise CommandError("nginx et uvicorn attendent « manage.py serve ».")
        for number in range(1, self._processes + 1):
            name = f"{self._server}-{number}"
            env = {"METRICS_TOKEN": self.token}
            self._supervisor.start(name, daphne(self._listener), env, sockets=[self._listener])
            self._servers.append(name)
        self._supervisor.start("worker", celery_worker(1), {"ROLE": "worker"})
        wait_until_served(self.ports[0], self._supervisor)

    def close(self) -> None:
        """Close the listening socket; the supervisor ends the rest."""
        self._listener.close()

    def components(self) -> list[Component]:
        """What runs now."""
        found = [Component(name, "server", self._supervisor.pid(name)) for name in self._servers]
        found.append(Component("worker", "worker", self._supervisor.pid("worker")))
        for name in ENGINE_FOLDERS:
            process = getattr(self._pair, name).process
            if process is not None:
                found.append(Component(name, name, process.pid))
        running = [name for name in self._generators if self._supervisor.is_running(name)]
        return found + [Component(name, "generator", self._supervisor.pid(name)) for name in running]

    def start_generator(self, name: str, argv: Sequence[str], env: Mapping[str, str]) -> None:
        """Start one process of the generator; it is nicer than nobody."""
        self._supervisor.start(name, argv, env, keep=True)
        self._generators.append(name)

    def stop_generator(self) -> None:
        """Ask each to end, and wait until it has written what it saw."""
        for name in self._generators:
            if self._supervisor.is_running(name):
                self._supervisor.kill(name, signal.SIGTERM)

    def generator_runs(self) -> bool:
        """Whether every process of the generator runs."""
        return all(self._supervisor.is_running(name) for name in self._generators)


def chosen_plan(options: dict[str, Any]) -> Plan:
    """Return the plan asked for, its people fitted on the data that are named.

    Raises:
        BadPlan: it cannot be replayed.
    """
    plan = read_plan(options["plan"])
    return with_pace(plan, fitted(plan.pace, options["timing"])) if options["timing"] else plan


def run_ours(*arguments: str) -> None:
    """Run one of the house's commands on the engines that the environment names.

    Raises:
        CommandError: it failed.
    """
    command = [sys.executable, "manage.py", *arguments]
    if subprocess.run(command, cwd=ROOT, check=False).returncode:  # noqa: S603 -- our own command
        raise CommandError("La préparation a échoué.")


def setting(options: dict[str, Any]) -> dict[str, str]:
    """Return what served, for the report."""
    return {
        "Serveur": f"{options['processes']} × {options['server']}",
        "Devant": "nginx" if options["nginx"] else "rien",
        "Générateur": options["generator"],
    }


def write_reports(folder: Path, run: Run, verdict: Verdict, samples: list[Sample], start: float) -> None:
    """Write the page, the summary and all its details."""
    folder.mkdir(parents=True, exist_ok=True)
    summary = verdict.summary(run.plan.name, run.candidates)
    details = {
        "summary": summary,
        "figures": verdict.figures,
        "promises": [asdict(promise) for promise in verdict.promises],
        "refusals": verdict.refusals,
        "components": components(samples),
        "kernel": kernel_refusals(samples),
        "errors": dict(run.seen.errors()),
        "setting": dict(run.setting),
    }
    (folder / "waves.html").write_text(page(run, verdict, samples, start), encoding="utf-8")
    for name, content in (("waves.json", summary), ("waves-details.json", details)):
        (folder / name).write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def words(verdict: Verdict, folder: Path) -> str:
    """Return the verdict in a few lines."""
    lines = [
        f"  {'tenue ' if one.ok else 'ROMPUE'}  {one.words} : {one.seen} (promis {one.promised})"
        for one in verdict.promises
    ]
    lines += [f"  !       {reason}" for reason in verdict.refusals]
    if verdict.nearest is not None:
        lines.append(
            f"  Limite la plus proche : {verdict.nearest.words}, il en restait {verdict.nearest.headroom:.0%}."
        )
    return "\n".join(["", *lines, f"  Rapport : {folder / 'waves.html'}", ""])
