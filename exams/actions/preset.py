"""The shape of an ECNi, given to an empty exam: three parts, five sittings, four reserve slots.

Source: order of 2022 opening the ECNi (13 to 17 June 2022) for the timetable; 7,560 + 2,160 + 1,080 = 10,800 points.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import count
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from ecni.accounts.actions import log_deed
from ecni.accounts.models import User
from exams.enums import PartCode
from exams.models import Exam, ExamPart, Sitting
from exams.rules.states import Refused

POINTS = {PartCode.DP: 7560, PartCode.QI: 2160, PartCode.LCA: 1080}
DURATION = timedelta(hours=3)

_MORNING, _AFTERNOON = time(9), time(14, 30)


class ExamNotEmpty(Refused):
    """The exam has parts or sittings already: a preset never overwrites."""

    code = "exam-not-empty"


@dataclass(frozen=True, slots=True)
class Slot:
    """One sitting of the timetable: the day (0 for the first), the local hour, and what is asked; None in reserve."""

    day: int
    at: time
    part: PartCode | None


TIMETABLE = (
    Slot(0, _AFTERNOON, PartCode.DP),
    Slot(1, _MORNING, PartCode.QI),
    Slot(1, _AFTERNOON, PartCode.DP),
    Slot(2, _MORNING, PartCode.LCA),
    Slot(2, _AFTERNOON, PartCode.DP),
    Slot(3, _MORNING, None),
    Slot(3, _AFTERNOON, None),
    Slot(4, _MORNING, None),
    Slot(4, _AFTERNOON, None),
)


@transaction.atomic
def apply_ecni_preset(*, exam_id: int, first_day: date, actor: User, now: datetime) -> Exam:
    """Create the parts and the sittings of an ECNi that begins on `first_day`, Paris time.

    Raises:
        ExamNotEmpty: it has parts or sittings.
    """
    exam = Exam.objects.select_for_update(of=("self",), no_key=True).get(pk=exam_id)
    if exam.parts.exists() or exam.sittings.exists():
        raise ExamNotEmpty(_("Cet examen a déjà des parties ou des épreuves : le préréglage ne remplace rien."))
    ExamPart.objects.bulk_create(ExamPart(exam=exam, code=code, points=points) for code, points in POINTS.items())
    numbers = count(1)
    Sitting.objects.bulk_create(_sitting(exam, next(numbers), slot, first_day) for slot in TIMETABLE)
    log_deed(actor=actor, verb="apply_ecni_preset", target=f"exam:{exam.pk}", now=now)
    return exam


def _sitting(exam: Exam, number: int, slot: Slot, first_day: date) -> Sitting:
    starts_at = datetime.combine(first_day + timedelta(days=slot.day), slot.at, ZoneInfo(settings.TIME_ZONE))
    subject = slot.part.label.lower() if slot.part else _("créneau de réserve")
    return Sitting(
        exam=exam,
        number=number,
        title=_("Épreuve %(number)s, %(subject)s") % {"number": number, "subject": subject},
        starts_at=starts_at,
        duration_seconds=int(DURATION.total_seconds()),
        is_reserve=slot.part is None,
    )
