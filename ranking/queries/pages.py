"""Pages prepared before publication: encrypted files under names that nobody guesses, read after it and never before.

A name is an HMAC of the ranking, of the owner and of the kind of page, under a key of both officers; the content is
AES-256-GCM, bound to its name. `settings.RESULTS_ROOT` is served by nothing.
"""

import hmac
import zlib
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

from centres.models import Candidate
from ecni.shared.vault import decrypt, officers_key
from exams.models import Sitting
from ranking.models import RankingRun

RESULTS = "results"
TRANSCRIPT = "transcript.pdf"
OFFICIAL_KINDS = ("official.csv", "official.xlsx", "official.pdf")
OFFICIAL_OWNER = 0
"""Owner of the pages that are nobody's; candidates are numbered from 1."""


def copy_kind(sitting_number: int) -> str:
    """Return the kind of page that shows one sitting of a copy."""
    return f"copy-{sitting_number}"


def page_path(run_id: int, owner_id: int, kind: str) -> Path:
    """Return where a page is, whether it exists or not."""
    name = hmac.digest(officers_key("results-names"), f"{run_id}|{owner_id}|{kind}".encode(), "sha256").hex()
    return Path(settings.RESULTS_ROOT) / name[:2] / name


def published_page(exam_id: int, owner_id: int, kind: str) -> bytes | None:
    """Return a prepared page; None before publication, and for what was not prepared. One statement."""
    runs = RankingRun.objects.filter(exam_id=exam_id, publication__confirmed_at__isnull=False)
    run_id = runs.values_list("pk", flat=True).first()
    return None if run_id is None else _read(page_path(run_id, owner_id, kind))


def run_owners(run: RankingRun) -> list[int]:
    """Return the candidates of a ranking, ranked or not, by id."""
    numbers = {*run.places.values_list("number", flat=True), *run.unranked}
    people = Candidate.objects.filter(exam_id=run.exam_id).order_by("pk").values_list("pk", "number")
    return [pk for pk, number in people if number in numbers]


def candidate_kinds(exam_id: int) -> list[str]:
    """Return the kinds of page that each candidate of an exam has."""
    sittings = Sitting.objects.filter(exam_id=exam_id, is_reserve=False).order_by("number")
    return [RESULTS, TRANSCRIPT, *(copy_kind(number) for number in sittings.values_list("number", flat=True))]


def missing_pages(run: RankingRun) -> int:
    """Return how many pages of a ranking are not prepared yet."""
    return sum(not path.exists() for path in expected_pages(run))


def expected_pages(run: RankingRun) -> Iterator[Path]:
    """Give where each page of a ranking is, or will be."""
    kinds = candidate_kinds(run.exam_id)
    yield from (page_path(run.pk, OFFICIAL_OWNER, kind) for kind in OFFICIAL_KINDS)
    yield from (page_path(run.pk, owner, kind) for owner in run_owners(run) for kind in kinds)


def _read(path: Path) -> bytes | None:
    try:
        sealed = path.read_bytes()
    except FileNotFoundError:
        return None
    return zlib.decompress(decrypt(officers_key("results"), sealed, path.name))
