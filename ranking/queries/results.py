"""What a candidate reads of their own exam: rank, points, each answer beside its key. Prepared by the chunk."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby
from typing import Any

import numpy as np
from django.db.models import Count
from django.utils.translation import gettext as _

from centres.models import Candidate
from exams.enums import PartCode
from exams.models import Case, FrozenSheet, PaperQuestion, Question, Sitting
from exams.rules.answers import letters_of
from exams.rules.content import CaseContent, MediaRef, QuestionContent, case_from_json, from_json
from exams.rules.ops import receipt_code
from grading.models import MarkingRun, SheetMark
from grading.queries import POINTS_DTYPE, run_plan
from grading.rules.columns import Column, Numerators
from grading.rules.decisions import content_under
from grading.rules.keys import ZapKey
from grading.rules.kinds import score
from grading.rules.parameters import MarkingParameters, parameters_from
from grading.rules.scores import Reason, Score
from ranking.enums import Status
from ranking.models import RankedSheet, RankingRun
from ranking.queries.preview import exam_parts, shown_points
from ranking.queries.wording import (
    Label,
    Picture,
    PositionLine,
    PropositionLine,
    calculation,
    picture,
    position_lines,
    proposition_lines,
    shown_answer,
    shown_key,
    verdict,
)
from ranking.rules import TieKey, TieSource, key_text, own_sentence, points_text


@dataclass(frozen=True, slots=True)
class PartResult:
    """Points of one part, out of how many."""

    label: str
    points: str
    out_of: str


@dataclass(frozen=True, slots=True)
class Summary:
    """A candidate's place and points.

    Attributes:
        rank: None when they are not ranked; `status` says why, and why a rank is in the list apart.
        ranked: how many are ranked in the same list.
        ties: what each equality of totals became, in words to the candidate.
        cases: title, points and worth of each case.
    """

    exam: str
    official_number: str
    last_name: str
    first_name: str
    rank: int | None
    is_apart: bool
    status: str
    ranked: int
    total: str
    out_of: str
    ties: tuple[str, ...]
    parts: tuple[PartResult, ...]
    cases: tuple[PartResult, ...]


@dataclass(frozen=True, slots=True)
class Register:
    """What every summary of a ranking is made from, read once.

    Attributes:
        ranked: people in the one list, and in the list apart.
        ties: by position, the tie-break against the position before.
        books: by number of a sitting.
    """

    run: RankingRun
    exam: str
    parts: tuple[PartCode, ...]
    worth: Mapping[str, int]
    ranked: Mapping[bool, int]
    ties: Mapping[int, Mapping[str, Any]]
    books: Mapping[int, "Book"]


@dataclass(frozen=True, slots=True)
class Book:
    """One marked paper, decrypted once for all the copies that are shown against it."""

    sitting: Sitting
    marking: MarkingRun
    parameters: MarkingParameters
    columns: Mapping[int, Column]
    dropped: frozenset[int]
    rows: tuple[PaperQuestion, ...]
    contents: tuple[QuestionContent, ...]
    openings: tuple[CaseContent | None, ...]


@dataclass(frozen=True, slots=True)
class QuestionResult:
    """One question of the candidate's copy: what was asked, answered, expected, and how it was marked."""

    number: int
    kind: str
    vignette: str
    content: QuestionContent
    points: str
    worth: str
    verdict: Label
    answer: str
    expected: str
    calculation: str
    propositions: tuple[PropositionLine, ...]
    positions: tuple[PositionLine, ...]
    picture: Picture | None

    @property
    def media(self) -> tuple[MediaRef, ...]:
        """The images shown with the question, but that of a ZAP, which `picture` shows."""
        return () if self.picture else self.content.media


@dataclass(frozen=True, slots=True)
class MarkedSheet:
    """The final answers of one sheet beside its marks."""

    frozen: FrozenSheet
    marks: Numerators


Sheets = Mapping[int, MarkedSheet]
"""Marked sheets of one candidate, by number of sitting."""


def register_of(run: RankingRun) -> Register:
    """Return what every summary of a ranking is made from."""
    ties = run.places.filter(tie__isnull=False).values_list("position", "tie")
    counts = dict(run.places.order_by().values_list("is_apart").annotate(Count("pk")))
    markings = run.marking_runs.select_related("paper__sitting").order_by("paper__sitting__number")
    return Register(
        run=run,
        exam=run.exam.name,
        parts=tuple(exam_parts(run.exam_id)),
        worth=dict(run.exam.parts.values_list("code", "points")),
        ranked=counts,
        ties={position: tie for position, tie in ties if tie is not None},
        books={marking.paper.sitting.number: book_of(marking) for marking in markings},
    )


def book_of(marking: MarkingRun) -> Book:
    """Return a marked paper with its texts and keys."""
    parameters = parameters_from(marking.parameters)
    plan = run_plan(marking)
    columns = plan.columns
    rows = tuple(PaperQuestion.objects.filter(paper_id=marking.paper_id).select_related("unit").order_by("number"))
    questions = Question.objects.only("content").in_bulk([row.question_id for row in rows])
    cases = Case.objects.in_bulk([row.unit.case_id for row in rows if row.unit.case_id])
    openings: list[CaseContent | None] = []
    case_id = None
    for row in rows:
        opens = row.unit.case_id is not None and row.unit.case_id != case_id
        case_id = row.unit.case_id
        openings.append(case_from_json(cases[case_id].content) if opens and case_id is not None else None)
    return Book(
        sitting=marking.paper.sitting,
        marking=marking,
        parameters=parameters,
        columns=columns,
        dropped=plan.neutralised.dropped,
        rows=rows,
        contents=tuple(
            content_under(from_json(questions[row.question_id].content), columns[row.number].key) for row in rows
        ),
        openings=tuple(openings),
    )


