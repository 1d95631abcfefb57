"""Seal a paper: `seal_paper ID --actor NAME --reason TEXT`."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from ecni.accounts.models import User
from ecni.shared.clock import now
from exams.actions.sealing import SealingRefused, seal_paper
from exams.models import Paper


class Command(BaseCommand):
    """Seal one paper, once."""

    help = "Scelle un sujet : numérote, chiffre, écrit le fichier."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("paper_id", type=int)
        parser.add_argument("--actor", required=True, help="nom de connexion de l’auteur")
        parser.add_argument("--reason", required=True, help="motif, gardé au registre")

    def handle(self, **options: Any) -> None:
        """Run the command."""
        try:
            actor = User.objects.get(username=options["actor"])
            paper = seal_paper(paper_id=options["paper_id"], actor=actor, now=now(), reason=options["reason"])
        except User.DoesNotExist as error:
            raise CommandError("--actor doit nommer un compte du personnel") from error
        except Paper.DoesNotExist as error:
            raise CommandError("ce sujet n’existe pas") from error
        except SealingRefused as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"{paper.digest}.ecni, {paper.size} octets")
