"""`make bench`: measure the named benchmarks; write `build/bench.json` and the table of `docs/performance.md`."""

import json
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from ecni.bench import BENCHMARKS
from ecni.bench.measures import Measure, Size
from ecni.supervisor import ROOT

START, END = "<!-- bench -->", "<!-- /bench -->"


class Command(BaseCommand):
    """`bench [NAME …] [--candidates 10000] [--questions 450] [--publish]`."""

    help = "Mesure les bancs d’essai nommés, tous par défaut, chacun à côté d’un plancher mesuré dans le même passage."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("names", nargs="*", choices=[*BENCHMARKS, []], metavar="NAME")
        parser.add_argument("--candidates", type=int, default=10_000)
        parser.add_argument("--questions", type=int, default=450)
        parser.add_argument("--publish", action="store_true", help="récrit le tableau de docs/performance.md")

    def handle(self, **options: Any) -> None:
        """Measure, print, write."""
        size = Size(options["candidates"], options["questions"])
        found = {name: list(BENCHMARKS[name](size)) for name in options["names"] or BENCHMARKS}
        build = ROOT / "build"
        build.mkdir(exist_ok=True)
        (build / "bench.json").write_text(json.dumps(report(size, found), indent=1) + "\n", encoding="utf-8")
        self.stdout.write("\n".join(lines(found)))
        if options["publish"]:
            publish(size, found)


def report(size: Size, found: Mapping[str, Sequence[Measure]]) -> dict[str, Any]:
    """Return the measures as JSON holds them."""
    return {
        "size": asdict(size),
        "python": platform.python_version(),
        "processor": platform.machine(),
        "benchmarks": {
            name: [{**asdict(measure), "ratio": round(measure.ratio, 1)} for measure in measures]
            for name, measures in found.items()
        },
    }


def lines(found: Mapping[str, Iterable[Measure]]) -> list[str]:
    """Return the measures as a table in Markdown."""
    rows = [
        f"| {name} | {one.name} | {one.seconds:.2f} | {one.processor:.2f} | {one.peak_mib} "
        f"| {one.floor}: {one.floor_processor:.3f} | {one.ratio:.0f} |"
        for name, measures in found.items()
        for one in measures
    ]
    return [
        "| benchmark | work | seconds | of processor | peak MiB | floor, of processor | ratio |",
        f"|{'---|' * 7}",
        *rows,
    ]


def publish(size: Size, found: Mapping[str, Iterable[Measure]]) -> None:
    """Put the table in `docs/performance.md`, between its two marks."""
    page = ROOT / "docs" / "performance.md"
    before, rest = page.read_text(encoding="utf-8").split(START)
    after = rest.split(END)[1]
    heading = f"{size.candidates} candidates, {size.questions} questions, Python {platform.python_version()}:"
    table = "\n".join([START, heading, "", *lines(found), END])
    page.write_text(before + table + after, encoding="utf-8")
