"""What the bank holds, in clear, for those who may read it."""

from collections.abc import Collection

from django.db.models import QuerySet

from exams.enums import PaperState
from exams.models import Case, Media, Question
from exams.models.paper import PaperUnit
from exams.rules.content import CaseContent, QuestionContent, case_from_json, from_json


def question_content(question_id: int) -> QuestionContent:
    """Return the text and the key of one version of a question.

    Raises:
        Question.DoesNotExist: no such version.
    """
    return from_json(Question.objects.only("content").get(pk=question_id).content)


def case_content(case_id: int) -> CaseContent:
    """Return the title, the vignette and the article of one version of a case.

    Raises:
        Case.DoesNotExist: no such version.
    """
    return case_from_json(Case.objects.only("content").get(pk=case_id).content)


def latest_questions() -> QuerySet[Question]:
    """The newest version of each question, without its case's older versions."""
    return Question.objects.order_by("identifier", "-version").distinct("identifier")


def latest_cases() -> QuerySet[Case]:
    """The newest version of each case."""
    return Case.objects.order_by("identifier", "-version").distinct("identifier")


def media_named(names: Collection[str]) -> dict[str, Media]:
    """Return the images of the bank among `names`, by name."""
    return {media.name: media for media in Media.objects.filter(name__in=names)}


def is_sealed_question(question: Question) -> bool:
    """Whether this version is part of a sealed paper, by itself or within its case."""
    units = PaperUnit.objects.filter(paper__state=PaperState.SEALED)
    return units.filter(question=question).exists() or (
        question.case_id is not None and units.filter(case_id=question.case_id).exists()
    )
