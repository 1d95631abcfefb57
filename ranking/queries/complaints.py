"""Complaints: the candidate's own, those of an exam for the agency, and the log of the sheet that one is about."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from centres.models import Candidate, Incident, Seat
from exams.models import FrozenSheet, RefusedOp, Sheet, TimeGrant
from exams.queries.timeline import Act, timelines
from exams.rules.ops import receipt_code
from ranking.enums import ComplaintState
from ranking.models import Complaint, ComplaintStep
from ranking.rules.complaints import next_steps


@dataclass(frozen=True, slots=True)
class ComplaintRow:
    """One complaint as it is listed; `answer` is empty until there is one."""

    complaint_id: int
    official_number: str
    sitting: str
    question: int | None
    text: str
    filed_at: datetime
    state: ComplaintState
    answer: str
    steps: tuple[ComplaintStep, ...]

    @property
    def next_steps(self) -> tuple[ComplaintState, ...]:
        """The steps that may follow."""
        return next_steps(self.state)


@dataclass(frozen=True, slots=True)
class SheetLog:
    """What is known of one sheet beside its answers.

    Attributes:
        acts: the journal, those of the question complained about first marked by the page.
        refused: how many acts the server refused or kept aside.
        grants: seconds given to this sheet or to all, with the reason.
        incidents: what the centre wrote during this sitting, of this seat or of the whole room.
    """

    sitting: str
    receipt: str
    last_seq: int
    acts: Sequence[Act]
    refused: int
    grants: Sequence[TimeGrant]
    incidents: Sequence[Incident]


def complaints_of(candidate_id: int) -> list[ComplaintRow]:
    """Return a candidate's complaints, newest first."""
    return _rows(Complaint.objects.filter(candidate_id=candidate_id))


def exam_complaints(exam_id: int) -> list[ComplaintRow]:
    """Return the complaints of an exam, newest first."""
    return _rows(Complaint.objects.filter(candidate__exam_id=exam_id))


def complaint_row(complaint_id: int, exam_id: int) -> ComplaintRow | None:
    """Return one complaint of an exam."""
    rows = _rows(Complaint.objects.filter(pk=complaint_id, candidate__exam_id=exam_id))
    return rows[0] if rows else None


def complaint_state(complaint_id: int) -> ComplaintState:
    """Return where a complaint stands."""
    last = ComplaintStep.objects.filter(complaint_id=complaint_id).order_by("-pk").values_list("state", flat=True)
    return ComplaintState(last.first() or ComplaintState.FILED)


def waiting_complaints(candidate_id: int) -> int:
    """Return how many complaints of a candidate are not closed."""
    closed = ComplaintStep.objects.filter(state=ComplaintState.CLOSED).values("complaint_id")
    return Complaint.objects.filter(candidate_id=candidate_id).exclude(pk__in=closed).count()


def sheet_logs(complaint_id: int) -> list[SheetLog]:
    """Return the logs of the sheets that a complaint is about: one sitting, or all when it names none."""
    complaint = Complaint.objects.select_related("candidate").get(pk=complaint_id)
    candidate = complaint.candidate
    sheets = Sheet.objects.filter(sitting__exam_id=candidate.exam_id, number=candidate.number)
    if complaint.sitting_id is not None:
        sheets = sheets.filter(sitting_id=complaint.sitting_id)
    return [_log(sheet, candidate) for sheet in sheets.select_related("sitting").order_by("sitting__number")]


def _log(sheet: Sheet, candidate: Candidate) -> SheetLog:
    frozen = FrozenSheet.objects.filter(sheet=sheet).first()
    seat = Seat.objects.filter(sheet=sheet, candidate=candidate).first()
    grants = TimeGrant.objects.filter(sitting=sheet.sitting).order_by("pk")
    common = grants.filter(sheet__isnull=True, centre_sitting__in=[sheet.centre_sitting_id])
    national = grants.filter(sheet__isnull=True, centre_sitting__isnull=True)
    incidents = Incident.objects.filter(hosting__centre_sitting=sheet.centre_sitting_id).order_by("at")
    return SheetLog(
        sitting=sheet.sitting.title,
        receipt=receipt_code(bytes(frozen.head_digest)) if frozen else "",
        last_seq=frozen.last_seq if frozen else 0,
        acts=timelines(sheet.sitting_id, [sheet.number]).get(sheet.number, []),
        refused=RefusedOp.objects.filter(sheet=sheet).count(),
        grants=list(grants.filter(sheet=sheet) | common | national),
        incidents=[one for one in incidents if one.seat_id is None or (seat is not None and one.seat_id == seat.pk)],
    )


def _rows(complaints: "QuerySet[Complaint]") -> list[ComplaintRow]:
    rows = list(complaints.select_related("candidate", "sitting").order_by("-pk"))
    steps: Mapping[int, list[ComplaintStep]] = {row.pk: [] for row in rows}
    for step in ComplaintStep.objects.filter(complaint__in=rows).select_related("actor").order_by("pk"):
        steps[step.complaint_id].append(step)
    return [_row(row, steps[row.pk]) for row in rows]


def _row(complaint: Complaint, steps: Sequence[ComplaintStep]) -> ComplaintRow:
    return ComplaintRow(
        complaint_id=complaint.pk,
        official_number=complaint.candidate.official_number,
        sitting=complaint.sitting.title if complaint.sitting else "",
        question=complaint.question,
        text=complaint.text,
        filed_at=complaint.filed_at,
        state=ComplaintState(steps[-1].state) if steps else ComplaintState.FILED,
        answer=next((step.text for step in steps if step.state == ComplaintState.ANSWERED), ""),
        steps=tuple(steps),
    )
