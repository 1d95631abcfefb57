"""The shape of an ECNi or of an EDN, given to an empty exam: its parts, its sittings, its published parameters.

Sources: order of 2022 opening the ECNi (13 to 17 June 2022) for its timetable, 7,560 + 2,160 + 1,080 = 10,800 points;
order of 21 December 2021, article 7, for the four slots of the EDN. Its 80 % and 20 % are a default ([CART] in
`docs/scoring.md`), for the texts do not agree: the points of the parts can be changed before the papers are sealed.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import count
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from ecni.accounts.actions import log_deed
from ecni.accounts.models import User
from exams.actions.exam import own_exam
from exams.enums import PartCode, PartShare
from exams.models import Exam, ExamPart, Sitting
from exams.rules.states import Refused

DURATION = timedelta(hours=3)

_MORNING, _AFTERNOON = time(9), time(14, 30)


class ExamNotEmpty(Refused):
    """The exam has parts or sittings already: a preset never overwrites."""

    code = "exam-not-empty"


@dataclass(frozen=True, slots=True)
class Share:
    """One part of the total: its points, and between what they are shared equally."""

    code: PartCode
    points: int
    shared_by: PartShare


@dataclass(frozen=True, slots=True)
class Slot:
    """One sitting of the timetable: the day (0 for the first), the local hour, and what is asked; None in reserve."""

    day: int
    at: time
    part: PartCode | None


@dataclass(frozen=True, slots=True)
class Preset:
    """The shape of an exam.

    Attributes:
        name: what it is called.
        parts: the shares of the total.
        timetable: the sittings in order, reserve slots included.
        rank_a_minimum: lowest mark out of 20 on the questions of rank A; None when there is no such rule.
    """

    name: str
    parts: tuple[Share, ...]
    timetable: tuple[Slot, ...]
    rank_a_minimum: Decimal | None = None


_RESERVE = tuple(Slot(day, at, None) for day in (3, 4) for at in (_MORNING, _AFTERNOON))
PRESETS = {
    "ECNI": Preset(
        name="ECNi",
        parts=(
            Share(PartCode.DP, 7560, PartShare.UNIT),
            Share(PartCode.QI, 2160, PartShare.UNIT),
            Share(PartCode.LCA, 1080, PartShare.UNIT),
        ),
        timetable=(
            Slot(0, _AFTERNOON, PartCode.DP),
            Slot(1, _MORNING, PartCode.QI),
            Slot(1, _AFTERNOON, PartCode.DP),
            Slot(2, _MORNING, PartCode.LCA),
            Slot(2, _AFTERNOON, PartCode.DP),
            *_RESERVE,
        ),
    ),
    "EDN": Preset(
        name="EDN",
        parts=(Share(PartCode.UC, 8000, PartShare.QUESTION), Share(PartCode.LCA, 2000, PartShare.UNIT)),
        timetable=(
            Slot(0, _AFTERNOON, PartCode.UC),
            Slot(1, _MORNING, PartCode.UC),
            Slot(1, _AFTERNOON, PartCode.UC),
            Slot(2, _MORNING, PartCode.LCA),
            *_RESERVE,
        ),
        rank_a_minimum=Decimal(14),
    ),
}


@transaction.atomic
def apply_preset(*, exam_id: int, preset: Preset, first_day: date, actor: User, now: datetime) -> Exam:
    """Create the parts and the sittings of an exam that begins on `first_day`, Paris time.

    Raises:
        ExamNotEmpty: it has parts or sittings.
    """
    exam = own_exam(exam_id)
    if exam.parts.exists() or exam.sittings.exists():
        raise ExamNotEmpty(_("Cet examen a déjà des parties ou des épreuves : le préréglage ne remplace rien."))
    exam.rank_a_minimum = preset.rank_a_minimum
    exam.save(update_fields=["rank_a_minimum"])
    ExamPart.objects.bulk_create(
        ExamPart(exam=exam, code=part.code, points=part.points, shared_by=part.shared_by) for part in preset.parts
    )
    numbers = count(1)
    Sitting.objects.bulk_create(_sitting(exam, next(numbers), slot, first_day) for slot in preset.timetable)
    log_deed(actor=actor, verb="apply_preset", target=f"exam:{exam.pk}", now=now, data={"preset": preset.name})
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
