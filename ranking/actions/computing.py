"""Computing a ranking: deterministic, kept for ever, and computed again before it is believed."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256

from django.db import transaction

from ecni.accounts.actions import log_deed
from ecni.accounts.models import User
from exams.actions.exam import own_exam
from exams.models import Exam
from exams.rules.states import Already, Refused
from grading.actions.digests import stored_marks_digest
from ranking.models import RankedSheet, RankingRun
from ranking.queries.publication import is_lifted
from ranking.queries.rows import RankingInputs, UnfitRanking, ranking_inputs, ranking_obstacles, tie_keys_of
from ranking.rules import Decision, InvalidRanking, Ranked, TieKey, digest, policy_to_json, rank, sentence

RULES_VERSION = "ecni-ranking/2"


class NotRankable(Refused):
    """The exam cannot be ranked yet; `obstacles` are the reasons, in French."""

    code = "not-rankable"

    def __init__(self, obstacles: Sequence[str]) -> None:
        super().__init__(" ".join(obstacles))
        self.obstacles = tuple(obstacles)


@transaction.atomic
def compute_ranking(*, exam_id: int, actor: User, now: datetime, reason: str = "") -> RankingRun:
    """Rank the candidates of an exam from the newest finished marking run of each sitting.

    Raises:
        NotRankable: a sitting is not marked or is being marked, or the marks cannot be added up.
        Already: the anonymity of the exam is lifted: its ranking is final unless the president takes it back.
    """
    exam = own_exam(exam_id)
    if is_lifted(exam_id):
        raise Already("L’anonymat de cet examen est levé : son classement ne se recalcule plus.")
    obstacles = ranking_obstacles(exam_id)
    if obstacles:
        raise NotRankable(obstacles)
    try:
        inputs = ranking_inputs(exam_id)
        run = _create_run(exam, inputs, actor=actor, now=now)
    except (UnfitRanking, InvalidRanking) as error:
        raise NotRankable([str(error)]) from error
    RankedSheet.objects.bulk_create(_places(run, inputs), batch_size=2000)
    log_deed(
        actor=actor, verb="compute_ranking", target=f"exam:{exam_id}", now=now, reason=reason, data={"run": run.pk}
    )
    return run


def ranked_apart(inputs: RankingInputs) -> tuple[tuple[Ranked, ...], tuple[Ranked, ...]]:
    """Return the one list, then the list of those who are ranked apart."""
    keys = tie_keys_of(inputs)
    return rank(inputs.rows, keys), rank(inputs.apart, keys)


def ranking_digest(inputs: RankingInputs) -> str:
    """Return, in hexadecimal, the digest of the ranking that these inputs give."""
    places, apart = ranked_apart(inputs)
    unranked = {number: inputs.statuses[number].value for number in inputs.unranked}
    return digest(places, inputs.denominator, apart, unranked).hex()


def differences(run: RankingRun, inputs: RankingInputs) -> tuple[str, list[str]]:
    """Compare a ranking with what these inputs give: the digest that is found, and each difference in French."""
    found = ranking_digest(inputs)
    faults = [] if found == run.digest else ["Les empreintes diffèrent."]
    if run.rules_version != RULES_VERSION:
        faults.append(f"Il suit les règles {run.rules_version}, ce programme les règles {RULES_VERSION}.")
    if _inputs_digest(inputs, tie_keys_of(inputs)) != run.inputs_digest:
        faults.append("Ce dont il a été fait a changé : une date de naissance, les notations ou leurs empreintes.")
    faults += [
        f"Les notes conservées de « {marking.paper.sitting.title} » ne sont pas celles de leur empreinte."
        for marking in inputs.runs
        if stored_marks_digest(marking) != marking.digest
    ]
    kept = [_facts(place) for place in run.places.order_by("position")]
    if kept != [_facts(place) for place in _places(run, inputs)]:
        faults.append("Les places conservées ne sont pas celles que l’on recalcule.")
    return found, faults


def _facts(place: RankedSheet) -> tuple[object, ...]:
    return place.position, place.rank, place.is_apart, place.number, place.total, place.parts, place.tie


def changed_since(run: RankingRun) -> str:
    """Return, in French, why a ranking computed today would be another one; empty when it would be the same."""
    if obstacles := ranking_obstacles(run.exam_id):
        return " ".join(obstacles)
    try:
        is_same = ranking_digest(ranking_inputs(run.exam_id)) == run.digest
    except (UnfitRanking, InvalidRanking) as error:
        return str(error)
    return "" if is_same else "les notations ou les statuts des candidats ont changé."


def _create_run(exam: Exam, inputs: RankingInputs, *, actor: User, now: datetime) -> RankingRun:
    keys = tie_keys_of(inputs)
    run = RankingRun.objects.create(
        exam=exam,
        tie_keys=[_key_data(key) for key in keys],
        policy=policy_to_json(inputs.policy),
        statuses={number: status.value for number, status in sorted(inputs.statuses.items())},
        rules_version=RULES_VERSION,
        denominator=inputs.denominator,
        unranked=list(inputs.unranked),
        inputs_digest=_inputs_digest(inputs, keys),
        digest=ranking_digest(inputs),
        created_by=actor,
        created_at=now,
    )
    run.marking_runs.set(inputs.runs)
    return run


def _places(run: RankingRun, inputs: RankingInputs) -> list[RankedSheet]:
    places, apart = ranked_apart(inputs)
    parts: Mapping[str, Mapping[str, int]] = {row.number: row.parts for row in (*inputs.rows, *inputs.apart)}
    return [
        RankedSheet(
            run=run,
            position=position,
            rank=place.rank,
            is_apart=position > len(places),
            number=place.number,
            total=place.total,
            parts=dict(parts[place.number]),
            tie=_tie_data(place.decision, run.denominator),
        )
        for position, place in enumerate((*places, *apart), start=1)
    ]


def _tie_data(decision: Decision | None, denominator: int) -> dict[str, object] | None:
    """What is kept of a tie: no date of birth, only what it decided."""
    if decision is None:
        return None
    key = decision.decided_by and {**_key_data(decision.decided_by.key), "case": decision.decided_by.case}
    return {"above": decision.above, "key": key, "sentence": sentence(decision, denominator)}


def _key_data(key: TieKey) -> dict[str, object]:
    return {"source": key.source.value, "part": key.part, "direction": key.direction.value}


def _inputs_digest(inputs: RankingInputs, keys: Sequence[TieKey]) -> str:
    facts = {
        "keys": [_key_data(key) for key in keys],
        "marks": [run.digest for run in inputs.runs],
        "born": sorted((row.number, row.born_on.isoformat()) for row in (*inputs.rows, *inputs.apart)),
        "unranked": inputs.unranked,
        "policy": policy_to_json(inputs.policy),
        "statuses": sorted((number, status.value) for number, status in inputs.statuses.items()),
    }
    return sha256(json.dumps(facts, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
