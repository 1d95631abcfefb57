"""`manage.py watch --door ADDRESS`: which limit is near or reached, in words, for as long as the process lives."""

import json
from argparse import ArgumentTypeError
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from ecni.management.arguments import existing_file
from ecni.vitals import REPORTER, Pressure, Severity
from ecni.watch.newcomer import Address, read_address
from ecni.watch.rules import LAYERS, headroom
from ecni.watch.watcher import Scene, Watcher

MARKS = {Severity.REACHED: "ATTEINTE", Severity.NEAR: "proche", Severity.CALM: "calme"}


class Command(BaseCommand):
    """One per host, as root or as the account of the servers; what this account may not read is not judged."""

    help = "Surveille chaque limite de cette machine et nomme celle qui arrête les nouveaux venus."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--door", type=door, action="append", default=[], help="adresse publique, http(s)://…")
        parser.add_argument("--upstream", type=upstream, action="append", default=[], help="hôte:port appelé par nginx")
        parser.add_argument("--nginx", type=existing_file, help="fichier de configuration du mandataire")
        parser.add_argument("--nginx-status", help="adresse de sa page stub_status")
        parser.add_argument("--nginx-log", type=Path, help="son journal d’erreurs")
        parser.add_argument("--once", action="store_true", help="regarder une fois, imprimer, finir")
        parser.add_argument("--json", action="store_true", help="avec --once, pour une machine")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Watch."""
        scene = Scene(
            doors=options["door"],
            upstreams=options["upstream"],
            nginx_status=options["nginx_status"],
            nginx_log=options["nginx_log"],
            nginx_file=options["nginx"],
        )
        watcher = Watcher(scene)
        try:
            if options["once"]:
                pressures = watcher.look()
                self.stdout.write(as_json(pressures) if options["json"] else as_table(pressures))
            else:
                REPORTER.start()
                watcher.run()
        finally:
            watcher.stop()


def door(text: str) -> Address:
    """Read the address of a door.

    Raises:
        ArgumentTypeError: it is none.
    """
    try:
        return read_address(text, settings.ALLOWED_HOSTS)
    except ValueError:
        raise ArgumentTypeError(f"« {text} » n’est pas de la forme https://concours.example.fr") from None


def upstream(text: str) -> tuple[str, int]:
    """Read `host:port`.

    Raises:
        ArgumentTypeError: it is not of that form.
    """
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal():
        raise ArgumentTypeError(f"« {text} » n’est pas de la forme hôte:port")
    return host, int(port)


def as_json(pressures: list[Pressure]) -> str:
    """Return pressures for a machine."""
    return json.dumps([asdict(pressure) for pressure in pressures], ensure_ascii=False, indent=1)


def as_table(pressures: list[Pressure]) -> str:
    """Return pressures for a person, the gravest first."""
    return "\n".join(
        f"{MARKS[one.severity]:9} {one.share:7.1%}  {LAYERS[one.layer].name} · {one.sentence} ({headroom(one)})"
        + (f" → {one.remedy}" if one.remedy else "")
        for one in pressures
    )
