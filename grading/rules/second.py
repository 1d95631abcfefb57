"""The second scorer: the official rules read again, row by row, in plain Python.

It exists to disagree. It shares with the first one the data only (keys, structure, parameters), and none of its code:
not `kinds`, `columns`, `texts`, `geometry` nor `question_points`. It is naive on purpose; speed is not its business.

Source: general marking rules, scientific council in medicine, 31 January 2023; `docs/scoring.md` quotes them.
"""

import string
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from fractions import Fraction

from exams.enums import PropositionStatus, QuestionKind
from exams.rules.content import Circle, Polygon
from grading.rules.keys import ChoiceKey, Key, QrocKey, TcsKey, ZapKey
from grading.rules.parameters import PUBLISHED, MarkingParameters
from grading.rules.units import Structure

TRUE, FALSE = PropositionStatus.TRUE, PropositionStatus.FALSE
REQUIRED, FORBIDDEN = PropositionStatus.REQUIRED, PropositionStatus.FORBIDDEN
ARTICLES = ("de la", "de l", "le", "la", "les", "l", "un", "une", "des", "du")


def second_marks(
    structure: Structure,
    keys: Mapping[int, tuple[QuestionKind, Key]],
    sheets: Iterable[Mapping[int, str]],
    parameters: MarkingParameters = PUBLISHED,
    dropped: AbstractSet[int] = frozenset(),
    given: AbstractSet[int] = frozenset(),
) -> Iterator[dict[int, Fraction]]:
    """Yield the points of each question of each sheet, in the order of the sheets.

    A sheet holds a candidate's answers by question; a question left out is a blank. Questions neutralised are worth
    nothing (`dropped`) or are given to all (`given`).
    """
    worth = _worth_of_questions(structure, dropped)
    for sheet in sheets:
        marks = {}
        for question, points in worth.items():
            kind, key = keys[question]
            share = 1 if question in given else _share(kind, key, sheet.get(question, ""), parameters)
            marks[question] = points * share
        yield marks


def second_points(
    structure: Structure,
    keys: Mapping[int, tuple[QuestionKind, Key]],
    answers: Mapping[int, Iterable[str]],
    parameters: MarkingParameters = PUBLISHED,
    dropped: AbstractSet[int] = frozenset(),
    given: AbstractSet[int] = frozenset(),
) -> dict[int, list[Fraction]]:
    """Return the points of each of some answers to each question, as `second_marks` gives them to whole sheets."""
    worth = _worth_of_questions(structure, dropped)
    return {
        question: [
            worth[question] * (1 if question in given else _share(*keys[question], value, parameters))
            for value in values
        ]
        for question, values in answers.items()
    }


def _worth_of_questions(structure: Structure, dropped: AbstractSet[int]) -> dict[int, Fraction]:
    worth: dict[int, Fraction] = {}
    for part in structure.parts:
        units_left = 0
        for unit in part.units:
            if set(unit.questions) - dropped:
                units_left += 1
        for unit in part.units:
            questions_left = len(set(unit.questions) - dropped)
            for question in unit.questions:
                worth[question] = Fraction(0)
                if question not in dropped:
                    worth[question] = Fraction(part.points, units_left * questions_left)
    return worth


def _share(kind: QuestionKind, key: Key, value: str, parameters: MarkingParameters) -> Fraction:
    match key:
        case ChoiceKey():
            return _choice(kind, key, value, parameters)
        case QrocKey():
            return _open_answer(key, value)
        case TcsKey():
            return _concordance(key, value)
        case ZapKey():
            return _pointed(key, value)


