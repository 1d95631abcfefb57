"""What marking reads: structures, keys, frozen answers, and the runs made of them. No person, no place."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby
from typing import Any

import numpy as np
from django.db.models import Count, QuerySet, Sum

from ecni.accounts.models import User
from exams.enums import CentreSittingState, PaperState, PartCode, PartShare, QuestionKind, SheetState
from exams.models import CentreSitting, Exam, FrozenSheet, Paper, PaperQuestion, Question, Sheet, Sitting
from exams.rules.content import QuestionContent, from_json
from exams.rules.states import LIVE_STATES
from grading.enums import MarkingState
from grading.models import MarkingChunk, MarkingRun, SheetMark
from grading.rules.access import may
from grading.rules.columns import DenominatorTooLarge, Numerators
from grading.rules.decisions import Adopted, Effect, adopted_from, effects
from grading.rules.engine import InvalidRun, Neutralised, Plan, Responses, plan_run
from grading.rules.keys import InvalidKey, Key, key_of
from grading.rules.parameters import MarkingParameters, parameters_from
from grading.rules.units import InvalidStructure, Part, Structure, Unit

UNMARKABLE = (InvalidKey, InvalidStructure, InvalidRun, DenominatorTooLarge)
"""Why `marking_plan` finds that a paper cannot be marked."""

FINISHED = [CentreSittingState.CLOSED, CentreSittingState.SIGNED]
HANDED_IN = [SheetState.SUBMITTED, SheetState.CLOSED]
POINTS_DTYPE = np.dtype("<i8")
"""How the numerators of `SheetMark.points` are laid out."""


@dataclass(frozen=True, slots=True)
class ExamUnit:
    """One unit of the exam: a case or an isolated question.

    Attributes:
        code: its name in the exam: number of the sitting, a dot, place in the paper.
        paper_id: the paper it is in.
        part, part_points: the part it belongs to, and what the whole part is worth.
        shared_by: between what these points are shared.
        is_case: whether it is a case; else an isolated question.
        numbers: numbers of its questions in the paper, in order.
    """

    code: str
    paper_id: int
    part: PartCode
    part_points: int
    shared_by: PartShare
    is_case: bool
    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class FrozenAnswers:
    """The final answers of one sheet; see `exams.models.FrozenSheet`."""

    sheet_id: int
    number: str
    masks: bytes
    texts: dict[str, str]


@dataclass(frozen=True, slots=True)
class RunProgress:
    """How far a run is: sheets marked out of all, chunks by state."""

    state: MarkingState
    marked: int
    sheets: int
    chunks: dict[MarkingState, int]


@dataclass(frozen=True, slots=True)
class SittingMarking:
    """One sitting on the marking page: what prevents marking it, in French, and its newest run."""

    sitting: Sitting
    obstacles: list[str]
    run: MarkingRun | None
    progress: RunProgress | None


def readable_exams(actor: User) -> QuerySet[Exam]:
    """Return the exams whose marking this person may follow, newest first."""
    return Exam.objects.order_by("-pk") if may(actor.role, "follow-marking") else Exam.objects.none()


def exam_papers(exam_id: int) -> list[Paper]:
    """Return the sealed papers that make the exam, in the order of its sittings; reserve slots are left out."""
    papers = Paper.objects.filter(sitting__exam_id=exam_id, sitting__is_reserve=False, is_reserve=False)
    return list(papers.filter(state=PaperState.SEALED).select_related("sitting").order_by("sitting__number"))


def exam_units(exam_id: int) -> list[ExamUnit]:
    """Return the units of an exam across all its papers, in the order of the sittings and of the papers."""
    rows = PaperQuestion.objects.filter(paper__in=exam_papers(exam_id)).select_related("unit__part", "paper__sitting")
    ordered = rows.order_by("paper__sitting__number", "number")
    return [_exam_unit(list(group)) for _, group in groupby(ordered, key=lambda row: row.unit_id)]


def _exam_unit(questions: Sequence[PaperQuestion]) -> ExamUnit:
    first = questions[0]
    return ExamUnit(
        code=f"{first.paper.sitting.number}.{first.unit.position}",
        paper_id=first.paper_id,
        part=PartCode(first.unit.part.code),
        part_points=first.unit.part.points,
        shared_by=PartShare(first.unit.part.shared_by),
        is_case=first.unit.case_id is not None,
        numbers=tuple(row.number for row in questions),
    )


def paper_structure(
    paper_id: int, units: Sequence[ExamUnit], dropped: Mapping[int, AbstractSet[int]] | None = None
) -> Structure:
    """Return the share of the exam that one of its papers is; its questions go by their numbers in it.

    A part counts for its points times the share of its units (or of its questions, when its points are shared
    between them) that are in this paper and live, so that each of them is worth the same whatever the paper it is in.
    A share lives while one of its questions is not `dropped` (by paper): neutralised whole, its points go to the others
    of the part in the whole exam.

    Raises:
        InvalidStructure: a part has no question left in the whole exam.
    """
    dropped = dropped or {}
    alive = Counter(unit.part for unit in units for _ in _living(unit, dropped))
    here = [unit for unit in units if unit.paper_id == paper_id]
    empty = sorted({unit.part for unit in units} - alive.keys())
    if empty:
        raise InvalidStructure(f"La partie {empty[0]} n’a plus de question.")
    parts = dict.fromkeys(unit.part for unit in here)
    return Structure(tuple(_part(alive[code], [unit for unit in here if unit.part is code], dropped) for code in parts))


def _part(alive: int, units: Sequence[ExamUnit], dropped: Mapping[int, AbstractSet[int]]) -> Part:
    living = sum(len(_living(unit, dropped)) for unit in units)
    points = Fraction(units[0].part_points * living, alive)
    return Part(units[0].part.value, points, tuple(share for unit in units for share in _shares(unit)))


def _living(unit: ExamUnit, dropped: Mapping[int, AbstractSet[int]]) -> list[Unit]:
    """Return the shares of a unit that have a question left."""
    return [share for share in _shares(unit) if set(share.questions) - dropped.get(unit.paper_id, frozenset())]


def _shares(unit: ExamUnit) -> tuple[Unit, ...]:
    """Return what a unit has of its part: one share, or one for each of its questions."""
    if unit.shared_by is PartShare.QUESTION:
        return tuple(Unit(f"{unit.code}.{number}", (number,)) for number in unit.numbers)
    return (Unit(unit.code, unit.numbers),)


def exam_parameters(exam_id: int) -> MarkingParameters:
    """Return the parameters of marking that an exam has today."""
    return MarkingParameters(blank_is_zero=Exam.objects.values_list("blank_is_zero", flat=True).get(pk=exam_id))


def marking_plan(paper_id: int, parameters: MarkingParameters, adopted: Sequence[Adopted] = ()) -> Plan:
    """Return how a sealed paper is marked under decisions of the jury: keys, and exact points in the exam.

    Raises:
        InvalidKey, InvalidStructure, InvalidRun, DenominatorTooLarge: the paper cannot be marked.
    """
    in_force = effects(adopted)
    here = in_force.get(paper_id, Effect())
    keys = {number: (kind, here.key_under(number, kind, key)) for number, (kind, key) in printed_keys(paper_id).items()}
    exam_id = Sitting.objects.values_list("exam_id", flat=True).get(papers=paper_id)
    dropped = {paper: effect.dropped for paper, effect in in_force.items()}
    structure = paper_structure(paper_id, exam_units(exam_id), dropped)
    neutralised = Neutralised(frozenset(here.dropped), frozenset(here.given))
    return plan_run(structure, keys, parameters, neutralised)


def printed_keys(paper_id: int) -> dict[int, tuple[QuestionKind, Key]]:
    """Return the kind of each question of a sealed paper, and the key that it was sealed with.

    Raises:
        InvalidKey: nothing could be marked against one of them.
    """
    rows = list(PaperQuestion.objects.filter(paper_id=paper_id))
    contents = Question.objects.only("content").in_bulk([row.question_id for row in rows])
    return {row.number: _key(row, from_json(contents[row.question_id].content)) for row in rows}


def run_plan(run: MarkingRun) -> Plan:
    """Return how a run marks: with the parameters and the decisions that were frozen when it started.

    Raises: what `marking_plan` does.
    """
    adopted = [adopted_from(data) for data in run.decisions]
    return marking_plan(run.paper_id, parameters_from(run.parameters), adopted)


def _key(row: PaperQuestion, content: QuestionContent) -> tuple[QuestionKind, Key]:
    kind = QuestionKind(row.kind)
    size = (row.image_width, row.image_height) if row.image_width and row.image_height else None
    return kind, key_of(kind, content, size)


def marking_obstacles(sitting_id: int) -> list[str]:
    """Return, in French, each reason why a sitting cannot be marked yet; an empty list means it can."""
    sitting = Sitting.objects.get(pk=sitting_id)
    return [*_paper_obstacles(sitting), *_centre_obstacles(sitting), *_sheet_obstacles(sitting)]


def _paper_obstacles(sitting: Sitting) -> Iterator[str]:
    others = Sitting.objects.filter(exam_id=sitting.exam_id, is_reserve=False)
    sealed = {paper.sitting_id for paper in exam_papers(sitting.exam_id)}
    if sitting.is_reserve:
        yield f"« {sitting.title} » est un créneau de réserve : il ne compte pas dans l’examen."
    for other in others.order_by("number"):
        if other.pk not in sealed:
            yield f"Le sujet de « {other.title} » n’est pas scellé : le barème de l’examen n’est pas connu."


def _centre_obstacles(sitting: Sitting) -> Iterator[str]:
    centre_sittings = CentreSitting.objects.filter(sitting=sitting)
    if not centre_sittings.exists():
        yield "Aucun centre n’a accueilli cette épreuve."
    for centre_sitting in centre_sittings.exclude(state__in=FINISHED).order_by("pk"):
        state = CentreSittingState(centre_sitting.state).label
        yield f"L’épreuve en centre n° {centre_sitting.pk} n’est pas close (état « {state} »)."


def _sheet_obstacles(sitting: Sitting) -> Iterator[str]:
    composed = Sheet.objects.filter(sitting=sitting, state__in=[*HANDED_IN, *LIVE_STATES])
    unfrozen = list(composed.filter(frozen__isnull=True).order_by("number").values_list("number", flat=True)[:21])
    if unfrozen:
        names = ", ".join(unfrozen[:20]) + ("…" if len(unfrozen) > 20 else "")  # noqa: PLR2004 - 20 names, then an ellipsis
        yield f"Copies non figées : {names}."


def frozen_answers(paper_id: int) -> "QuerySet[FrozenSheet, tuple[int, str, bytes | memoryview, Any]]":
    """Return the frozen sheets of a paper's sitting that are to be marked, as tuples, by sheet id."""
    handed_in = FrozenSheet.objects.filter(sheet__sitting__papers=paper_id, sheet__state__in=HANDED_IN)
    return handed_in.order_by("pk").values_list("sheet_id", "sheet__number", "masks", "texts")


