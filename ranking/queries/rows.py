"""What a ranking is made from: exact points by part and by case, and the dates of birth that may decide a tie."""

from collections.abc import Collection, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from math import lcm

import numpy as np

from centres.enums import CandidateStanding
from centres.models import Candidate
from exams.enums import SheetState
from exams.models import Sheet, Sitting
from grading.enums import MarkingState
from grading.models import ACTIVE, MarkingRun
from grading.queries import ExamUnit, exam_units, latest_run
from grading.queries.decisions import sittings_behind
from grading.queries.hypothesis import PaperMarks, run_marks
from ranking.enums import Status, Treatment
from ranking.models import RankingRun
from ranking.queries.policy import policy_of
from ranking.rules import Policy, Row, TieKey, TieSource, lot, policy_from_json, treated

LARGEST_TOTAL = 2**63 - 1
RANKED = Treatment.RANKED


@dataclass(frozen=True, slots=True)
class RankingInputs:
    """All that a ranking is computed from.

    Attributes:
        runs: the marking runs that count, in the order of the sittings.
        denominator: common to every row.
        rows: one per candidate of the one list, in no order; each has marks at one sitting or more.
        unranked: numbers of those who are not ranked, sorted.
        apart: one per candidate who is ranked apart.
        statuses: by number, why a candidate is ranked apart or not ranked.
        policy: the published parameters.
    """

    runs: tuple[MarkingRun, ...]
    denominator: int
    rows: tuple[Row, ...]
    unranked: tuple[str, ...]
    apart: tuple[Row, ...]
    statuses: Mapping[str, Status]
    policy: Policy


class UnfitRanking(ValueError):
    """Marks that cannot be added up into a ranking; the message says why, in French."""


def birth_dates(exam_id: int) -> dict[str, date]:
    """Return the date of birth behind each anonymous number: for the last tie-break key, and for nothing else."""
    return dict(Candidate.objects.filter(exam_id=exam_id).values_list("number", "born_on"))


def candidate_statuses(exam_id: int) -> dict[str, tuple[Status, ...]]:
    """Return what each anonymous number is administratively: for the published rules of ranking, and nothing else."""
    rows = Candidate.objects.filter(exam_id=exam_id).values_list("number", "category", "standing")
    regular = CandidateStanding.REGULAR
    return {
        number: (Status(category), *([Status(standing)] if standing != regular else []))
        for number, category, standing in rows
    }


def ranking_obstacles(exam_id: int) -> list[str]:
    """Return, in French, each reason why an exam cannot be ranked yet; an empty list means it can."""
    obstacles = []
    for sitting in Sitting.objects.filter(exam_id=exam_id, is_reserve=False).order_by("number"):
        runs = MarkingRun.objects.filter(paper__sitting=sitting, paper__is_reserve=False)
        if runs.filter(state__in=ACTIVE).exists():
            obstacles.append(f"Une notation de « {sitting.title} » est en cours.")
        elif not runs.filter(state=MarkingState.DONE).exists():
            obstacles.append(f"« {sitting.title} » n’est pas notée.")
    obstacles += [
        f"Les notes de « {sitting.title} » ne suivent pas les décisions du jury, ou le barème d’aujourd’hui : "
        "notez à nouveau."
        for sitting in sittings_behind(exam_id)
    ]
    return obstacles or ([] if _sitting_ids(exam_id) else ["L’examen n’a aucune épreuve."])


def ranking_inputs(exam_id: int, marks: Sequence[PaperMarks] | None = None) -> RankingInputs:
    """Return what the newest finished marking runs of an exam give; the exam has no `ranking_obstacles`.

    `marks` takes the place of those of the runs: to rank what is supposed. A sitting without marks counts zero for a
    candidate who has marks at another.

    Raises:
        UnfitRanking: a number has no candidate, or the sums would not fit in 64 bits.
    """
    runs = [run for sitting_id in _sitting_ids(exam_id) if (run := latest_run(sitting_id))]
    papers = [run_marks(run) for run in runs] if marks is None else marks
    policy = policy_of(exam_id)
    marked = {number for paper in papers for number in paper.numbers}
    treatments = _treatments(exam_id, marked, policy)
    how = {number: treatment for number, (treatment, _status) in treatments.items()}
    statuses = {number: status for number, (treatment, status) in treatments.items() if treatment is not RANKED}
    return _inputs(exam_id, runs, papers, policy, how, statuses)


def inputs_of(run: RankingRun) -> RankingInputs:
    """Return what a ranking was made from, as it kept it: marking runs, policy, statuses; whatever has come since.

    Dates of birth and the units of papers are kept nowhere else than in their own rows.

    Raises:
        UnfitRanking: a number has no candidate any more, its marking runs are gone, or mark a number that it lacks.
    """
    runs = list(run.marking_runs.order_by("paper__sitting__number"))
    if not runs:
        raise UnfitRanking("Les notations dont ce classement a été fait n’y sont plus.")
    places = dict(run.places.values_list("number", "is_apart"))
    how = {number: Treatment.APART if is_apart else RANKED for number, is_apart in places.items()}
    how |= dict.fromkeys(run.unranked, Treatment.UNRANKED)
    statuses = {number: Status(status) for number, status in run.statuses.items()}
    papers = [run_marks(marking) for marking in runs]
    if missing := sorted({number for paper in papers for number in paper.numbers} - how.keys()):
        raise UnfitRanking(f"Numéros notés qui ne sont plus dans ce classement : {', '.join(missing[:20])}.")
    policy = policy_from_json(run.policy) if run.policy else Policy()
    return _inputs(run.exam_id, runs, papers, policy, how, statuses)