def _choice(kind: QuestionKind, key: ChoiceKey, value: str, parameters: MarkingParameters) -> Fraction:
    """Look at the propositions one by one, count what is needed, then apply the kind's sentence."""
    agreed, differing, well_ticked = 0, 0, 0
    lost = False
    for letter, status in zip(string.ascii_uppercase, key.statuses, strict=False):
        ticked = letter in value
        if ticked == (status in (TRUE, REQUIRED)):
            agreed += 1
            well_ticked += ticked
        else:
            differing += 1
            lost = lost or status in (REQUIRED, FORBIDDEN)
    if kind == QuestionKind.QRU:
        return Fraction(len(value) == 1 and well_ticked == 1)
    if lost:
        return Fraction(0)
    if kind == QuestionKind.QRM:
        if value == "" and parameters.blank_is_zero:
            return Fraction(0)
        return dict(enumerate(parameters.discordances)).get(differing, Fraction(0))
    announced = key.expected_count or 0
    return Fraction(0) if len(value) > announced else Fraction(well_ticked, announced)


def _open_answer(key: QrocKey, value: str) -> Fraction:
    said = _plain(value)
    if said and any(_plain(text) == said for text in key.exact):
        return Fraction(1)
    if said and any(_plain(text) == said for text in key.acceptable):
        return Fraction(1, 2)
    return Fraction(0)


def _plain(text: str) -> str:
    """Spell the text without case, accent, punctuation, repeated space nor leading article."""
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    apostrophes = decomposed.replace("\u02bc", "'")
    letters = [sign for sign in apostrophes if unicodedata.category(sign) not in ("Mn", "Mc", "Me", "Cf")]
    spelt = ""
    for place, sign in enumerate(letters):
        stuck = place > 0 and (letters[place - 1].isalnum() or letters[place - 1] == "_")
        before_digit = place + 1 < len(letters) and letters[place + 1].isdecimal()
        if sign in "-\u2212":
            spelt += "\u2212" if before_digit and not stuck else " "
        elif unicodedata.category(sign)[0] not in "LNS":
            spelt += " "
        else:
            spelt += {"œ": "oe", "æ": "ae"}.get(sign, sign)
    spelt = " ".join(spelt.split())
    for article in ARTICLES:
        if spelt.startswith(article + " "):
            return spelt[len(article) + 1 :]
    return spelt


def _concordance(key: TcsKey, value: str) -> Fraction:
    votes = dict(zip(("-2", "-1", "0", "1", "2"), key.votes, strict=True))
    most = max(votes.values())
    return Fraction(votes.get(value, 0), most)


def _pointed(key: ZapKey, value: str) -> Fraction:
    """Try every way of giving the points to the zones, and keep the best."""
    points = [tuple(Fraction(number) for number in text.split(",")) for text in value.split(";") if text]
    if len(points) > key.expected_count:
        return Fraction(0)
    touched = [{zone for zone in range(len(key.zones)) if _inside(key, zone, x, y)} for x, y in points]
    return Fraction(_best(touched, frozenset()), key.expected_count)


def _best(touched: list[set[int]], taken: frozenset[int]) -> int:
    if not touched:
        return 0
    first, rest = touched[0], touched[1:]
    return max(_best(rest, taken), *(1 + _best(rest, taken | {zone}) for zone in first - taken), 0)


def _inside(key: ZapKey, zone: int, x: Fraction, y: Fraction) -> bool:
    match key.zones[zone]:
        case Circle(centre, radius):
            width, height = key.image_size
            east = (x - Fraction(centre.x)) * width
            south = (y - Fraction(centre.y)) * height
            reach = Fraction(radius) * width
            return east * east + south * south <= reach * reach
        case Polygon(corners):
            return _inside_polygon([(Fraction(corner.x), Fraction(corner.y)) for corner in corners], x, y)


def _inside_polygon(corners: list[tuple[Fraction, Fraction]], x: Fraction, y: Fraction) -> bool:
    """Walk along the sides: on one of them is inside; else count those straight below the point."""
    below = 0
    for here, (x1, y1) in enumerate(corners):
        x2, y2 = corners[here - 1]
        if x1 == x2:
            if x == x1 and min(y1, y2) <= y <= max(y1, y2):
                return True
            continue
        side_y = y1 + (y2 - y1) * (x - x1) / (x2 - x1)
        if min(x1, x2) <= x <= max(x1, x2) and y == side_y:
            return True
        if min(x1, x2) <= x < max(x1, x2) and side_y > y:
            below += 1
    return below % 2 == 1
