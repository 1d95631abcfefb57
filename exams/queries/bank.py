"""What the bank holds: newest versions, images, and which versions are sealed."""

from collections.abc import Collection

from django.db.models import QuerySet

from exams.enums import PaperState
from exams.models import Case, Media, Question
from exams.models.paper import PaperUnit


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
    if question.case_id is not None:
        return is_sealed_case(question.case_id)
    return PaperUnit.objects.filter(paper__state=PaperState.SEALED, question=question).exists()


def is_sealed_case(case_id: int) -> bool:
    """Whether this version of a case is part of a sealed paper."""
    return PaperUnit.objects.filter(paper__state=PaperState.SEALED, case_id=case_id).exists()
