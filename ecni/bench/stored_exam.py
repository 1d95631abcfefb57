"""The exam of `whole_exam` in PostgreSQL, journal included: freezing, marking and ranking read it from there."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from hashlib import sha256
from io import BytesIO, RawIOBase
from time import perf_counter, process_time
from typing import Any, TypeVar

import numpy as np
from django.db import connection, transaction
from numpy.typing import NDArray

from ecni.bench.measures import PROCESSOR_SECONDS, Measure, Target
from ecni.bench.stand import Stand
from ecni.bench.whole_exam import NOW, drawn, exam_of, ranked
from exams.actions.centre_sitting import create_centre_sitting
from exams.actions.freezing import freeze_sheets
from exams.enums import PaperState, PartCode, SheetState
from exams.models import Exam, ExamPart, Paper, PaperQuestion, PaperUnit, Question, Sheet, Sitting
from exams.queries.journal import SHEETS_AT_ONCE, replays
from exams.queries.papers import paper_shapes
from exams.rules.answers import letters_of
from exams.rules.final import FinalForm
from exams.rules.states import SheetPlace
from grading.queries import FrozenAnswers, frozen_answers, responses_of
from grading.rules.engine import Plan, mark_responses, plan_run

Result = TypeVar("Result")
CENTRES = 35
PROPOSITIONS = 26
MADE_AT = 1_780_000_000_000
COLUMNS = "sitting_id, sheet_id, seq, epoch, kind, question, value, made_at, received_at, digest"
ACTS = "SELECT sheet_id, seq, kind, question, value, made_at, digest FROM exams_journalentry WHERE sitting_id = {}"
FROZEN = "SELECT f.* FROM exams_frozensheet f JOIN exams_sheet s ON s.id = f.sheet_id WHERE s.sitting_id = {}"


@dataclass(frozen=True, slots=True)
class StoredExam:
    """What was put into PostgreSQL."""

    sitting_id: int
    paper_id: int
    centre_sittings: Sequence[int]


@dataclass(frozen=True, slots=True)
class Cost:
    """Wall seconds, and processor seconds of this process and of PostgreSQL."""

    seconds: float
    processor: float
    database: float

    @property
    def total(self) -> float:
        """Processor time of both."""
        return self.processor + self.database


def stored(stand: Stand) -> list[Measure]:
    """Return what freezing, marking and ranking cost from PostgreSQL to PostgreSQL."""
    structure, keys = exam_of(stand.size.questions)
    plan = plan_run(structure, keys)
    masks, texts = drawn(stand.size.candidates, plan)
    stand.say(f"  {masks.size} actes à écrire dans le journal")
    exam = store(plan, masks, texts)
    stand.flush()
    sent, _ = spent(stand, partial(throw_away, ACTS, exam.sitting_id))
    freezing, count = spent(stand, partial(freeze, exam))
    if count != stand.size.candidates:
        raise RuntimeError(f"{count} sheets frozen")
    rows, _ = spent(stand, partial(throw_away, FROZEN, exam.sitting_id))
    reading, ranking = spent(stand, partial(mark_and_rank, exam, plan))
    whole, same_ranking = spent(stand, partial(fold_and_rank, exam, plan))
    if ranking != same_ranking:
        raise RuntimeError("the journal and the frozen rows give different rankings")
    sheets, same = f"{count} x {stand.size.questions}", "same acts sent by PostgreSQL, thrown away"
    fewer = "same rows sent, thrown away"
    return [
        measure(f"freeze {sheets}, centre by centre", freezing, same, sent, None),
        measure(f"read, mark, rank {sheets} frozen", reading, fewer, rows, Target("seconds", 2)),
        measure(f"read, fold, mark, rank {sheets} acts", whole, same, sent, Target("seconds", 10)),
    ]


def measure(name: str, cost: Cost, floor: str, least: Cost, target: Target | None) -> Measure:
    """Return the measure of one piece of work."""
    details = {"seconds": cost.seconds, "of PostgreSQL s": cost.database}
    return Measure(name, cost.total, PROCESSOR_SECONDS, floor, least.total, target, details)


def spent(stand: Stand, work: Callable[[], Result]) -> tuple[Cost, Result]:
    """Return what a piece of work costs here and in PostgreSQL, and its result."""
    database, processor, started = stand.database_seconds(), process_time(), perf_counter()
    result = work()
    seconds = perf_counter() - started
    return Cost(seconds, process_time() - processor, stand.database_seconds() - database), result


def store(plan: Plan, masks: NDArray[np.uint32], texts: dict[int, list[str]]) -> StoredExam:
    """Put an exam, its sheets and every act into PostgreSQL; the paper is numbered and has no text."""
    exam = Exam.objects.create(name="Banc d’essai", slug=f"banc-{Exam.objects.count()}")
    part = ExamPart.objects.create(exam=exam, code=PartCode.QI, points=10_800)
    sitting = Sitting.objects.create(exam=exam, number=1, title="Banc d’essai", starts_at=NOW, duration_seconds=10_800)
    paper = Paper.objects.create(
        sitting=sitting,
        title="Banc d’essai",
        state=PaperState.SEALED,
        digest=sha256(exam.slug.encode()).hexdigest(),
        sealed_at=NOW - timedelta(days=1),
    )
    question = Question.objects.create(identifier=exam.slug, kind="QRM", rank="A", content={}, created_at=NOW)
    unit = PaperUnit.objects.create(paper=paper, position=1, part=part, question=question)
    PaperQuestion.objects.bulk_create(
        PaperQuestion(
            paper=paper,
            number=number,
            unit=unit,
            question=question,
            kind=column.kind,
            propositions=PROPOSITIONS if column.is_choice else 0,
            is_progressive=False,
        )
        for number, column in plan.columns.items()
    )
    centre_sittings = [
        create_centre_sitting(
            sitting_id=sitting.pk, places=[SheetPlace(f"N{at:05}", 0) for at in range(first, len(masks), CENTRES)]
        ).pk
        for first in range(min(CENTRES, len(masks)))
    ]
    Sheet.objects.filter(sitting=sitting).update(state=SheetState.CLOSED)
    write_acts(sitting.pk, masks, texts)
    return StoredExam(sitting.pk, paper.pk, centre_sittings)


def write_acts(sitting_id: int, masks: NDArray[np.uint32], texts: dict[int, list[str]]) -> None:
    """Copy every act of every sheet into the journal."""
    ids = dict(Sheet.objects.filter(sitting_id=sitting_id).values_list("number", "pk"))
    sheets = [ids[f"N{at:05}"] for at in range(len(masks))]

    def lines() -> Iterator[bytes]:
        """As they come in: everybody answers the first question, then everybody the second one."""
        for number in range(1, masks.shape[1] + 1):
            values = texts[number] if number in texts else [letters_of(mask) for mask in masks[:, number - 1].tolist()]
            digest = sha256(str(number).encode()).hexdigest()
            until, since = f"\t{number}\t1\t1\t{number}\t", f"\t{MADE_AT + number}\t{NOW}\t\\\\x{digest}\n"
            yield "".join(
                f"{sitting_id}\t{pk}{until}{value}{since}" for pk, value in zip(sheets, values, strict=True)
            ).encode()

    with connection.cursor() as cursor:
        cursor.copy_expert(f"COPY exams_journalentry ({COLUMNS}) FROM STDIN", Lines(lines()))
        cursor.execute("VACUUM ANALYZE exams_journalentry")


class Lines(RawIOBase):
    """A file that is made as it is read."""

    def __init__(self, lines: Iterator[bytes]) -> None:
        self._lines = lines
        self._block = BytesIO()

    def readable(self) -> bool:
        """It is for reading."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Return at most `size` bytes, nothing at the end."""
        while not (given := self._block.read(size)) and (line := next(self._lines, b"")):
            self._block = BytesIO(line)
        return given


