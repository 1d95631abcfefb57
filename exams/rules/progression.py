"""Which questions a candidate may read, and which acts a sheet admits next."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Protocol

from exams.enums import OpKind
from exams.rules.answers import LETTERS, QuestionShape, is_letters, is_valid_answer


class SheetProgress(Protocol):
    """What of a sheet's state decides: a `Replay`, or the compact form that a server process keeps."""

    @property
    def sealed(self) -> AbstractSet[int]:
        """Questions whose answer is final."""

    @property
    def submitted(self) -> bool:
        """Whether the sheet is handed in."""


def is_readable(question: int, shapes: Mapping[int, QuestionShape], sealed: AbstractSet[int]) -> bool:
    """Whether the question's text may be on the tablet: the one before it in its case, if any, is final."""
    previous = shapes[question].previous
    return previous == 0 or previous in sealed


def opened_by_seal(question: int, shapes: Mapping[int, QuestionShape]) -> int | None:
    """Return the question that sealing this one opens, or None."""
    following = shapes.get(question + 1)
    return question + 1 if following is not None and following.previous == question else None


def op_objection(
    kind: OpKind, question: int, value: str, shapes: Mapping[int, QuestionShape], progress: SheetProgress
) -> str | None:
    """Return the code of the reason why the sheet does not admit this op next, or None when it does.

    Codes: `submitted` (handed in), `unknown-question`, `locked` (not readable yet), `sealed` (answer final),
    `bad-value` (not a canonical value), `not-progressive` (nothing to seal).
    """
    if progress.submitted:
        return "submitted"
    if kind is OpKind.SUBMIT:
        return None if question == 0 and value == "" else "bad-value"
    if question not in shapes:
        return "unknown-question"
    if not is_readable(question, shapes, progress.sealed):
        return "locked"
    return _question_objection(kind, question, value, shapes[question], progress)


def _question_objection(
    kind: OpKind, question: int, value: str, shape: QuestionShape, progress: SheetProgress
) -> str | None:
    if kind is OpKind.FLAG:
        return None if value in {"0", "1"} else "bad-value"
    if question in progress.sealed:
        return "sealed"
    if kind is OpKind.STRIKE:
        return None if is_letters(value, min(shape.propositions, len(LETTERS))) else "bad-value"
    if kind is OpKind.SEAL:
        if not shape.is_progressive:
            return "not-progressive"
        return None if value == "" else "bad-value"
    return None if is_valid_answer(value, shape) else "bad-value"
