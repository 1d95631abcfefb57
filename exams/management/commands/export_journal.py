"""Write the public log of a sitting: `export_journal --sitting ID FOLDER`."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ecni.shared.clock import now
from exams.exports import ExportRefused, write_public_log
from exams.models import Sitting
from exams.queries.evidence import one_snapshot


class Command(BaseCommand):
    """Write a folder that anybody can verify a receipt with."""

    help = "Écrit le journal public et anonyme d’une épreuve close, et la page qui vérifie un reçu sans réseau."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--sitting", type=int, required=True, help="épreuve")
        parser.add_argument("folder", type=Path, help="dossier à créer")

    def handle(self, **options: Any) -> None:
        """Run the command."""
        try:
            with one_snapshot():
                sitting = Sitting.objects.select_related("exam").get(pk=options["sitting"])
                manifest = write_public_log(sitting=sitting, folder=options["folder"], now=now(), told=self._tell)
        except Sitting.DoesNotExist as error:
            raise CommandError("cette épreuve n’existe pas") from error
        except (ExportRefused, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{options['folder']} : {manifest['sheets']} copies, {manifest['ops']} actes.")
        self.stdout.write("Qui connaît un numéro de copie y lit cette copie : voir docs/evidence.md avant de publier.")

    def _tell(self, written: int, total: int) -> None:
        if written and written % 1000 == 0:
            self.stderr.write(f"{written} copies écrites sur {total}", self.style.NOTICE)
