"""Register candidates from a file: `import_candidates FILE --exam SLUG --actor NAME [--dry-run]`."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from centres.actions.candidates import register_candidates
from centres.imports import CandidatesRefused, read_candidates
from ecni.accounts.models import User
from ecni.shared.clock import now
from exams.models import Exam


class Command(BaseCommand):
    """Import candidates; everybody is taken or nobody."""

    help = "Inscrit les candidats d’un fichier CSV (UTF-8) ou XLSX ; colonnes : docs/imports.md."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("file", type=Path)
        parser.add_argument("--exam", required=True, help="identifiant de l’examen")
        parser.add_argument("--actor", help="nom de connexion de l’auteur de l’import")
        parser.add_argument("--dry-run", action="store_true", help="contrôle le fichier sans rien écrire")

    def handle(self, **options: Any) -> None:
        """Run the command."""
        moment = now()
        try:
            exam = Exam.objects.get(slug=options["exam"])
            lines = read_candidates(options["file"].read_bytes(), exam_id=exam.pk, today=moment.date())
            if options["dry_run"]:
                self.stdout.write(f"{len(lines)} candidats lus, aucune erreur. Rien n’a été écrit.")
                return
            actor = User.objects.get(username=options["actor"])
            report = register_candidates(exam_id=exam.pk, lines=lines, actor=actor, now=moment)
        except Exam.DoesNotExist as error:
            raise CommandError(f"Aucun examen « {options['exam']} ».") from error
        except User.DoesNotExist as error:
            raise CommandError("--actor doit nommer un compte du personnel.") from error
        except (CandidatesRefused, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{report.created} créés, {report.changed} modifiés, {report.unchanged} inchangés.")