def chunk_answers(chunk: MarkingChunk) -> list[FrozenAnswers]:
    """Return the answers that one chunk marks, by sheet id."""
    rows = frozen_answers(chunk.run.paper_id).filter(sheet_id__gte=chunk.first_sheet, sheet_id__lte=chunk.last_sheet)
    return [FrozenAnswers(sheet_id, number, bytes(masks), texts) for sheet_id, number, masks, texts in rows]


def responses_of(answers: Sequence[FrozenAnswers], plan: Plan) -> Responses:
    """Return the answers of some sheets as columns, ready to be marked; see `exams.models.FrozenSheet`.

    Raises:
        InvalidRun: a sheet was not frozen for this number of questions.
    """
    numbers = sorted(plan.columns)
    if any(len(sheet.masks) != 4 * len(numbers) for sheet in answers):
        raise InvalidRun("Une copie n’a pas été figée pour ce sujet.")
    masks = np.frombuffer(b"".join(sheet.masks for sheet in answers), "<u4").reshape(len(answers), len(numbers))
    columns = np.ascontiguousarray(masks.T)
    choices = {number for number in numbers if plan.columns[number].is_choice}
    return Responses(
        masks={number: columns[number - 1] for number in sorted(choices)},
        texts={number: [sheet.texts.get(str(number), "") for sheet in answers] for number in set(numbers) - choices},
    )


