"""The file of unit costs: `manage.py bench --publish` writes it, `manage.py capacity` reads it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from typing import Any

from ecni.preflight.capacity import UnitCosts

FILE = Path(__file__).with_name("unit_costs.json")


class CostsMissing(Exception):
    """The file lacks a cost; the text, in French, names it."""


@dataclass(frozen=True, slots=True)
class Published:
    """Unit costs and where they come from.

    Attributes:
        costs: the costs.
        machine: on what they were measured, in words.
        oldest: the day of the oldest of them.
        disturbed: names of those that were measured while other programs ran.
    """

    costs: UnitCosts
    machine: str
    oldest: date
    disturbed: tuple[str, ...]


def read_costs(path: Path = FILE) -> Published:
    """Return the published unit costs.

    Raises:
        CostsMissing: the file is not there, or lacks some.
    """
    content = _content(path)
    known = {field.name for field in fields(UnitCosts)}
    if missing := known - content["costs"].keys():
        raise CostsMissing(f"Coûts unitaires non publiés : {', '.join(sorted(missing))}.")
    kept = {name: content["costs"][name] for name in sorted(known)}
    return Published(
        costs=UnitCosts(**{name: cost["value"] for name, cost in kept.items()}),
        machine=content["machine"],
        oldest=min(date.fromisoformat(cost["on"]) for cost in kept.values()),
        disturbed=tuple(name for name, cost in kept.items() if cost["disturbed"]),
    )


def write_costs(
    costs: Mapping[str, float], *, disturbed: frozenset[str], machine: str, on: date, path: Path = FILE
) -> None:
    """Publish costs; those not measured this time stay as they were."""
    content = _content(path)
    content["machine"] = machine
    content["costs"] |= {
        name: {"value": float(f"{value:.4g}"), "on": on.isoformat(), "disturbed": name in disturbed}
        for name, value in costs.items()
    }
    content["costs"] = dict(sorted(content["costs"].items()))
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _content(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = {"machine": "", "costs": {}}
    return content | (json.loads(path.read_text(encoding="utf-8")) if path.exists() else {})
