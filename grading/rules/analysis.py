"""The item analysis of a marking run: every question described, and the suspects first, with the words that say why.

A suspicion accuses nobody: it asks people to read the question again. Thresholds are those of common practice and are
published here; differences between groups must also be larger than three standard errors, so that a small sitting
does not cry wolf.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from exams.enums import QuestionKind
from grading.rules.columns import Column, Numerators
from grading.rules.engine import Plan, Responses
from grading.rules.keys import LETTERS, TCS_SCALE, ChoiceKey, Key, TcsKey
from grading.rules.statistics import (
    FIFTHS,
    TAIL,
    ExamStatistics,
    QuestionStatistics,
    Standing,
    exam_statistics,
    question_statistics,
    totals_of,
)

SMALL_CELL = 5
"""Fewer candidates than this are never told apart: their cell is hidden."""
BETTER_BY = 0.10
"""How much more the best 27 % must choose an answer than the last 27 % for it to contest the key."""
STANDARD_ERRORS = 3
HARD, EASY = Fraction(20, 100), Fraction(95, 100)
WEAK = 0.10
RARE = Fraction(5, 100)
"""A wrong proposition that fewer choose than this distracts nobody."""
BLANKS = Fraction(20, 100)


class Suspicion(StrEnum):
    """What makes a question worth reading again, the gravest first."""

    KEY_BEATEN = "key-beaten"
    KEY_SHUNNED = "key-shunned"
    NEGATIVE = "negative"
    HARD = "hard"
    WEAK = "weak"
    BLANKS = "blanks"
    EASY = "easy"
    DEAD_DISTRACTOR = "dead-distractor"


GRAVEST_FIRST = tuple(Suspicion)
GRAVE = frozenset({Suspicion.KEY_BEATEN, Suspicion.KEY_SHUNNED, Suspicion.NEGATIVE})
"""Suspicions that a key may be wrong."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer that could be given: a proposition, a degree of the scale, or nothing.

    Attributes:
        label: the letter, the degree, or the empty text for no answer.
        is_right: whether the key calls for it.
        count: how many gave it.
        share: the same, from 0 to 1.
        fifths: its share in each fifth of the candidates, last fifth first.
        upper_lower: its share among the best 27 % less that among the last 27 %.
        significant: the difference that chance alone seldom makes, three standard errors.
    """

    label: str
    is_right: bool
    count: int
    share: Fraction
    fifths: tuple[float, ...]
    upper_lower: float
    significant: float


@dataclass(frozen=True, slots=True)
class QuestionAnalysis:
    """One question of a run.

    Attributes:
        number, kind, key: which one, and the key that counted.
        statistics, alpha_without: its figures.
        answers: each answer, in order, nothing at all last; open kinds have only the last.
        scores: how many have each score, from the lowest.
        suspicions: the gravest first, each with the labels of the answers that it is about.
    """

    number: int
    kind: QuestionKind
    key: Key
    statistics: QuestionStatistics
    alpha_without: float | None
    answers: tuple[Answer, ...]
    scores: tuple[tuple[Fraction, int], ...]
    suspicions: Mapping[Suspicion, tuple[str, ...]] = field(default_factory=dict)

    @property
    def told(self) -> tuple[str, ...]:
        """The suspicions as the jury reads them."""
        return tuple(_WORDS[suspicion].format(", ".join(labels)) for suspicion, labels in self.suspicions.items())

    @property
    def is_grave(self) -> bool:
        """Whether its key may be wrong."""
        return not GRAVE.isdisjoint(self.suspicions)

    @property
    def suspect_first(self) -> tuple[int, float, int]:
        """What sorts the questions: the gravest suspicion, then the lowest item-rest, then the number."""
        grave = min((GRAVEST_FIRST.index(one) for one in self.suspicions), default=len(GRAVEST_FIRST))
        rest = self.statistics.item_rest
        return grave, 0.0 if rest is None else rest, self.number


@dataclass(frozen=True, slots=True)
class KindSummary:
    """The questions of one kind: how many, mean difficulty, mean item-rest of those that have one."""

    kind: QuestionKind
    questions: int
    difficulty: Fraction
    item_rest: float | None


@dataclass(frozen=True, slots=True)
class Analysis:
    """A whole run: the totals, and each question that tells candidates apart, in order."""

    exam: ExamStatistics
    questions: tuple[QuestionAnalysis, ...]

    @property
    def suspects(self) -> tuple[QuestionAnalysis, ...]:
        """Every question, suspects first."""
        return tuple(sorted(self.questions, key=lambda question: question.suspect_first))

    @property
    def kinds(self) -> tuple[KindSummary, ...]:
        """Each kind of the run, in the order of `QuestionKind`."""
        by_kind: dict[QuestionKind, list[QuestionStatistics]] = defaultdict(list)
        for question in self.questions:
            by_kind[question.kind].append(question.statistics)
        return tuple(_kind_summary(kind, by_kind[kind]) for kind in QuestionKind if kind in by_kind)


def _kind_summary(kind: QuestionKind, found: Sequence[QuestionStatistics]) -> KindSummary:
    rests = [one.item_rest for one in found if one.item_rest is not None]
    difficulty = sum((one.difficulty for one in found), Fraction(0)) / len(found)
    return KindSummary(kind, len(found), difficulty, sum(rests) / len(rests) if rests else None)


def analyse(plan: Plan, responses: Responses, marks: Mapping[int, Numerators]) -> Analysis:
    """Describe a marked run; questions that the jury neutralised are left out, points given to all stay in the totals.

    Raises:
        TooFew: fewer than two candidates or two questions.
    """
    counted = {number: marks[number] for number, column in plan.columns.items() if column.points}
    standing = Standing.of(totals_of(list(counted.values())))
    exam = exam_statistics(counted, plan.denominator, standing)
    questions = (
        _question(number, plan, responses, counted[number], standing, exam.alpha_without[number])
        for number in sorted(counted.keys() - plan.neutralised.given)
    )
    return Analysis(exam, tuple(questions))


def _question(
    number: int,
    plan: Plan,
    responses: Responses,
    marks: Numerators,
    standing: Standing,
    alpha_without: float | None,
) -> QuestionAnalysis:
    column = plan.columns[number]
    full = int(column.points * plan.denominator)
    statistics = question_statistics(marks, full, standing.totals, standing)
    answers = given_answers(column, responses, number, standing)
    values, counts = np.unique(marks, return_counts=True)
    return QuestionAnalysis(
        number=number,
        kind=column.kind,
        key=column.key,
        statistics=statistics,
        alpha_without=alpha_without,
        answers=answers,
        scores=tuple(
            (Fraction(value, full), count) for value, count in zip(values.tolist(), counts.tolist(), strict=True)
        ),
        suspicions=_suspicions(statistics, answers),
    )


def given_answers(column: Column, responses: Responses, number: int, standing: Standing) -> tuple[Answer, ...]:
    """Return each answer that could be given to a question, nothing at all last; see `QuestionAnalysis.answers`."""
    key = column.key
    if isinstance(key, ChoiceKey):
        masks = responses.masks[number]
        given = [
            (LETTERS[bit], bool(key.right >> bit & 1), (masks >> np.uint32(bit) & np.uint32(1)).astype(bool))
            for bit in range(len(key.statuses))
        ]
        return tuple(_answer(*one, standing) for one in [*given, ("", False, masks == 0)])
    texts = np.array(responses.texts[number], dtype=object)
    steps = TCS_SCALE if isinstance(key, TcsKey) else ()
    best = max(key.votes) if isinstance(key, TcsKey) else 0
    votes = key.votes if isinstance(key, TcsKey) else ()
    given = [(step, count == best, texts == step) for step, count in zip(steps, votes, strict=True)]
    return tuple(_answer(*one, standing) for one in [*given, ("", False, texts == "")])


def _answer(label: str, is_right: bool, chosen: NDArray[np.bool_], standing: Standing) -> Answer:  # noqa: FBT001
    count, candidates = int(chosen.sum()), standing.candidates
    share = Fraction(count, candidates)
    *fifths, lower, upper = standing.means(chosen).tolist()
    error = sqrt(2 * share * (1 - share) / (TAIL * candidates))
    return Answer(label, is_right, count, share, tuple(fifths[:FIFTHS]), upper - lower, STANDARD_ERRORS * error)


def _suspicions(found: QuestionStatistics, answers: Sequence[Answer]) -> dict[Suspicion, tuple[str, ...]]:
    labels = {suspicion: tuple(answer.label for answer in _CHECKS[suspicion](answers)) for suspicion in _CHECKS}
    about: dict[Suspicion, tuple[str, ...]] = {name: named for name, named in labels.items() if named}
    rest = found.item_rest
    told = {
        Suspicion.NEGATIVE: rest is not None and rest < 0,
        Suspicion.HARD: found.difficulty < HARD,
        Suspicion.WEAK: rest is not None and 0 <= rest < WEAK,
        Suspicion.BLANKS: answers[-1].share > BLANKS,
        Suspicion.EASY: found.difficulty > EASY,
    }
    about |= {name: () for name, is_so in told.items() if is_so}
    return {name: about[name] for name in GRAVEST_FIRST if name in about}


def _beating(answers: Sequence[Answer]) -> list[Answer]:
    """Wrong answers that the best choose clearly more than the last; with one right answer, more than that one too."""
    right = [answer for answer in answers if answer.is_right]
    bar = right[0].upper_lower if len(right) == 1 else 0.0
    return [
        one for one in answers[:-1] if not one.is_right and _is_clear(one.upper_lower, one) and one.upper_lower > bar
    ]


def _shunned(answers: Sequence[Answer]) -> list[Answer]:
    """Right answers that the best choose clearly less than the last."""
    return [answer for answer in answers if answer.is_right and _is_clear(-answer.upper_lower, answer)]


def _is_clear(difference: float, answer: Answer) -> bool:
    return difference >= max(BETTER_BY, answer.significant)


def _dead(answers: Sequence[Answer]) -> list[Answer]:
    return [answer for answer in answers[:-1] if not answer.is_right and answer.share < RARE]


_CHECKS: Mapping[Suspicion, Callable[[Sequence[Answer]], list[Answer]]] = {
    Suspicion.KEY_BEATEN: _beating,
    Suspicion.KEY_SHUNNED: _shunned,
    Suspicion.DEAD_DISTRACTOR: _dead,
}


_WORDS: Mapping[Suspicion, str] = {
    Suspicion.KEY_BEATEN: "Clé contestée : les meilleurs choisissent {}, que la clé dit faux.",
    Suspicion.KEY_SHUNNED: "Clé contestée : les meilleurs évitent {}, que la clé dit vrai.",
    Suspicion.NEGATIVE: "Discrimination négative : ceux qui réussissent le reste y réussissent moins.",
    Suspicion.HARD: "Très difficile : score moyen sous 20 %.",
    Suspicion.WEAK: "Discrimine peu : corrélation au reste sous 0,10.",
    Suspicion.BLANKS: "Souvent laissée sans réponse : plus de 20 % des copies.",
    Suspicion.EASY: "Très facile : score moyen au-dessus de 95 %.",
    Suspicion.DEAD_DISTRACTOR: "Distracteur sans effet : {}, sous 5 % des copies.",
}
