"""What the weighted rankings of an exam are made from: scores per question, ranks and items, groups."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from exams.models import PaperQuestion
from grading.models import MarkingRun, SheetMark
from grading.queries import POINTS_DTYPE
from ranking.models import RankingRun, SpecialtyGroup
from ranking.queries.rows import birth_dates
from ranking.rules.groups import (
    Asked,
    Group,
    GroupPlace,
    Scores,
    common_denominator,
    common_scores,
    rank_group,
)


@dataclass(frozen=True, slots=True)
class GroupRanking:
    """The weighted ranking of one group."""

    group: Group
    places: tuple[GroupPlace, ...]


def exam_groups(exam_id: int) -> list[Group]:
    """Return the groups of an exam, by number."""
    rows = SpecialtyGroup.objects.filter(exam_id=exam_id).order_by("number")
    return [Group(row.number, row.name, frozenset(row.items), tuple(row.tie_keys)) for row in rows]


def group_rankings(run: RankingRun) -> list[GroupRanking]:
    """Return the weighted ranking of each group, from the marks of a ranking and for those whom it ranks.

    Raises:
        InvalidGroup: an unknown key, or no rank A question.
    """
    groups = exam_groups(run.exam_id)
    if not groups:
        return []
    rows, questions, denominator = _scores(run)
    asked = run.exam.rank_a_minimum
    minimum = None if asked is None else Fraction(asked)
    return [GroupRanking(group, rank_group(rows, questions, group, denominator, minimum)) for group in groups]


def _scores(run: RankingRun) -> tuple[list[Scores], list[Asked], int]:
    """Return the candidates' scores on every question that counts; those of a sitting they missed are 0."""
    numbers = list(run.places.order_by("number").values_list("number", flat=True))
    born = birth_dates(run.exam_id)
    questions: list[Asked] = []
    worths: list[int] = []
    tables: list[list[list[int]]] = []
    for marking in run.marking_runs.order_by("paper__sitting__number"):
        asked = PaperQuestion.objects.filter(paper=marking.paper_id).select_related("question").order_by("number")
        questions += [Asked(row.question.rank, row.question.item or 0) for row in asked]
        worths += [int(Fraction(text) * marking.denominator) for text in marking.scale]
        tables.append(_numerators(marking, numbers))
    denominator = common_denominator(worths)
    rows = [
        Scores(number, common_scores([value for row in parts for value in row], worths, denominator), born[number])
        for number, parts in zip(numbers, zip(*tables, strict=True), strict=True)
    ]
    return rows, [question for question, worth in zip(questions, worths, strict=True) if worth], denominator


def _numerators(marking: MarkingRun, numbers: Sequence[str]) -> list[list[int]]:
    rows = SheetMark.objects.filter(run=marking).values_list("number", "points")
    known = {number: np.frombuffer(bytes(points), POINTS_DTYPE).tolist() for number, points in rows}
    absent = [0] * len(marking.scale)
    return [known.get(number, absent) for number in numbers]
