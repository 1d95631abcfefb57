"""Keys, answers and whole exams drawn at random, for the laws of marking."""

from decimal import Decimal
from fractions import Fraction
from string import ascii_uppercase

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from exams.enums import PropositionStatus, QuestionKind
from exams.rules.content import Circle, Point, Polygon
from grading.rules.keys import TCS_SCALE, ChoiceKey, QrocKey, TcsKey, ZapKey
from grading.rules.parameters import MarkingParameters
from grading.rules.units import Unit, structure_of

AT_LEISURE = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
"""Laws are not timed: a busy machine must not make one fail."""

LETTER_OF_STATUS = {
    "T": PropositionStatus.TRUE,
    "F": PropositionStatus.FALSE,
    "I": PropositionStatus.REQUIRED,
    "X": PropositionStatus.FORBIDDEN,
}
RIGHT = (PropositionStatus.TRUE, PropositionStatus.REQUIRED)
CHOICE_KINDS = (QuestionKind.QRU, QuestionKind.QRM, QuestionKind.QRP, QuestionKind.QRPL)


def choice_key(statuses, expected_count=None):
    """`choice_key("IXTF")`: indispensable, inacceptable, true, false."""
    return ChoiceKey(tuple(LETTER_OF_STATUS[letter] for letter in statuses), expected_count)


def letters_at(places):
    return "".join(ascii_uppercase[place] for place in sorted(places))


@st.composite
def choice_keys(draw, kind):
    long = kind == QuestionKind.QRPL
    allowed = "TF" if kind in (QuestionKind.QRU, QuestionKind.QRPL) else "TFIX"
    size = draw(st.integers(10, 25) if long else st.integers(4, 5))
    statuses = draw(st.lists(st.sampled_from(allowed), min_size=size, max_size=size))
    if kind == QuestionKind.QRU or not set(statuses) & set("TI"):
        right = draw(st.integers(0, size - 1))
        statuses = ["T" if place == right else "F" for place in range(size)]
    count = sum(status in "TI" for status in statuses)
    return choice_key("".join(statuses), count if kind in (QuestionKind.QRP, QuestionKind.QRPL) else None)


def choices(key):
    return st.sets(st.integers(0, len(key.statuses) - 1)).map(letters_at)


coordinates = st.decimals(0, 100, places=1)
points = st.builds(Point, coordinates, coordinates)
circles = st.builds(Circle, points, st.decimals("0.1", 60, places=1))
polygons = st.builds(Polygon, st.lists(points, min_size=3, max_size=6).map(tuple))
zap_keys = st.builds(
    ZapKey,
    st.lists(circles | polygons, min_size=1, max_size=5).map(tuple),
    st.integers(1, 5),
    st.tuples(st.integers(1, 2000), st.integers(1, 2000)),
)
tcs_keys = st.tuples(*[st.integers(0, 20)] * 5).filter(any).map(TcsKey)
short_texts = st.text(st.sampled_from("aAéÉœ'’l de-−1.+\u0301\u00ad\u02bc"), max_size=8)
qroc_keys = st.builds(
    QrocKey,
    st.frozensets(short_texts, min_size=1, max_size=3),
    st.frozensets(short_texts, max_size=3),
    st.frozensets(short_texts, max_size=3),
)


def point_text(point):
    return f"{point.x},{point.y}"


@st.composite
def zap_answers(draw, key):
    """Points anywhere, and often on the very corners and centres of the zones."""
    marks = [zone.centre if isinstance(zone, Circle) else zone.corners[0] for zone in key.zones]
    drawn = draw(st.lists(points | st.sampled_from(marks), max_size=key.expected_count + 1))
    return ";".join(point_text(point) for point in drawn)


def qroc_answers(key):
    return short_texts | st.sampled_from(sorted(key.exact | key.acceptable | key.refused))


def keys(kind):
    if kind in CHOICE_KINDS:
        return choice_keys(kind)
    return {QuestionKind.QROC: qroc_keys, QuestionKind.TCS: tcs_keys, QuestionKind.ZAP: zap_keys}[kind]


def answers(kind, key):
    if kind in CHOICE_KINDS:
        return choices(key)
    if kind == QuestionKind.TCS:
        return st.sampled_from(("", *TCS_SCALE))
    return zap_answers(key) if kind == QuestionKind.ZAP else qroc_answers(key)