class Nowhere(RawIOBase):
    """A file that keeps nothing."""

    def write(self, data: Any) -> int:
        """Forget some bytes."""
        return len(data)


def throw_away(query: str, sitting_id: int) -> None:
    """Have PostgreSQL send the rows of a query on one sitting, and do nothing with them."""
    with connection.cursor() as cursor:
        cursor.copy_expert(f"COPY ({query.format(sitting_id)}) TO STDOUT (FORMAT binary)", Nowhere())


def freeze(exam: StoredExam) -> int:
    """Freeze every centre, each in its transaction as at closing; return how many sheets."""
    count = 0
    for centre_sitting_id in exam.centre_sittings:
        with transaction.atomic():
            count += freeze_sheets(centre_sitting_id=centre_sitting_id, now=NOW)
    return count


def mark_and_rank(exam: StoredExam, plan: Plan) -> bytes:
    """Read the frozen rows, mark them by the first scorer, add up and rank."""
    rows = frozen_answers(exam.paper_id)
    return ranking_of([FrozenAnswers(pk, number, bytes(masks), texts) for pk, number, masks, texts in rows], plan)


def fold_and_rank(exam: StoredExam, plan: Plan) -> bytes:
    """Read the journal of the sitting, fold it, mark the answers by the first scorer, add up and rank."""
    form = FinalForm(paper_shapes(exam.paper_id))
    sheets = list(Sheet.objects.filter(sitting_id=exam.sitting_id).order_by("pk"))
    answers = []
    for start in range(0, len(sheets), SHEETS_AT_ONCE):
        block = sheets[start : start + SHEETS_AT_ONCE]
        folded = replays(block)
        finals = [(sheet, form.filled(folded[sheet.pk])) for sheet in block]
        answers += [FrozenAnswers(sheet.pk, sheet.number, final.masks, final.texts) for sheet, final in finals]
    return ranking_of(answers, plan)


def ranking_of(answers: Sequence[FrozenAnswers], plan: Plan) -> bytes:
    """Mark, add up and rank."""
    marks = mark_responses(plan, responses_of(answers, plan))
    return ranked(plan, marks, [sheet.number for sheet in answers])
