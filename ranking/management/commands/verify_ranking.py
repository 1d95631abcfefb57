"""Compute the newest ranking of an exam again and compare: `verify_ranking --exam SLUG`; prints both digests."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from exams.models import Exam
from ranking.actions.computing import changed_since, differences
from ranking.queries.publication import latest_ranking
from ranking.queries.rows import UnfitRanking, inputs_of
from ranking.rules import InvalidRanking


class Command(BaseCommand):
    """Compute again what it was made from, write nothing, and fail when one byte differs."""

    help = "Recalcule le dernier classement d’un examen à partir de ce qui l’a fait, sans rien écrire, et compare."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--exam", required=True, help="identifiant de l’examen")

    def handle(self, **options: Any) -> None:
        """Run the command."""
        try:
            exam = Exam.objects.get(slug=options["exam"])
        except Exam.DoesNotExist as error:
            raise CommandError(f"Aucun examen « {options['exam']} ».") from error
        run = latest_ranking(exam.pk)
        if run is None:
            raise CommandError("Aucun classement n’a été calculé.")
        try:
            found, faults = differences(run, inputs_of(run))
        except (UnfitRanking, InvalidRanking) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{run.digest}  classement {run.pk}\n{found}  recalculé")
        if faults:
            raise CommandError(" ".join(faults))
        if why := changed_since(run):
            self.stdout.write(f"Un classement calculé aujourd’hui serait autre : {why}")
