"""What a paper asks, how it is built and what opens it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from django.db.models import DateTimeField, ExpressionWrapper, F, Max, QuerySet

from ecni.shared.vault import decrypt, officers_key
from exams.enums import PaperState, PartCode, QuestionKind
from exams.models import Paper, PaperKey, PaperQuestion, Question, Sitting
from exams.rules.answers import QuestionShape
from exams.rules.content import QuestionContent, from_json

KEY_PURPOSE = "paper"


@dataclass(frozen=True, slots=True)
class NumberedQuestion:
    """One question as it stands in a paper: its number there, from 1, and the version of the bank it is."""

    number: int
    question_id: int
    kind: QuestionKind


@dataclass(frozen=True, slots=True)
class UnitStructure:
    """One unit of a paper: an isolated question, or all the questions of a case, in order.

    Attributes:
        position: place of the unit in the paper, from 1.
        part: the share of the total it belongs to.
        part_points: what the whole part is worth in the exam, shared equally between the units of the part.
        questions: the numbered questions, at least one.
    """

    position: int
    part: PartCode
    part_points: int
    questions: tuple[NumberedQuestion, ...]


def papers_to_come(now: datetime) -> QuerySet[Paper]:
    """Return the sealed papers, reserves included, of the sittings that are not over, by sitting."""
    ends = ExpressionWrapper(
        F("sitting__starts_at") + F("sitting__duration_seconds") * timedelta(seconds=1), output_field=DateTimeField()
    )
    papers = Paper.objects.filter(state=PaperState.SEALED).annotate(ends_at=ends).filter(ends_at__gt=now)
    return papers.select_related("sitting").order_by("sitting__starts_at", "pk")


def last_start(now: datetime) -> datetime | None:
    """Return when the last sitting to come, or under way, begins, whether its paper is sealed or not; None for none."""
    seconds = F("duration_seconds") * timedelta(seconds=1)
    ends = ExpressionWrapper(F("starts_at") + seconds, output_field=DateTimeField())
    to_come = Sitting.objects.annotate(over_at=ends).filter(over_at__gt=now)
    found: datetime | None = to_come.aggregate(last=Max("starts_at"))["last"]
    return found


def paper_shapes(paper_id: int) -> dict[int, QuestionShape]:
    """Return the shape of each question of a sealed paper by number, from 1 to n."""
    rows = PaperQuestion.objects.filter(paper_id=paper_id).order_by("number")
    return {
        row.number: QuestionShape(
            kind=QuestionKind(row.kind),
            propositions=row.propositions,
            expected_count=row.expected_count,
            is_progressive=row.is_progressive,
            previous=row.previous,
        )
        for row in rows
    }


def paper_keys(paper_id: int) -> dict[int, bytes]:
    """Return the 32-byte keys of a sealed paper by step: 0 opens what is readable from the start, k opens question k.

    Raises:
        cryptography.exceptions.InvalidTag: the officers' shares are not those of the sealing.
    """
    wrapping = officers_key(KEY_PURPOSE)
    return {
        key.step: decrypt(wrapping, bytes(key.wrapped), key_context(paper_id, key.step))
        for key in PaperKey.objects.filter(paper_id=paper_id).order_by("step")
    }


def key_context(paper_id: int, step: int) -> str:
    """Return what the wrapping of a step's key is bound to: a key cannot pass for that of another paper or step."""
    return f"{paper_id}|{step}"


def main_paper(sitting_id: int) -> Paper:
    """Return the sealed paper that a sitting uses.

    Raises:
        Paper.DoesNotExist: none is sealed yet.
    """
    return Paper.objects.get(sitting_id=sitting_id, is_reserve=False, state=PaperState.SEALED)


def paper_structure(paper_id: int) -> tuple[UnitStructure, ...]:
    """Return the units of a sealed paper in order, as marking needs them."""
    rows = PaperQuestion.objects.filter(paper_id=paper_id).select_related("unit__part").order_by("number")
    return tuple(
        UnitStructure(
            position=unit.position,
            part=PartCode(unit.part.code),
            part_points=unit.part.points,
            questions=tuple(NumberedQuestion(row.number, row.question_id, QuestionKind(row.kind)) for row in group),
        )
        for unit, group in groupby(rows, key=lambda row: row.unit)
    )


def question_content(question_id: int) -> QuestionContent:
    """Return the text and the key of one version of a question.

    Raises:
        Question.DoesNotExist: no such version.
    """
    return from_json(Question.objects.only("content").get(pk=question_id).content)
