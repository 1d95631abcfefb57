"""What an import must know before it changes anything."""

from dataclasses import dataclass
from datetime import date

from django.db.models import Count, Sum
from django.db.models.functions import Coalesce

from centres.models import Candidate, Centre


@dataclass(frozen=True, slots=True)
class KnownCandidate:
    """A candidate who is registered already, seated or not; `centre` is the code in lower case."""

    official_number: str
    last_name: str
    first_name: str
    born_on: date
    centre: str
    extra_percent: int
    is_seated: bool


def known_candidates(exam_id: int) -> dict[str, KnownCandidate]:
    """Return the candidates of an exam by official number."""
    rows = (
        Candidate.objects.filter(exam_id=exam_id)
        .annotate(seat_count=Count("seats"), percent=Coalesce("accommodation__extra_percent", 0))
        .values_list(
            "official_number", "last_name", "first_name", "born_on", "centre__code", "percent", "seat_count", named=True
        )
    )
    return {
        row.official_number: KnownCandidate(
            row.official_number,
            row.last_name,
            row.first_name,
            row.born_on,
            row.centre__code.lower(),
            row.percent,
            row.seat_count > 0,
        )
        for row in rows
    }


def centre_capacities() -> dict[str, int]:
    """Return the number of seats of each centre, by code in lower case."""
    sums = Centre.objects.annotate(seats=Coalesce(Sum("rooms__capacity"), 0))
    return {code.lower(): seats for code, seats in sums.values_list("code", "seats")}
