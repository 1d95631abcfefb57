"""The examples of docs/scoring.md and docs/ranking.md are run, and nothing published is missing from them."""

import re
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from exams.enums import PartCode, PropositionStatus, QuestionKind
from exams.rules.content import Circle, Point
from grading.rules.keys import QrocKey, TcsKey, ZapKey
from grading.rules.kinds import score
from grading.rules.parameters import PUBLISHED
from grading.rules.scores import REASONS
from grading.rules.units import Unit, question_points, structure_of
from ranking.rules import DEFAULT_TIE_KEYS, Direction, Row, TieSource, canonical_bytes, digest, rank, sentence
from tests.factories.marking import LETTER_OF_STATUS, choice_key

DOCS = Path(__file__).parents[2] / "docs"
SCORING, RANKING = (DOCS / "scoring.md").read_text(), (DOCS / "ranking.md").read_text()
DENOMINATOR = 10


def section(text, heading):
    """What is under a heading, up to the next one."""
    found = re.search(rf"^(#+) {re.escape(heading)}\n(.*?)(?=^#|\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"no section {heading}"
    return found[2]


def table(text):
    """The rows of the first table of a text, below its heading and its rule; backquotes left out."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines[2:]]


def choice(text):
    statuses, _, count = text.partition(" n=")
    return choice_key(statuses, int(count) if count else None)


def open_answer(text):
    lists = dict(category.split(" ", 1) for category in text.split(", "))
    return QrocKey(**{name: frozenset({accepted}) for name, accepted in lists.items()})


def zone(text):
    x, y, radius, count, width, height = re.fullmatch(
        r"circle (\d+),(\d+) r=(\d+) n=(\d) image=(\d+)x(\d+)", text
    ).groups()
    circle = Circle(Point(Decimal(x), Decimal(y)), Decimal(radius))
    return ZapKey((circle,), int(count), (int(width), int(height)))


READERS = {
    QuestionKind.QROC: open_answer,
    QuestionKind.TCS: lambda text: TcsKey(tuple(int(votes) for votes in text.split())),
    QuestionKind.ZAP: zone,
}
EXAMPLES = [(kind, *row) for kind in QuestionKind for row in table(section(SCORING, kind.value))]


@pytest.mark.parametrize(("kind", "key", "answer", "expected", "reason"), EXAMPLES)
def test_example_of_scoring_is_true(kind, key, answer, expected, reason):
    found = score(kind, READERS.get(kind, choice)(key), answer)
    assert (found.value, found.reason) == (Fraction(expected), reason)


def test_every_kind_has_examples():
    assert {example[0] for example in EXAMPLES} == set(QuestionKind)


@pytest.mark.parametrize(("part", "units", "questions", "expected"), table(section(SCORING, "Points")))
def test_example_of_points_is_true(part, units, questions, expected):
    count, size = int(units), int(questions)
    shares = [Unit(str(place), tuple(range(place * size, (place + 1) * size))) for place in range(count)]
    points = question_points(structure_of("ECNI", {PartCode(part): shares}))
    assert set(points.values()) == {Fraction(expected)}


def test_statuses_are_those_of_the_code():
    written = {
        letter: PropositionStatus(name.split()[0].strip("`"))
        for letter, name, _ in table(section(SCORING, "Propositions"))
    }
    assert written == LETTER_OF_STATUS


def test_reasons_and_their_words_are_those_of_the_code():
    assert dict(table(section(SCORING, "Reasons"))) == {reason.value: words for reason, words in REASONS.items()}


def test_parameters_and_their_defaults_are_those_of_the_code():
    assert {name: default for name, default, _ in table(section(SCORING, "Parameters"))} == PUBLISHED.published()


@pytest.mark.parametrize("text", [SCORING, RANKING], ids=["scoring", "ranking"])
def test_every_source_cited_is_listed(text):
    body, _, sources = text.partition("## Sources")
    assert set(re.findall(r"\[([A-Z][A-Z0-9-]+)\]", body)) == set(re.findall(r"\[([A-Z][A-Z0-9-]+)\]", sources))


def test_tie_keys_are_those_of_the_code():
    words = {
        TieSource.PART: lambda key: f"points of the part {key.part}",
        TieSource.EACH_CASE: lambda _key: "points of each case, first case first",
        TieSource.BIRTH: lambda _key: "date of birth",
    }
    firsts = {Direction.HIGHEST: "highest", Direction.LOWEST: "older"}
    expected = [
        [str(order), words[key.source](key), firsts[key.direction]]
        for order, key in enumerate(DEFAULT_TIE_KEYS, start=1)
    ]
    assert table(section(RANKING, "Ties")) == expected


def example_rows():
    for number, total, dp, qi, lca, cases, born, *_ in table(section(RANKING, "Worked example")):
        parts = {"DP": int(dp), "QI": int(qi), "LCA": int(lca)}
        assert sum(parts.values()) == int(total)
        points = tuple(int(case) for case in cases.split())
        assert sum(points) == parts["DP"]
        yield Row(number, int(total), parts, points, date.fromisoformat(born))


def test_example_of_ranking_is_true():
    ranked = rank(list(example_rows())[::-1])
    decided = [line.split("\t")[3] for line in canonical_bytes(ranked, DENOMINATOR).decode().splitlines()[1:]]
    found = [[place.number, str(place.rank), key] for place, key in zip(ranked, decided, strict=True)]
    assert found == [[row[0], *row[7:]] for row in table(section(RANKING, "Worked example"))]


def test_sentences_of_the_example_are_true():
    written = dict(re.findall(r'^- (\S+): "(.+)"$', RANKING, re.MULTILINE))
    said = {
        place.number: sentence(place.decision, DENOMINATOR) for place in rank(list(example_rows())) if place.decision
    }
    assert written == said


def test_digest_of_the_example_is_true():
    assert f"`{digest(rank(list(example_rows())), DENOMINATOR).hex()}`" in RANKING
