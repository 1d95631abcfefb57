"""What a run of the limits says: a table for a terminal, a page of HTML."""

from collections.abc import Mapping
from html import escape
from typing import Any

from loadtests.limits.rows import Outcome, Row
from loadtests.waves.report import STYLE, table

COLUMNS = {
    "words": "couche",
    "limit": "mise à",
    "inside": "composent",
    "newcomers": "arrivent",
    "entered": "entrent",
    "told": "page d’attente",
    "unanswered": "sans réponse, page de la tablette",
    "named_s": "nommée (s)",
    "in_s": "tous entrés (s)",
    "p99": "p99 avant → pendant (ms)",
    "dropped": "liaisons perdues",
    "verdict": "verdict",
}
SHORT = {
    "words": "couche",
    "newcomers": "arr.",
    "entered": "entr.",
    "told": "page",
    "unanswered": "muets",
    "named_s": "nommée",
    "in_s": "entrés",
    "p99": "p99",
    "dropped": "perdus",
    "verdict": "",
}
NARROW = {"words": 40, "p99": 16}


def cells(row: Row) -> dict[str, Any]:
    """Return what each column has of a row."""
    if row.skipped:
        return dict.fromkeys(COLUMNS, "") | {"words": row.words, "verdict": f"non jouée : {row.skipped}"}
    return row.as_json() | {
        "named_s": "jamais" if row.named_s is None else row.named_s,
        "in_s": "jamais" if row.in_s is None else row.in_s,
        "p99": f"{row.inside_p99_before:.0f} → {row.inside_p99_during:.0f}",
        "verdict": "tenue" if row.ok else "ROMPUE : " + " ; ".join(row.faults),
    }


def words(outcome: Outcome) -> str:
    """Return the run as a short table."""
    lines = [_line(SHORT), *(_line({name: str(value) for name, value in cells(row).items()}) for row in outcome.rows)]
    return "\n".join(["", *lines, "", *(f"  {line}" for line in conclusions(outcome)), ""])


def conclusions(outcome: Outcome) -> list[str]:
    """Return what is said of the whole run."""
    found = [f"{outcome.inside} composaient d’abord, {outcome.came} sont venus, {outcome.handed_in} copies remises."]
    if outcome.evidence is None:
        found.append("La base n’a pas pu être lue : rien ne dit que tout y est.")
    else:
        found.append(f"{outcome.evidence.acknowledged} actes acquittés, {outcome.lost} perdus.")
    before, during = outcome.inside_p99
    felt = ", plus d’un cinquième de plus" if outcome.is_felt else ""
    found.append(f"Ceux qui composent, toutes couches ensemble : {before} → {during} ms au 99e centile{felt}.")
    usual, old = (outcome.boards.quantile(share) / 1000 for share in (0.5, 0.99))
    found.append(f"Écrans des responsables : âge de {usual:.1f} s (médiane), {old:.1f} s au 99e centile.")
    found += outcome.refusals
    return [*found, "Toutes les promesses sont tenues." if outcome.ok else "Une promesse au moins n’est pas tenue."]


def page(outcome: Outcome) -> str:
    """Return the report as a page: no script, nothing from elsewhere."""
    title = f"Limites cachées : {outcome.inside} composent, {outcome.candidates - outcome.inside} viennent"
    rows = [[cells(row)[name] for name in COLUMNS] for row in outcome.rows]
    lines = "".join(f"<li>{escape(line)}</li>" for line in conclusions(outcome))
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{STYLE}</style>'
    view = '<meta name="viewport" content="width=device-width, initial-scale=1">'
    body = f"<h1>{escape(title)}</h1><ul>{lines}</ul>{table(COLUMNS.values(), rows)}"
    return f'<!doctype html>\n<html lang="fr"><head>{head}{view}</head><body>{body}</body></html>\n'


def _line(texts: Mapping[str, str]) -> str:
    return "  " + " ".join(texts[name].ljust(NARROW.get(name, 7)) for name in SHORT)
