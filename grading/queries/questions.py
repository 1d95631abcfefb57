"""A question before the jury: what was asked, what counts today, how it was answered. Numbers of copies, no copy."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from exams.enums import QuestionKind
from exams.models import Case, Paper, PaperQuestion, Question
from exams.rules.content import QuestionContent, case_from_json, from_json
from grading.models import MarkingRun, Remark
from grading.queries.analysis import analysed_questions, marked_sheets
from grading.queries.decisions import decisions_in_force
from grading.queries.marking import latest_run, printed_keys
from grading.rules.analysis import Answer, QuestionAnalysis, Suspicion, given_answers
from grading.rules.decisions import Effect, effects
from grading.rules.keys import TCS_SCALE, ChoiceKey, Key, TcsKey
from grading.rules.statistics import Standing, totals_of
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
        is_lure: it is wrong, and the best choose it so much that it contests the key.
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
    """What the newest marks say of a question.

    Attributes:
        run, copies: those marks, and how many copies have one.
        question: its analysis; None when it was neutralised, or with too few copies.
        blank, full: shares of the copies, from 0 to 1.
        options, answers: what was answered, to a question with propositions or without.
    """

    run: MarkingRun
    copies: int
    question: QuestionAnalysis | None
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
    """One question of the list, what the newest marks say of it, and what the jury decided, in a word."""

    number: int
    kind: QuestionKind
    question: QuestionAnalysis | None
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


def _facts(paper: Paper, number: int, content: QuestionContent, key: Key) -> Facts | None:
    run = latest_run(paper.sitting_id)
    if run is None or not run.sheets:
        return None
    sheets, analysed = marked_sheets(run), analysed_questions(run).get(number)
    column, marks, texts = sheets.plan.columns[number], sheets.marks[number], sheets.responses.texts.get(number)
    full = int(column.points * sheets.plan.denominator)
    given = given_answers(column, sheets.responses, number, Standing.of(totals_of(list(sheets.marks.values()))))
    return Facts(
        run=run,
        copies=len(marks),
        question=analysed,
        blank=float(given[-1].share),
        full=float((marks == full).mean()) if full else 0.0,
        options=_options(given, content, key, analysed) if isinstance(key, ChoiceKey) else (),
        answers=_answers(texts, key) if texts is not None else (),
    )


def _options(
    given: Sequence[Answer], content: QuestionContent, key: ChoiceKey, analysed: QuestionAnalysis | None
) -> tuple[OptionRow, ...]:
    beating = analysed.suspicions.get(Suspicion.KEY_BEATEN, ()) if analysed else ()
    return tuple(
        OptionRow(
            letter=answer.label,
            text=line.text,
            status=str(status.label),
            is_right=(is_right := bool(key.right >> index & 1)),
            ticked=float(answer.share),
            fifths=answer.fifths,
            is_lure=answer.label in beating and not is_right,
        )
        for index, (answer, line, status) in enumerate(zip(given[:-1], content.propositions, key.statuses, strict=True))
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
    """Return the questions of a paper, suspects first; those that the newest marks say nothing of come last."""
    analysed = analysed_questions(latest_run(paper.sitting_id))
    here = effects(decisions_in_force(paper.sitting.exam_id)).get(paper.pk, Effect())
    rows = [
        Listed(number, kind, analysed.get(number), _state(number, here))
        for number, (kind, _) in sorted(printed_keys(paper.pk).items())
    ]
    first = sorted((row for row in rows if row.question), key=lambda row: row.question.suspect_first)  # type: ignore[union-attr]  # kept above
    return [*first, *(row for row in rows if not row.question)]


def _state(number: int, here: Effect) -> str:
    if number in here.dropped:
        return "Retirée"
    if number in here.given:
        return "Points à tous"
    return "Clé changée" if number in here.keys else ""
