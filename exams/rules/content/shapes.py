"""The parts of a question and of a case, as frozen values. They hold texts and keys, and know nothing of storage."""

from dataclasses import dataclass
from decimal import Decimal

from exams.enums import PropositionStatus

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class Proposition:
    """One line to tick or not.

    Attributes:
        text: plain text, never HTML.
        status: what the key says of it.
    """

    text: str
    status: PropositionStatus

    @property
    def is_right(self) -> bool:
        """Whether a perfect answer ticks it."""
        return self.status in (PropositionStatus.TRUE, PropositionStatus.REQUIRED)


@dataclass(frozen=True, slots=True)
class MediaRef:
    """An image shown with a question.

    Attributes:
        file: its name from the root of the bank, such as `media/ecg.svg`.
        alt: what it shows, in words, without giving the answer away.
    """

    file: str
    alt: str


@dataclass(frozen=True, slots=True)
class Point:
    """A place on an image: `x` in per cent of its width, `y` in per cent of its height, each from 0 to 100."""

    x: Decimal
    y: Decimal


@dataclass(frozen=True, slots=True)
class Circle:
    """A round zone, round on the screen: `radius` is in per cent of the image's width."""

    centre: Point
    radius: Decimal


@dataclass(frozen=True, slots=True)
class Polygon:
    """A zone bounded by straight sides, its edge included; the last corner joins the first."""

    corners: tuple[Point, ...]


Zone = Circle | Polygon


@dataclass(frozen=True, slots=True)
class AcceptedAnswers:
    """What a QROC takes: the `exact` answers are worth the whole mark, the `acceptable` ones half of it."""

    exact: tuple[str, ...]
    acceptable: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Script:
    """What a script-concordance question weighs.

    Attributes:
        hypothesis: the idea the candidate starts from, plain text.
        new_information: what is then learnt, plain text.
        scale: five labels, from -2 to +2.
        panel: the panel's votes, five counts from -2 to +2. Never shown to a candidate.
    """

    hypothesis: str
    new_information: str
    scale: tuple[str, ...]
    panel: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class QuestionContent:
    """All that a question says and all that its key holds.

    Attributes:
        stem: what is asked, HTML.
        new_information: what a progressive case reveals just before this question, HTML; empty when nothing.
        media: the images shown with it.
        propositions: what is ticked, for the choice kinds.
        expected_count: number of answers announced to the candidate, for QRP, QRPL and ZAP.
        accepted: the accepted answers of a QROC.
        zones: the zones to hit in a ZAP.
        script: the hypothesis and the panel of a TCS.
        explanation: why the key is what it is, HTML; shown after publication only.
    """

    stem: str
    new_information: str = ""
    media: tuple[MediaRef, ...] = ()
    propositions: tuple[Proposition, ...] = ()
    expected_count: int | None = None
    accepted: AcceptedAnswers | None = None
    zones: tuple[Zone, ...] = ()
    script: Script | None = None
    explanation: str = ""


@dataclass(frozen=True, slots=True)
class CaseContent:
    """What binds the questions of a case.

    Attributes:
        title: its name among authors; it may give the diagnosis away and stays hidden while composing.
        vignette: what is shown first, HTML.
        article: the article of a critical reading, HTML; empty for every other kind.
    """

    title: str
    vignette: str
    article: str = ""


def letters(content: QuestionContent) -> str:
    """The letters of the propositions, in order: `"ABCDE"` for five of them."""
    return LETTERS[: len(content.propositions)]
