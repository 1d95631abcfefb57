"""A question as a candidate reads it: HTML without a key, an explanation, a rank, an item, a specialty or a title."""

import re
from dataclasses import dataclass

from django.template.loader import render_to_string

from exams.enums import CaseKind, QuestionKind
from exams.rules.answers import SCALE
from exams.rules.bank import images
from exams.rules.content import CaseContent, MediaRef, QuestionContent, Script, letters

_LAST_PARAGRAPH = re.compile(r"(?P<context>.*)<p>(?P<question>(?:(?!</?p>).)*)</p>\s*", re.DOTALL)
_IMAGE_SOURCE = re.compile(r'(<img\b[^>]*?)\bsrc="')


@dataclass(frozen=True, slots=True)
class Place:
    """Where a question stands in a paper.

    Attributes:
        number: its number in the paper, from 1.
        position: its place in its unit, from 1.
        unit_size: number of questions of the unit.
        case_number: rank of its case among those of its family in the paper (progressive, critical reading, script
            concordance), from 1; 0 when isolated.
        case_kind: what binds it to its neighbours; None when isolated.
    """

    number: int
    position: int = 1
    unit_size: int = 1
    case_number: int = 0
    case_kind: CaseKind | None = None


@dataclass(frozen=True, slots=True)
class AskedScript:
    """A script concordance as it is asked: the positions of the scale with their labels, and not the panel."""

    hypothesis: str
    new_information: str
    positions: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """What a template may know of a question: whatever is not here cannot leak into a paper."""

    kind: QuestionKind
    new_information: str
    context: str
    question: str
    is_heading: bool
    media: tuple[MediaRef, ...]
    options: tuple[tuple[str, str], ...]
    expected_count: int | None
    script: AskedScript | None

    @property
    def points(self) -> range:
        """The points to place on the image, from 1."""
        return range(1, (self.expected_count or 0) + 1)


def question_fragment(kind: QuestionKind, content: QuestionContent, place: Place) -> str:
    """Return the leaf of one question."""
    context = {
        "asked": _asked(kind, content),
        "place": place,
        "kind_template": f"exams/fragments/_{kind.lower()}.html",
    }
    return render_to_string("exams/fragments/question.html", context)


def case_fragment(content: CaseContent, place: Place) -> str:
    """Return the leaf of a case's vignette, or the article of a critical reading."""
    article = _IMAGE_SOURCE.sub(r'\1data-media="', content.article)
    context = {"vignette": content.vignette, "article": article, "place": place}
    return render_to_string("exams/fragments/case.html", context)


def question_images(content: QuestionContent) -> set[str]:
    """Return the names of the images that a question's fragment shows."""
    return {media.file for media in content.media}


def case_images(content: CaseContent) -> set[str]:
    """Return the names of the images that a case's fragment shows."""
    return {image.source for image in images(content.article)}


def _asked(kind: QuestionKind, content: QuestionContent) -> AskedQuestion:
    split = _LAST_PARAGRAPH.fullmatch(content.stem)
    return AskedQuestion(
        kind=kind,
        new_information=content.new_information,
        context=split["context"] if split else "",
        question=split["question"] if split else content.stem,
        is_heading=split is not None,
        media=content.media,
        options=tuple(zip(letters(content), (line.text for line in content.propositions), strict=True)),
        expected_count=content.expected_count,
        script=_script(content.script) if content.script else None,
    )


def _script(script: Script) -> AskedScript:
    return AskedScript(script.hypothesis, script.new_information, tuple(zip(SCALE, script.scale, strict=True)))
