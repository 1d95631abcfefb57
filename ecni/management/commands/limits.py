"""`make limits CANDIDATES=9800 INSIDE=8000`: the failure of 2022 on purpose, on each layer in turn."""

import json
import os
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ecni.engines import EnginesError
from ecni.management.commands.waves import Stock, WavesHouse
from ecni.supervisor import ROOT, SERVERS, ChildDied, ProxyError, Supervisor, find_nginx
from loadtests.limits.layers import LAYERS, Layer
from loadtests.limits.report import page, words
from loadtests.limits.rows import Outcome
from loadtests.limits.trial import Trial, Wanted
from loadtests.waves.plan import BadPlan, read_plan

CENTRES, SMALLEST_CENTRE = 35, 20
SMALL = 1000
"""Below as many candidates, limits hold half as long."""


class Command(BaseCommand):
    """`limits [--candidates 9800] [--inside 8000] [--only nginx,redis] …`; exits with 1 when a row is not kept."""

    help = "Cache une limite dans chaque couche tour à tour, pendant que l’on compose, et la relève."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options; each has its variable, for `make`."""
        asked = os.environ.get
        parser.add_argument("--candidates", type=int, default=asked("CANDIDATES") or 9800)
        parser.add_argument("--inside", type=int, default=asked("INSIDE") or None, help="ceux qui composent déjà")
        parser.add_argument("--only", default=asked("ONLY", ""), help=", ".join(layer.name for layer in LAYERS))
        parser.add_argument("--seconds", type=float, default=asked("SECONDS") or None, help="que dure chaque limite")
        parser.add_argument("--server", choices=SERVERS, default=asked("SERVER") or "daphne")
        parser.add_argument("--processes", type=int, default=asked("PROCESSES") or 2, help="du fil des candidats")
        parser.add_argument("--web", type=int, default=asked("WEB") or 2, help="des pages")
        parser.add_argument("--seed", type=int, default=asked("SEED") or 1)
        parser.add_argument("--folder", type=Path, default=ROOT / ".waves")
        parser.add_argument("--report", type=Path, default=ROOT / "build")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Prepare unless that is done, serve, play each layer, report."""
        layers, candidates = chosen_layers(options["only"]), options["candidates"]
        wanted = Wanted(
            candidates=candidates,
            inside=options["inside"] or round(candidates * 8000 / 9800),
            seconds=options["seconds"] or (20 if candidates >= SMALL else 10),
            seed=options["seed"],
        )
        if not 0 < wanted.inside <= candidates - len(layers):
            raise CommandError(
                f"Il faut du monde dedans, et un nouveau venu au moins pour chaque couche ({len(layers)})."
            )
        try:
            find_nginx()
            outcome = self._play(layers, wanted, options)
        except (BadPlan, EnginesError, ChildDied, OSError, ProxyError, RuntimeError) as error:
            raise CommandError(str(error)) from error
        write(outcome, options["report"])
        self.stdout.write(f"{words(outcome)}\n  Rapport : {options['report'] / 'limits.html'}\n")
        if not outcome.ok:
            raise CommandError("Cet essai ne prouve rien." if outcome.refusals else "Une promesse est rompue.")

    def _play(self, layers: list[Layer], wanted: Wanted, options: dict[str, Any]) -> Outcome:
        centres = max(2, min(CENTRES, wanted.candidates // SMALLEST_CENTRE))
        stock = Stock(options["folder"], wanted.candidates, centres)
        with stock.copy(self._say) as pair, Supervisor(stock.running) as supervisor:
            house = WavesHouse(stock.root / "run", pair, supervisor, options | {"nginx": True, "tls": False})
            house.open(wanted.candidates)
            return Trial(house, stock.guide, read_plan("uness-2022"), wanted, layers, self._say).run()

    def _say(self, text: str) -> None:
        self.stdout.write(f"  {text}")
        self.stdout.flush()


def chosen_layers(names: str) -> list[Layer]:
    """Return the layers asked for, in the order in which they are played; all of them when none is named.

    Raises:
        CommandError: there is no such layer.
    """
    wanted = {name.strip() for name in names.split(",") if name.strip()}
    if unknown := sorted(wanted - {layer.name for layer in LAYERS}):
        raise CommandError(f"Couche inconnue : {', '.join(unknown)}.")
    return [layer for layer in LAYERS if not wanted or layer.name in wanted]


def write(outcome: Outcome, folder: Path) -> None:
    """Write the page and its summary for machines."""
    folder.mkdir(parents=True, exist_ok=True)
    summary = json.dumps(outcome.as_json(), ensure_ascii=False, indent=1)
    (folder / "limits.json").write_text(f"{summary}\n", encoding="utf-8")
    (folder / "limits.html").write_text(page(outcome), encoding="utf-8")
