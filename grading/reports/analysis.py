"""What the pages of the item analysis show: figures with small cells hidden, and plots as SVG coordinates.

A cell of fewer than five candidates is never shown, so that no answer can be traced to a person who talks about it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from exams.queries.times import ResponseTime
from exams.rules.content import QuestionContent
from grading.rules.analysis import SMALL_CELL, Analysis, Answer, QuestionAnalysis
from grading.rules.statistics import FIFTHS

HIDDEN = f"< {SMALL_CELL}"
LEFT, RIGHT, TOP, BOTTOM = 46, 530, 16, 286
LABEL_STEP, LOWEST_LABEL = 16, 322
MOST_CURVES = 12
DASHES = ("", "8 4", "2 4", "10 4 2 4", "16 4", "4 2")


@dataclass(frozen=True, slots=True)
class Curve:
    """One answer on the plot of the fifths: `points` for a polyline, the marks on it, and where its name stands."""

    name: str
    is_right: bool
    points: str
    marks: tuple[tuple[int, int], ...]
    label_y: int
    dash: str


@dataclass(frozen=True, slots=True)
class AnswerLine:
    """One answer in the table; a figure too small to be shown is `HIDDEN`."""

    label: str
    text: str
    is_right: bool
    share: str
    fifths: tuple[str, ...]
    upper_lower: float | None


@dataclass(frozen=True, slots=True)
class ScoreBar:
    """How many candidates have one score: a text, and the bar's height in per cent of the highest."""

    score: Fraction
    count: str
    width: int


@dataclass(frozen=True, slots=True)
class Dot:
    """One question on the plot of difficulty and discrimination."""

    number: int
    x: int
    y: int
    is_grave: bool


def key_words(question: QuestionAnalysis, content: QuestionContent) -> str:
    """Return the key of a question in words."""
    if content.propositions:
        return ", ".join(answer.label for answer in question.answers if answer.is_right)
    if content.accepted:
        return " ; ".join((*content.accepted.exact, *content.accepted.acceptable))
    if content.script:
        return "votes du panel, de -2 à 2 : " + ", ".join(map(str, content.script.panel))
    return f"{len(content.zones)} zones, {content.expected_count} points à placer"


def percent(share: Fraction | float) -> str:
    """Return a share from 0 to 1 as the page writes it: `12,5 %`."""
    return f"{float(share) * 100:.1f}".replace(".", ",") + "\u00a0%"


def shown_count(count: int) -> str:
    """Return a number of candidates, hidden when it is small; nobody is not hidden."""
    return str(count) if count == 0 or count >= SMALL_CELL else HIDDEN