def _inputs(
    exam_id: int,
    runs: Sequence[MarkingRun],
    papers: Sequence[PaperMarks],
    policy: Policy,
    how: Mapping[str, Treatment],
    statuses: Mapping[str, Status],
) -> RankingInputs:
    marked_papers = {paper.paper_id for paper in papers}
    units = [unit for unit in exam_units(exam_id) if unit.paper_id in marked_papers]
    born = birth_dates(exam_id)
    _refuse_strangers(how, born)
    marked = {number for paper in papers for number in paper.numbers}
    ranked = sorted(number for number in how if number in marked)
    denominator = lcm(*(paper.denominator for paper in papers))
    if denominator * sum({unit.part: unit.part_points for unit in units}.values()) > LARGEST_TOTAL:
        raise UnfitRanking(f"Le dénominateur commun {denominator} dépasse l’arithmétique entière sur 64 bits.")
    points = _unit_points(papers, units, ranked, denominator)
    rows = _rows(ranked, units, points, born)
    by_treatment = {one: sorted(number for number in how if how[number] is one) for one in Treatment}
    return RankingInputs(
        runs=tuple(runs),
        denominator=denominator,
        rows=_chosen(rows, by_treatment[RANKED], policy),
        unranked=tuple(by_treatment[Treatment.UNRANKED]),
        apart=_chosen(rows, by_treatment[Treatment.APART], policy),
        statuses=statuses,
        policy=policy,
    )


def tie_keys_of(inputs: RankingInputs) -> tuple[TieKey, ...]:
    """Return the published tie-break keys, without those of parts that the exam does not have."""
    rows = [*inputs.rows, *inputs.apart]
    parts = set(rows[0].parts) if rows else set()
    return tuple(key for key in inputs.policy.keys if key.source is not TieSource.PART or key.part in parts)


def _treatments(exam_id: int, marked: Collection[str], policy: Policy) -> dict[str, tuple[Treatment, Status]]:
    """Return how each number is ranked, and for which status; a sheet that was excluded or withdrawn counts as such.

    Who has no sheet at a sitting is absent from it, as who has one that nobody opened; who has none at any is absent.
    """
    known, sittings = candidate_statuses(exam_id), _sitting_ids(exam_id)
    sheets: dict[str, list[str]] = {number: [] for number in known}
    for number, state in Sheet.objects.filter(sitting__in=sittings).values_list("number", "state"):
        sheets.setdefault(number, []).append(state)
    _refuse_strangers(sorted(sheets), known)
    for states in sheets.values():
        states.extend([SheetState.ABSENT] * (len(sittings) - len(states)))
    return {
        number: treated([*known[number], *_seen(states, has_marks=number in marked)], policy)
        for number, states in sorted(sheets.items())
    }


def _refuse_strangers(numbers: Iterable[str], known: Container[str]) -> None:
    if strangers := [number for number in numbers if number not in known]:
        raise UnfitRanking(f"Numéros sans candidat : {', '.join(strangers[:20])}.")


def _seen(states: Collection[str], *, has_marks: bool) -> Iterator[Status]:
    if not has_marks:
        yield Status.ABSENT
    elif SheetState.ABSENT in states:
        yield Status.ABSENT_ONCE
    if SheetState.EXCLUDED in states:
        yield Status.EXCLUDED
    if SheetState.WITHDRAWN in states:
        yield Status.WITHDRAWN


def _chosen(rows: Sequence[Row], numbers: Collection[str], policy: Policy) -> tuple[Row, ...]:
    kept = set(numbers)
    drawn = (replace(row, lot=lot(policy.seed, row.number)) if policy.seed else row for row in rows)
    return tuple(row for row in drawn if row.number in kept)


def _sitting_ids(exam_id: int) -> list[int]:
    sittings = Sitting.objects.filter(exam_id=exam_id, is_reserve=False).order_by("number")
    return list(sittings.values_list("pk", flat=True))


Points = np.ndarray[tuple[int], np.dtype[np.int64]]


def _unit_points(
    papers: Sequence[PaperMarks], units: Sequence[ExamUnit], numbers: Sequence[str], denominator: int
) -> dict[str, Points]:
    """Return the points of each unit over the common denominator, in the order of `numbers`."""
    place = {number: index for index, number in enumerate(numbers)}
    points: dict[str, Points] = {}
    for paper in papers:
        where = np.array([place[number] for number in paper.numbers], dtype=np.intp)
        for unit in (unit for unit in units if unit.paper_id == paper.paper_id):
            column = np.zeros(len(numbers), dtype=np.int64)
            columns = [number - 1 for number in unit.numbers]
            column[where] = paper.table[:, columns].sum(axis=1, dtype=np.int64) * (denominator // paper.denominator)
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
