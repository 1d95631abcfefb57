"""Rank an exam: `compute_ranking --exam SLUG --actor NAME [--reason TEXT]`; prints the digest."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ecni.accounts.models import User
from ecni.shared.clock import now
from exams.models import Exam
from exams.rules.states import Refused
from ranking.actions.computing import compute_ranking


class Command(BaseCommand):
    """Compute a ranking and keep it."""

    help = "Calcule le classement d’un examen et affiche son empreinte."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--exam", required=True, help="identifiant de l’examen")
        parser.add_argument("--actor", required=True, help="nom de connexion de l’auteur")
        parser.add_argument("--reason", default="", help="motif")

    def handle(self, **options: Any) -> None:
        """Run the command."""
        try:
            exam = Exam.objects.get(slug=options["exam"])
            actor = User.objects.get(username=options["actor"])
            run = compute_ranking(exam_id=exam.pk, actor=actor, now=now(), reason=options["reason"])
        except Exam.DoesNotExist as error:
            raise CommandError(f"Aucun examen « {options['exam']} ».") from error
        except User.DoesNotExist as error:
            raise CommandError(f"Aucun compte « {options['actor']} ».") from error
        except Refused as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"{run.digest}  classement {run.pk}")
