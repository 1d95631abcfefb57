"""How a mark is said to a candidate: a tone, an icon and a word for each thing, never a colour alone."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from exams.enums import QuestionKind
from exams.rules.answers import SCALE
from exams.rules.content import Circle, QuestionContent, Zone, letters
from grading.rules.geometry import points_of
from grading.rules.keys import ZapKey
from grading.rules.scores import REASONS, Reason, Score
from ranking.rules import points_text


@dataclass(frozen=True, slots=True)
class Label:
    """A state as it is shown."""

    tone: str
    icon: str
    word: str


@dataclass(frozen=True, slots=True)
class PropositionLine:
    """One proposition of the candidate's copy."""

    letter: str
    text: str
    is_ticked: bool
    is_right: bool
    status: str
    label: Label


@dataclass(frozen=True, slots=True)
class PositionLine:
    """One position of a script concordance: what an answer there was worth, and whether it was the candidate's."""

    sign: str
    label: str
    worth: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Shape:
    """A zone as it is drawn: `corners` of a polygon, else a circle."""

    corners: str
    x: str = ""
    y: str = ""
    radius: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """A candidate's point as it is drawn."""

    x: str
    y: str
    number: int


@dataclass(frozen=True, slots=True)
class Picture:
    """An image with what was to be hit and what was pointed at; lengths are in the units of its size."""

    file: str
    alt: str
    width: int
    height: int
    zones: tuple[Shape, ...]
    points: tuple[Mark, ...]
    radius: str


_VERDICTS = {
    Reason.EXACT: ("ok", "check", "Juste"),
    Reason.ACCEPTABLE: ("warn", "alert", "Acceptable"),
    Reason.PARTIAL: ("warn", "alert", "En partie juste"),
    Reason.WRONG: ("danger", "cross", "Faux"),
    Reason.BLANK: ("quiet", "circle-dashed", "Sans réponse"),
    Reason.REQUIRED_MISSING: ("danger", "cross", "Indispensable oubliée"),
    Reason.FORBIDDEN_TICKED: ("danger", "cross", "Inacceptable cochée"),
    Reason.TOO_MANY: ("danger", "cross", "Trop de réponses"),
    Reason.UNLISTED: ("danger", "cross", "Hors liste"),
    Reason.GIVEN: ("pause", "scales", "Neutralisée"),
    Reason.DROPPED: ("pause", "scales", "Neutralisée"),
}


def verdict(scored: Score) -> Label:
    """Return the verdict on one answer; discordances are counted when they decide."""
    tone, icon, word = _VERDICTS[scored.reason]
    if scored.discordances and scored.reason in {Reason.PARTIAL, Reason.WRONG}:
        word = _discordances(scored.discordances)
    return Label(tone, icon, word)


def calculation(kind: QuestionKind, scored: Score, points: Fraction, worth: Fraction) -> str:
    """Return in one sentence how the points of a question were obtained."""
    counted = _discordances(scored.discordances) + ". " if scored.discordances else ""
    share = points_text(scored.value)
    return _("%(kind)s. %(reason)s %(counted)s%(share)s × %(worth)s = %(points)s points.") % {
        "kind": kind.value,
        "reason": REASONS[scored.reason],
        "counted": counted,
        "share": share,
        "worth": points_text(worth),
        "points": points_text(points),
    }


def proposition_lines(content: QuestionContent, answer: str) -> tuple[PropositionLine, ...]:
    """Return each proposition with its status, whether it was ticked, and whether that agrees with the key."""
    return tuple(
        PropositionLine(
            letter=letter,
            text=line.text,
            is_ticked=letter in answer,
            is_right=line.is_right,
            status=line.status.label,
            label=_agreement(is_ticked=letter in answer, is_right=line.is_right),
        )
        for letter, line in zip(letters(content), content.propositions, strict=True)
    )


def shown_answer(kind: QuestionKind, content: QuestionContent, answer: str) -> str:
    """Return an answer as it is read aloud: `"AC"` gives "A, C", `"1"` on a scale "+1 · Plus probable"."""
    return _ANSWERS.get(kind, _letters)(content, answer) if answer else _("Sans réponse")


