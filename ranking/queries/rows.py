"""What a ranking is made from: exact points by part and by case, and the dates of birth that may decide a tie."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import lcm

import numpy as np

from centres.models import Candidate
from exams.models import Sheet, Sitting
from grading.enums import MarkingState
from grading.models import ACTIVE, MarkingRun, SheetMark
from grading.queries import POINTS_DTYPE, ExamUnit, exam_units, latest_run
from ranking.rules import Row

LARGEST_TOTAL = 2**63 - 1


@dataclass(frozen=True, slots=True)
class RankingInputs:
    """All that a ranking is computed from.

    Attributes:
        runs: the marking runs that count, in the order of the sittings.
        denominator: common to every row.
        rows: one per candidate who has marks at one sitting or more, in no order.
        unranked: numbers of those who have none, sorted.
    """

    runs: tuple[MarkingRun, ...]
    denominator: int
    rows: tuple[Row, ...]
    unranked: tuple[str, ...]


class UnfitRanking(ValueError):
    """Marks that cannot be added up into a ranking; the message says why, in French."""


def birth_dates(exam_id: int) -> dict[str, date]:
    """Return the date of birth behind each anonymous number: for the last tie-break key, and for nothing else."""
    return dict(Candidate.objects.filter(exam_id=exam_id).values_list("number", "born_on"))


def ranking_obstacles(exam_id: int) -> list[str]:
    """Return, in French, each reason why an exam cannot be ranked yet; an empty list means it can."""
    obstacles = []
    for sitting in Sitting.objects.filter(exam_id=exam_id, is_reserve=False).order_by("number"):
        runs = MarkingRun.objects.filter(paper__sitting=sitting, paper__is_reserve=False)
        if runs.filter(state__in=ACTIVE).exists():
            obstacles.append(f"Une notation de « {sitting.title} » est en cours.")
        elif not runs.filter(state=MarkingState.DONE).exists():
            obstacles.append(f"« {sitting.title} » n’est pas notée.")
    return obstacles or ([] if _sitting_ids(exam_id) else ["L’examen n’a aucune épreuve."])


def ranking_inputs(exam_id: int) -> RankingInputs:
    """Return what the newest finished marking runs of an exam give; the exam has no `ranking_obstacles`.

    A sitting without marks counts zero for a candidate who has marks at another.

    Raises:
        UnfitRanking: a number has no candidate, or the sums would not fit in 64 bits.
    """
    runs = [run for sitting_id in _sitting_ids(exam_id) if (run := latest_run(sitting_id))]
    units = exam_units(exam_id)
    born = birth_dates(exam_id)
    numbers = sorted(set(Sheet.objects.filter(sitting__in=_sitting_ids(exam_id)).values_list("number", flat=True)))
    marked = set(SheetMark.objects.filter(run__in=runs).values_list("number", flat=True))
    strangers = [number for number in numbers if number not in born]
    if strangers:
        raise UnfitRanking(f"Numéros sans candidat : {', '.join(strangers[:20])}.")
    ranked = [number for number in numbers if number in marked]
    denominator = lcm(*(run.denominator for run in runs))
    if denominator * sum({unit.part: unit.part_points for unit in units}.values()) > LARGEST_TOTAL:
        raise UnfitRanking(f"Le dénominateur commun {denominator} dépasse l’arithmétique entière sur 64 bits.")
    points = _unit_points(runs, units, ranked, denominator)
    return RankingInputs(
        runs=tuple(runs),
        denominator=denominator,
        rows=_rows(ranked, units, points, born),
        unranked=tuple(number for number in numbers if number not in marked),
    )


def _sitting_ids(exam_id: int) -> list[int]:
    sittings = Sitting.objects.filter(exam_id=exam_id, is_reserve=False).order_by("number")
    return list(sittings.values_list("pk", flat=True))


Points = np.ndarray[tuple[int], np.dtype[np.int64]]


def _unit_points(
    runs: Sequence[MarkingRun], units: Sequence[ExamUnit], numbers: Sequence[str], denominator: int
) -> dict[str, Points]:
    """Return the points of each unit over the common denominator, in the order of `numbers`."""
    place = {number: index for index, number in enumerate(numbers)}
    points: dict[str, Points] = {}
    for run in runs:
        marks = list(SheetMark.objects.filter(run=run).values_list("number", "points"))
        questions = len(run.scale)
        table = np.frombuffer(b"".join(bytes(row) for _, row in marks), POINTS_DTYPE).reshape(len(marks), questions)
        where = np.array([place[number] for number, _ in marks], dtype=np.intp)
        for unit in (unit for unit in units if unit.paper_id == run.paper_id):
            column = np.zeros(len(numbers), dtype=np.int64)
            columns = [number - 1 for number in unit.numbers]
            column[where] = table[:, columns].sum(axis=1, dtype=np.int64) * (denominator // run.denominator)
            points[unit.code] = column
    return points


def _rows(
    numbers: Sequence[str], units: Sequence[ExamUnit], points: Mapping[str, Points], born: Mapping[str, date]
) -> tuple[Row, ...]:
    codes = dict.fromkeys(unit.part for unit in units)
    parts = {code: sum((points[unit.code] for unit in units if unit.part is code), np.int64(0)) for code in codes}
    cases = [points[unit.code].tolist() for unit in units if unit.is_case]
    lists = {code.value: np.asarray(part).tolist() for code, part in parts.items()}
    rows = []
    for index, number in enumerate(numbers):
        own = {code: values[index] for code, values in lists.items()}
        rows.append(Row(number, sum(own.values()), own, tuple(values[index] for values in cases), born_on=born[number]))
    return tuple(rows)
