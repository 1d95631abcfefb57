"""A run from its start to its seal: created with all that it reads, checked whole at its end, failed with its cause."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
from django.db import transaction

from ecni.accounts.actions import log_deed
from ecni.accounts.models import User
from exams.actions.exam import own_exam
from exams.enums import SheetState
from exams.models import Paper, Sheet, Sitting
from exams.queries.papers import main_paper
from exams.rules.states import Already, Refused
from grading.actions.digests import inputs_digest, marks_digest
from grading.actions.scoring import MarkingFault
from grading.enums import MarkingState
from grading.models import ACTIVE, MarkingChunk, MarkingRun, SheetMark
from grading.queries import POINTS_DTYPE, frozen_answers, latest_run, marking_obstacles, marking_plan, run_plan
from grading.queries.decisions import decisions_in_force
from grading.queries.marking import UNMARKABLE, exam_parameters
from grading.rules.engine import InvalidRun
from grading.rules.keys import InvalidKey
from grading.rules.parameters import MarkingParameters
from grading.rules.scores import UnmarkableValue
from grading.rules.units import InvalidStructure

logger = logging.getLogger(__name__)

CHUNK_SHEETS = 1000
FAULTS = (MarkingFault, UnmarkableValue, InvalidKey, InvalidStructure, InvalidRun)
"""What is wrong with the marking itself, and would be again."""

CHUNK_DEADLINE = timedelta(minutes=2)
"""A chunk claimed longer ago than this is taken for lost: its worker died."""


class NotReady(Refused):
    """The sitting cannot be marked yet; `obstacles` are the reasons, in French."""

    code = "not-ready"

    def __init__(self, obstacles: Sequence[str]) -> None:
        super().__init__(" ".join(obstacles))
        self.obstacles = tuple(obstacles)


class NotMarkable(Refused):
    """The paper holds a key or points that marking refuses."""

    code = "not-markable"


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
    sitting = own_sitting(sitting_id)
    obstacles = marking_obstacles(sitting_id)
    if obstacles:
        raise NotReady(obstacles)
    paper = main_paper(sitting_id)
    if MarkingRun.objects.filter(paper=paper, state__in=ACTIVE).exists():
        raise Already("Une notation de cette épreuve est déjà en cours.")
    run = _create_run(paper, exam_parameters(sitting.exam_id), actor=actor, now=now)
    _create_chunks(run, chunk_sheets)
    if not run.sheets:  # nobody composed: there is nothing to wait for
        MarkingRun.objects.filter(pk=run.pk).update(state=MarkingState.RUNNING)
        complete_run(run_id=run.pk, now=now)
        run.refresh_from_db()
    log_deed(
        actor=actor, verb="start_marking", target=f"sitting:{sitting_id}", now=now, reason=reason, data={"run": run.pk}
    )
    return run


def own_sitting(sitting_id: int) -> Sitting:
    """Lock a sitting, and its exam first: no rule of the ranking is published, no decision taken while a run starts."""
    exam_id = Sitting.objects.values_list("exam_id", flat=True).get(pk=sitting_id)
    own_exam(exam_id)
    return Sitting.objects.select_for_update(of=("self",), no_key=True).get(pk=sitting_id)


def _create_run(paper: Paper, parameters: MarkingParameters, *, actor: User, now: datetime) -> MarkingRun:
    adopted = decisions_in_force(paper.sitting.exam_id)
    decisions = [decision.data() for decision in adopted]
    try:
        plan = marking_plan(paper.pk, parameters, adopted)
    except UNMARKABLE as error:
        raise NotMarkable(f"Le sujet ne peut pas être noté : {error}.") from error
    sheets = Sheet.objects.filter(sitting_id=paper.sitting_id)
    return MarkingRun.objects.create(
        paper=paper,
        rules_version=parameters.rules_version,
        parameters=parameters.published(),
        decisions=decisions,
        scale=plan.scale,
        denominator=plan.denominator,
        inputs_digest=inputs_digest(paper, plan, decisions),
        sheets=frozen_answers(paper.pk).count(),
        absent=sheets.filter(state=SheetState.ABSENT).count(),
        supersedes=latest_run(paper.sitting_id),
        created_by=actor,
        created_at=now,
    )


def _create_chunks(run: MarkingRun, chunk_sheets: int) -> None:
    ids = [row[0] for row in frozen_answers(run.paper_id)]
    shares = [ids[start : start + chunk_sheets] for start in range(0, len(ids), chunk_sheets)]
    MarkingChunk.objects.bulk_create(
        MarkingChunk(run=run, number=number, first_sheet=share[0], last_sheet=share[-1], sheets=len(share))
        for number, share in enumerate(shares, start=1)
    )


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
    if inputs_digest(run.paper, run_plan(run), run.decisions) != run.inputs_digest:
        raise MarkingFault("Les réponses ou les clés ne sont plus celles du lancement.")
    run.digest = marks_digest(rows, run.denominator)
    run.state, run.finished_at = MarkingState.DONE, now
    run.save(update_fields=["digest", "state", "finished_at"])
    return True


@transaction.atomic
def fail_run(*, run_id: int, cause: str, now: datetime, chunk_id: int | None = None) -> None:
    """Stop a run, and say why on it, and on the chunk that could not be marked if it is one."""
    if chunk_id is not None:
        MarkingChunk.objects.filter(pk=chunk_id).update(state=MarkingState.FAILED, error=cause, finished_at=now)
    MarkingRun.objects.filter(pk=run_id).update(state=MarkingState.FAILED, failure=cause, finished_at=now)


def sweep(*, now: datetime) -> list[int]:
    """Finish the runs that died between their last chunk and their end; return the chunks that need a worker."""
    for run_id in list(MarkingRun.objects.filter(state=MarkingState.RUNNING).values_list("pk", flat=True)):
        try:
            complete_run(run_id=run_id, now=now)
        except FAULTS as error:  # one faulty run keeps no other waiting
            logger.exception("run %d cannot be finished", run_id)
            fail_run(run_id=run_id, cause=str(error), now=now)
    chunks = MarkingChunk.objects.filter(run__state__in=ACTIVE, state__in=ACTIVE).exclude(
        started_at__gt=now - CHUNK_DEADLINE
    )
    return list(chunks.order_by("run_id", "number").values_list("pk", flat=True))
