"""What proves a run: the digest of all that it read, and that of all that it wrote."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from decimal import Decimal
from hashlib import sha256
from typing import Any

import numpy as np

from exams.models import Paper
from grading.models import MarkingRun, SheetMark
from grading.queries import POINTS_DTYPE, frozen_answers
from grading.rules.engine import Plan

MARKS_FORMAT = "ecni-marks/1"
INPUTS_FORMAT = "ecni-marking-inputs/2"


def marks_digest(rows: Sequence[tuple[str, Sequence[int]]], denominator: int) -> str:
    """Return the SHA-256, in hexadecimal, of the canonical bytes of marks given in the order of the anonymous numbers.

    A heading with the denominator, then a line per sheet: its number, a tab, and the numerators separated by spaces.
    """
    digest = sha256(f"{MARKS_FORMAT} {denominator}\n".encode())
    for number, points in rows:
        digest.update(f"{number}\t{' '.join(map(str, points))}\n".encode())
    return digest.hexdigest()


def stored_marks_digest(run: MarkingRun) -> str:
    """Return the digest of the marks of a run as they are stored now: that of the run, unless somebody touched them."""
    stored = sorted(SheetMark.objects.filter(run=run).values_list("number", "points"))
    rows = [(number, np.frombuffer(bytes(points), POINTS_DTYPE).tolist()) for number, points in stored]
    return marks_digest(rows, run.denominator)


def inputs_digest(paper: Paper, plan: Plan, decisions: Sequence[Mapping[str, Any]]) -> str:
    """Return the SHA-256, in hexadecimal, of all that marking reads.

    That is the parameters, the paper, the decisions of the jury, the keys and points that they give, the answers.
    """
    columns = [plan.columns[number] for number in sorted(plan.columns)]
    keys = [[column.kind.value, str(column.points), asdict(column.key)] for column in columns]
    heading = {
        "format": INPUTS_FORMAT,
        "parameters": plan.parameters.published(),
        "paper": paper.digest,
        "decisions": decisions,
        "keys": keys,
    }
    digest = sha256(_canonical(heading))
    for number, masks, texts in sorted((row[1], bytes(row[2]).hex(), row[3]) for row in frozen_answers(paper.pk)):
        digest.update(b"\n" + _canonical([number, masks, texts]))
    return digest.hexdigest()


def _canonical(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=_plain).encode()


def _plain(value: object) -> object:
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"no canonical form for {type(value).__name__}")
