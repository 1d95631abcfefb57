"""Mark anybody's response matrix: `mark_responses --key key.csv --responses responses.csv OUT_FOLDER`."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from exams.rules.states import Refused
from grading.exports import write_matrix
from grading.imports import BrokenFiles, read_matrix
from grading.rules.columns import Numerators
from grading.rules.matrix import (
    MatrixRule,
    item_results,
    mark_blocks,
    matrix_parameters,
    matrix_plan,
    matrix_result,
)

LARGE = 200_000
"""Cells from which the command says how far it is."""
SHOWN = 10_000
"""Faults printed at most; their number is always said."""


class Command(BaseCommand):
    """Needs no database and no setting: files in, files out; `docs/mark-responses.md` gives a worked example."""

    help = (
        "Note une matrice de réponses (personnes × questions) par les deux correcteurs et écrit dans OUT_FOLDER "
        "marks.csv, persons.csv, items.csv et summary.json. Rien n’est écrit si un fichier est fautif."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("out_folder", type=Path, metavar="OUT_FOLDER")
        parser.add_argument(
            "--key", type=Path, required=True, help="CSV « item,key » ; avec --rule tcs, les réponses du panel"
        )
        parser.add_argument(
            "--responses", type=Path, required=True, help="CSV « person,question,… », vide = sans réponse"
        )
        parser.add_argument(
            "--rule",
            choices=[rule.value for rule in MatrixRule],
            default=MatrixRule.DISCORDANCE.value,
            help="discordance : 1, 1/2, 1/5, 0 ; exact : tout ou rien ; tcs : votes d’un panel",
        )
        parser.add_argument(
            "--blank",
            choices=["zero", "literal"],
            default="zero",
            help="une question sans réponse vaut 0, ou ce que la table des discordances donne",
        )

    def handle(self, **options: Any) -> None:
        """Run the command."""
        rule = MatrixRule(options["rule"])
        try:
            matrix = read_matrix(options["key"], options["responses"], rule)
            plan = matrix_plan(matrix, matrix_parameters(rule, blank_is_zero=options["blank"] == "zero"))
            marks: dict[int, Numerators] = {}
            is_large = len(matrix.persons) * len(matrix.items) >= LARGE
            for block in mark_blocks(matrix, plan):
                marks |= block
                if is_large:
                    self.stderr.write(f"{len(marks)} / {len(matrix.items)} questions notées deux fois")
            result = matrix_result(plan, marks)
            write_matrix(options["out_folder"], matrix, result, item_results(matrix, result))
        except BrokenFiles as broken:
            raise CommandError(_told(broken)) from broken
        except (Refused, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"{len(matrix.persons)} personnes, {len(matrix.items)} questions, deux correcteurs d’accord : "
            f"{options['out_folder']}"
        )


def _told(broken: BrokenFiles) -> str:
    lines = [f"Fichiers refusés, {len(broken.faults)} erreur(s), rien n’est écrit."]
    lines += map(str, broken.faults[:SHOWN])
    if len(broken.faults) > SHOWN:
        lines.append(f"… et {len(broken.faults) - SHOWN} autres.")
    return "\n".join(lines)
