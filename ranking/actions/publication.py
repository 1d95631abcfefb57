"""Publishing: one person proposes, another confirms, not before the hour. What is published stays published."""

from datetime import datetime

from django.db import transaction

from ecni.accounts.actions import log_deed
from ecni.accounts.models import User
from exams.models import Exam
from exams.rules.states import Already, ReasonMissing, Refused, TooEarly
from ranking.actions.computing import ranking_digest
from ranking.models import Publication, RankingRun
from ranking.queries.publication import is_published, latest_ranking
from ranking.queries.rows import ranking_inputs, ranking_obstacles


class Outdated(Refused):
    """The ranking is not the newest, or marks changed since."""

    code = "outdated"
    text = "Ce classement n’est plus à jour : recalculez-le."


class SamePerson(Refused):
    """Publishing takes two people."""

    code = "same-person"
    text = "La publication doit être confirmée par une autre personne que celle qui l’a proposée."


@transaction.atomic
def propose_publication(*, run_id: int, not_before: datetime, actor: User, now: datetime, reason: str) -> Publication:
    """Propose to publish a ranking, after computing it again from the marks.

    Raises:
        ReasonMissing: no reason given.
        Already: the exam is published, or this ranking is proposed.
        Outdated: the ranking is not the newest, or computing it again does not give the same bytes.
    """
    _require(reason)
    run = _own(run_id)
    if is_published(run.exam_id):
        raise Already("Les résultats de cet examen sont déjà publiés.")
    if Publication.objects.filter(run=run).exists():
        raise Already("La publication de ce classement est déjà proposée.")
    _refuse_outdated(run)
    publication = Publication.objects.create(
        exam_id=run.exam_id, run=run, not_before=not_before, proposed_by=actor, proposed_at=now
    )
    _log("propose_publication", publication, actor=actor, now=now, reason=reason)
    return publication


@transaction.atomic
def confirm_publication(*, publication_id: int, actor: User, now: datetime, reason: str) -> Publication:
    """Publish: from this instant each candidate may read their results.

    Raises:
        ReasonMissing: no reason given.
        Already: the exam is published.
        SamePerson: the actor proposed it.
        TooEarly: before `not_before`.
        Outdated: a newer ranking exists, or marks changed since the proposal.
    """
    _require(reason)
    run = _own(Publication.objects.values_list("run_id", flat=True).get(pk=publication_id))
    publication = Publication.objects.select_for_update(of=("self",), no_key=True).get(pk=publication_id)
    if is_published(run.exam_id):
        raise Already("Les résultats de cet examen sont déjà publiés.")
    if publication.proposed_by_id == actor.pk:
        raise SamePerson
    if now < publication.not_before:
        raise TooEarly("L’heure de publication n’est pas venue.")
    _refuse_outdated(run)
    publication.confirmed_by, publication.confirmed_at = actor, now
    publication.save(update_fields=["confirmed_by", "confirmed_at"])
    _log("confirm_publication", publication, actor=actor, now=now, reason=reason)
    return publication


def _own(run_id: int) -> RankingRun:
    """Lock the exam of a ranking, so that nobody ranks or publishes it at the same time."""
    run = RankingRun.objects.get(pk=run_id)
    Exam.objects.select_for_update(of=("self",), no_key=True).get(pk=run.exam_id)
    return run


def _refuse_outdated(run: RankingRun) -> None:
    if latest_ranking(run.exam_id) != run or ranking_obstacles(run.exam_id):
        raise Outdated
    if ranking_digest(ranking_inputs(run.exam_id)) != run.digest:
        raise Outdated


def _require(reason: str) -> None:
    if not reason.strip():
        raise ReasonMissing


def _log(verb: str, publication: Publication, *, actor: User, now: datetime, reason: str) -> None:
    data = {"ranking": publication.run_id, "not_before": publication.not_before.isoformat()}
    log_deed(actor=actor, verb=verb, target=f"publication:{publication.pk}", now=now, reason=reason, data=data)
