"""The item analysis of finished runs: numbers of copies, no copy. Kept by each process, since a run never changes."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from exams.models import PaperQuestion
from exams.queries.times import ResponseTime, response_times
from grading.enums import MarkingState
from grading.models import MarkingRun
from grading.queries.marking import FrozenAnswers, frozen_answers, responses_of, run_plan, sheet_numerators
from grading.rules.analysis import SMALL_CELL, Analysis, QuestionAnalysis, analyse
from grading.rules.columns import Numerators
from grading.rules.engine import Plan, Responses
from grading.rules.statistics import TooFew


@dataclass(frozen=True, slots=True)
class MarkedSheets:
    """The answers and the marks of one run by question, in the same order of sheets."""

    plan: Plan
    responses: Responses
    marks: Mapping[int, Numerators]


def finished_run(run_id: int) -> MarkingRun | None:
    """Return a run with its paper, its sitting and its exam; None when there is none, or it is not done."""
    done = MarkingRun.objects.filter(pk=run_id, state=MarkingState.DONE)
    return done.select_related("paper__sitting__exam").first()


def marked_sheets(run: MarkingRun) -> MarkedSheets:
    """Return what a finished run marked.

    Raises:
        TooFew: no sheet.
    """
    plan = run_plan(run)
    points = sheet_numerators(run.pk)
    answers = [
        FrozenAnswers(sheet_id, number, bytes(masks), texts)
        for sheet_id, number, masks, texts in frozen_answers(run.paper_id)
        if number in points
    ]
    if not answers:
        raise TooFew
    marks = np.ascontiguousarray(np.array([points[sheet.number] for sheet in answers]).T)
    return MarkedSheets(plan, responses_of(answers, plan), dict(zip(sorted(plan.columns), marks, strict=True)))


def run_analysis(run: MarkingRun) -> Analysis:
    """Return the item analysis of a finished run.

    Raises:
        TooFew: fewer than two sheets or two questions.
    """
    return _analysis(run.pk, run.inputs_digest, run.digest)


@lru_cache(maxsize=8)
def _analysis(run_id: int, _inputs_digest: str, _digest: str) -> Analysis:
    sheets = marked_sheets(MarkingRun.objects.get(pk=run_id))
    return analyse(sheets.plan, sheets.responses, sheets.marks)


def analysed_questions(run: MarkingRun | None) -> dict[int, QuestionAnalysis]:
    """Return the questions of a run's analysis by number; none without a run, or when it has too few sheets."""
    try:
        return {question.number: question for question in run_analysis(run).questions} if run else {}
    except TooFew:
        return {}


def run_times(run: MarkingRun) -> dict[int, ResponseTime]:
    """Return the time spent on each question of a finished run's sitting.

    Questions on which fewer than `SMALL_CELL` sheets acted are left out.
    """
    return _times(run.paper.sitting_id, run.inputs_digest)


@lru_cache(maxsize=8)
def _times(sitting_id: int, _inputs_digest: str) -> dict[int, ResponseTime]:
    times = response_times(sitting_id)
    return {number: time for number, time in times.items() if time.sheets >= SMALL_CELL}


def analysed_row(run: MarkingRun, number: int) -> PaperQuestion:
    """Return a question of a run's paper with its text and its case."""
    rows = PaperQuestion.objects.filter(paper_id=run.paper_id, number=number)
    return rows.select_related("question", "unit__case").get()
