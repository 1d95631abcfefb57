"""Make the database of a load test: centres, candidates, a sealed paper of an honest weight, and the file of codes."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from centres.queries.slips import printed_slips
from ecni.demo.build import BANK, PASSWORD, Shape, build_concours, demo_hostings
from ecni.demo.cities import CITIES
from ecni.shared.clock import now
from exams.models import Exam, Paper
from loadtests.waves.bank import write_heavy_bank

ORDER = {code: position for position, (code, _) in enumerate(CITIES)}
"""The biggest centres first, as `build_concours` shares candidates out."""


class Command(BaseCommand):
    """`prepare_waves --candidates 9800 --centres 35 --photographs 30 --guide FILE`, on an empty database."""

    help = "Prépare la base d’un essai de charge."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--candidates", type=int, required=True)
        parser.add_argument("--centres", type=int, required=True)
        parser.add_argument("--photographs", type=int, required=True)
        parser.add_argument("--guide", type=Path, required=True)

    def handle(self, *_args: Any, **options: Any) -> None:
        """Prepare."""
        if settings.PRODUCTION:
            raise CommandError("Un essai de charge n’a pas sa place en production.")
        call_command("migrate", verbosity=0)
        with TemporaryDirectory() as folder, transaction.atomic():
            write_heavy_bank(BANK, Path(folder), options["photographs"])
            shape = Shape(candidates=options["candidates"], centres=options["centres"], bank=Path(folder))
            exam = build_concours(shape=shape, now=now(), say=self._say)
        options["guide"].write_text(json.dumps(guide(exam), ensure_ascii=False), encoding="utf-8")

    def _say(self, text: str) -> None:
        self.stdout.write(f"  {text}")
        self.stdout.flush()


def guide(exam: Exam) -> dict[str, Any]:
    """Return what a replay needs: the sitting, its paper, and for each centre its head's login and its codes."""
    sitting = exam.sittings.get(number=1)
    paper = Paper.objects.get(sitting=sitting, is_reserve=False)
    return {
        "password": PASSWORD,
        "sitting": sitting.pk,
        "paper": {"digest": paper.digest, "bytes": paper.size, "questions": paper.questions.count()},
        "centres": [
            {
                "hosting": hosting.pk,
                "code": hosting.centre.code,
                "login": f"centre-{hosting.centre.code.lower()}",
                "slips": [{"number": slip.number, "code": slip.code} for slip in printed_slips(hosting.pk)],
            }
            for hosting in sorted(demo_hostings(exam), key=lambda hosting: ORDER[hosting.centre.code])
        ],
    }
