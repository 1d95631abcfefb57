"""The short open answers of a sitting that are in no list, in groups: texts and counts, never a copy."""

from collections import defaultdict
from dataclasses import dataclass

from exams.enums import QuestionKind
from exams.models import Paper, PaperQuestion
from grading.enums import SpellingCategory
from grading.models import SpellingOpinion
from grading.queries.decisions import decisions_in_force, opinion_of
from grading.queries.marking import frozen_answers, printed_keys
from grading.rules.decisions import Effect, effects
from grading.rules.keys import QrocKey
from grading.rules.spellings import Group, Standing, Suggestion, standing, suggestion, unlisted_groups


@dataclass(frozen=True, slots=True)
class GroupRow:
    """One group to put in a list; `is_own` when the pending opinion is the reader's."""

    group: Group
    standing: Standing
    suggestion: Suggestion | None
    is_own: bool


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """One QROC of an exam."""

    paper: Paper
    number: int


def open_questions(papers: list[Paper]) -> list[OpenQuestion]:
    """Return the QROC of some papers, in their order."""
    rows = PaperQuestion.objects.filter(paper__in=papers, kind=QuestionKind.QROC)
    numbers = defaultdict(list)
    for paper_id, number in rows.order_by("number").values_list("paper_id", "number"):
        numbers[paper_id].append(number)
    return [OpenQuestion(paper, number) for paper in papers for number in numbers[paper.pk]]


def listed_key(question: OpenQuestion) -> QrocKey:
    """Return the lists that count today for a QROC."""
    kind, printed = printed_keys(question.paper.pk)[question.number]
    here = effects(decisions_in_force(question.paper.sitting.exam_id)).get(question.paper.pk, Effect())
    key = here.key_under(question.number, kind, printed)
    assert isinstance(key, QrocKey)  # noqa: S101 - a QROC has no other key
    return key


def groups_of(question: OpenQuestion, key: QrocKey) -> list[Group]:
    """Return the groups of answers that are in no list, the most frequent first."""
    texts = [row[3].get(str(question.number), "") for row in frozen_answers(question.paper.pk)]
    return unlisted_groups(texts, key)


def group_rows(question: OpenQuestion, groups: list[Group], key: QrocKey, actor_id: int) -> list[GroupRow]:
    """Return some groups with where they stand and what they look like; suggestions are computed for these alone."""
    rows = SpellingOpinion.objects.filter(
        paper=question.paper, number=question.number, form__in=[group.form for group in groups]
    )
    said = defaultdict(list)
    for row in rows.order_by("pk"):
        said[row.form].append(opinion_of(row))
    return [_row(group, standing(said[group.form]), key, actor_id) for group in groups]


def _row(group: Group, stands: Standing, key: QrocKey, actor_id: int) -> GroupRow:
    is_own = stands.pending is not None and stands.pending.given_by == actor_id
    return GroupRow(group, stands, suggestion(group.form, key), is_own)


def settled_of(question: OpenQuestion) -> list[tuple[str, SpellingCategory]]:
    """Return the answers that two people put in a list, with it, by text."""
    here = effects(decisions_in_force(question.paper.sitting.exam_id)).get(question.paper.pk, Effect())
    return sorted(here.spellings.get(question.number, []))
