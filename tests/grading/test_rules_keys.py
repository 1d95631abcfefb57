"""Keys: what cannot be marked is refused; the demo bank can be marked; texts and zones compare as documented."""

from decimal import Decimal
from itertools import product
from pathlib import Path

import pytest

from exams.enums import PropositionStatus, QuestionKind
from exams.rules.bank import parse_bank
from exams.rules.content import AcceptedAnswers, Circle, Point, Polygon, Proposition, QuestionContent, Script
from grading.rules import second
from grading.rules.geometry import contains, hits
from grading.rules.keys import TCS_SCALE, ChoiceKey, InvalidKey, QrocKey, TcsKey, ZapKey, key_of
from grading.rules.kinds import score
from grading.rules.texts import normalised
from tests.factories.marking import RIGHT, choice_key, letters_at, point_text

BANK = Path(__file__).parents[2] / "ecni" / "demo" / "bank"


def at(x, y):
    return Point(Decimal(str(x)), Decimal(str(y)))


def content(**fields):
    return QuestionContent(stem="<p>?</p>", **fields)


TRUE_FALSE = (Proposition("oui", PropositionStatus.TRUE), Proposition("non", PropositionStatus.FALSE))
CIRCLE = Circle(at(50, 50), Decimal(10))


@pytest.mark.parametrize(
    ("kind", "fields", "key"),
    [
        ("QRU", {"propositions": TRUE_FALSE}, choice_key("TF")),
        ("QRP", {"propositions": TRUE_FALSE, "expected_count": 1}, choice_key("TF", 1)),
        ("QROC", {"accepted": AcceptedAnswers(("a",), ("b",))}, QrocKey(frozenset("a"), frozenset("b"))),
        ("TCS", {"script": Script("h", "i", ("",) * 5, (0, 1, 2, 3, 4))}, TcsKey((0, 1, 2, 3, 4))),
        ("ZAP", {"zones": (CIRCLE,), "expected_count": 1}, ZapKey((CIRCLE,), 1, (4, 3))),
    ],
)
def test_key_is_read_from_the_content_of_a_question(kind, fields, key):
    assert key_of(QuestionKind(kind), content(**fields), image_size=(4, 3)) == key


@pytest.mark.parametrize(
    ("kind", "fields", "words"),
    [
        ("QRU", {}, "propositions"),
        ("QRP", {"propositions": TRUE_FALSE}, "annonce un nombre"),
        ("QROC", {}, "Réponses acceptées"),
        ("QROC", {"accepted": AcceptedAnswers(())}, "exacte"),
        ("TCS", {}, "panel"),
        ("TCS", {"script": Script("h", "i", ("",) * 5, (0, 0, 0, 0, 0))}, "non nul"),
        ("TCS", {"script": Script("h", "i", ("",) * 5, (1, 2))}, "panel"),
        ("ZAP", {"zones": (CIRCLE,)}, "points attendus"),
        ("ZAP", {"expected_count": 1}, "Une zone"),
    ],
)
def test_content_that_cannot_be_marked_is_refused(kind, fields, words):
    with pytest.raises(InvalidKey, match=words):
        key_of(QuestionKind(kind), content(**fields))


@pytest.mark.parametrize(
    ("statuses", "count"), [((), None), ((PropositionStatus.FALSE,), None), ((PropositionStatus.TRUE,), 0)]
)
def test_choice_key_refuses_what_no_answer_could_match(statuses, count):
    with pytest.raises(InvalidKey):
        ChoiceKey(statuses, count)


def test_choice_key_gives_its_masks():
    key = choice_key("IXTF")
    assert (key.right, key.required, key.forbidden) == (0b0101, 0b0001, 0b0010)


def perfect_answer(key):
    match key:
        case ChoiceKey():
            return letters_at(place for place, status in enumerate(key.statuses) if status in RIGHT)
        case QrocKey():
            return min(key.exact)
        case TcsKey():
            return TCS_SCALE[key.votes.index(max(key.votes))]
        case ZapKey():
            return ";".join(point_text(_inside(zone)) for zone in key.zones[: key.expected_count])


