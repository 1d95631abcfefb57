"""The container of a sealed paper, `ecni-paper/1`: a header in clear, then encrypted blobs. See `docs/papers.md`."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

FORMAT = "ecni-paper/1"
MAGIC = b"ECNIPAP1"
LENGTH_BYTES = 4
OPENING = 0


@dataclass(frozen=True, slots=True)
class QuestionEntry:
    """What the header says in clear of one question: enough to draw the navigator, nothing of its text.

    Attributes:
        number: its number in the paper, from 1.
        unit: what orders its unit in the paper: it grows, and is the same for the questions of one case.
        position: its place in the unit, from 1.
        unit_size: number of questions of the unit.
        case: kind of the case it belongs to; None when isolated.
        kind: how it is asked.
        propositions: number of propositions.
        progressive: whether its answer is sealed before the next one opens.
        previous: number of the question to seal before it opens; 0 when readable from the start.
    """

    number: int
    unit: int
    position: int
    unit_size: int
    case: str | None
    kind: str
    propositions: int
    progressive: bool
    previous: int


def blob_context(paper_id: int, number: int) -> str:
    """Return the authenticated context of a question's blob, or of the opening blob when `number` is `OPENING`."""
    return f"{FORMAT}|{paper_id}|{number}"


def pack(
    *, paper_id: int, sitting_id: int, entries: Sequence[QuestionEntry], blobs: Sequence[bytes], opening: bytes
) -> bytes:
    """Return the file: `blobs` are the encrypted questions in the order of `entries`, `opening` the encrypted keys."""
    offset = 0
    questions: list[dict[str, Any]] = []
    for entry, blob in zip(entries, blobs, strict=True):
        questions.append(asdict(entry) | {"offset": offset, "length": len(blob)})
        offset += len(blob)
    header = {
        "format": FORMAT,
        "paper": str(paper_id),
        "sitting": sitting_id,
        "questions": questions,
        "opening": {"offset": offset, "length": len(opening)},
    }
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    return b"".join([MAGIC, len(text).to_bytes(LENGTH_BYTES, "big"), text, *blobs, opening])
