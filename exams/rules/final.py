"""The answers of a sheet as marking reads them: masks for choices, texts for the rest."""

from collections.abc import Mapping
from dataclasses import dataclass
from struct import Struct

from exams.rules.answers import MASKED_KINDS, QuestionShape, mask_of
from exams.rules.replay import Replay


@dataclass(frozen=True, slots=True)
class FinalAnswers:
    """What a fold comes to.

    Attributes:
        masks: one little-endian uint32 per question of the paper, in order, bit 0 for proposition A.
        texts: the answers that are not letters, by number.
    """

    masks: bytes
    texts: dict[str, str]


class FinalForm:
    """The form of a paper's final answers, made once for all its sheets.

    Args:
        shapes: those of the questions of the paper, numbered from 1.
    """

    def __init__(self, shapes: Mapping[int, QuestionShape]) -> None:
        numbers = range(1, len(shapes) + 1)
        self._masked = [number for number in numbers if shapes[number].kind in MASKED_KINDS]
        self._written = [number for number in numbers if shapes[number].kind not in MASKED_KINDS]
        self._packing = Struct(f"<{len(shapes)}I")
        self._blank = [0] * len(shapes)

    def filled(self, folded: Replay) -> FinalAnswers:
        """Return the answers of a fold."""
        value_of = folded.answers.get
        masks = self._blank.copy()
        for number in self._masked:
            if value := value_of(number):
                masks[number - 1] = mask_of(value)
        texts = {str(number): value for number in self._written if (value := value_of(number))}
        return FinalAnswers(self._packing.pack(*masks), texts)


def final_answers(folded: Replay, shapes: Mapping[int, QuestionShape]) -> FinalAnswers:
    """Return the answers of one fold; `shapes` are those of the questions of the paper, numbered from 1."""
    return FinalForm(shapes).filled(folded)
