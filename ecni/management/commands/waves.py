"""`make waves PLAN=uness-2022 CANDIDATES=9800`: waves of candidates on real processes, and what they prove."""

import fcntl
import hashlib
import json
import os
import signal
import subprocess
import sys
from argparse import BooleanOptionalAction
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from random import sample
from secrets import token_urlsafe
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from ecni.demo.build import BANK
from ecni.engines import Engines, EnginesError, engines, plain_account, reachable_folder
from ecni.management.certificate import write_certificate
from ecni.management.commands.demo import wait_until_served
from ecni.management.house import ENGINE_FOLDERS, environment, forget
from ecni.supervisor import ROOT, SERVERS, ChildDied, ProxyError, Supervisor, find_nginx, give_way, listening_socket
from loadtests.waves.pace import fitted
from loadtests.waves.plan import BadPlan, Plan, read_plan, with_pace, with_rate
from loadtests.waves.replay import Replay, Say, Wanted
from loadtests.waves.report import components, kernel_refusals, page
from loadtests.waves.verdict import Run, Verdict
from loadtests.waves.vitals import PROC, Component, Sample, children

PHOTOGRAPHS = 30
PREPARED = "prepared.json"
LAYERS = {"all": "server", "web": "server", "sockets": "server", "worker": "worker", "beat": "worker", "nginx": "proxy"}
PORTS = 16
"""In a row from the one where candidates come: servers behind nginx, and its page of status."""
GENERATOR_NICENESS = -5
"""It stands for machines of its own: how late it is must not depend on what it measures, where that is allowed."""
PORT_RANGE = (21_000, 29_000)
PLACES = ("papers", "results", "static")
HOST = "127.0.0.1"


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
        parser.add_argument(
            "--rate", type=float, default=asked("RATE") or None, help="arrivées par seconde, au lieu de celles du plan"
        )
        parser.add_argument("--storm", default=asked("STORM", ""), help="midway, closing : toutes les liaisons coupées")
        parser.add_argument("--server", choices=SERVERS, default=asked("SERVER") or "daphne")
        parser.add_argument("--processes", type=int, default=asked("PROCESSES") or 2, help="du fil des candidats")
        parser.add_argument("--web", type=int, default=asked("WEB") or 2, help="des pages, derrière nginx")
        parser.add_argument("--nginx", action=BooleanOptionalAction, default=wants_nginx(asked("NGINX", "")))
        parser.add_argument(
            "--tls", action=BooleanOptionalAction, default=asked("TLS", "") not in {"", "0", "no"}, help="nginx chiffre"
        )
        parser.add_argument("--generator", choices=["locust", "raw"], default=asked("GENERATOR") or "locust")
        parser.add_argument("--timing", type=Path, default=asked("TIMING") or None, help="dossier des temps à ajuster")
        parser.add_argument("--seed", type=int, default=asked("SEED") or 1)
        parser.add_argument("--folder", type=Path, default=ROOT / ".waves")
        parser.add_argument("--report", type=Path, default=ROOT / "build")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Prepare unless that is done, serve, replay, report."""
        if options["tls"] and not options["nginx"]:
            raise CommandError("C’est nginx qui chiffre : TLS demande nginx.")
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
        with stock.copy(self._say) as pair, Supervisor(stock.running) as supervisor:
            house = WavesHouse(stock.root / "run", pair, supervisor, options)
            house.open(wanted.candidates)
            replay = Replay(house, stock.guide, plan, wanted, self._say, setting=setting(options))
            run, verdict, samples = replay.run()
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
        self.prepared = root / f"prepared-{candidates}-{centres}"
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
    def copy(self, say: Say) -> Iterator[Engines]:
        """Run the engines on a fresh copy, thrown away at the next one, with the variables that name them.

        Prepares first unless that is done, and tells it.

        Raises:
            RuntimeError: another test uses it.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                msg = f"Un autre essai se sert de {self.root} : attendez sa fin, ou donnez un autre --folder."
                raise RuntimeError(msg) from error
            if not self.is_ready:
                say(f"Préparation de {self._candidates} candidats, une fois pour toutes…")
                self.prepare()
            with self._fresh_copy() as pair:
                yield pair

    @contextmanager
    def _fresh_copy(self) -> Iterator[Engines]:
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
        folder = reachable_folder(self.prepared, plain_account())  # nginx reads there too
        return pair.environment | {f"{name.upper()}_ROOT": str(folder / name) for name in PLACES}

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
    """What serves a run, by `manage.py serve` as on the day, and the generator beside it."""

    def __init__(self, folder: Path, pair: Engines, supervisor: Supervisor, options: dict[str, Any]) -> None:
        self.folder = folder
        self.database_url, self.redis_url = pair.database_url, pair.redis_url
        self.has_nginx = bool(options["nginx"])
        self.token = token_urlsafe(32)
        self._pair, self._supervisor, self._options = pair, supervisor, options
        self._port = free_ports(PORTS)
        self._names: dict[int, tuple[str, str]] = {}
        self._generators: list[str] = []

    @property
    def ports(self) -> list[int]:
        """Where something listens, candidates and staff coming to the first."""
        return list(range(self._port, self._port + (PORTS if self.has_nginx else 1)))

    @property
    def base(self) -> str:
        """The address where candidates and staff come."""
        return f"{'https' if self._options['tls'] else 'http'}://{HOST}:{self._port}"

    @property
    def teller(self) -> str:
        """A server itself: nginx tells nobody what it says of itself."""
        return f"{HOST}:{self._port + self.has_nginx}"

    def open(self, candidates: int) -> None:
        """Start what serves, for so many candidates, and wait until it does.

        Raises:
            ChildDied: it cannot serve as asked; the message says why.
        """
        options = {
            "--port": self._port,
            "--server": self._options["server"],
            "--web": self._options["web"],
            "--sockets": self._options["processes"],
            "--candidates": candidates,
            "--folder": self._supervisor.logs.parent / "serve",
        }
        words = [str(word) for option in options.items() for word in option]
        command = [sys.executable, "manage.py", "serve", *words, *(["--nginx"] if self.has_nginx else [])]
        if self._options["tls"]:
            command += ["--tls", str(self._certify())]
        budget = max(settings.ADMISSION_LIMITS["SOCKETS"], candidates)  # one alone holds them all, if it may open them
        self._supervisor.start("serve", command, {"METRICS_TOKEN": self.token, "SOCKETS_BUDGET": str(budget)})
        wait_until_served(self.base, self._supervisor)

    def _certify(self) -> Path:
        """Make the certificate of this run, which whatever is started from here trusts, and return its folder."""
        account = plain_account()
        folder = reachable_folder(self._supervisor.logs.parent, account) / "tls"
        os.environ["SSL_CERT_FILE"] = str(write_certificate(folder, HOST, account))
        return folder

    def components(self) -> list[Component]:
        """What runs now."""
        found = self._served()
        for name in ENGINE_FOLDERS:
            process = getattr(self._pair, name).process
            if process is not None:
                found.append(Component(name, name, process.pid))
        running = [name for name in self._generators if self._supervisor.is_running(name)]
        return found + [Component(name, "generator", self._supervisor.pid(name)) for name in running]

    def start_generator(self, name: str, argv: Sequence[str], env: Mapping[str, str]) -> None:
        """Start one process of the generator."""
        self._supervisor.start(name, argv, env, keep=True)
        with suppress(PermissionError):  # only the superuser may
            give_way(self._supervisor.pid(name), GENERATOR_NICENESS)
        self._generators.append(name)

    def stop_generator(self) -> list[str]:
        """Ask each to end, and wait until it has written what it saw; return those that had to be killed."""
        killed = []
        for name in self._generators:
            if self._supervisor.is_running(name):
                try:
                    self._supervisor.kill(name, signal.SIGTERM)
                except subprocess.TimeoutExpired:
                    self._supervisor.kill(name)
                    killed.append(name)
        return killed

    def hand_in(self) -> None:
        """Ask each process of the raw generator to have its candidates hand in."""
        for name in self._generators:
            if self._supervisor.is_running(name):
                os.kill(self._supervisor.pid(name), signal.SIGUSR1)

    def generator_runs(self) -> bool:
        """Whether every process of the generator runs."""
        return all(self._supervisor.is_running(name) for name in self._generators)

    def _served(self) -> list[Component]:
        """The processes of the house, named once and for all as they are first seen: `sockets-1`, `nginx-1`."""
        found = []
        for pid in sorted(children().get(self._supervisor.pid("serve"), ())):
            role = role_of(pid)
            if role in LAYERS and pid not in self._names:
                number = 1 + sum(name.startswith(f"{role}-") for name, _ in self._names.values())
                self._names[pid] = (f"{role}-{number}", LAYERS[role])
            if pid in self._names:
                found.append(Component(*self._names[pid], pid))
        return found


