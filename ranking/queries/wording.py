"""How a mark is said to a candidate: a tone, an icon and a word for each thing, never a colour alone."""

from dataclasses import dataclass
from fractions import Fraction

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from exams.enums import QuestionKind
from exams.rules.content import QuestionContent, letters
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


def shown_answer(answer: str) -> str:
    """Return an answer as it is read aloud: `"AC"` gives "A, C"."""
    return ", ".join(answer) if answer.isalpha() and answer.isupper() else answer or _("Sans réponse")


def _agreement(*, is_ticked: bool, is_right: bool) -> Label:
    if is_ticked == is_right:
        return Label("ok", "check", _("Concordante"))
    return Label("warn", "alert", _("Discordante"))


def _discordances(count: int) -> str:
    return ngettext("%(count)d discordance", "%(count)d discordances", count) % {"count": count}
