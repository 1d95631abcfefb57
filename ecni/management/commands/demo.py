"""`make demo`: engines, concours blanc, one Daphne, one worker, and a short guided path."""

import json
import os
import subprocess
import sys
import time
from http import HTTPStatus
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ecni.engines import EnginesError, engines
from ecni.supervisor import ROOT, ChildDied, Supervisor, celery_beat, celery_worker, daphne, listening_socket

GUIDED_PATH = """
ECNi est prêt en {seconds:.0f} s : http://127.0.0.1:{port}/      (Ctrl-C arrête tout)

  Trois fenêtres, une journée d’épreuve :
  1. Candidat    http://127.0.0.1:{port}/entrer/      code du coupon : {code}
  2. Centre      http://127.0.0.1:{port}/connexion/   {login} / {password}   ({centre})
  3. Agence      http://127.0.0.1:{port}/admin/       agence / {password}    (et agence2, pour publier à deux)

  Le candidat entre son code et attend ; le centre l’admet puis ouvre ; le candidat répond et remet ;
  le centre clôt ; l’agence corrige, classe et publie sous http://127.0.0.1:{port}/notation/ ;
  le candidat lit sa copie sous /resultats/ : {official_number} / {results_code}

  Banque de démonstration : contenus fictifs, jamais relus par un médecin. Journaux : {logs}
"""


class Command(BaseCommand):
    """`demo [--candidates 350] [--port 8000]`, until Ctrl-C."""

    help = "Lance la démonstration : serveurs embarqués, concours blanc, un Daphne, un worker."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--candidates", type=int, default=int(os.environ.get("CANDIDATES", "350")))
        parser.add_argument("--port", type=int, default=int(os.environ.get("PORT", "8000")))

    def handle(self, *_args: Any, **options: Any) -> None:
        """Run until stopped."""
        started = time.monotonic()
        data_dir = ROOT / ".demo"
        data_dir.mkdir(exist_ok=True)
        try:
            with engines(data_dir) as pair, Supervisor(data_dir) as supervisor:
                os.environ |= pair.environment
                guide = prepare(data_dir, options["candidates"])
                listener = listening_socket(options["port"])
                supervisor.start("daphne", daphne(listener), sockets=[listener])
                supervisor.start("worker", celery_worker(), {"ROLE": "worker"})
                supervisor.start("beat", celery_beat(data_dir), {"ROLE": "beat"})
                wait_until_served(f"http://127.0.0.1:{listener.getsockname()[1]}", supervisor)
                self.stdout.write(guided_path(guide, listener.getsockname()[1], supervisor.logs, started))
                supervisor.wait()
        except (EnginesError, ChildDied, OSError) as error:
            raise CommandError(str(error)) from error


def prepare(data_dir: Path, candidates: int, *options: str) -> dict[str, Any]:
    """Run `prepare_demo` on the engines that the environment names; return its guide."""
    guide = data_dir / "guide.json"
    command = [sys.executable, "manage.py", "prepare_demo", "--candidates", str(candidates), "--guide", str(guide)]
    command += options
    if subprocess.run(command, cwd=ROOT, check=False).returncode:  # noqa: S603 -- our own command
        raise CommandError("La préparation a échoué.")
    content: dict[str, Any] = json.loads(guide.read_text(encoding="utf-8"))
    return content


def wait_until_served(base: str, supervisor: Supervisor, seconds: float = 60) -> None:
    """Wait until the first page of an address answers.

    Raises:
        ChildDied: a process ended before.
        OSError: nothing answered in time.
    """
    deadline = time.monotonic() + seconds
    scheme, _, host = base.partition("://")
    while True:
        supervisor.check()
        connection = (HTTPSConnection if scheme == "https" else HTTPConnection)(host, timeout=10)
        try:
            connection.request("GET", "/entrer/")
            if connection.getresponse().status == HTTPStatus.OK:
                return
        except OSError:
            if time.monotonic() > deadline:
                raise
        finally:
            connection.close()
        time.sleep(0.1)


def guided_path(guide: dict[str, Any], port: int, logs: Path, started: float) -> str:
    """Return what a newcomer should try, with three logins."""
    centre = guide["centres"][0]
    return GUIDED_PATH.format(
        seconds=time.monotonic() - started,
        port=port,
        centre=centre["name"],
        login=centre["login"],
        password=guide["password"],
        logs=logs.relative_to(ROOT),
        **{name: centre["slips"][0][name] for name in ("code", "official_number", "results_code")},
    )
