"""The lifting of anonymity: numbers meet people here, once the ranking is published and never before."""

from dataclasses import dataclass

from centres.models import Candidate
from ranking.queries.preview import shown_points
from ranking.queries.publication import published_ranking


@dataclass(frozen=True, slots=True)
class OfficialRow:
    """One line of the official list; `rank` is None for candidates who are not ranked."""

    rank: int | None
    official_number: str
    last_name: str
    first_name: str
    total: str


def official_list(exam_id: int) -> list[OfficialRow] | None:
    """Return the published ranking with names, then the candidates who are not ranked; None before publication."""
    run = published_ranking(exam_id)
    if run is None:
        return None
    people = {candidate.number: candidate for candidate in Candidate.objects.filter(exam_id=exam_id)}
    ranked = [
        _row(people.pop(place.number), place.rank, shown_points(place.total, run))
        for place in run.places.order_by("position")
    ]
    absent = sorted((_row(people[number], None, "") for number in run.unranked), key=lambda row: row.official_number)
    return ranked + absent


def _row(candidate: Candidate, rank: int | None, total: str) -> OfficialRow:
    return OfficialRow(rank, candidate.official_number, candidate.last_name, candidate.first_name, total)
