"""Computing a ranking: deterministic, kept for ever, and computed again before it is believed."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256

from django.db import transaction

from ecni.accounts.actions import log_deed
from ecni.accounts.models import User
from exams.models import Exam
from exams.rules.states import Refused
from ranking.models import RankedSheet, RankingRun
from ranking.queries.rows import RankingInputs, UnfitRanking, ranking_inputs, ranking_obstacles, tie_keys_of
from ranking.rules import Decision, InvalidRanking, Ranked, TieKey, digest, rank, sentence

RULES_VERSION = "ecni-ranking/1"


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
    """
    exam = Exam.objects.select_for_update(of=("self",), no_key=True).get(pk=exam_id)
    obstacles = ranking_obstacles(exam_id)
    if obstacles:
        raise NotRankable(obstacles)
    try:
        inputs = ranking_inputs(exam_id)
        keys = tie_keys_of(inputs)
        places = rank(inputs.rows, keys)
    except (UnfitRanking, InvalidRanking) as error:
        raise NotRankable([str(error)]) from error
    run = _create_run(exam, inputs, keys, places, actor=actor, now=now)
    _create_places(run, inputs, places)
    log_deed(
        actor=actor, verb="compute_ranking", target=f"exam:{exam_id}", now=now, reason=reason, data={"run": run.pk}
    )
    return run


def ranking_digest(inputs: RankingInputs) -> str:
    """Return, in hexadecimal, the digest of the ranking that these inputs give."""
    return digest(rank(inputs.rows, tie_keys_of(inputs)), inputs.denominator).hex()


def _create_run(
    exam: Exam, inputs: RankingInputs, keys: Sequence[TieKey], places: Sequence[Ranked], *, actor: User, now: datetime
) -> RankingRun:
    run = RankingRun.objects.create(
        exam=exam,
        tie_keys=[_key_data(key) for key in keys],
        rules_version=RULES_VERSION,
        denominator=inputs.denominator,
        unranked=list(inputs.unranked),
        inputs_digest=_inputs_digest(inputs, keys),
        digest=digest(places, inputs.denominator).hex(),
        created_by=actor,
        created_at=now,
    )
    run.marking_runs.set(inputs.runs)
    return run


def _create_places(run: RankingRun, inputs: RankingInputs, places: Sequence[Ranked]) -> None:
    parts: Mapping[str, Mapping[str, int]] = {row.number: row.parts for row in inputs.rows}
    RankedSheet.objects.bulk_create(
        (
            RankedSheet(
                run=run,
                position=position,
                rank=place.rank,
                number=place.number,
                total=place.total,
                parts=dict(parts[place.number]),
                tie=_tie_data(place.decision, run.denominator),
            )
            for position, place in enumerate(places, start=1)
        ),
        batch_size=2000,
    )


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
        "born": sorted((row.number, row.born_on.isoformat()) for row in inputs.rows),
        "unranked": inputs.unranked,
    }
    return sha256(json.dumps(facts, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
