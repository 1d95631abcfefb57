"""Publishing: one person proposes, another confirms, not before the hour. What is published stays published."""

from datetime import datetime

from django.db import transaction

from ecni.accounts.actions import log_deed
from ecni.accounts.models import User
from exams.rules.states import Already, Refused, TooEarly
from ranking.actions.anonymity import SamePerson, own_run, refuse_outdated, require_lifted, require_reason
from ranking.models import Publication, RankingRun
from ranking.queries.pages import missing_pages
from ranking.queries.publication import is_published


class NotPrepared(Refused):
    """Pages are missing."""

    code = "not-prepared"


@transaction.atomic
def propose_publication(*, run_id: int, not_before: datetime, actor: User, now: datetime, reason: str) -> Publication:
    """Propose to publish a ranking, after computing it again from the marks.

    Raises:
        ReasonMissing: no reason given.
        Already: the exam is published, or this ranking is proposed.
        Outdated: the ranking is not the newest, or computing it again does not give the same bytes.
        NotLifted, NotPrepared: its anonymity is in place, or pages are missing.
    """
    require_reason(reason)
    run = own_run(run_id)
    if is_published(run.exam_id):
        raise Already("Les résultats de cet examen sont déjà publiés.")
    if Publication.objects.filter(run=run).exists():
        raise Already("La publication de ce classement est déjà proposée.")
    refuse_outdated(run)
    _refuse_unready(run)
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
        Already: the exam is published, or the proposal was taken back.
        SamePerson: the actor proposed it.
        TooEarly: before `not_before`.
        Outdated: a newer ranking exists, or marks changed since the proposal.
        NotPrepared: prepared pages are gone.
    """
    require_reason(reason)
    publication = _own_proposal(publication_id)
    run = publication.run
    if is_published(run.exam_id):
        raise Already("Les résultats de cet examen sont déjà publiés.")
    if publication.proposed_by_id == actor.pk:
        raise SamePerson("La publication doit être confirmée par une autre personne que celle qui l’a proposée.")
    if now < publication.not_before:
        raise TooEarly("L’heure de publication n’est pas venue.")
    refuse_outdated(run)
    _refuse_unready(run)
    publication.confirmed_by, publication.confirmed_at = actor, now
    publication.save(update_fields=["confirmed_by", "confirmed_at"])
    _log("confirm_publication", publication, actor=actor, now=now, reason=reason)
    return publication


@transaction.atomic
def withdraw_publication(*, publication_id: int, actor: User, now: datetime, reason: str) -> RankingRun:
    """Take back a proposal that nobody has confirmed, whoever made it: another hour may be proposed.

    Raises:
        ReasonMissing: no reason given.
        Already: it is confirmed, and what is published stays published; or it was taken back before.
    """
    require_reason(reason)
    publication = _own_proposal(publication_id)
    if publication.confirmed_at is not None:
        raise Already("Les résultats de cet examen sont déjà publiés.")
    _log("withdraw_publication", publication, actor=actor, now=now, reason=reason)
    run = publication.run
    publication.delete()
    return run


def _own_proposal(publication_id: int) -> Publication:
    """Lock the exam of a proposal and return it as it is then: somebody may have confirmed it, or taken it back."""
    gone = Already("Cette proposition a été retirée.")
    run_id = Publication.objects.values_list("run_id", flat=True).filter(pk=publication_id).first()
    if run_id is None:
        raise gone
    own_run(run_id)
    publication = Publication.objects.select_related("run").filter(pk=publication_id).first()
    if publication is None:
        raise gone
    return publication


def _refuse_unready(run: RankingRun) -> None:
    require_lifted(run)
    missing = missing_pages(run)
    if missing:
        raise NotPrepared(f"Pages qui manquent encore : {missing}. Préparez-les d’abord.")


def _log(verb: str, publication: Publication, *, actor: User, now: datetime, reason: str) -> None:
    data = {"ranking": publication.run_id, "not_before": publication.not_before.isoformat()}
    log_deed(actor=actor, verb=verb, target=f"publication:{publication.pk}", now=now, reason=reason, data=data)
