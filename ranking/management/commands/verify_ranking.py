"""Compute the newest ranking of an exam again and compare: `verify_ranking --exam SLUG`; prints both digests."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from exams.models import Exam
from exams.rules.states import Refused
from ranking.actions.computing import NotRankable, ranking_digest
from ranking.queries.publication import latest_ranking
from ranking.queries.rows import UnfitRanking, ranking_inputs, ranking_obstacles


class Command(BaseCommand):
    """Compute again, write nothing, and fail when one byte differs."""

    help = "Recalcule le dernier classement d’un examen sans rien écrire et compare les empreintes."

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
            obstacles = ranking_obstacles(exam.pk)
            if obstacles:
                raise NotRankable(obstacles)
            found = ranking_digest(ranking_inputs(exam.pk))
        except (Refused, UnfitRanking) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{run.digest}  classement {run.pk}\n{found}  recalculé")
        if found != run.digest:
            raise CommandError("Les empreintes diffèrent.")
