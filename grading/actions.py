"""Marking: start a run, mark its chunks, finish it. Killed anywhere, it resumes; run twice, it gives the same bytes."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import sha256

import numpy as np
from django.db import transaction

from ecni.accounts.actions import log_deed
from ecni.accounts.models import User
from exams.enums import SheetState
from exams.models import Paper, Sheet, Sitting
from exams.queries.papers import main_paper
from exams.rules.answers import letters_of
from exams.rules.states import Already, Refused
from grading.enums import MarkingState
from grading.models import ACTIVE, MarkingChunk, MarkingRun, SheetMark
from grading.queries import (
    POINTS_DTYPE,
    FrozenAnswers,
    chunk_answers,
    frozen_answers,
    latest_run,
    marking_obstacles,
    marking_plan,
)
from grading.rules.columns import DenominatorTooLarge, Numerators
from grading.rules.engine import InvalidRun, Plan, Responses, disagreements, mark_responses
from grading.rules.keys import InvalidKey
from grading.rules.parameters import MarkingParameters, parameters_from
from grading.rules.scores import UnmarkableValue
from grading.rules.second import second_marks
from grading.rules.units import InvalidStructure

CHUNK_SHEETS = 500
CHUNK_DEADLINE = timedelta(minutes=2)
"""A chunk claimed longer ago than this is taken for lost: its worker died."""
MAX_ATTEMPTS = 3
MARKS_FORMAT = "ecni-marks/1"
INPUTS_FORMAT = "ecni-marking-inputs/1"


class NotReady(Refused):
    """The sitting cannot be marked yet; `obstacles` are the reasons, in French."""

    code = "not-ready"

    def __init__(self, obstacles: Sequence[str]) -> None:
        super().__init__(" ".join(obstacles))
        self.obstacles = tuple(obstacles)


class NotMarkable(Refused):
    """The paper holds a key or points that marking refuses."""

    code = "not-markable"


class MarkingFault(Exception):
    """A run that must stop: what it reads contradicts what it was started from, or its two scorers disagree."""


@transaction.atomic
def start_marking(
    *, sitting_id: int, actor: User, now: datetime, reason: str = "", chunk_sheets: int = CHUNK_SHEETS
) -> MarkingRun:
    """Create a run of a sitting's paper and its chunks of at most `chunk_sheets` sheets; nothing is marked yet.

    Raises:
        NotReady: a centre sitting is not closed, a sheet is not frozen, or a paper of the exam is not sealed.
        Already: a run of this paper is under way.
        NotMarkable: a key is incoherent, or the exact points of the exam do not fit in 64 bits.
    """
    sitting = Sitting.objects.select_for_update(of=("self",), no_key=True).select_related("exam").get(pk=sitting_id)
    obstacles = marking_obstacles(sitting_id)
    if obstacles:
        raise NotReady(obstacles)
    paper = main_paper(sitting_id)
    if MarkingRun.objects.filter(paper=paper, state__in=ACTIVE).exists():
        raise Already("Une notation de cette épreuve est déjà en cours.")
    run = _create_run(paper, MarkingParameters(blank_is_zero=sitting.exam.blank_is_zero), actor=actor, now=now)
    _create_chunks(run, chunk_sheets)
    log_deed(
        actor=actor, verb="start_marking", target=f"sitting:{sitting_id}", now=now, reason=reason, data={"run": run.pk}
    )
    return run


def _create_run(paper: Paper, parameters: MarkingParameters, *, actor: User, now: datetime) -> MarkingRun:
    try:
        plan = marking_plan(paper.pk, parameters)
    except (InvalidKey, InvalidStructure, InvalidRun, DenominatorTooLarge) as error:
        raise NotMarkable(f"Le sujet ne peut pas être noté : {error}.") from error
    sheets = Sheet.objects.filter(sitting_id=paper.sitting_id)
    return MarkingRun.objects.create(
        paper=paper,
        rules_version=parameters.rules_version,
        parameters=parameters.published(),
        scale=_scale(plan),
        denominator=plan.denominator,
        inputs_digest=inputs_digest(paper, plan),
        sheets=frozen_answers(paper.pk).count(),
        absent=sheets.filter(state=SheetState.ABSENT).count(),
        supersedes=latest_run(paper.sitting_id),
        created_by=actor,
        created_at=now,
    )


def _scale(plan: Plan) -> list[str]:
    return [str(plan.columns[number].points) for number in sorted(plan.columns)]


def _create_chunks(run: MarkingRun, chunk_sheets: int) -> None:
    ids = [row[0] for row in frozen_answers(run.paper_id)]
    shares = [ids[start : start + chunk_sheets] for start in range(0, len(ids), chunk_sheets)]
    MarkingChunk.objects.bulk_create(
        MarkingChunk(run=run, number=number, first_sheet=share[0], last_sheet=share[-1], sheets=len(share))
        for number, share in enumerate(shares, start=1)
    )


def mark_chunk(*, chunk_id: int, now: datetime) -> None:
    """Mark one chunk, all or nothing, and finish the run when it was the last one. Doing it again changes nothing.

    A fault of the marking itself fails the run at once; any other error leaves the chunk to be taken up by `sweep`.
    """
    attempt = _claim(chunk_id=chunk_id, now=now)
    if attempt is None:
        return
    run_id = MarkingChunk.objects.values_list("run_id", flat=True).get(pk=chunk_id)
    try:
        _mark(chunk_id=chunk_id, attempt=attempt, now=now)
        complete_run(run_id=run_id, now=now)
    except (MarkingFault, UnmarkableValue, InvalidKey, InvalidStructure, InvalidRun) as fault:
        _fail(run_id=run_id, chunk_id=chunk_id, cause=str(fault), now=now)


@transaction.atomic
def _claim(*, chunk_id: int, now: datetime) -> int | None:
    """Take the chunk for one attempt and return its number, or None when there is nothing to do."""
    chunk = MarkingChunk.objects.select_for_update(of=("self",), no_key=True).select_related("run").get(pk=chunk_id)
    if chunk.run.state not in ACTIVE or chunk.state in {MarkingState.DONE, MarkingState.FAILED}:
        return None
    if chunk.started_at is not None and chunk.started_at > now - CHUNK_DEADLINE:
        return None
    if chunk.attempts >= MAX_ATTEMPTS:
        cause = f"Le lot {chunk.number} a été abandonné après {chunk.attempts} essais."
        _fail(run_id=chunk.run_id, chunk_id=chunk_id, cause=cause, now=now)
        return None
    chunk.state, chunk.started_at, chunk.attempts = MarkingState.RUNNING, now, chunk.attempts + 1
    chunk.save(update_fields=["state", "started_at", "attempts"])
    MarkingRun.objects.filter(pk=chunk.run_id, state=MarkingState.PENDING).update(state=MarkingState.RUNNING)
    return chunk.attempts


@transaction.atomic
def _mark(*, chunk_id: int, attempt: int, now: datetime) -> None:
    """Write the marks of a chunk, unless another worker has taken it over since the claim."""
    owned = MarkingChunk.objects.select_for_update(of=("self",), no_key=True).select_related("run__paper")
    chunk = owned.filter(pk=chunk_id, attempts=attempt, state=MarkingState.RUNNING).first()
    if chunk is None:
        return
    plan = marking_plan(chunk.run.paper_id, parameters_from(chunk.run.parameters))
    if _scale(plan) != chunk.run.scale or plan.denominator != chunk.run.denominator:
        raise MarkingFault("Le barème a changé depuis le lancement de la notation.")
    answers = chunk_answers(chunk)
    if len(answers) != chunk.sheets:
        raise MarkingFault(f"Le lot {chunk.number} n’a plus le même nombre de copies.")
    SheetMark.objects.bulk_create(
        SheetMark(run=chunk.run, number=sheet.number, points=row.astype(POINTS_DTYPE).tobytes(), total=int(row.sum()))
        for sheet, row in zip(answers, marked(answers, plan), strict=True)
    )
    chunk.state, chunk.finished_at = MarkingState.DONE, now
    chunk.save(update_fields=["state", "finished_at"])


def marked(answers: Sequence[FrozenAnswers], plan: Plan) -> Numerators:
    """Return the numerators of each sheet (rows) for each question (columns), on which both scorers agree.

    Raises:
        MarkingFault: a sheet was not frozen for this number of questions, or the two scorers differ on a mark.
        UnmarkableValue: an answer is not one of its question's.
    """
    numbers = sorted(plan.columns)
    if any(len(sheet.masks) != 4 * len(numbers) for sheet in answers):
        raise MarkingFault("Une copie n’a pas été figée pour ce sujet.")
    masks = np.frombuffer(b"".join(sheet.masks for sheet in answers), "<u4").reshape(len(answers), len(numbers))
    choices = {number for number in numbers if plan.columns[number].is_choice}
    responses = Responses(
        masks={number: masks[:, number - 1] for number in choices},
        texts={number: [sheet.texts.get(str(number), "") for sheet in answers] for number in set(numbers) - choices},
    )
    marks = mark_responses(plan, responses)
    _refuse_disagreement(answers, plan, marks)
    return np.column_stack([marks[number] for number in numbers])


def _refuse_disagreement(answers: Sequence[FrozenAnswers], plan: Plan, marks: Mapping[int, Numerators]) -> None:
    keys = {number: (column.kind, column.key) for number, column in plan.columns.items()}
    second = second_marks(plan.structure, keys, (values_of(sheet, plan) for sheet in answers), plan.parameters)
    for found in disagreements(plan, marks, second):
        raise MarkingFault(
            f"Les deux correcteurs divergent : copie {answers[found.candidate].number}, question {found.question}, "
            f"{found.first} et {found.second} points."
        )


def values_of(sheet: FrozenAnswers, plan: Plan) -> dict[int, str]:
    """Return the answers of a frozen sheet in their canonical form, by number of question; blanks are left out."""
    masks = np.frombuffer(sheet.masks, "<u4").tolist()
    letters = {number: letters_of(mask) for number, mask in enumerate(masks, start=1) if plan.columns[number].is_choice}
    texts = {int(number): value for number, value in sheet.texts.items()}
    return {number: value for number, value in (letters | texts).items() if value}


@transaction.atomic
def complete_run(*, run_id: int, now: datetime) -> bool:
    """Finish a run whose chunks are all marked: check it whole and seal its digest; return whether it did.

    Raises:
        MarkingFault: a mark is missing, does not add up, or the answers are not those of the start.
    """
    run = MarkingRun.objects.select_for_update(of=("self",), no_key=True).select_related("paper").get(pk=run_id)
    if run.state != MarkingState.RUNNING or run.chunks.exclude(state=MarkingState.DONE).exists():
        return False
    marks = sorted(SheetMark.objects.filter(run=run).values_list("number", "points", "total"))
    rows = [(number, np.frombuffer(bytes(points), POINTS_DTYPE).tolist()) for number, points, _ in marks]
    if len(marks) != run.sheets or any(sum(row) != mark[2] for (_, row), mark in zip(rows, marks, strict=True)):
        raise MarkingFault("Il manque des notes, ou un total n’est pas la somme de ses points.")
    if inputs_digest(run.paper, marking_plan(run.paper_id, parameters_from(run.parameters))) != run.inputs_digest:
        raise MarkingFault("Les réponses ou les clés ne sont plus celles du lancement.")
    run.digest = marks_digest(rows, run.denominator)
    run.state, run.finished_at = MarkingState.DONE, now
    run.save(update_fields=["digest", "state", "finished_at"])
    return True


@transaction.atomic
def _fail(*, run_id: int, chunk_id: int, cause: str, now: datetime) -> None:
    MarkingChunk.objects.filter(pk=chunk_id).update(state=MarkingState.FAILED, error=cause, finished_at=now)
    MarkingRun.objects.filter(pk=run_id).update(state=MarkingState.FAILED, failure=cause, finished_at=now)


def sweep(*, now: datetime) -> list[int]:
    """Finish the runs that died between their last chunk and their end; return the chunks that need a worker."""
    for run_id in list(MarkingRun.objects.filter(state=MarkingState.RUNNING).values_list("pk", flat=True)):
        complete_run(run_id=run_id, now=now)
    chunks = MarkingChunk.objects.filter(run__state__in=ACTIVE, state__in=ACTIVE).exclude(
        started_at__gt=now - CHUNK_DEADLINE
    )
    return list(chunks.order_by("run_id", "number").values_list("pk", flat=True))


def marks_digest(rows: Sequence[tuple[str, Sequence[int]]], denominator: int) -> str:
    """Return the SHA-256, in hexadecimal, of the canonical bytes of marks given in the order of the anonymous numbers.

    A heading with the denominator, then a line per sheet: its number, a tab, and the numerators separated by spaces.
    """
    digest = sha256(f"{MARKS_FORMAT} {denominator}\n".encode())
    for number, points in rows:
        digest.update(f"{number}\t{' '.join(map(str, points))}\n".encode())
    return digest.hexdigest()


def inputs_digest(paper: Paper, plan: Plan) -> str:
    """Return the SHA-256, in hexadecimal, of all that marking reads: parameters, paper, keys, points, answers."""
    columns = [plan.columns[number] for number in sorted(plan.columns)]
    keys = [[column.kind.value, str(column.points), asdict(column.key)] for column in columns]
    heading = {"format": INPUTS_FORMAT, "parameters": plan.parameters.published(), "paper": paper.digest, "keys": keys}
    digest = sha256(_canonical(heading))
    for number, masks, texts in sorted((row[1], bytes(row[2]).hex(), row[3]) for row in frozen_answers(paper.pk)):
        digest.update(b"\n" + _canonical([number, masks, texts]))
    return digest.hexdigest()


def _canonical(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), default=_plain).encode()


def _plain(value: object) -> object:
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"no canonical form for {type(value).__name__}")
