"""Centres with rooms, candidates with or without extra time, a sealed paper, staff: the least a room needs."""

from datetime import UTC, date, datetime, timedelta

from centres.actions.seating import seat_candidates
from centres.models import Accommodation, Candidate, Centre, CentreMembership, Hosting, Room
from ecni.accounts.enums import Role
from ecni.accounts.models import User
from exams.actions.centre_sitting import open_centre_sitting, welcome
from exams.enums import PaperState
from exams.models import Exam, Paper, Sitting

NOW = datetime(2026, 6, 16, 12, 0, tzinfo=UTC)


def make_staff(role=Role.AGENCY, *centres, username=None):
    user = User.objects.create(username=username or role.value.lower(), role=role, is_staff=role == Role.AGENCY)
    for centre in centres:
        CentreMembership.objects.create(user=user, centre=centre)
    return user


def make_sitting(*, number=1, duration=10_800, sealed=True):
    exam, _ = Exam.objects.get_or_create(slug="blanc", defaults={"name": "Concours blanc"})
    sitting = Sitting.objects.create(
        exam=exam, number=number, title=f"Épreuve {number}", starts_at=NOW, duration_seconds=duration
    )
    if sealed:
        digest = f"{sitting.pk:064x}"
        Paper.objects.create(sitting=sitting, title="Sujet", state=PaperState.SEALED, digest=digest, sealed_at=NOW)
    return sitting


def make_centre(code="rennes", *capacities, extra_time=0):
    centre = Centre.objects.create(code=code, name=code.capitalize(), city=code.capitalize())
    for number, capacity in enumerate(capacities or (10,), start=1):
        Room.objects.create(centre=centre, name=f"Salle {number}", capacity=capacity)
    if extra_time:
        Room.objects.create(centre=centre, name="Salle T", capacity=extra_time, is_for_extra_time=True)
    return centre


def make_candidates(exam, centre, count, *, extra=(), start=1):
    candidates = []
    for index in range(start, start + count):
        candidate = Candidate.objects.create(
            exam=exam,
            centre=centre,
            official_number=f"{centre.code.upper()}{index:04}",
            last_name=f"Nom{index}",
            first_name=f"Prénom{index}",
            born_on=date(2001, 1, 1) + timedelta(days=index),
            number=f"{centre.code[0].upper()}{centre.pk % 10}-{index:04}",
        )
        if index in extra:
            Accommodation.objects.create(candidate=candidate, extra_percent=33, reason="décision 12", declared_at=NOW)
        candidates.append(candidate)
    return candidates


def make_hosting(*, count=3, centre=None, sitting=None, agency=None, state="PLANNED", extra=()):
    """Return a seated hosting, its doors open or its time running if asked."""
    centre = centre or make_centre("rennes", 10)
    sitting = sitting or make_sitting()
    agency = agency or User.objects.filter(role=Role.AGENCY).first() or make_staff()
    make_candidates(sitting.exam, centre, count, extra=extra)
    seat_candidates(sitting_id=sitting.pk, actor=agency, now=NOW)
    hosting = Hosting.objects.select_related("centre", "sitting", "centre_sitting").get(centre=centre, sitting=sitting)
    if state in {"LOBBY", "OPEN"}:
        welcome(centre_sitting_id=hosting.centre_sitting_id, actor=agency, now=NOW)
    if state == "OPEN":
        open_centre_sitting(centre_sitting_id=hosting.centre_sitting_id, actor=agency, now=NOW)
    hosting.centre_sitting.refresh_from_db()
    return hosting
