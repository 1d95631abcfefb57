"""The value of an answer, per kind: one canonical text for one meaning.

Adding a kind is adding its checker here (see `docs/architecture.md`, "Adding a question kind").
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from exams.enums import QuestionKind
from exams.rules.content.keys import QROC_WORDS

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
SCALE = ("-2", "-1", "0", "1", "2")
"""The positions of a script-concordance question, as they are answered."""

QROC_CHARACTERS = 100
_POINT = re.compile(r"(?:100\.0|[1-9]?[0-9]\.[0-9]),(?:100\.0|[1-9]?[0-9]\.[0-9])")
_UNTYPED = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})


@dataclass(frozen=True, slots=True)
class QuestionShape:
    """What the answer path must know of a question to judge a value: no text, no key.

    Attributes:
        kind: how it is asked.
        propositions: number of propositions, 0 to 26.
        expected_count: number of answers announced, for kinds that announce one.
        is_progressive: whether it belongs to a case answered in order, each answer final once sealed.
        previous: number of the question that must be sealed before this one is readable; 0 when none.
    """

    kind: QuestionKind
    propositions: int
    expected_count: int | None
    is_progressive: bool
    previous: int


def is_letters(value: str, propositions: int) -> bool:
    """Whether the value is strictly increasing letters among the first `propositions`."""
    allowed = LETTERS[:propositions]
    return list(value) == sorted(set(value)) and all(letter in allowed for letter in value)


def _single(value: str, shape: QuestionShape) -> bool:
    return len(value) <= 1 and is_letters(value, shape.propositions)


def _multiple(value: str, shape: QuestionShape) -> bool:
    return is_letters(value, shape.propositions)


def _counted(value: str, shape: QuestionShape) -> bool:
    return len(value) <= (shape.expected_count or 0) and is_letters(value, shape.propositions)


def _text(value: str, _shape: QuestionShape) -> bool:
    """At most five words between single spaces, 100 characters, composed (NFC), nothing invisible."""
    words = value.split(" ") if value else []
    return (
        len(words) <= QROC_WORDS
        and all(words)
        and len(value) <= QROC_CHARACTERS
        and unicodedata.is_normalized("NFC", value)
        and all(character == " " or _is_typed(character) for character in value)
    )


def _is_typed(character: str) -> bool:
    category = unicodedata.category(character)
    return category not in _UNTYPED and category != "Zs"


def _position(value: str, _shape: QuestionShape) -> bool:
    return value in {"", *SCALE}


def _points(value: str, shape: QuestionShape) -> bool:
    """`x,y` in per cent of the image with one decimal, between semicolons, in the order in which they were placed."""
    points = value.split(";") if value else []
    return len(points) <= (shape.expected_count or 0) and all(_POINT.fullmatch(point) for point in points)


_CHECKS: Mapping[QuestionKind, Callable[[str, QuestionShape], bool]] = {
    QuestionKind.QRU: _single,
    QuestionKind.QRM: _multiple,
    QuestionKind.QRP: _counted,
    QuestionKind.QRPL: _counted,
    QuestionKind.QROC: _text,
    QuestionKind.TCS: _position,
    QuestionKind.ZAP: _points,
}

MASKED_KINDS = frozenset({QuestionKind.QRU, QuestionKind.QRM, QuestionKind.QRP, QuestionKind.QRPL})
"""The kinds whose answer is a set of propositions: frozen as bits; the others are frozen as texts."""


def is_valid_answer(value: str, shape: QuestionShape) -> bool:
    """Whether `value` is the canonical form of an answer to such a question; the empty text is a blank."""
    return _CHECKS[shape.kind](value, shape)


@lru_cache(maxsize=1 << 14)
def mask_of(letters: str) -> int:
    """Return the bits of a choice, bit 0 for A: `"AC"` gives 5."""
    return sum(1 << LETTERS.index(letter) for letter in letters)


def letters_of(mask: int) -> str:
    """Return the letters of a mask: 5 gives `"AC"`."""
    return "".join(letter for bit, letter in enumerate(LETTERS) if mask >> bit & 1)
