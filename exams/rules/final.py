"""The answers of a sheet as marking reads them: masks for choices, texts for the rest."""

from collections.abc import Mapping
from dataclasses import dataclass

from exams.rules.answers import MASKED_KINDS, QuestionShape, mask_of
from exams.rules.replay import Replay

MASK_BYTES = 4


@dataclass(frozen=True, slots=True)
class FinalAnswers:
    """What a fold comes to.

    Attributes:
        masks: one little-endian uint32 per question of the paper, in order, bit 0 for proposition A.
        texts: the answers that are not letters, by number.
    """

    masks: bytes
    texts: dict[str, str]


def final_answers(folded: Replay, shapes: Mapping[int, QuestionShape]) -> FinalAnswers:
    """Return the answers of a fold; `shapes` are those of the questions of the paper, numbered from 1."""
    masks = bytearray()
    texts: dict[str, str] = {}
    for number in range(1, len(shapes) + 1):
        value = folded.answers.get(number, "")
        is_masked = shapes[number].kind in MASKED_KINDS
        masks += (mask_of(value) if is_masked else 0).to_bytes(MASK_BYTES, "little")
        if value and not is_masked:
            texts[str(number)] = value
    return FinalAnswers(bytes(masks), texts)
