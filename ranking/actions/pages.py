"""Writing a prepared page: whole or not at all, and the same again if asked twice. Forgetting those of a ranking."""

import zlib
from pathlib import Path
from tempfile import NamedTemporaryFile

from ecni.shared.vault import encrypt, officers_key
from ranking.models import RankingRun
from ranking.queries.pages import expected_pages, page_path

FAST = 1
"""Level of compression: pages are written by tens of thousands."""


def forget_pages(run: RankingRun) -> None:
    """Remove the pages of a ranking, so that each one is missing until it is written anew."""
    for path in expected_pages(run):
        path.unlink(missing_ok=True)


def store_page(*, run_id: int, owner_id: int, kind: str, content: bytes) -> None:
    """Encrypt a page and put it in its place."""
    path = page_path(run_id, owner_id, kind)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    sealed = encrypt(officers_key("results"), zlib.compress(content, FAST), path.name)
    with NamedTemporaryFile(dir=path.parent, delete=False) as draft:
        draft.write(sealed)
    Path(draft.name).replace(path)
