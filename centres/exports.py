"""Lists of centres and of candidates as CSV, safe to open in a spreadsheet."""

from collections.abc import Iterable

from centres.models import Candidate, Centre
from ecni.shared.csvfile import write_table

CENTRE_COLUMNS = ("code", "nom", "ville", "academie", "salles", "places")
CANDIDATE_COLUMNS = (
    "numero", "nom", "prenom", "date_naissance", "centre", "tiers_temps", "email", "categorie", "situation",
)  # fmt: skip
CATEGORY_WORDS = {
    "STUDENT": "etudiant",
    "CESP": "cesp",
    "MILITARY": "militaire",
    "EUROPEAN": "europeen",
    "AUDITOR": "auditeur",
    "INTERN": "interne",
}
STANDING_WORDS = {
    "REGULAR": "",
    "CYCLE_NOT_VALIDATED": "cycle non valide",
    "WITHDRAWN": "retiree",
    "EXCLUDED": "exclu",
}


def centres_csv(centres: Iterable[Centre]) -> bytes:
    """Return the list of centres; `rooms` should be prefetched."""
    return write_table(CENTRE_COLUMNS, map(_centre_cells, centres))


def candidates_csv(candidates: Iterable[Candidate]) -> bytes:
    """Return the list of candidates in the columns of the import; `centre` and `accommodation` should be joined."""
    return write_table(CANDIDATE_COLUMNS, map(_candidate_cells, candidates))


def _centre_cells(centre: Centre) -> tuple[object, ...]:
    rooms = list(centre.rooms.all())
    seats = sum(room.capacity for room in rooms)
    return centre.code, centre.name, centre.city, centre.academy, len(rooms), seats


def _candidate_cells(candidate: Candidate) -> tuple[object, ...]:
    accommodation = getattr(candidate, "accommodation", None)
    return (
        candidate.official_number,
        candidate.last_name,
        candidate.first_name,
        candidate.born_on.isoformat(),
        candidate.centre.code,
        accommodation.extra_percent if accommodation else "",
        candidate.email,
        CATEGORY_WORDS[candidate.category],
        STANDING_WORDS[candidate.standing],
    )