def summary_of(register: Register, candidate: Candidate, place: RankedSheet | None, sheets: Sheets) -> Summary:
    """Return a candidate's results; `place` is theirs, `sheets` their marked sheets by number of sitting."""
    run = register.run
    status = Status(run.statuses.get(candidate.number, candidate.category))
    return Summary(
        exam=register.exam,
        official_number=candidate.official_number,
        last_name=candidate.last_name,
        first_name=candidate.first_name,
        rank=place.rank if place else None,
        is_apart=bool(place and place.is_apart),
        status=str(status.label),
        ranked=register.ranked.get(bool(place and place.is_apart), 0),
        total=shown_points(place.total, run) if place else "",
        out_of=points_text(Fraction(sum(register.worth[code] for code in register.parts))),
        ties=tuple(_ties(register, place.position)) if place else (),
        parts=tuple(
            PartResult(
                str(code.label),
                shown_points(place.parts[code], run) if place else "",
                points_text(Fraction(register.worth[code])),
            )
            for code in register.parts
        ),
        cases=tuple(_cases(register, sheets)) if place else (),
    )


def _ties(register: Register, position: int) -> Iterator[str]:
    for tie, is_above in ((register.ties.get(position), False), (register.ties.get(position + 1), True)):
        if tie is not None:
            key = tie["key"]
            source = key["source"] if key else ""
            name = key_text(TieKey(TieSource(source), key["part"]), key["case"]) if key else ""
            yield own_sentence(source, name, is_above=is_above)


def _cases(register: Register, sheets: Sheets) -> Iterator[PartResult]:
    """Say the points of each case, numbered as the tie-break numbers them."""
    number = 0
    for sitting_number, book in register.books.items():
        marks = sheets[sitting_number].marks.tolist() if sitting_number in sheets else [0] * len(book.rows)
        for _unit, group in groupby(enumerate(book.rows), key=lambda pair: pair[1].unit_id):
            rows = list(group)
            if rows[0][1].unit.case_id is None:
                continue
            number += 1
            points = Fraction(sum(marks[index] for index, _ in rows), book.marking.denominator)
            worth = sum((book.columns[row.number].points for _, row in rows), Fraction(0))
            label = _("%(sitting)s, dossier %(number)d") % {"sitting": book.sitting.title, "number": number}
            yield PartResult(label, points_text(points), points_text(worth))


def marked_sheets(book: Book, numbers: Collection[str]) -> dict[str, MarkedSheet]:
    """Return the marked sheets of a paper, by anonymous number, in two statements."""
    frozen = FrozenSheet.objects.filter(sheet__sitting=book.sitting, sheet__number__in=numbers)
    found = {sheet.sheet.number: sheet for sheet in frozen.select_related("sheet")}
    marks = SheetMark.objects.filter(run=book.marking, number__in=numbers).values_list("number", "points")
    return {
        number: MarkedSheet(found[number], np.frombuffer(bytes(points), POINTS_DTYPE))
        for number, points in marks
        if number in found
    }


def entries(book: Book, sheet: MarkedSheet) -> list[tuple[int, str, int]]:
    """Return, for each question of a copy: its place in the book, the canonical answer, the numerator of its points."""
    return [
        (index, _answer(sheet.frozen, row.number, book.columns[row.number]), numerator)
        for index, (row, numerator) in enumerate(zip(book.rows, sheet.marks.tolist(), strict=True))
    ]


def question_result(book: Book, index: int, answer: str, numerator: int) -> QuestionResult:
    """Return one question beside an answer to it; the same for all who gave this answer."""
    row = book.rows[index]
    column = book.columns[row.number]
    if row.number in book.dropped:
        scored = Score(Fraction(0), Reason.DROPPED)
    elif column.is_given:
        scored = Score(Fraction(1), Reason.GIVEN)
    else:
        scored = score(column.kind, column.key, answer, book.parameters)
    return _question(
        row,
        content=book.contents[index],
        case=book.openings[index],
        column=column,
        points=Fraction(numerator, book.marking.denominator),
        answer=answer,
        scored=scored,
    )


def receipt_of(sheet: MarkedSheet) -> str:
    """Return the print of what was received, as the candidate kept it."""
    return receipt_code(bytes(sheet.frozen.head_digest))


def _question(  # noqa: PLR0913 - one question gathers all that is known of it
    row: PaperQuestion,
    *,
    content: QuestionContent,
    case: CaseContent | None,
    column: Column,
    points: Fraction,
    answer: str,
    scored: Score,
) -> QuestionResult:
    return QuestionResult(
        number=row.number,
        kind=column.kind.label,
        vignette=f"{case.vignette}{case.article}" if case else "",
        content=content,
        points=points_text(points),
        worth=points_text(column.points),
        verdict=verdict(scored),
        answer=shown_answer(column.kind, content, answer),
        expected=shown_key(column.kind, content),
        calculation=calculation(column.kind, scored, points, column.points),
        propositions=proposition_lines(content, answer),
        positions=position_lines(content, answer),
        picture=picture(content, column.key, answer) if isinstance(column.key, ZapKey) else None,
    )


def _answer(frozen: FrozenSheet, number: int, column: Column) -> str:
    if not column.is_choice:
        return str(frozen.texts.get(str(number), ""))
    return letters_of(int.from_bytes(bytes(frozen.masks)[4 * number - 4 : 4 * number], "little"))