def _inside(zone):
    return zone.centre if isinstance(zone, Circle) else zone.corners[0]


def demo_questions():
    media = {f"media/{path.name}" for path in (BANK / "media").iterdir()}
    articles = {f"articles/{path.name}": path.read_bytes() for path in (BANK / "articles").iterdir()}
    for path in sorted(BANK.glob("*.json")):
        bank = parse_bank(path.read_bytes(), name=path.name, media_names=media, articles=articles)
        yield from (*bank.questions, *(question for case in bank.cases for question in case.questions))


def test_perfect_answer_to_every_question_of_the_demo_bank_has_all_its_points():
    short = []
    for question in demo_questions():
        key = key_of(question.kind, question.content, image_size=(800, 600))
        if score(question.kind, key, perfect_answer(key)).value != 1:
            short.append(question.identifier)
    assert short == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Aorte", "aorte"),
        ("  l’AORTE  ", "aorte"),
        ("L'aorte, thoracique.", "aorte thoracique"),
        ("Œdème aigu du poumon", "oedeme aigu du poumon"),
        ("de la moelle épinière", "moelle epiniere"),
        ("de l’insuline", "insuline"),
        ("des", "des"),
        ("LES", "les"),
        ("10-20 mg", "10 20 mg"),
        ("-2 °C", "−2 °c"),
        ("− 2", "2"),
        ("K+", "k+"),
        ("anti\u00adinflammatoire", "antiinflammatoire"),
        ("anti-inflammatoire", "anti inflammatoire"),
        ("ﬁbrose", "fibrose"),
        ("", ""),
        ("…", ""),
    ],
)
def test_short_answers_are_compared_without_case_accent_punctuation_or_article(text, expected):
    assert normalised(text) == expected
    assert second._plain(text) == expected


L_SHAPE = Polygon((at(0, 0), at(40, 0), at(40, 20), at(20, 20), at(20, 40), at(0, 40)))


@pytest.mark.parametrize(
    ("zone", "point", "inside"),
    [
        (CIRCLE, at(60, 50), True),
        (CIRCLE, at("60.1", 50), False),
        (CIRCLE, at(50, 70), True),
        (CIRCLE, at(50, "70.1"), False),
        (L_SHAPE, at(10, 10), True),
        (L_SHAPE, at(30, 30), False),
        (L_SHAPE, at(20, 30), True),
        (L_SHAPE, at(0, 0), True),
        (L_SHAPE, at(40, 20), True),
        (L_SHAPE, at("40.1", 20), False),
        (L_SHAPE, at(50, 0), False),
        (L_SHAPE, at(50, 40), False),
    ],
)
def test_zone_contains_its_edge_and_nothing_beyond(zone, point, inside):
    assert contains(zone, point, (200, 100)) is inside


def test_hit_test_of_a_polygon_is_that_of_its_corners_in_any_order_of_walk():
    backwards = Polygon(L_SHAPE.corners[::-1])
    for x, y in product(range(0, 50, 5), repeat=2):
        assert contains(L_SHAPE, at(x, y), (1, 1)) is contains(backwards, at(x, y), (1, 1))


@pytest.mark.parametrize(
    ("zones", "points", "expected"),
    [
        ((CIRCLE,), (at(50, 50), at(51, 50)), 1),
        ((CIRCLE, CIRCLE), (at(50, 50),), 1),
        ((CIRCLE, CIRCLE), (at(50, 50), at(51, 50)), 2),
        ((CIRCLE, Circle(at(65, 50), Decimal(10))), (at(57, 50), at(45, 50)), 2),
        ((CIRCLE,), (), 0),
    ],
)
def test_a_point_counts_for_one_zone_and_a_zone_counts_once(zones, points, expected):
    assert hits(zones, points, (100, 100)) == expected
