"""Writing a prepared page: whole or not at all, and the same again if asked twice."""

import zlib
from pathlib import Path
from tempfile import NamedTemporaryFile

from ecni.shared.vault import encrypt, officers_key
from ranking.queries.pages import page_path

FAST = 1
"""Level of compression: pages are written by tens of thousands."""


def store_page(*, run_id: int, owner_id: int, kind: str, content: bytes) -> None:
    """Encrypt a page and put it in its place."""
    path = page_path(run_id, owner_id, kind)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    sealed = encrypt(officers_key("results"), zlib.compress(content, FAST), path.name)
    with NamedTemporaryFile(dir=path.parent, delete=False) as draft:
        draft.write(sealed)
    Path(draft.name).replace(path)
