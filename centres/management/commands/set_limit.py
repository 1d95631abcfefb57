"""Set a limit when no page answers: `set_limit NAME VALUE --actor NAME --reason TEXT`."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from centres.rules.access import may
from ecni.accounts.models import User
from ecni.shared.clock import now
from exams.actions.admission import set_limit
from exams.enums import LimitName
from exams.rules.states import Refused


class Command(BaseCommand):
    """Set one limit of the processes, as the page « Limites et gardes » does."""

    help = "Fixe une limite des processus, dans chacun d’ici 2 secondes."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("name", choices=LimitName.values)
        parser.add_argument("value", type=int)
        parser.add_argument("--actor", required=True, help="nom de connexion de l’auteur : agence ou exploitation")
        parser.add_argument("--reason", required=True, help="motif, gardé au registre")

    def handle(self, **options: Any) -> None:
        """Run the command."""
        name, value, reason = LimitName(options["name"]), options["value"], options["reason"]
        actor = User.objects.filter(username=options["actor"], is_active=True).first()
        if actor is None or not may(actor.role, "set-limit"):
            raise CommandError("--actor doit nommer un compte de l’agence ou de l’exploitation.")
        try:
            set_limit(name=name, value=value, reason=reason, actor=actor, now=now())
        except Refused as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"{name.label} : {value}.")
