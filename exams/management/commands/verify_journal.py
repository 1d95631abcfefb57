"""Prove that nothing was changed: `verify_journal [--sitting ID] [--witness FILE]… [--json]`."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ecni.shared.clock import now
from exams.models import Sheet
from exams.queries.evidence import Verification, one_snapshot, sittings_with_sheets, verify_sitting
from exams.rules.verification import Finding
from exams.rules.witness import BadWitness, parse_witness


class Command(BaseCommand):
    """Read journals again from their genesis; exit with 1 when anything is wrong."""

    help = "Relit le journal d’une épreuve, ou de toutes, et nomme tout ce qui a été changé."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--sitting", type=int, help="épreuve ; toutes par défaut")
        parser.add_argument(
            "--witness", type=Path, action="append", default=[], help="points de contrôle gardés par un témoin (JSON)"
        )
        parser.add_argument("--json", action="store_true", help="écrit le compte rendu en JSON")

    def handle(self, **options: Any) -> None:
        """Run the command."""
        try:
            witness = [line for path in options["witness"] for line in parse_witness(path.name, path.read_bytes())]
            with one_snapshot():
                ids = [options["sitting"]] if options["sitting"] else sittings_with_sheets()
                done = [verify_sitting(sitting_id, witness=witness, now=now(), told=self._tell) for sitting_id in ids]
        except (BadWitness, OSError) as error:
            raise CommandError(str(error)) from error
        except Sheet.DoesNotExist as error:
            raise CommandError("cette épreuve n’existe pas, ou n’a pas de copie") from error
        if options["json"]:
            self.stdout.write(json.dumps([asdict(one) for one in done], ensure_ascii=False, indent=1))
        else:
            self._write(done)
        faults = sum(len(one.findings) for one in done)
        if faults:
            raise CommandError(f"{faults} anomalie(s)", returncode=1)

    def _write(self, done: list[Verification]) -> None:
        for one in done:
            for finding in one.findings:
                self.stdout.write(f"Épreuve {one.sitting_id}, {_place(finding)} : {finding.text}.")
            verdict = f"{len(one.findings)} anomalie(s)" if one.findings else "tout concorde"
            self.stdout.write(
                f"Épreuve {one.sitting_id} : {one.sheets} copies, {one.ops} actes,"
                f" {one.checkpoints} points de contrôle ; {verdict}."
            )

    def _tell(self, read: int, total: int) -> None:
        if read and read % 1000 == 0:
            self.stderr.write(f"{read} copies lues sur {total}", self.style.NOTICE)


def _place(finding: Finding) -> str:
    """Return where it is, in words."""
    if finding.number:
        return f"copie {finding.number}" + ("" if finding.seq is None else f", acte {finding.seq}")
    return "journal" if finding.checkpoint is None else f"point de contrôle {finding.checkpoint}"
