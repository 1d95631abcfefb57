"""Make the database, the static files and the concours blanc ready; what is there already is left alone."""

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from centres.models import Candidate
from centres.queries.slips import printed_slips
from ecni.demo.build import PASSWORD, SLUG, Shape, build_concours, demo_hostings
from ecni.shared.clock import now
from exams.enums import CaseKind
from exams.models import Exam

SHORT_CENTRES = 5
SHORT_QUESTIONS = 4
SHORT_GRACE_SECONDS = 4


class Command(BaseCommand):
    """`prepare_demo --candidates 350 [--short SECONDS] --guide FILE`: the guide holds every login, as JSON."""

    help = "Prépare la base, les fichiers statiques et le concours blanc."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--candidates", type=int, default=350)
        parser.add_argument("--guide", type=Path, required=True)
        parser.add_argument("--short", type=int, help="secondes d’une épreuve courte, pour les exercices de panne")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Prepare."""
        if settings.PRODUCTION:
            raise CommandError("La démonstration n’a pas sa place en production.")
        call_command("migrate", verbosity=0)
        call_command("collectstatic", interactive=False, verbosity=0)
        exam = Exam.objects.filter(slug=SLUG).first()
        if exam is None:
            with transaction.atomic():
                exam = build_concours(shape=shape(options), now=now(), say=self._say)
        elif Candidate.objects.filter(exam=exam).count() != options["candidates"]:
            self._say("Le concours blanc existe avec un autre nombre de candidats : « make clean » le supprime.")
        options["guide"].write_text(json.dumps(guide(exam), ensure_ascii=False), encoding="utf-8")

    def _say(self, text: str) -> None:
        self.stdout.write(f"  {text}")
        self.stdout.flush()


def shape(options: dict[str, Any]) -> Shape:
    """Return the concours asked for: the whole one, or a short one in 5 centres whose answers arrive within 4 s."""
    if options["short"] is None:
        return Shape(candidates=options["candidates"])
    return Shape(
        candidates=options["candidates"],
        centres=SHORT_CENTRES,
        duration_seconds=options["short"],
        grace_seconds=SHORT_GRACE_SECONDS,
        isolated=SHORT_QUESTIONS,
        cases=(CaseKind.MINI_DP,),
        articles=0,
    )


def guide(exam: Exam) -> dict[str, Any]:
    """Return every login of the demonstration: staff, and for each seat the slip's code and what reads the results."""
    official = dict(Candidate.objects.filter(exam=exam).values_list("number", "official_number"))
    return {
        "password": PASSWORD,
        "sitting": exam.sittings.get(number=1).pk,
        "exam": exam.pk,
        "centres": [
            {
                "hosting": hosting.pk,
                "code": hosting.centre.code,
                "name": hosting.centre.name,
                "login": f"centre-{hosting.centre.code.lower()}",
                "slips": [
                    {
                        "number": slip.number,
                        "code": slip.code,
                        "official_number": official[slip.number],
                        "results_code": slip.results_code,
                    }
                    for slip in printed_slips(hosting.pk)
                ],
            }
            for hosting in demo_hostings(exam)
        ],
    }