def answer_lines(question: QuestionAnalysis, candidates: int, texts: Sequence[str]) -> list[AnswerLine]:
    """Return the answers of a question as a table; `texts` are those of its propositions, A first."""
    named = dict(zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", texts, strict=False))
    return [
        AnswerLine(
            label=answer.label or "∅",
            text=named.get(answer.label, "") if answer.label else "Sans réponse",
            is_right=answer.is_right,
            share=percent(answer.share) if answer.count == 0 or answer.count >= SMALL_CELL else HIDDEN,
            fifths=tuple(_fifth(share, candidates) for share in answer.fifths),
            upper_lower=answer.upper_lower if answer.count >= SMALL_CELL else None,
        )
        for answer in question.answers
    ]


def _fifth(share: float, candidates: int) -> str:
    return percent(share) if _is_shown(share, candidates) else HIDDEN


def _is_shown(share: float, candidates: int) -> bool:
    size = candidates / FIFTHS
    return size >= SMALL_CELL and (share == 0 or share * size >= SMALL_CELL)


def curves(answers: Sequence[Answer], candidates: int) -> list[Curve]:
    """Return the curves of the answers over the fifths, cells too small drawn at zero; none for a tiny sitting.

    At most `MOST_CURVES`: those of the key, then the most given.
    """
    if candidates < FIFTHS * SMALL_CELL:
        return []
    given = sorted((one for one in answers if one.count), key=lambda one: (not one.is_right, -one.count))
    answers = [one for one in answers if one in given[:MOST_CURVES]]
    drawn = [tuple(share if _is_shown(share, candidates) else 0.0 for share in answer.fifths) for answer in answers]
    labels = _spread([_y(shares[-1]) for shares in drawn])
    return [
        Curve(
            name=answer.label or "∅",
            is_right=answer.is_right,
            points=" ".join(f"{x},{y}" for x, y in _marks(shares)),
            marks=tuple(_marks(shares)),
            label_y=label,
            dash=DASHES[at % len(DASHES)],
        )
        for at, (answer, shares, label) in enumerate(zip(answers, drawn, labels, strict=True))
    ]


def _marks(shares: Iterable[float]) -> list[tuple[int, int]]:
    step = (RIGHT - LEFT) // FIFTHS
    return [(LEFT + step // 2 + place * step, _y(share)) for place, share in enumerate(shares)]


def _y(share: float) -> int:
    return round(BOTTOM - (BOTTOM - TOP) * share)


def _spread(heights: Sequence[int]) -> list[int]:
    """Move names so that none covers another: down from the top, then up again from the lowest place there is."""
    placed = [0] * len(heights)
    downwards = sorted(range(len(heights)), key=lambda place: heights[place])
    floor, ceiling = TOP, LOWEST_LABEL
    for at in downwards:
        placed[at] = max(heights[at] + 4, floor)
        floor = placed[at] + LABEL_STEP
    for at in reversed(downwards):
        placed[at] = min(placed[at], ceiling)
        ceiling = placed[at] - LABEL_STEP
    return placed


def score_bars(question: QuestionAnalysis) -> list[ScoreBar]:
    """Return the distribution of the scores."""
    most = max(count for _, count in question.scores)
    return [
        ScoreBar(score, shown_count(count), round(100 * count / most) if count >= SMALL_CELL else round(100 * 1 / most))
        for score, count in question.scores
    ]


def dots(analysis: Analysis, chosen: int = 0) -> list[Dot]:
    """Return every question on a plot of 420 by 330: difficulty to the right, item-rest upwards from -0.2 to 0.8."""
    return [
        Dot(
            number=question.number,
            x=round(46 + 358 * float(question.statistics.difficulty)),
            y=round(286 - 270 * (min(max(question.statistics.item_rest or 0.0, -0.2), 0.8) + 0.2)),
            is_grave=question.is_grave,
        )
        for question in sorted(analysis.questions, key=lambda one: one.number == chosen)
    ]


EXPORT_HEADING = (
    "question",
    "genre",
    "difficulte",
    "ecart_type",
    "r_total",
    "r_reste",
    "sup_inf_27",
    "alpha_sans",
    *(f"cinquieme_{place}" for place in range(1, FIFTHS + 1)),
    "copies_avec_temps",
    "temps_q1_s",
    "temps_median_s",
    "temps_q3_s",
    "reponses",
    "soupcons",
)


def export_rows(questions: Iterable[QuestionAnalysis], times: Mapping[int, ResponseTime]) -> Iterable[list[object]]:
    """Return one row per question, figures with six decimals, answers as `A=12,5 %`, small cells hidden."""
    for question in questions:
        found, time = question.statistics, times.get(question.number)
        figures: list[Fraction | float | None] = [
            found.difficulty,
            found.deviation,
            found.item_total,
            found.item_rest,
            found.upper_lower,
        ]
        quartiles = (time.lower, time.median, time.upper) if time else (None, None, None)
        shares = [
            f"{answer.label or 'vide'}={percent(answer.share) if answer.count >= SMALL_CELL else HIDDEN}"
            for answer in question.answers
            if answer.count
        ]
        yield [
            question.number,
            question.kind.value,
            *map(_rounded, (*figures, question.alpha_without, *found.fifths)),
            time.sheets if time else None,
            *map(_rounded, quartiles),
            " ".join(shares),
            " ".join(question.told),
        ]


def _rounded(value: Fraction | float | None) -> str | None:
    return None if value is None else f"{float(value):.6f}".replace(".", ",")
