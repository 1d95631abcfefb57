"""The report of a run as one page of HTML: verdict, waves, drawings, limits. No script, nothing from elsewhere."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from loadtests.waves.consoles import BOARD
from loadtests.waves.drawing import Point, Series, chart
from loadtests.waves.measures import Delays, Seen
from loadtests.waves.verdict import ACK, AFTER_CUT, Run, Verdict
from loadtests.waves.vitals import MIB, OVERFLOWS, Sample, Usage

SLOT_SECONDS = 5
STYLE = (Path(__file__).parent / "report.css").read_text(encoding="utf-8")
COLUMNS = {
    "wave": "vague",
    "centres": "centres",
    "candidates": "candidats",
    "logins": "entrés",
    "entry_s_last": "entrée la plus longue (s)",
    "waited": "attentes",
    "opened": "ouverts",
    "opened_late": "prêts après l’ordre",
    "opening_ms_p50": "ouverture p50 (ms)",
    "opening_ms_last": "ouverture, dernier (ms)",
    "acknowledged": "actes acquittés",
    "lost": "perdus",
    "ack_ms_p50": "p50 (ms)",
    "ack_ms_p95": "p95",
    "ack_ms_p99": "p99",
    "ack_ms_p999": "p99,9",
    "ack_ms_max": "max",
    "errors_shown": "erreurs montrées",
    "reconnects": "reconnexions",
    "reconnect_s_last": "dernier revenu (s)",
    "submitted": "remises",
}
UNMEASURED = (
    "TLS, quand l’essai est fait sans.",
    "Le réseau des centres, les six connexions parallèles d’un navigateur : une tablette n’en ouvre ici que deux.",
    "Le générateur, la base et les serveurs partagent la machine : les délais comptent leur concurrence.",
    "Un disque lent : le délai d’écriture est celui de cette machine.",
    "Le dessin des questions par les tablettes : le premier énoncé est déchiffré, non affiché.",
    "La boucle et le ramasse-miettes des serveurs, quand ils ne les publient pas.",
)


def page(run: Run, verdict: Verdict, samples: Sequence[Sample], start: float) -> str:
    """Return the whole report."""
    title = f"Vagues de charge : {run.plan.name}, {run.candidates} candidats"
    parts = [
        f"<h1>{escape(title)}</h1>",
        f"<p>{escape(run.plan.about)}</p>",
        _verdict(verdict),
        _promises(verdict),
        "<h2>Vagues</h2>",
        table([*COLUMNS.values()], [[wave.get(name, "") for name in COLUMNS] for wave in _with_all(run, verdict)]),
        "<h2>Au fil du temps</h2>",
        *_charts(run, samples, start),
        "<h2>Limites, la plus proche d’abord</h2>",
        _limits(verdict, run.candidates),
        "<h2>Composants</h2>",
        _components(samples),
        *_details(run, verdict),
        "<h2>Ce qui n’est pas mesuré</h2>",
        "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in UNMEASURED) + "</ul>",
    ]
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{STYLE}</style>'
    view = '<meta name="viewport" content="width=device-width, initial-scale=1">'
    return f'<!doctype html>\n<html lang="fr"><head>{head}{view}</head><body>{"".join(parts)}</body></html>\n'


def table(heads: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Return a table."""
    first = "".join(f'<th scope="col">{escape(head)}</th>' for head in heads)
    body = "".join("<tr>" + "".join(f"<td>{escape(_said(cell))}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{first}</tr></thead><tbody>{body}</tbody></table></div>'


def by_slot(seen: Seen, start: float, kind: str) -> dict[int, Delays]:
    """Return the delays of a kind by slots of five seconds, from the start."""
    found: dict[int, Delays] = defaultdict(Delays)
    for line in seen.lines:
        for name, delays in line.delays.items():
            if name.rpartition(" ")[0] == kind:
                found[int(line.at - start) // SLOT_SECONDS].merge(delays)
    return dict(sorted(found.items()))


def actives(seen: Seen, start: float, wave: int) -> list[Point]:
    """Return how many tablets of a wave were linked, over time."""
    latest: dict[str, int] = {}
    points: dict[int, int] = {}
    for line in sorted(seen.lines, key=lambda line: line.at):
        latest[line.worker] = line.gauges.get(f"linked {wave}", 0)
        points[int(line.at - start)] = sum(latest.values())
    return [(float(second), float(number)) for second, number in sorted(points.items()) if second >= 0]


def _said(cell: object) -> str:
    if cell is None:
        return ""
    return f"{cell:,.1f}".replace(",", " ").replace(".", ",") if isinstance(cell, float) else str(cell)


def _with_all(run: Run, verdict: Verdict) -> list[dict[str, Any]]:
    whole = {"wave": "toutes", "candidates": run.candidates, "centres": run.plan.centres}
    whole |= {name: sum(wave[name] for wave in verdict.waves) for name in ("opened", "opened_late")}
    return [*verdict.waves, whole | verdict.figures]


def _verdict(verdict: Verdict) -> str:
    words = "Toutes les promesses sont tenues." if verdict.ok else "Une promesse au moins n’est pas tenue."
    if verdict.refusals:
        words = "Cet essai ne prouve rien."
    kind = "good" if verdict.ok else "bad"
    lines = "".join(f"<li>{escape(reason)}</li>" for reason in verdict.refusals)
    return f'<p class="verdict {kind}">{words}</p>' + (f"<ul>{lines}</ul>" if lines else "") + _first_to_give(verdict)


def _first_to_give(verdict: Verdict) -> str:
    limit = verdict.nearest
    if limit is None:
        return ""
    line = next(line for line in verdict.limits if line["name"] == limit.name)
    until = f" À ce rythme, elle céderait vers {line['candidates']} candidats." if line["candidates"] else ""
    return f"<p>Limite la plus proche : {escape(limit.words)}, {limit.left}.{until}</p>"


def _promises(verdict: Verdict) -> str:
    rows = [[one.words, one.promised, one.seen, "tenue" if one.ok else "ROMPUE"] for one in verdict.promises]
    return "<h2>Promesses</h2>" + table(["promesse", "promis", "vu", ""], rows)


def _limits(verdict: Verdict, candidates: int) -> str:
    rows = [
        [
            line["words"],
            line["layer"],
            line["used"],
            line["allowed"],
            f"{line['headroom']:z.0%}",
            line["candidates"] or "",
        ]
        for line in verdict.limits
    ]
    heads = ["limite", "couche", "utilisé", "permis", "reste", f"candidats permis ({candidates} présents)"]
    return table(heads, rows)


def _charts(run: Run, samples: Sequence[Sample], start: float) -> list[str]:
    marks = [(order - start, f"ouverture {number}") for number, order in sorted(run.orders.items())]
    marks += [(storm, "orage") for storm in run.timetable.storms] + [(run.timetable.closes, "remises")]
    waves = [Series(f"vague {times.number}", actives(run.seen, start, times.number)) for times in run.timetable.waves]
    whole: dict[float, float] = defaultdict(float)
    for series in waves:
        for x, y in series.points:
            whole[x] += y
    return [
        chart("Tablettes reliées", [*waves, Series("toutes", sorted(whole.items()))], "", marks),
        chart("Acquittements, depuis l’instant où l’acte était dû", _delays(run, start, ACK), "ms", marks),
        chart("Âge des tableaux que montrent les consoles", _delays(run, start, BOARD), "ms", marks),
        chart("Étalement des ouvertures", _openings(run), "", ()),
        chart("Processeur, en cœurs", _processors(samples, start), "", marks),
        chart("Mémoire (PSS)", _memories(samples, start), "Mio", marks),
    ]


def _delays(run: Run, start: float, kind: str) -> list[Series]:
    slots = [(slot, delays) for slot, delays in by_slot(run.seen, start, kind).items() if slot >= 0]
    return [
        Series(label, [(slot * float(SLOT_SECONDS), delays.quantile(share)) for slot, delays in slots])
        for label, share in {"p50": 0.5, "p95": 0.95, "p99": 0.99}.items()
    ]


def _openings(run: Run) -> list[Series]:
    found = []
    for number, order in sorted(run.orders.items()):
        opened = sorted(at - order for _, _, at, _ in run.seen.events("opened", number))
        points = [(seconds, float(position)) for position, seconds in enumerate(opened, start=1)]
        found.append(Series(f"vague {number}", points))
    return found


def _names(samples: Sequence[Sample]) -> list[str]:
    return list(dict.fromkeys(name for sample in samples for name in sample.used))


def _processors(samples: Sequence[Sample], start: float) -> list[Series]:
    return [
        Series(name, [(s.at - start, s.used[name].processor) for s in samples if name in s.used and s.at >= start])
        for name in _names(samples)
    ]


def _memories(samples: Sequence[Sample], start: float) -> list[Series]:
    return [
        Series(name, [(s.at - start, (s.used[name].pss or 0) / MIB) for s in _slow(samples, name) if s.at >= start])
        for name in _names(samples)
    ]


def _slow(samples: Sequence[Sample], name: str) -> list[Sample]:
    return [sample for sample in samples if name in sample.used and sample.used[name].pss is not None]


def _components(samples: Sequence[Sample]) -> str:
    return table(
        [
            *("composant", "cœurs, moyenne", "cœurs, max", "PSS max (Mio)", "RSS max (Mio)", "descripteurs max"),
            *("retard de boucle max (ms)", "pause du ramasse-miettes max (ms)"),
        ],
        [list(line.values()) for line in components(samples)],
    )


def components(samples: Sequence[Sample]) -> list[dict[str, Any]]:
    """Return what each component used: mean and most."""
    found = []
    for name in _names(samples):
        used = [sample.used[name] for sample in samples if name in sample.used]
        cores = [usage.processor for usage in used]
        found.append(
            {
                "name": name,
                "cores_mean": round(sum(cores) / len(cores), 3),
                "cores_max": round(max(cores), 3),
                "pss_mib": round(max((usage.pss or 0) for usage in used) / MIB, 1),
                "rss_mib": round(max((usage.rss or 0) for usage in used) / MIB, 1),
                "descriptors": max((usage.descriptors or 0) for usage in used),
                "loop_lag_ms": most_told(used, "loop_lag_ms"),
                "gc_pause_ms": most_told(used, "gc_pause_ms"),
            }
        )
    return found


def most_told(used: Sequence[Usage], name: str) -> float | None:
    """Return the most that a component told under a name; None when it told nothing."""
    told = [usage.told[name] for usage in used if name in usage.told]
    return round(max(told), 1) if told else None


def _details(run: Run, verdict: Verdict) -> list[str]:
    shown = run.seen.errors().most_common(20)
    refused: Mapping[str, int] = {
        name: run.seen.count(name)
        for name in sorted({key.rpartition(" ")[0] for line in run.seen.lines for key in line.counts})
    }
    after = run.seen.delays(AFTER_CUT)
    lines = [
        (
            f"Sujet : {run.paper[0]} questions, {run.paper[1]} octets ; {verdict.figures['papers']} tablettes l’ont"
            f" téléchargé, les autres l’avaient déjà ; {verdict.figures['bytes'] / MIB:.0f} Mio reçus en tout."
        ),
        (
            f"Retard propre du générateur : {verdict.figures['late_ms_p99']} ms au 99e centile,"
            f" {verdict.figures['late_ms_max']} ms au plus ; il est compris dans les acquittements."
        ),
        (
            f"Actes gardés pendant une coupure, ou faits pendant un retour de tous : {after.count},"
            f" acquittés en {after.greatest / 1000:.1f} s au plus."
        ),
        _consoles(verdict.figures),
        *(f"{name} : {value}" for name, value in run.setting.items()),
    ]
    found = ["<h2>Détails</h2>", "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>"]
    if shown:
        found += ["<h3>Ce que des candidats ont vu d’anormal</h3>", table(["quoi", "fois"], shown)]
    found += ["<h3>Comptes</h3>", table(["quoi", "fois"], refused.items())]
    return found


def _consoles(figures: Mapping[str, Any]) -> str:
    return (
        f"Consoles ouvertes : {figures['boards']} tableaux reçus, vieux de {figures['board_ms_p50']} ms à l’écran"
        f" (médiane), {figures['board_ms_p99']} au 99e centile, {figures['board_ms_max']} au plus ;"
        f" {figures['screens_cut']} coupures ; commandes exécutées en {figures['command_ms_p50']} ms (médiane),"
        f" {figures['command_ms_max']} au plus."
    )


def kernel_refusals(samples: Sequence[Sample]) -> dict[str, float]:
    """Return what the kernel turned away during the run."""
    return {name: max((sample.machine.get(name, 0.0) for sample in samples), default=0.0) for name in OVERFLOWS}
