"""`manage.py capacity --candidates 9800`: processes, machines, memory, bandwidth, from measured unit costs."""

import json
from dataclasses import asdict, replace
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Max

from ecni.management.arguments import count
from ecni.preflight.capacity import MEGA, Day, Need, held_by, needs_of
from ecni.preflight.costs import CostsMissing, Published, read_costs
from exams.models import Paper

PAPER_BYTES = 2 * MEGA
"""Of a sealed paper with its images, when none is sealed yet."""


class Command(BaseCommand):
    """Says what to buy, and why."""

    help = "Dit ce qu’il faut pour tenir un nombre de candidats, d’après des coûts mesurés."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options; by default, what `Day` supposes."""
        parser.add_argument("--candidates", type=count, default=9800, help="tablettes en même temps")
        parser.add_argument("--paper-bytes", type=count, help="taille du sujet scellé ; celle du plus gros par défaut")
        parser.add_argument("--answers-per-minute", type=count, help="actes par minute d’un candidat à la fin")
        parser.add_argument("--acts", type=count, help="actes d’un candidat dans une épreuve")
        parser.add_argument("--consoles", type=count, help="consoles ouvertes sur chaque centre")
        parser.add_argument("--lobby-minutes", type=count, help="durée de l’accueil")
        parser.add_argument("--cores", type=count, help="cœurs d’une machine")
        parser.add_argument("--json", action="store_true", help="pour une machine")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Read the costs, compute, print."""
        try:
            published = read_costs()
        except CostsMissing as missing:
            raise CommandError(f"{missing} Mesurer : « make bench », puis « manage.py bench --publish ».") from missing
        named = ("answers_per_minute", "acts", "consoles", "lobby_minutes", "cores")
        asked = {name: options[name] for name in named if options[name] is not None}
        day = replace(Day(options["candidates"], options["paper_bytes"] or largest_paper()), **asked)
        needs, held = needs_of(day, published.costs), held_by(day, published.costs)
        said = as_json(day, needs, held, published) if options["json"] else as_words(day, needs, held, published)
        self.stdout.write(said)


def largest_paper() -> int:
    """Return the size of the largest sealed paper, in bytes."""
    return Paper.objects.aggregate(most=Max("size"))["most"] or PAPER_BYTES


def as_json(day: Day, needs: list[Need], held: int, published: Published) -> str:
    """Return the answer for a machine."""
    content = {
        "day": asdict(day),
        "needs": [asdict(need) for need in needs],
        "held": held,
        "measured": {"machine": published.machine, "oldest": published.oldest.isoformat()},
        "disturbed": published.disturbed,
    }
    return json.dumps(content, ensure_ascii=False, indent=1)


def as_words(day: Day, needs: list[Need], held: int, published: Published) -> str:
    """Return the answer for a person."""
    rows = [(need.what, f"{need.amount:,.0f} {need.unit}".replace(",", " "), need.formula) for need in needs]
    widths = [max(len(row[column]) for row in rows) for column in range(2)]
    lines = [
        f"{day.candidates} candidats ensemble, {day.answers_per_minute:g} actes par minute chacun à la fin.",
        "",
    ]
    lines += [f"{what.ljust(widths[0])}  {amount.rjust(widths[1])}  {formula}" for what, amount, formula in rows]
    lines += [
        "",
        f"Marge : un cœur est occupé à {day.busy:.0%} au plus ; les mêmes processus tiennent {held} candidats.",
        f"Coûts unitaires mesurés le {published.oldest:%d/%m/%Y} au plus tôt, sur {published.machine}.",
    ]
    if published.disturbed:
        lines.append(f"Mesurés pendant que d’autres programmes tournaient : {', '.join(published.disturbed)}.")
    return "\n".join(lines)
