"""`manage.py preflight --candidates 9800`: every limit that counts connections or bytes, before the day."""

import json
import sys
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from ecni.management.arguments import count, existing_file
from ecni.preflight import Asked, Finding, probe
from ecni.shared.clock import now

MARKS = {True: "bon", False: "NON", None: "?"}


class Command(BaseCommand):
    """Exits with 1 when a limit is not met."""

    help = "Vérifie chaque limite sur le chemin des candidats : la plus basse d’abord."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--candidates", type=count, default=9800, help="tablettes en même temps")
        parser.add_argument("--sockets", type=count, help="processus « sockets » ; sans quoi ceux de nginx, ou 2")
        parser.add_argument("--web", type=count, help="processus « web » ; sans quoi ceux qui marchent, ou 2")
        parser.add_argument("--nginx", type=existing_file, help="fichier de configuration du mandataire")
        parser.add_argument("--tls", type=existing_file, help="certificat, en PEM")
        parser.add_argument("--cache", action="append", default=[], help="adresse d’où un centre prend les sujets")
        parser.add_argument("--json", action="store_true", help="pour une machine")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Read, judge, print."""
        asked = Asked(
            candidates=options["candidates"],
            socket_processes=options["sockets"],
            web_processes=options["web"],
            nginx=options["nginx"],
            certificate=options["tls"],
            caches=options["cache"],
        )
        findings = probe(asked=asked, now=now())
        self.stdout.write(as_json(findings) if options["json"] else as_table(findings, options["candidates"]))
        if any(finding.is_met is False for finding in findings):
            sys.exit(1)


def as_json(findings: list[Finding]) -> str:
    """Return findings for a machine."""
    return json.dumps([asdict(finding) for finding in findings], ensure_ascii=False, indent=1)


def as_table(findings: list[Finding], candidates: int) -> str:
    """Return findings for a person, the first limit that would break at the top."""
    rows = [("", "limite", "valeur", "besoin", "candidats", "où ; que faire")]
    rows += [
        (
            MARKS[finding.is_met],
            finding.layer,
            finding.value,
            finding.needed,
            "-" if finding.allows is None else str(finding.allows),
            " ; ".join(words for words in (finding.where, finding.remedy) if words),
        )
        for finding in findings
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    lines = [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[5]]) for row in rows
    ]
    counted = [finding for finding in findings if finding.allows is not None]
    if counted:
        least = min(counted, key=lambda finding: finding.allows or 0)
        lines.append(f"\n{candidates} candidats demandés. Cède en premier : {least.layer}, à {least.allows} candidats.")
    return "\n".join(line.rstrip() for line in lines)
