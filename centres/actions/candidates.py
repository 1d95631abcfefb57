"""Registration: candidates come in whole files, or not at all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from secrets import randbelow

from django.conf import settings
from django.db import connection, transaction

from centres.models import Accommodation, Candidate, Centre
from centres.rules.codes import code_digest, results_code
from centres.rules.intake import CandidateLine
from centres.rules.numbers import anonymous_numbers
from ecni.accounts.actions import log_deed
from ecni.accounts.models import User
from exams.actions.exam import own_exam
from exams.rules.states import ReasonMissing

_UPDATED = ["centre", "last_name", "first_name", "born_on", "email", "category", "standing"]


@dataclass(frozen=True, slots=True)
class Registration:
    """What a file changed: candidates created, modified, and found as they were."""

    created: int
    changed: int
    unchanged: int


@transaction.atomic
def register_candidates(*, exam_id: int, lines: Sequence[CandidateLine], actor: User, now: datetime) -> Registration:
    """Create or update the candidates of an exam, known by their official number; nobody is ever removed.

    The lines were checked by `centres.imports`; doing it again changes nothing.
    """
    own_exam(exam_id)
    centres = {centre.code.lower(): centre for centre in Centre.objects.all()}
    known = {
        candidate.official_number: candidate
        for candidate in Candidate.objects.filter(exam_id=exam_id).select_related("accommodation")
    }
    fresh = [line for line in lines if line.official_number not in known]
    changed = [
        line for line in lines if line.official_number in known and _differs(known[line.official_number], line, centres)
    ]
    _create(exam_id, fresh, centres, taken={candidate.number for candidate in known.values()}, now=now)
    for line in changed:
        _update(known[line.official_number], line, centres, now=now)
    report = Registration(len(fresh), len(changed), len(lines) - len(fresh) - len(changed))
    log_deed(
        actor=actor,
        verb="register_candidates",
        target=f"exam:{exam_id}",
        now=now,
        data={"created": report.created, "changed": report.changed, "unchanged": report.unchanged},
    )
    return report


@transaction.atomic
def change_standing(
    *, candidate_id: int, category: str, standing: str, actor: User, now: datetime, reason: str
) -> Candidate:
    """Change the category and the standing of a candidate; the ranking applies its published rules to them.

    Raises:
        ReasonMissing: no reason given.
    """
    if not reason.strip():
        raise ReasonMissing
    candidate = Candidate.objects.select_for_update(no_key=True).get(pk=candidate_id)
    data = {"category": [candidate.category, category], "standing": [candidate.standing, standing]}
    candidate.category, candidate.standing = category, standing
    candidate.save(update_fields=["category", "standing"])
    log_deed(actor=actor, verb="change_standing", target=f"candidate:{candidate_id}", now=now, reason=reason, data=data)
    return candidate


def _create(
    exam_id: int, lines: Sequence[CandidateLine], centres: Mapping[str, Centre], *, taken: set[str], now: datetime
) -> None:
    numbers = anonymous_numbers(len(lines), taken, randbelow)
    candidates = Candidate.objects.bulk_create(
        [
            Candidate(exam_id=exam_id, number=number, official_number=line.official_number, **_fields(line, centres))
            for line, number in zip(lines, numbers, strict=True)
        ],
        batch_size=1000,
    )
    _set_results_codes([candidate.pk for candidate in candidates])
    Accommodation.objects.bulk_create(
        [
            _accommodation(candidate, line, now)
            for candidate, line in zip(candidates, lines, strict=True)
            if line.extra_percent
        ],
        batch_size=1000,
    )


def _set_results_codes(candidate_ids: Sequence[int]) -> None:
    """Write the digests in one statement: 0.5 s for 9,800 rows, against 2.8 s by `bulk_update`."""
    secret = settings.SLIP_SECRET
    digests = [code_digest(secret, results_code(secret, candidate_id)) for candidate_id in candidate_ids]
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE centres_candidate SET results_hmac = fresh.digest "
            "FROM unnest(%s::bigint[], %s::bytea[]) AS fresh(id, digest) WHERE centres_candidate.id = fresh.id",
            [list(candidate_ids), digests],
        )


def _update(candidate: Candidate, line: CandidateLine, centres: Mapping[str, Centre], *, now: datetime) -> None:
    for name, value in _fields(line, centres).items():
        setattr(candidate, name, value)
    candidate.save(update_fields=_UPDATED)
    Accommodation.objects.filter(candidate=candidate).exclude(extra_percent=line.extra_percent).delete()
    if line.extra_percent and not Accommodation.objects.filter(candidate=candidate).exists():
        _accommodation(candidate, line, now).save(force_insert=True)


def _accommodation(candidate: Candidate, line: CandidateLine, now: datetime) -> Accommodation:
    return Accommodation(
        candidate=candidate, extra_percent=line.extra_percent, reason="fichier d’inscription", declared_at=now
    )


def _fields(line: CandidateLine, centres: Mapping[str, Centre]) -> dict[str, object]:
    return {
        "centre": centres[line.centre],
        "last_name": line.last_name,
        "first_name": line.first_name,
        "born_on": line.born_on,
        "email": line.email,
        "category": line.category,
        "standing": line.standing,
    }


def _differs(candidate: Candidate, line: CandidateLine, centres: Mapping[str, Centre]) -> bool:
    accommodation = getattr(candidate, "accommodation", None)
    percent = accommodation.extra_percent if accommodation else 0
    same = all(getattr(candidate, name) == value for name, value in _fields(line, centres).items())
    return not same or percent != line.extra_percent