def role_of(pid: int) -> str:
    """Return the role that a process was started with; `nginx` for nginx, nothing for one that is gone."""
    try:
        if (PROC / str(pid) / "comm").read_text().strip() == "nginx":
            return "nginx"
        variables = (PROC / str(pid) / "environ").read_bytes().split(b"\0")
    except OSError:
        return ""
    return next((line[5:].decode() for line in variables if line.startswith(b"ROLE=")), "")


def free_ports(count: int) -> int:
    """Return the first of so many free ports in a row, anywhere in the range: another run may look for its own now.

    Raises:
        OSError: there are none.
    """
    firsts: list[int] = [*range(*PORT_RANGE, count)]
    for first in sample(firsts, len(firsts)):
        with ExitStack() as stack:
            try:
                for port in range(first, first + count):
                    stack.enter_context(listening_socket(port))
            except OSError:
                continue
            return first
    raise OSError("no free ports")


def chosen_plan(options: dict[str, Any]) -> Plan:
    """Return the plan asked for, with the arrivals that are, and its people fitted on the data that are named.

    Raises:
        BadPlan: it cannot be replayed.
    """
    plan = read_plan(options["plan"])
    if options["rate"]:
        plan = with_rate(plan, options["rate"])
    return with_pace(plan, fitted(plan.pace, options["timing"])) if options["timing"] else plan


def wants_nginx(asked: str) -> bool:
    """Whether nginx goes in front, as on the day: as asked, else where it is installed."""
    if asked:
        return asked not in {"0", "no"}
    try:
        find_nginx()
    except ProxyError:
        return False
    return True


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
    nginx = options["nginx"]
    return {
        "Serveur": f"{options['processes']} × {options['server']}"
        + (f", {options['web']} pour les pages" if nginx else ""),
        "Devant": ("nginx, en TLS" if options["tls"] else "nginx, sans TLS") if nginx else "rien",
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
        lines.append(f"  Limite la plus proche : {verdict.nearest.words}, {verdict.nearest.left}.")
    return "\n".join(["", *lines, f"  Rapport : {folder / 'waves.html'}", ""])