def shown_key(kind: QuestionKind, content: QuestionContent) -> str:
    """Return what was expected, in words; empty for a ZAP, whose zones are drawn."""
    match kind:
        case QuestionKind.TCS:
            return " · ".join(_position(content, step) for step in _modes(content))
        case QuestionKind.QROC:
            return _accepted(content)
        case QuestionKind.ZAP:
            return ""
        case _:
            right = (
                letter for letter, line in zip(letters(content), content.propositions, strict=True) if line.is_right
            )
            return ", ".join(right)


def position_lines(content: QuestionContent, answer: str) -> tuple[PositionLine, ...]:
    """Return each position of a script concordance with its worth; the panel's counts stay secret."""
    if content.script is None:
        return ()
    most = max(content.script.panel)
    return tuple(
        PositionLine(signed(step), label, points_text(Fraction(votes, most)), is_chosen=step == answer)
        for step, label, votes in zip(SCALE, content.script.scale, content.script.panel, strict=True)
    )


def picture(content: QuestionContent, key: ZapKey, answer: str) -> Picture:
    """Return the image of a ZAP with the zones of its key and the candidate's points, in the units of the image."""
    width, height = key.image_size
    return Picture(
        file=content.media[0].file,
        alt=content.media[0].alt,
        width=width,
        height=height,
        zones=tuple(_shape(zone, key.image_size) for zone in key.zones),
        points=tuple(
            Mark(_units(point.x, width), _units(point.y, height), number)
            for number, point in enumerate(points_of(answer), start=1)
        ),
        radius=_units(2, width),
    )


def signed(step: str) -> str:
    """Return a position of the scale with its sign: `"-1"` gives "−1", `"2"` gives "+2"."""
    return f"+{step}" if step in {"1", "2"} else step.replace("-", "\N{MINUS SIGN}")


def _letters(_content: QuestionContent, answer: str) -> str:
    return ", ".join(answer)


def _text(_content: QuestionContent, answer: str) -> str:
    return f"«\u00a0{answer}\u00a0»"


def _position(content: QuestionContent, answer: str) -> str:
    label = content.script.scale[SCALE.index(answer)] if content.script else ""
    return f"{signed(answer)} · {label}"


def _points(_content: QuestionContent, answer: str) -> str:
    points = points_of(answer)
    count = ngettext("%(count)d point", "%(count)d points", len(points)) % {"count": len(points)}
    places = " ; ".join(f"{_decimal(point.x)} % {_decimal(point.y)} %" for point in points)
    return f"{count} ({places})"


def _decimal(number: Decimal) -> str:
    return str(number).removesuffix(".0").replace(".", ",")


def _modes(content: QuestionContent) -> list[str]:
    panel = content.script.panel if content.script else ()
    return [step for step, votes in zip(SCALE, panel, strict=True) if votes == max(panel)]


def _accepted(content: QuestionContent) -> str:
    if content.accepted is None:
        return ""
    exact = " · ".join(content.accepted.exact)
    if not content.accepted.acceptable:
        return exact
    half = _("acceptable pour la moitié des points") + "\u00a0: " + " · ".join(content.accepted.acceptable)
    return f"{exact} ({half})"


def _shape(zone: Zone, size: tuple[int, int]) -> Shape:
    width, height = size
    if isinstance(zone, Circle):
        return Shape("", _units(zone.centre.x, width), _units(zone.centre.y, height), _units(zone.radius, width))
    corners = " ".join(f"{_units(corner.x, width)},{_units(corner.y, height)}" for corner in zone.corners)
    return Shape(corners)


def _units(per_cent: Decimal | int, length: int) -> str:
    """A length of the image from its per cent, as SVG writes numbers: a point, three decimals at most."""
    return f"{Decimal(per_cent) * length / 100:.3f}".rstrip("0").rstrip(".")


_ANSWERS: Mapping[QuestionKind, Callable[[QuestionContent, str], str]] = {
    QuestionKind.QROC: _text,
    QuestionKind.TCS: _position,
    QuestionKind.ZAP: _points,
}


def _agreement(*, is_ticked: bool, is_right: bool) -> Label:
    if is_ticked == is_right:
        return Label("ok", "check", _("Concordante"))
    return Label("warn", "alert", _("Discordante"))


def _discordances(count: int) -> str:
    return ngettext("%(count)d discordance", "%(count)d discordances", count) % {"count": count}
