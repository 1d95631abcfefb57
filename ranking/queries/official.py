"""The official list: numbers meet people here, once the anonymity is lifted and never before."""

from collections.abc import Sequence
from dataclasses import dataclass

from centres.models import Candidate
from centres.rules.intake import plain
from ranking.enums import Status
from ranking.models import RankingRun
from ranking.queries.preview import shown_points
from ranking.queries.publication import lifted_ranking


@dataclass(frozen=True, slots=True)
class OfficialRow:
    """One line of the official list; `rank` is None for candidates who are not ranked, and `status` says why."""

    rank: int | None
    is_apart: bool
    official_number: str
    last_name: str
    first_name: str
    total: str
    status: str


class Anonymous(Exception):
    """The anonymity of this ranking is in place: no name is joined to it."""


def official_rows(run: RankingRun) -> list[OfficialRow]:
    """Return a ranking with names: the one list, then those ranked apart, then those who are not ranked.

    Raises:
        Anonymous: the anonymity was not lifted for this ranking.
    """
    if lifted_ranking(run.exam_id) != run:
        raise Anonymous
    people = {candidate.number: candidate for candidate in Candidate.objects.filter(exam_id=run.exam_id)}
    ranked = [
        _row(run, people[place.number], place.rank, shown_points(place.total, run), is_apart=place.is_apart)
        for place in run.places.order_by("position")
    ]
    others = [_row(run, people[number], None, "") for number in run.unranked]
    return ranked + sorted(others, key=lambda row: row.official_number)


def found_rows(rows: Sequence[OfficialRow], search: str) -> list[OfficialRow]:
    """Return the rows whose number, name or first name hold a text, whatever its case and accents."""
    wanted = plain(search)
    return [row for row in rows if wanted in plain(f"{row.official_number} {row.last_name} {row.first_name}")]


def _row(run: RankingRun, candidate: Candidate, rank: int | None, total: str, *, is_apart: bool = False) -> OfficialRow:
    status = run.statuses.get(candidate.number, "")
    return OfficialRow(
        rank=rank,
        is_apart=is_apart,
        official_number=candidate.official_number,
        last_name=candidate.last_name,
        first_name=candidate.first_name,
        total=total,
        status=str(Status(status).label) if status else "",
    )
