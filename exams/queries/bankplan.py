"""What taking a bank file would change: the same answer before (dry run) and after the import."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import nh3
from django.db.models import TextChoices
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from exams.enums import CaseKind, QuestionKind
from exams.models import Case, Question
from exams.queries.bank import latest_cases, latest_questions, media_named
from exams.rules.bank import (
    ARTICLE_TAGS,
    TEXT_TAGS,
    Bank,
    BankCase,
    BankError,
    BankErrors,
    BankQuestion,
    media_faults,
)
from exams.rules.content import CaseContent, QuestionContent, case_from_json, from_json

_ATTRIBUTES = {
    "th": {"scope", "colspan", "rowspan"},
    "td": {"colspan", "rowspan"},
    "img": {"src", "alt"},
}


class Outcome(TextChoices):
    """What becomes of one thing of the file."""

    NEW = "NEW", _("nouveau")
    CHANGED = "CHANGED", _("modifié")
    SAME = "SAME", _("inchangé")


@dataclass(frozen=True, slots=True)
class PlannedQuestion:
    """One question of the file, its texts cleaned, and the version it has or will have."""

    question: BankQuestion
    outcome: Outcome
    version: int


@dataclass(frozen=True, slots=True)
class PlannedCase:
    """One case of the file. A case changes as a whole: its questions take a new version with it."""

    case: BankCase
    outcome: Outcome
    version: int
    questions: tuple[PlannedQuestion, ...]


@dataclass(frozen=True, slots=True)
class PlannedMedia:
    """One image of the file; a changed image replaces the one of the same name."""

    name: str
    data: bytes
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class ImportLine:
    """One thing of the file, in words."""

    noun: str
    name: str
    outcome: Outcome
    version: int | None


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import does, or would do."""

    questions: tuple[PlannedQuestion, ...]
    cases: tuple[PlannedCase, ...]
    media: tuple[PlannedMedia, ...]

    @property
    def lines(self) -> Iterator[ImportLine]:
        """Each isolated question, each case followed by its questions, each image."""
        for planned in self.questions:
            yield ImportLine(gettext("question"), planned.question.identifier, planned.outcome, planned.version)
        for case in self.cases:
            yield ImportLine(gettext("dossier"), case.case.identifier, case.outcome, case.version)
            for planned in case.questions:
                yield ImportLine(gettext("étape"), planned.question.identifier, planned.outcome, planned.version)
        for image in self.media:
            yield ImportLine(gettext("image"), image.name, image.outcome, None)

    @property
    def figures(self) -> dict[str, int]:
        """How many things have each outcome."""
        counts = Counter(line.outcome for line in self.lines)
        return {outcome.value: counts[outcome] for outcome in Outcome}


def plan_import(bank: Bank, media: Mapping[str, bytes]) -> ImportReport:
    """Compare a bank with what is stored, and write nothing.

    Raises:
        BankErrors: an image cannot be shown safely.
    """
    _refuse_unsafe(media)
    stored = {question.identifier: question for question in latest_questions()}
    cases = {case.identifier: case for case in latest_cases().prefetch_related("questions")}
    return ImportReport(
        questions=tuple(_plan_question(question, stored.get(question.identifier)) for question in bank.questions),
        cases=tuple(_plan_case(case, cases.get(case.identifier), stored) for case in bank.cases),
        media=tuple(_plan_media(media)),
    )


def stored_question(question: Question) -> BankQuestion:
    """Return a stored version as the bank file would give it."""
    return BankQuestion(
        identifier=question.identifier,
        kind=QuestionKind(question.kind),
        rank=question.rank,
        item=question.item,
        specialty=question.specialty,
        content=from_json(question.content),
    )


def clean_question(content: QuestionContent) -> QuestionContent:
    """Return the content with its HTML held to the allow-list of the bank, whatever was refused before."""
    return replace(
        content,
        stem=_clean(content.stem, TEXT_TAGS),
        new_information=_clean(content.new_information, TEXT_TAGS),
        explanation=_clean(content.explanation, TEXT_TAGS),
    )


def clean_case(content: CaseContent) -> CaseContent:
    """Return the content with its HTML held to the allow-lists of the bank."""
    return replace(content, vignette=_clean(content.vignette, TEXT_TAGS), article=_clean(content.article, ARTICLE_TAGS))


def _clean(html: str, tags: frozenset[str]) -> str:
    allowed = {tag: names for tag, names in _ATTRIBUTES.items() if tag in tags}
    cleaned = nh3.clean(html, tags=set(tags), attributes=allowed, link_rel=None)
    return cleaned.replace("&nbsp;", "\u00a0")


def _refuse_unsafe(media: Mapping[str, bytes]) -> None:
    errors = [BankError(name, "", "", reason) for name, data in media.items() for reason in media_faults(name, data)]
    if errors:
        raise BankErrors(errors)


def _plan_question(question: BankQuestion, stored: Question | None) -> PlannedQuestion:
    cleaned = replace(question, content=clean_question(question.content))
    if stored is None:
        return PlannedQuestion(cleaned, Outcome.NEW, 1)
    if stored.case_id is None and stored_question(stored) == cleaned:
        return PlannedQuestion(cleaned, Outcome.SAME, stored.version)
    return PlannedQuestion(cleaned, Outcome.CHANGED, stored.version + 1)


def _plan_case(case: BankCase, stored: Case | None, questions: Mapping[str, Question]) -> PlannedCase:
    cleaned = replace(
        case,
        content=clean_case(case.content),
        questions=tuple(replace(question, content=clean_question(question.content)) for question in case.questions),
    )
    if stored is not None and _stored_case(stored) == cleaned:
        same = tuple(
            PlannedQuestion(question, Outcome.SAME, questions[question.identifier].version)
            for question in cleaned.questions
        )
        return PlannedCase(cleaned, Outcome.SAME, stored.version, same)
    outcome, version = (Outcome.NEW, 1) if stored is None else (Outcome.CHANGED, stored.version + 1)
    planned = tuple(_renewed(question, questions.get(question.identifier)) for question in cleaned.questions)
    return PlannedCase(cleaned, outcome, version, planned)


def _stored_case(case: Case) -> BankCase:
    return BankCase(
        identifier=case.identifier,
        kind=CaseKind(case.kind),
        content=case_from_json(case.content),
        questions=tuple(
            stored_question(question) for question in sorted(case.questions.all(), key=lambda row: row.position or 0)
        ),
    )


def _renewed(question: BankQuestion, stored: Question | None) -> PlannedQuestion:
    if stored is None:
        return PlannedQuestion(question, Outcome.NEW, 1)
    return PlannedQuestion(question, Outcome.CHANGED, stored.version + 1)


def _plan_media(media: Mapping[str, bytes]) -> Iterator[PlannedMedia]:
    stored = media_named(media.keys())
    for name, data in media.items():
        if name not in stored:
            yield PlannedMedia(name, data, Outcome.NEW)
        else:
            same = bytes(stored[name].content) == data
            yield PlannedMedia(name, data, Outcome.SAME if same else Outcome.CHANGED)
