"""Marks that are not written: those that a paper would have under other decisions. Nothing here leaves a trace."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from grading.models import MarkingRun, SheetMark
from grading.queries.marking import (
    POINTS_DTYPE,
    FrozenAnswers,
    exam_papers,
    exam_parameters,
    frozen_answers,
    marking_plan,
    responses_of,
)
from grading.rules.columns import Numerators
from grading.rules.decisions import Adopted
from grading.rules.engine import mark_responses
from grading.rules.parameters import MarkingParameters


@dataclass(frozen=True, slots=True)
class PaperMarks:
    """The marks of one paper.

    Attributes:
        paper_id: the paper.
        denominator: of its numerators.
        numbers: anonymous number of each sheet.
        table: a row of numerators per sheet, a column per question, in order.
    """

    paper_id: int
    denominator: int
    numbers: tuple[str, ...]
    table: np.ndarray[tuple[int, int], np.dtype[np.int64]]


def run_marks(run: MarkingRun) -> PaperMarks:
    """Return the marks that a finished run wrote."""
    rows = list(SheetMark.objects.filter(run=run).values_list("number", "points"))
    flat = np.frombuffer(b"".join(bytes(points) for _, points in rows), POINTS_DTYPE)
    table = flat.reshape(len(rows), len(run.scale))
    return PaperMarks(run.paper_id, run.denominator, tuple(number for number, _ in rows), table)


def hypothetical_marks(exam_id: int, adopted: Sequence[Adopted]) -> list[PaperMarks]:
    """Return the marks that each paper of an exam would have under these decisions, by columns.

    The sheets, the keys and the scorer are those of a run: its marks under the same decisions are the same numbers.

    Raises:
        InvalidKey, InvalidStructure, InvalidRun, DenominatorTooLarge, UnmarkableValue: it could not be marked.
    """
    parameters = exam_parameters(exam_id)
    return [_paper_marks(paper.pk, parameters, adopted) for paper in exam_papers(exam_id)]


def _paper_marks(paper_id: int, parameters: MarkingParameters, adopted: Sequence[Adopted]) -> PaperMarks:
    plan = marking_plan(paper_id, parameters, adopted)
    sheets = [FrozenAnswers(pk, number, bytes(masks), texts) for pk, number, masks, texts in frozen_answers(paper_id)]
    marks = mark_responses(plan, responses_of(sheets, plan))
    columns: list[Numerators] = [marks[number] for number in sorted(marks)]
    return PaperMarks(paper_id, plan.denominator, tuple(sheet.number for sheet in sheets), np.column_stack(columns))
