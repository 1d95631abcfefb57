"""The marks of some sheets by the first scorer, held against the second one before anything is written."""

from collections.abc import Mapping, Sequence

import numpy as np

from grading.queries import FrozenAnswers, responses_of
from grading.rules.agreement import differences
from grading.rules.columns import Numerators
from grading.rules.engine import Plan, Responses, mark_responses


class MarkingFault(Exception):
    """A run that must stop: what it reads contradicts what it was started from, or its two scorers disagree."""


def marked(answers: Sequence[FrozenAnswers], plan: Plan) -> Numerators:
    """Return the numerators of each sheet (rows) for each question (columns), on which both scorers agree.

    Raises:
        InvalidRun: a sheet was not frozen for this number of questions.
        MarkingFault: the two scorers differ on a mark.
        UnmarkableValue: an answer is not one of its question's.
    """
    responses = responses_of(answers, plan)
    marks = mark_responses(plan, responses)
    _refuse_disagreement(answers, plan, responses, marks)
    return np.column_stack([marks[number] for number in sorted(marks)])


def _refuse_disagreement(
    answers: Sequence[FrozenAnswers], plan: Plan, responses: Responses, marks: Mapping[int, Numerators]
) -> None:
    for found in differences(plan, responses, marks):
        raise MarkingFault(
            f"Les deux correcteurs divergent : copie {answers[found.candidate].number}, question {found.question}, "
            f"{found.first} et {found.second} points."
        )
