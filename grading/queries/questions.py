"""A question before the jury: what was asked, what counts today, how it was answered. Numbers of copies, no copy."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from django.db.models import QuerySet

from exams.enums import QuestionKind
from exams.models import Case, Paper, PaperQuestion, Question
from exams.rules.content import QuestionContent, case_from_json, from_json
from grading.models import MarkingRun, Remark
from grading.queries.decisions import decisions_in_force
from grading.queries.hypothesis import PaperMarks, run_marks
from grading.queries.marking import (
    FrozenAnswers,
    frozen_answers,
    latest_run,
    printed_keys,
    responses_of,
    run_plan,
)
from grading.rules.columns import Masks, Numerators
from grading.rules.decisions import Effect, effects
from grading.rules.engine import Plan, Responses
from grading.rules.keys import LETTERS, TCS_SCALE, ChoiceKey, Key, TcsKey
from grading.rules.statistics import (
    QuestionStatistics,
    TooFew,
    choice_frequencies,
    choices_by_fifths,
    question_statistics,
)
from grading.rules.suspicion import lure
from grading.rules.texts import normalised

SHOWN_ANSWERS = 20


@dataclass(frozen=True, slots=True)
class OptionRow:
    """One proposition: what the key says of it today, who ticked it.

    Attributes:
        letter, text: as the candidate read it.
        status: of the key that counts today.
        is_right: whether that key has it ticked.
        ticked: share of the copies, from 0 to 1.
        fifths: the same in each fifth of the totals, the last fifth first.
        is_lure: it is wrong, and draws the best more than a right one does.
    """

    letter: str
    text: str
    status: str
    is_right: bool
    ticked: float
    fifths: tuple[float, ...]
    is_lure: bool

    @property
    def rise(self) -> float:
        """Share of the best fifth less that of the last one, from -1 to 1."""
        return self.fifths[-1] - self.fifths[0]


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """One answer to a question without propositions, how many gave it, and what the panel said of it (TCS)."""

    text: str
    copies: int
    votes: int | None


@dataclass(frozen=True, slots=True)
class Facts:
    """What the newest marks say of a question; `blank` and `full` are shares of the copies, from 0 to 1."""

    run: MarkingRun
    copies: int
    statistics: QuestionStatistics | None
    blank: float
    full: float
    options: tuple[OptionRow, ...]
    answers: tuple[AnswerRow, ...]


@dataclass(frozen=True, slots=True)
class QuestionPage:
    """One question of a sealed paper, as the jury discusses it.

    Attributes:
        paper: its paper, with the sitting.
        number, kind, content: what was asked.
        vignette: that of its case, HTML; empty for an isolated question.
        unit: numbers of the questions of its unit, itself included.
        printed, counted: the key it was sealed with, and the one that counts today.
        is_dropped, is_given: neutralised, in either mode.
        facts: None while the sitting has no marks.
    """

    paper: Paper
    number: int
    kind: QuestionKind
    content: QuestionContent
    vignette: str
    unit: tuple[int, ...]
    printed: Key
    counted: Key
    is_dropped: bool
    is_given: bool
    facts: Facts | None


@dataclass(frozen=True, slots=True)
class Listed:
    """One question of the list: its mean score, its link with the rest of the copy, the proposition that lures."""

    number: int
    kind: QuestionKind
    difficulty: float | None
    item_rest: float | None
    lure: str
    margin: float
    state: str


def question_page(paper_id: int, number: int) -> QuestionPage | None:
    """Return a question of a sealed paper of an exam, or None when there is no such question."""
    row = (
        PaperQuestion.objects.filter(paper_id=paper_id, number=number).select_related("unit", "paper__sitting").first()
    )
    if row is None:
        return None
    content = from_json(Question.objects.only("content").get(pk=row.question_id).content)
    kind, printed = printed_keys(paper_id)[number]
    here = effects(decisions_in_force(row.paper.sitting.exam_id)).get(paper_id, Effect())
    counted = here.key_under(number, kind, printed)
    return QuestionPage(
        paper=row.paper,
        number=number,
        kind=kind,
        content=content,
        vignette=case_from_json(Case.objects.get(pk=row.unit.case_id).content).vignette if row.unit.case_id else "",
        unit=tuple(row.unit.numbered.order_by("number").values_list("number", flat=True)),
        printed=printed,
        counted=counted,
        is_dropped=number in here.dropped,
        is_given=number in here.given,
        facts=_facts(row.paper, number, content, counted),
    )


def remarks(paper_id: int, number: int) -> QuerySet[Remark]:
    """Return the remarks on a question, oldest first; who wrote them is not for the page."""
    return Remark.objects.filter(paper_id=paper_id, number=number).order_by("pk")


@dataclass(frozen=True, slots=True)
class _Sat:
    """The answers and the marks of one run, in the same order of sheets."""

    plan: Plan
    responses: Responses
    marks: PaperMarks
    totals: Numerators


def _sat(run: MarkingRun) -> _Sat:
    marks = run_marks(run)
    place = {number: index for index, number in enumerate(marks.numbers)}
    rows = sorted((row for row in frozen_answers(run.paper_id) if row[1] in place), key=lambda row: place[row[1]])
    plan = run_plan(run)
    sheets = [FrozenAnswers(pk, number, bytes(masks), texts) for pk, number, masks, texts in rows]
    return _Sat(plan, responses_of(sheets, plan), marks, marks.table.sum(axis=1, dtype=np.int64))


def _facts(paper: Paper, number: int, content: QuestionContent, key: Key) -> Facts | None:
    run = latest_run(paper.sitting_id)
    if run is None or not run.sheets:
        return None
    sat = _sat(run)
    column = sat.plan.columns[number]
    marks = np.ascontiguousarray(sat.marks.table[:, number - 1])
    full = int(column.points * sat.plan.denominator)
    masks, texts = sat.responses.masks.get(number), sat.responses.texts.get(number, ())
    blanks = (masks == 0).sum() if masks is not None else sum(not text for text in texts)
    is_options = masks is not None and isinstance(key, ChoiceKey)
    return Facts(
        run=run,
        copies=len(marks),
        statistics=_statistics(marks, full, sat.totals),
        blank=float(blanks / len(marks)),
        full=float((marks == full).mean()) if full else 0.0,
        options=_options(masks, content, key, sat.totals) if is_options else (),  # type: ignore[arg-type]  # is_options
        answers=() if is_options else _answers(texts, key),
    )


def _statistics(marks: Numerators, full: int, totals: Numerators) -> QuestionStatistics | None:
    try:
        return question_statistics(marks, full, totals) if full else None
    except TooFew:
        return None


def _options(masks: Masks, content: QuestionContent, key: ChoiceKey, totals: Numerators) -> tuple[OptionRow, ...]:
    count = len(key.statuses)
    fifths = choices_by_fifths(masks, count, totals)
    ticked = choice_frequencies(masks, count).ticked
    lured = lure(key, [rates[-1] - rates[0] for rates in fifths])
    return tuple(
        OptionRow(
            letter=LETTERS[index],
            text=content.propositions[index].text,
            status=str(key.statuses[index].label),
            is_right=bool(key.right >> index & 1),
            ticked=float(ticked[index]),
            fifths=fifths[index],
            is_lure=lured is not None and lured.proposition == index,
        )
        for index in range(count)
    )


def _answers(texts: Sequence[str], key: Key) -> tuple[AnswerRow, ...]:
    """Return the most frequent answers, grouped as they are compared; those of a panel in the order of its scale."""
    if isinstance(key, TcsKey):
        counts = Counter(texts)
        return tuple(AnswerRow(step, counts[step], votes) for step, votes in zip(TCS_SCALE, key.votes, strict=True))
    grouped = Counter(normalised(text) for text in texts if text)
    frequent = sorted(grouped.items(), key=lambda pair: (-pair[1], pair[0]))[:SHOWN_ANSWERS]
    return tuple(AnswerRow(text, copies, None) for text, copies in frequent)


def question_list(paper: Paper) -> list[Listed]:
    """Return the questions of a paper, those that a wrong proposition beats first, then by number."""
    run = latest_run(paper.sitting_id)
    here = effects(decisions_in_force(paper.sitting.exam_id)).get(paper.pk, Effect())
    keys = printed_keys(paper.pk)
    sat = _sat(run) if run and run.sheets else None
    rows = [
        _listed(number, kind, here.key_under(number, kind, key), _state(number, here), sat)
        for number, (kind, key) in sorted(keys.items())
    ]
    return sorted(rows, key=lambda row: (-max(row.margin, 0), row.number))


def _state(number: int, here: Effect) -> str:
    if number in here.dropped:
        return "Retirée"
    if number in here.given:
        return "Points à tous"
    return "Clé changée" if number in here.keys else ""


def _listed(number: int, kind: QuestionKind, key: Key, state: str, sat: _Sat | None) -> Listed:
    if sat is None:
        return Listed(number, kind, None, None, "", 0, state)
    marks = np.ascontiguousarray(sat.marks.table[:, number - 1])
    found = _statistics(marks, int(sat.plan.columns[number].points * sat.plan.denominator), sat.totals)
    masks = sat.responses.masks.get(number)
    lured = None
    if masks is not None and isinstance(key, ChoiceKey):
        rates = choices_by_fifths(masks, len(key.statuses), sat.totals)
        lured = lure(key, [rate[-1] - rate[0] for rate in rates])
    return Listed(
        number=number,
        kind=kind,
        difficulty=float(found.difficulty) if found else None,
        item_rest=found.item_rest if found else None,
        lure=LETTERS[lured.proposition] if lured else "",
        margin=lured.margin if lured else 0,
        state=state,
    )