def latest_run(sitting_id: int) -> MarkingRun | None:
    """Return the newest finished run of a sitting's main paper, the one that counts."""
    done = MarkingRun.objects.filter(paper__sitting_id=sitting_id, paper__is_reserve=False, state=MarkingState.DONE)
    return done.select_related("paper__sitting").order_by("-pk").first()


def sheet_numerators(run_id: int) -> dict[str, Numerators]:
    """Return the numerators of each sheet of a run, by anonymous number."""
    rows = SheetMark.objects.filter(run_id=run_id).values_list("number", "points")
    return {number: np.frombuffer(bytes(points), POINTS_DTYPE) for number, points in rows}


def run_progress(run: MarkingRun) -> RunProgress:
    """Return how far a run is, in one query."""
    rows = MarkingChunk.objects.filter(run=run).values_list("state").annotate(Count("pk"), Sum("sheets"))
    chunks: Counter[MarkingState] = Counter()
    marked = 0
    for state, count, sheets in rows:
        chunks[MarkingState(state)] = count
        marked += sheets if state == MarkingState.DONE else 0
    return RunProgress(MarkingState(run.state), marked, run.sheets, dict(chunks))


def exam_marking(exam_id: int) -> list[SittingMarking]:
    """Return where the marking of each sitting of an exam stands, reserve slots left out."""
    sittings = Sitting.objects.filter(exam_id=exam_id, is_reserve=False).order_by("number")
    runs = MarkingRun.objects.filter(paper__sitting__in=sittings).select_related("paper").order_by("pk")
    newest = {run.paper.sitting_id: run for run in runs}
    return [
        SittingMarking(
            sitting=sitting,
            obstacles=marking_obstacles(sitting.pk),
            run=(run := newest.get(sitting.pk)),
            progress=run_progress(run) if run else None,
        )
        for sitting in sittings
    ]
