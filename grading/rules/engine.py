"""The marking of a whole exam: one plan for the run, then blocks of answers in any order and any sharding.

A plan fixes the denominator from the structure and the keys alone, so that marks made apart add up to the same bytes.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from exams.enums import QuestionKind
from exams.rules.states import Refused
from grading.rules.columns import Column, Masks, Numerators, common_denominator, mark_choices, mark_texts
from grading.rules.keys import Key
from grading.rules.parameters import PUBLISHED, MarkingParameters
from grading.rules.units import Structure, question_points

Keys = Mapping[int, tuple[QuestionKind, Key]]


class InvalidRun(Refused):
    """A run whose questions, keys and answers do not fit together."""

    code = "invalid-run"
    text = "Les questions, les clés et les réponses ne vont pas ensemble."


@dataclass(frozen=True, slots=True)
class Neutralised:
    """What the jury took out of the marking.

    Attributes:
        dropped: questions worth nothing, whose points go to the others of their unit.
        given: questions whose points every candidate has.
    """

    dropped: frozenset[int] = frozenset()
    given: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        if self.dropped & self.given:
            raise InvalidRun("Une question ne peut être à la fois retirée et accordée à tous.")


NOTHING_NEUTRALISED = Neutralised()


@dataclass(frozen=True, slots=True)
class Plan:
    """How a run marks: its questions, and the one denominator of its integers.

    Attributes:
        structure: the exam.
        columns: each question, by the caller's number.
        denominator: points are whole numerators over it.
        parameters: those published for the exam.
        neutralised: what the jury took out.
    """

    structure: Structure
    columns: Mapping[int, Column]
    denominator: int
    parameters: MarkingParameters
    neutralised: Neutralised = NOTHING_NEUTRALISED

    @property
    def scale(self) -> list[str]:
        """The exact points of each question, in order, as texts."""
        return [str(self.columns[number].points) for number in sorted(self.columns)]

    def points(self, numerator: int) -> Fraction:
        """Return the points that a numerator of this run stands for."""
        return Fraction(int(numerator), self.denominator)


@dataclass(frozen=True, slots=True)
class Responses:
    """The answers of some candidates to some questions.

    Attributes:
        masks: answers to the choice questions, by question, bit 0 for A; one per candidate.
        texts: answers to the other questions, by question; one per candidate, empty when blank.
    """

    masks: Mapping[int, Masks]
    texts: Mapping[int, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Totals:
    """Points of some candidates, in their order, as numerators over the plan's denominator.

    Attributes:
        total: points of the exam.
        parts: points of each part, by code.
        units: points of each case, article or isolated question, by code.
    """

    total: Numerators
    parts: Mapping[str, Numerators]
    units: Mapping[str, Numerators]


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A mark on which the two scorers differ: nothing may be published while there is one.

    Attributes:
        candidate: position of the candidate in the block, from 0.
        question: the caller's number.
        first, second: points that each scorer gives.
    """

    candidate: int
    question: int
    first: Fraction
    second: Fraction


def plan_run(
    structure: Structure,
    keys: Keys,
    parameters: MarkingParameters = PUBLISHED,
    neutralised: Neutralised = NOTHING_NEUTRALISED,
) -> Plan:
    """Return the plan of a run.

    Raises:
        InvalidRun: a question of the exam has no key, or a question given to all is not in the exam.
        InvalidStructure: a part has no question left, or a question dropped is not in the exam.
        DenominatorTooLarge: the exact points do not fit in 64 bits.
    """
    points = question_points(structure, neutralised.dropped)
    missing = sorted((points.keys() | neutralised.given) - keys.keys())
    strangers = sorted(neutralised.given - points.keys())
    if missing or strangers:
        raise InvalidRun(f"Question sans clé ou hors de l’examen : {', '.join(map(str, missing or strangers))}.")
    columns = {
        question: Column(*keys[question], points=worth, is_given=question in neutralised.given)
        for question, worth in points.items()
    }
    return Plan(structure, columns, common_denominator(columns.values(), parameters), parameters, neutralised)


def mark_responses(plan: Plan, responses: Responses) -> dict[int, Numerators]:
    """Return the marks of each question answered in `responses`, one per candidate.

    Raises:
        InvalidRun: a question is not in the run, or its answers are not of its kind's form.
        UnmarkableValue: an answer is not one to its question.
    """
    _refuse_strangers(plan, responses.masks, is_choice=True)
    _refuse_strangers(plan, responses.texts, is_choice=False)
    columns, denominator, parameters = plan.columns, plan.denominator, plan.parameters
    return {
        question: mark_choices(masks, columns[question], denominator, parameters)
        for question, masks in responses.masks.items()
    } | {
        question: mark_texts(values, columns[question], denominator, parameters)
        for question, values in responses.texts.items()
    }


def _refuse_strangers(plan: Plan, questions: Iterable[int], *, is_choice: bool) -> None:
    for question in questions:
        column = plan.columns.get(question)
        if column is None or column.is_choice != is_choice:
            raise InvalidRun(f"Question {question} : absente de l’examen, ou réponses d’une autre forme.")


def totals(plan: Plan, marks: Mapping[int, Numerators]) -> Totals:
    """Add up the marks of candidates given in the same order for every question of the exam.

    Raises:
        InvalidRun: a question has no marks.
    """
    missing = sorted(set(plan.columns) - set(marks))
    if missing:
        raise InvalidRun(f"Questions sans notes : {', '.join(map(str, missing))}.")
    units = {unit.code: _sum(marks[question] for question in unit.questions) for unit in plan.structure.units}
    parts = {part.code: _sum(units[unit.code] for unit in part.units) for part in plan.structure.parts}
    return Totals(_sum(parts.values()), parts, units)


def _sum(columns: Iterable[Numerators]) -> Numerators:
    added: Numerators = np.sum(tuple(columns), axis=0, dtype=np.int64)
    return added


def disagreements(
    plan: Plan, marks: Mapping[int, Numerators], second: Iterable[Mapping[int, Fraction]]
) -> Iterator[Disagreement]:
    """Yield each mark of `second` (one mapping per candidate, in order) that differs from the first scorer's."""
    for candidate, sheet in enumerate(second):
        for question, points in sheet.items():
            first = plan.points(marks[question][candidate])
            if first != points:
                yield Disagreement(candidate, question, first, points)
