"""What a candidate reads of their own exam once it is published: rank, points, and each answer beside its key."""

from dataclasses import dataclass
from fractions import Fraction

from centres.models import Candidate
from exams.models import Case, FrozenSheet, PaperQuestion, Question, Sitting
from exams.rules.answers import letters_of
from exams.rules.content import CaseContent, MediaRef, QuestionContent, case_from_json, from_json
from exams.rules.ops import receipt_code
from grading.models import MarkingRun
from grading.queries import number_numerators, run_plan
from grading.rules.columns import Column, Numerators
from grading.rules.decisions import content_under
from grading.rules.keys import ZapKey
from grading.rules.kinds import score
from grading.rules.parameters import MarkingParameters, parameters_from
from grading.rules.scores import Reason, Score
from ranking.models import RankedSheet, RankingRun
from ranking.queries.preview import exam_parts, shown_points
from ranking.queries.publication import published_ranking
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
from ranking.rules import points_text


@dataclass(frozen=True, slots=True)
class PartResult:
    """Points of one part, out of how many."""

    label: str
    points: str
    out_of: str


@dataclass(frozen=True, slots=True)
class Summary:
    """A candidate's place and points; `rank` is None when they are not ranked, being absent everywhere."""

    exam: str
    official_number: str
    rank: int | None
    ranked: int
    total: str
    out_of: str
    parts: tuple[PartResult, ...]
    sittings: tuple[Sitting, ...]


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
class Copy:
    """One sitting of a candidate, question by question; `receipt` is the print of what was received."""

    receipt: str
    questions: tuple[QuestionResult, ...]


def summary(candidate: Candidate) -> Summary | None:
    """Return a candidate's results; None before publication."""
    run = published_ranking(candidate.exam_id)
    if run is None:
        return None
    place = run.places.filter(number=candidate.number).first()
    worth = _worth_of_parts(run)
    parts = exam_parts(candidate.exam_id)
    return Summary(
        exam=candidate.exam.name,
        official_number=candidate.official_number,
        rank=place.rank if place else None,
        ranked=run.places.count(),
        total=shown_points(place.total, run) if place else "",
        out_of=points_text(Fraction(sum(worth[code] for code in parts))),
        parts=tuple(
            PartResult(code.label, _part_points(place, code, run), points_text(Fraction(worth[code]))) for code in parts
        ),
        sittings=tuple(Sitting.objects.filter(exam_id=candidate.exam_id, is_reserve=False).order_by("number")),
    )


def copy_of(candidate: Candidate, sitting_number: int) -> Copy | None:
    """Return a candidate's copy of one sitting; None before publication, or when they left no copy."""
    run = published_ranking(candidate.exam_id)
    if run is None:
        return None
    marking = run.marking_runs.filter(paper__sitting__number=sitting_number).first()
    if marking is None:
        return None
    sheets = FrozenSheet.objects.filter(sheet__sitting__papers=marking.paper_id, sheet__number=candidate.number)
    frozen, marks = sheets.first(), number_numerators(marking.pk, candidate.number)
    if frozen is None or marks is None:
        return None
    return Copy(receipt_code(bytes(frozen.head_digest)), _questions(marking, frozen, marks))


def _questions(marking: MarkingRun, frozen: FrozenSheet, marks: Numerators) -> tuple[QuestionResult, ...]:
    parameters = parameters_from(marking.parameters)
    columns = run_plan(marking).columns
    rows = list(PaperQuestion.objects.filter(paper_id=marking.paper_id).select_related("unit").order_by("number"))
    questions = Question.objects.only("content").in_bulk([row.question_id for row in rows])
    cases = Case.objects.in_bulk([row.unit.case_id for row in rows if row.unit.case_id])
    results, case_id = [], None
    for row, numerator in zip(rows, marks.tolist(), strict=True):
        opens = row.unit.case_id is not None and row.unit.case_id != case_id
        case_id = row.unit.case_id
        case = case_from_json(cases[case_id].content) if opens and case_id is not None else None
        content = content_under(from_json(questions[row.question_id].content), columns[row.number].key)
        points = Fraction(numerator, marking.denominator)
        answer = _answer(frozen, row.number, columns[row.number])
        column = columns[row.number]
        result = _question(
            row, content=content, case=case, column=column, points=points, answer=answer, parameters=parameters
        )
        results.append(result)
    return tuple(results)


def _question(  # noqa: PLR0913 - one question gathers all that is known of it
    row: PaperQuestion,
    *,
    content: QuestionContent,
    case: CaseContent | None,
    column: Column,
    points: Fraction,
    answer: str,
    parameters: MarkingParameters,
) -> QuestionResult:
    scored: Score = score(column.kind, column.key, answer, parameters)
    if column.is_given:
        scored = Score(Fraction(1), Reason.GIVEN)
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


def _worth_of_parts(run: RankingRun) -> dict[str, int]:
    return dict(run.exam.parts.values_list("code", "points"))


def _part_points(place: RankedSheet | None, code: str, run: RankingRun) -> str:
    return shown_points(place.parts[code], run) if place else ""
