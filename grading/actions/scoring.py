"""The marks of some sheets by the first scorer, held against the second one before anything is written."""

from collections.abc import Mapping, Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from exams.rules.answers import letters_of
from grading.queries import FrozenAnswers, responses_of
from grading.rules.columns import Masks, Numerators
from grading.rules.engine import Plan, Responses, mark_responses
from grading.rules.second import second_marks

Places = NDArray[np.intp]


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
    """Mark each distinct answer to each question a second time, and hold every mark against it."""
    given = {number: _distinct_masks(masks) for number, masks in responses.masks.items()}
    given |= {number: _distinct_texts(texts) for number, texts in responses.texts.items()}
    most = max((len(values) for values, _ in given.values()), default=0)
    specimens = [
        {number: values[at] for number, (values, _) in given.items() if at < len(values)} for at in range(most)
    ]
    keys = {number: (column.kind, column.key) for number, column in plan.columns.items()}
    taken_out = plan.neutralised
    second = list(second_marks(plan.structure, keys, specimens, plan.parameters, taken_out.dropped, taken_out.given))
    for number, (values, places) in given.items():
        expected = [second[at][number] for at in range(len(values))]
        for at in np.flatnonzero(_numerators(expected, plan)[places] != marks[number]).tolist():
            raise MarkingFault(
                f"Les deux correcteurs divergent : copie {answers[at].number}, question {number}, "
                f"{plan.points(marks[number][at])} et {expected[places[at]]} points."
            )


def _numerators(points: Sequence[Fraction], plan: Plan) -> Numerators:
    """Return points over the plan's denominator; those that are not whole over it become -1, which no mark is."""
    whole = [one * plan.denominator for one in points]
    return np.array([one.numerator if one.denominator == 1 else -1 for one in whole], dtype=np.int64)


def _distinct_masks(masks: Masks) -> tuple[list[str], Places]:
    """Return the distinct answers of one question in their canonical form, and which one each sheet gives."""
    distinct, places = np.unique(masks, return_inverse=True)
    return [letters_of(mask) for mask in distinct.tolist()], places


def _distinct_texts(texts: Sequence[str]) -> tuple[list[str], Places]:
    distinct = sorted(set(texts))
    index = {text: at for at, text in enumerate(distinct)}
    return distinct, np.array([index[text] for text in texts], dtype=np.intp)
