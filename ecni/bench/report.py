"""What `make bench` found, as JSON and as the table of `docs/performance.md`."""

import json
import platform
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime

from ecni.bench.catalogue import BENCHMARKS
from ecni.bench.measures import Measure, Size, figure
from ecni.supervisor import ROOT

PAGE = ROOT / "docs" / "performance.md"
START, END = "<!-- bench -->", "<!-- /bench -->"
HEAD = ("| benchmark | work | figure | floor | ratio | target | also |", f"|{'---|' * 7}")
DISTURBED = " †"
PASSAGE = re.compile(r"^- (.+): ([a-z, ]+)$", re.MULTILINE)
ROW = re.compile(rf"^\| (?:{'|'.join(BENCHMARKS)})(?:{DISTURBED})? \|.*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Benchmark:
    """The measures of one benchmark, and what disturbed them.

    Attributes:
        measures: what was found.
        load_before: cores kept busy by other programs just before.
        foreign: cores kept busy by other programs meanwhile, on average.
        is_disturbed: whether the figures are to be doubted for that.
        seconds: how long it took.
    """

    measures: Sequence[Measure]
    load_before: float
    foreign: float
    is_disturbed: bool
    seconds: float


@dataclass(frozen=True, slots=True)
class Report:
    """One passage of the benchmarks."""

    at: datetime
    size: Size
    server: str
    runs: int
    benchmarks: dict[str, Benchmark] = field(default_factory=dict)


def merged(runs: Sequence[Sequence[Measure]]) -> list[Measure]:
    """Return each measure as the median run found it, by what its target holds, with the worst of all runs beside."""
    found = []
    for same in zip(*runs, strict=True):
        ordered = sorted(same, key=lambda measure: measure.judged)
        median = ordered[len(ordered) // 2]
        if len(ordered) > 1:
            worst = max(measure.ratio for measure in ordered)
            median = replace(median, worst=worst, worst_judged=ordered[-1].judged)
        found.append(median)
    return found


def as_json(report: Report) -> str:
    """Return the report as machines read it."""
    content = {
        "at": report.at.isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "processor": platform.machine(),
        "server": report.server,
        "runs": report.runs,
        "size": asdict(report.size),
        "benchmarks": {
            name: {
                **{key: value for key, value in asdict(found).items() if key != "measures"},
                "measures": [
                    {**asdict(one), "ratio": round(one.ratio, 3), "is_met": one.is_met} for one in found.measures
                ],
            }
            for name, found in report.benchmarks.items()
        },
    }
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


def as_table(report: Report) -> str:
    """Return the measures as a table in Markdown."""
    return "\n".join([*HEAD, *rows_of(report)])


def rows_of(report: Report) -> list[str]:
    """Return one row for each measure."""
    return [
        f"| {name}{DISTURBED * found.is_disturbed} | {one.name} | {figure(one.value)} {one.unit} "
        f"| {one.floor}: {figure(one.floor_value)} | {ratio(one)} | {target(one)} | {beside(one)} |"
        for name, found in report.benchmarks.items()
        for one in found.measures
    ]


def ratio(measure: Measure) -> str:
    """Return the ratio, with the worst one when there were several runs."""
    worst = "" if measure.worst is None else f" (worst {measure.worst:.2f})"
    return f"{measure.ratio:.2f}{worst}"


def target(measure: Measure) -> str:
    """Return the target, whether the median run meets it, and the worst one when it is not in the column of ratios."""
    if measure.target is None:
        return ""
    of, most, worst = measure.target.of, measure.target.at_most, measure.worst_judged
    verdict = "met" if measure.is_met else "**missed**"
    if worst is not None and measure.is_met and worst > most:
        verdict += ", **not by the worst**"
    if worst is not None and of != "ratio":
        verdict += f" (worst {figure(worst)})"
    return f"{of} ≤ {figure(most)}: {verdict}"


def beside(measure: Measure) -> str:
    """Return the other figures."""
    return ", ".join(f"{name} {figure(value)}" for name, value in measure.details.items())


def publish(report: Report) -> None:
    """Put the measures in the table of `docs/performance.md`; what was not measured again stays, with its date."""
    before, rest = PAGE.read_text(encoding="utf-8").split(START)
    old, after = rest.split(END)
    how = (
        f"{report.at:%d/%m/%Y}, {report.size.candidates} candidates, {report.size.questions} questions, "
        f"{report.size.sockets} sockets, {report.server}, Python {platform.python_version()}, {report.runs} run(s)"
    )
    passages = {
        one: [name for name in names.split(", ") if name not in report.benchmarks]
        for one, names in PASSAGE.findall(old)
    }
    passages[how] = [*passages.get(how, []), *report.benchmarks]
    rows = [row for row in ROW.findall(old) if measured(row) not in report.benchmarks] + rows_of(report)
    order = list(BENCHMARKS)
    rows.sort(key=lambda row: order.index(measured(row)))
    lines = [f"- {one}: {', '.join(names)}" for one, names in passages.items() if names]
    table = "\n".join([*lines, "", *HEAD, *rows])
    PAGE.write_text(f"{before}{START}\n{table}\n{END}{after}", encoding="utf-8")


def measured(row: str) -> str:
    """Return the benchmark of a row of the table."""
    return row.split("|")[1].strip().removesuffix(DISTURBED)
