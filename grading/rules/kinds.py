"""The first scorer: one rule per question kind, in a table. Adding a kind is adding its rule here.

Source: general marking rules ("Règles générales de notation"), scientific council in medicine, 31 January 2023,
quoted rule by rule in `docs/scoring.md`.
"""

from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import partial
from typing import cast

from exams.enums import QuestionKind
from grading.rules.geometry import hits, points_of
from grading.rules.keys import LETTERS, TCS_SCALE, ChoiceKey, Key, QrocKey, TcsKey, ZapKey, ensure_key
from grading.rules.parameters import PUBLISHED, MarkingParameters
from grading.rules.scores import Reason, Score, UnmarkableValue
from grading.rules.texts import normalised

ZERO, HALF, ONE = Fraction(0), Fraction(1, 2), Fraction(1)

Scorer = Callable[[str, MarkingParameters], Score]


def score(kind: QuestionKind, key: Key, value: str, parameters: MarkingParameters = PUBLISHED) -> Score:
    """Return the score of an answer in its canonical form (`exams.rules.answers`); the empty text is a blank.

    Raises:
        InvalidKey: the key is not one of that kind.
        UnmarkableValue: the value is not an answer to that question.
    """
    return scorer(kind, key)(value, parameters)


def scorer(kind: QuestionKind, key: Key) -> Scorer:
    """Return the rule of a kind bound to a key, for marking many answers to one question.

    Raises:
        InvalidKey: the key is not one of that kind.
    """
    ensure_key(kind, key)
    return partial(_SCORERS[kind], key)


def ticks_of(value: str, key: ChoiceKey) -> int:
    """Return the mask of a choice, bit 0 for A.

    Raises:
        UnmarkableValue: not strictly increasing letters of the question's propositions.
    """
    allowed = LETTERS[: len(key.statuses)]
    if list(value) != sorted(set(value)) or not set(value).issubset(allowed):
        raise UnmarkableValue(f"{value!r} n’est pas un choix parmi {len(key.statuses)} propositions.")
    return sum(1 << allowed.index(letter) for letter in value)


def _qru(key: Key, value: str, _parameters: MarkingParameters) -> Score:
    """1 when the one ticked proposition is right, else 0."""
    key = cast(ChoiceKey, key)
    ticked = ticks_of(value, key)
    if not ticked:
        return Score(ZERO, Reason.BLANK)
    if ticked.bit_count() > 1:
        return Score(ZERO, Reason.TOO_MANY)
    return Score(ONE, Reason.EXACT) if ticked & key.right else Score(ZERO, Reason.WRONG)


def _qrm(key: Key, value: str, parameters: MarkingParameters) -> Score:
    """The zero rules, then the table of discordances."""
    key = cast(ChoiceKey, key)
    ticked = ticks_of(value, key)
    discordances = (ticked ^ key.right).bit_count()
    if not ticked and parameters.blank_is_zero:
        return Score(ZERO, Reason.BLANK, discordances=discordances)
    broken = _zero_rule(key, ticked)
    if broken is not None:
        return Score(ZERO, broken, discordances=discordances)
    table = parameters.discordances
    worth = table[discordances] if discordances < len(table) else ZERO
    return Score(worth, _reason(worth), discordances=discordances)


def _counted(key: Key, value: str, _parameters: MarkingParameters) -> Score:
    """The zero rules, then x right answers over the n announced; more than n answers is no answer."""
    key = cast(ChoiceKey, key)
    expected = cast(int, key.expected_count)
    ticked = ticks_of(value, key)
    if not ticked:
        return Score(ZERO, Reason.BLANK, right=0)
    right = (ticked & key.right).bit_count()
    if ticked.bit_count() > expected:
        return Score(ZERO, Reason.TOO_MANY, right=right)
    broken = _zero_rule(key, ticked)
    if broken is not None:
        return Score(ZERO, broken, right=right)
    worth = Fraction(right, expected)
    return Score(worth, _reason(worth), right=right)


def _zero_rule(key: ChoiceKey, ticked: int) -> Reason | None:
    if key.required & ~ticked:
        return Reason.REQUIRED_MISSING
    return Reason.FORBIDDEN_TICKED if key.forbidden & ticked else None


def _qroc(key: Key, value: str, _parameters: MarkingParameters) -> Score:
    """1 when in the exact list, 1/2 in the acceptable list; any other text scores 0 and, if new, goes to people."""
    key = cast(QrocKey, key)
    text = normalised(value)
    if not text:
        return Score(ZERO, Reason.BLANK)
    if text in map(normalised, key.exact):
        return Score(ONE, Reason.EXACT)
    if text in map(normalised, key.acceptable):
        return Score(HALF, Reason.ACCEPTABLE)
    return Score(ZERO, Reason.WRONG if text in map(normalised, key.refused) else Reason.UNLISTED)


def _tcs(key: Key, value: str, _parameters: MarkingParameters) -> Score:
    """The panel's votes for the answer over the votes for the most chosen one."""
    key = cast(TcsKey, key)
    if not value:
        return Score(ZERO, Reason.BLANK)
    if value not in TCS_SCALE:
        raise UnmarkableValue(f"{value!r} n’est pas sur l’échelle de -2 à 2.")
    worth = Fraction(key.votes[TCS_SCALE.index(value)], max(key.votes))
    return Score(worth, _reason(worth))


def _zap(key: Key, value: str, _parameters: MarkingParameters) -> Score:
    """Zones hit over the points announced; more points than announced is no answer."""
    key = cast(ZapKey, key)
    try:
        points = points_of(value)
    except ValueError as error:
        raise UnmarkableValue(f"{value!r} n’est pas une suite de points de l’image.") from error
    if not points:
        return Score(ZERO, Reason.BLANK, right=0)
    right = hits(key.zones, points, key.image_size)
    if len(points) > key.expected_count:
        return Score(ZERO, Reason.TOO_MANY, right=right)
    worth = Fraction(right, key.expected_count)
    return Score(worth, _reason(worth), right=right)


def _reason(worth: Fraction) -> Reason:
    if worth == ONE:
        return Reason.EXACT
    return Reason.PARTIAL if worth else Reason.WRONG


_SCORERS: Mapping[QuestionKind, Callable[[Key, str, MarkingParameters], Score]] = {
    QuestionKind.QRU: _qru,
    QuestionKind.QRM: _qrm,
    QuestionKind.QRP: _counted,
    QuestionKind.QRPL: _counted,
    QuestionKind.QROC: _qroc,
    QuestionKind.TCS: _tcs,
    QuestionKind.ZAP: _zap,
}