kinds = st.sampled_from(list(QuestionKind))
kinds_with_keys = kinds.flatmap(lambda kind: st.tuples(st.just(kind), keys(kind)))
parameters = st.builds(
    MarkingParameters,
    blank_is_zero=st.booleans(),
    discordances=st.lists(st.fractions(0, 1, max_denominator=10), min_size=1, max_size=4).map(
        lambda scores: tuple(sorted(scores, reverse=True))
    ),
)


@st.composite
def exams(draw, max_questions=4):
    """A structure with its keys: up to three parts, a few units each, every kind of question."""
    number, units, by_number = 0, {}, {}
    for code in ("DP", "QI", "LCA"):
        sizes = draw(st.lists(st.integers(1, max_questions), max_size=3))
        units[code] = []
        for position, size in enumerate(sizes, start=1):
            questions = tuple(range(number + 1, number + 1 + size))
            number += size
            units[code].append(Unit(f"{code}-{position}", questions))
            by_number |= {question: draw(kinds_with_keys) for question in questions}
    if not by_number:
        units["QI"], by_number = [Unit("QI-1", (1,))], {1: draw(kinds_with_keys)}
    return structure_of("ECNI", units), by_number


def sheets(by_number):
    """One candidate's answers, some questions left out."""
    return st.fixed_dictionaries(
        {}, optional={question: answers(kind, key) for question, (kind, key) in by_number.items()}
    )


def random_paper(rng, sheet_count):
    """A paper of every kind with its answers, drawn by a `random.Random`: many and fast, where hypothesis digs."""
    by_number = {number: _random_question(rng) for number in range(1, rng.randint(2, 12))}
    cuts = sorted(rng.sample(range(1, len(by_number) + 1), rng.randint(0, min(3, len(by_number) - 1))))
    numbers = list(by_number)
    blocks = [numbers[start:end] for start, end in zip([0, *cuts], [*cuts, None], strict=True)]
    units = {}
    for position, block in enumerate(block for block in blocks if block):
        units.setdefault(rng.choice(["DP", "QI", "LCA"]), []).append(Unit(f"U-{position}", tuple(block)))
    sheets = [{number: _random_answer(rng, *by_number[number]) for number in by_number} for _ in range(sheet_count)]
    return structure_of("ECNI", units), by_number, sheets


def _random_question(rng):
    kind = rng.choice(list(QuestionKind))
    match kind:
        case QuestionKind.TCS:
            return kind, TcsKey((rng.randint(1, 9), *(rng.randint(0, 9) for _ in range(4))))
        case QuestionKind.QROC:
            return kind, QrocKey(frozenset({"L’aorte"}), frozenset({"aorte thoracique", "œdème"}))
        case QuestionKind.ZAP:
            circles = [Circle(_random_point(rng), Decimal(rng.randint(5, 40))) for _ in range(rng.randint(0, 2))]
            triangle = Polygon(tuple(_random_point(rng) for _ in range(3)))
            return kind, ZapKey((*circles, triangle), rng.randint(1, 4), (rng.randint(50, 400), rng.randint(50, 400)))
    size = rng.randint(10, 25) if kind == QuestionKind.QRPL else 5
    statuses = ["T", *(rng.choice("TFF" if kind == QuestionKind.QRPL else "TFFIX") for _ in range(size - 1))]
    rng.shuffle(statuses)
    counted = kind in (QuestionKind.QRP, QuestionKind.QRPL)
    return kind, choice_key("".join(statuses), sum(status in "TI" for status in statuses) if counted else None)


def _random_point(rng):
    return Point(Decimal(rng.randint(0, 20) * 5), Decimal(rng.randint(0, 20) * 5))


def _random_answer(rng, kind, key):
    match kind:
        case QuestionKind.TCS:
            return rng.choice(("", *TCS_SCALE))
        case QuestionKind.QROC:
            return rng.choice(("", "AORTE", "l'Aorte  thoracique", "un oedeme", "foie"))
        case QuestionKind.ZAP:
            return ";".join(point_text(_random_point(rng)) for _ in range(rng.randint(0, key.expected_count + 1)))
    right = {place for place, status in enumerate(key.statuses) if status in RIGHT}
    return letters_at(right ^ {place for place in range(len(key.statuses)) if rng.random() < rng.choice((0, 0.1, 0.5))})


def fractions(*texts):
    return [Fraction(text) for text in texts]
