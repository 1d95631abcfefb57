"""Where the two scorers differ: each distinct answer to each question is marked again, and held against every mark."""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from exams.rules.answers import letters_of
from grading.rules.columns import Masks, Numerators
from grading.rules.engine import Disagreement, Plan, Responses
from grading.rules.second import second_points

Places = NDArray[np.intp]


def differences(plan: Plan, responses: Responses, marks: Mapping[int, Numerators]) -> Iterator[Disagreement]:
    """Yield each mark of the first scorer that is not the second's, question by question."""
    given = {number: _distinct_masks(masks) for number, masks in responses.masks.items()}
    given |= {number: _distinct_texts(texts) for number, texts in responses.texts.items()}
    keys = {number: (column.kind, column.key) for number, column in plan.columns.items()}
    answers = {number: values for number, (values, _) in given.items()}
    second = second_points(
        plan.structure, keys, answers, plan.parameters, plan.neutralised.dropped, plan.neutralised.given
    )
    for number, (_, places) in given.items():
        expected = second[number]
        for at in np.flatnonzero(_numerators(expected, plan)[places] != marks[number]).tolist():
            yield Disagreement(at, number, plan.points(marks[number][at]), expected[places[at]])


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
