"""Take a bank file or folder: `import_bank PATH --actor NAME [--dry-run]`."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ecni.accounts.models import User
from ecni.shared.clock import now
from exams.actions.bank import import_bank
from exams.imports import read_bank_folder
from exams.queries.bankplan import ImportReport, plan_import
from exams.rules.bank import BankErrors


class Command(BaseCommand):
    """Import a bank; everything is taken or nothing."""

    help = "Importe une banque au format ecni-bank/1 (fichier JSON, archive zip ou dossier)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("path", type=Path)
        parser.add_argument("--actor", help="nom de connexion de l’auteur de l’import")
        parser.add_argument("--dry-run", action="store_true", help="dit ce qui changerait, sans rien écrire")

    def handle(self, **options: Any) -> None:
        """Run the command."""
        try:
            bank, media = read_bank_folder(options["path"])
            if options["dry_run"]:
                self._print(plan_import(bank, media))
                return
            actor = User.objects.get(username=options["actor"])
            self._print(import_bank(bank=bank, media=media, actor=actor, now=now()))
        except User.DoesNotExist as error:
            raise CommandError("--actor doit nommer un compte du personnel") from error
        except (BankErrors, OSError) as error:
            raise CommandError(str(error)) from error

    def _print(self, report: ImportReport) -> None:
        figures = report.figures
        self.stdout.write(
            f"nouveaux {figures['NEW']}, modifiés {figures['CHANGED']}, inchangés {figures['SAME']}",
        )
