"""Filing a complaint, and handling it step by step; each step is a row."""

from datetime import datetime

from django.db import transaction

from centres.models import Candidate
from ecni.accounts.actions import log_deed
from ecni.accounts.models import User
from exams.models import Sitting
from ranking.enums import ComplaintState
from ranking.models import Complaint, ComplaintStep
from ranking.queries.complaints import complaint_state, waiting_complaints
from ranking.queries.policy import policy_of
from ranking.queries.publication import published_at
from ranking.rules.complaints import check_filing, check_step, check_text


@transaction.atomic
def file_complaint(
    *, candidate_id: int, sitting_number: int | None, question: int | None, text: str, now: datetime
) -> Complaint:
    """Write a candidate's complaint; an unknown sitting is left out, and a question without its sitting too.

    Raises:
        TooEarly, TooLate: outside the delay after the publication.
        TextMissing, TooMany: why not.
    """
    candidate = Candidate.objects.select_for_update(no_key=True).get(pk=candidate_id)
    check_filing(
        text,
        published_at=published_at(candidate.exam_id),
        days=policy_of(candidate.exam_id).complaint_days,
        waiting=waiting_complaints(candidate_id),
        now=now,
    )
    sittings = Sitting.objects.filter(exam_id=candidate.exam_id, is_reserve=False)
    sitting = None if sitting_number is None else sittings.filter(number=sitting_number).first()
    return Complaint.objects.create(
        candidate=candidate,
        sitting=sitting,
        question=question if sitting else None,
        text=text.strip(),
        filed_at=now,
    )


@transaction.atomic
def handle_complaint(
    *, complaint_id: int, step: ComplaintState, text: str, actor: User, now: datetime
) -> ComplaintStep:
    """Take, answer or close a complaint; the answer is a text that the candidate reads.

    Raises:
        WrongStep: this step does not follow the last one.
        TextMissing: an answer without a text.
    """
    complaint = Complaint.objects.select_for_update(no_key=True).get(pk=complaint_id)
    check_step(complaint_state(complaint_id), step)
    if step is ComplaintState.ANSWERED:
        check_text(text)
    row = ComplaintStep.objects.create(complaint=complaint, state=step, text=text.strip(), actor=actor, at=now)
    log_deed(actor=actor, verb="handle_complaint", target=f"complaint:{complaint_id}", now=now, data={"step": step})
    return row
