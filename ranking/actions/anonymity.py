"""Signing a ranking, then lifting its anonymity: the president first, then two other persons, once."""

from datetime import datetime
from functools import partial

from django.db import transaction

from ecni.accounts.actions import log_deed
from ecni.accounts.models import User
from exams.actions.exam import own_exam
from exams.rules.states import Already, ReasonMissing, Refused
from grading.rules.access import may
from ranking.actions.computing import changed_since
from ranking.actions.pages import forget_pages
from ranking.models import AnonymityLift, Publication, RankingRun, RankingSignature, RankingWithdrawal
from ranking.queries.publication import LAST_STEP, is_lifted, is_published, latest_ranking, lifted_ranking


class Outdated(Refused):
    """The ranking is not the newest, or marks changed since."""

    code = "outdated"
    text = "Ce classement n’est plus à jour : recalculez-le."


class NotEntitled(Refused):
    """The act belongs to another role."""

    code = "not-entitled"
    text = "Cet acte revient à une autre personne."


class NotSigned(Refused):
    """The president has not signed this ranking."""

    code = "not-signed"
    text = "Le président du jury n’a pas signé ce classement."


class NotLifted(Refused):
    """The anonymity is in place."""

    code = "not-lifted"
    text = "L’anonymat n’est pas levé : le classement se signe, puis deux personnes lèvent l’anonymat."


class SamePerson(Refused):
    """The act takes several people, and this one already acted."""

    code = "same-person"
    text = "Cet acte demande une autre personne que celles qui ont déjà signé."


@transaction.atomic
def sign_ranking(*, run_id: int, actor: User, now: datetime, reason: str) -> RankingSignature:
    """Sign the newest ranking, after computing it again from the marks.

    Raises:
        ReasonMissing: no reason given.
        NotEntitled: the actor does not preside the jury.
        Already: this ranking is signed.
        Outdated: it is not the newest, or computing it again does not give the same bytes.
    """
    require_reason(reason)
    run = own_run(run_id)
    if not may(actor.role, "sign-ranking"):
        raise NotEntitled
    if RankingSignature.objects.filter(run=run).exists():
        raise Already("Ce classement est déjà signé.")
    refuse_outdated(run)
    signature = RankingSignature.objects.create(
        run=run, digest=run.digest, reason=reason, signed_by=actor, signed_at=now
    )
    log_deed(
        actor=actor, verb="sign_ranking", target=f"ranking:{run.pk}", now=now, reason=reason,
        data={"digest": run.digest},
    )  # fmt: skip
    return signature


@transaction.atomic
def lift_anonymity(*, run_id: int, actor: User, now: datetime, reason: str) -> AnonymityLift:
    """Do one of the two acts that lift the anonymity; after the second one, names may be joined to ranks.

    Raises:
        ReasonMissing: no reason given.
        NotEntitled: the actor is neither of the agency nor of the jury.
        NotSigned: the president has not signed this ranking.
        Already: the anonymity of the exam is lifted, or this ranking was taken back.
        SamePerson: the actor signed the ranking, or did the first act.
        Outdated: a newer ranking exists, or marks changed since the signature.
    """
    require_reason(reason)
    run = own_run(run_id)
    if not may(actor.role, "lift-anonymity"):
        raise NotEntitled
    if is_lifted(run.exam_id):
        raise Already("L’anonymat de cet examen est déjà levé.")
    _refuse_withdrawn(run)
    signature = RankingSignature.objects.filter(run=run).first()
    if signature is None:
        raise NotSigned
    done = list(run.lifts.values_list("lifted_by_id", flat=True))
    if actor.pk in {signature.signed_by_id, *done}:
        raise SamePerson
    refuse_outdated(run)
    lift = AnonymityLift.objects.create(
        exam_id=run.exam_id, run=run, step=len(done) + 1, reason=reason, lifted_by=actor, lifted_at=now
    )
    data = {"step": lift.step, "of": LAST_STEP}
    log_deed(actor=actor, verb="lift_anonymity", target=f"ranking:{run.pk}", now=now, reason=reason, data=data)
    return lift


@transaction.atomic
def withdraw_ranking(*, run_id: int, actor: User, now: datetime, reason: str) -> RankingWithdrawal:
    """Take back a ranking whose anonymity is lifted and that is not published: another is computed, signed and lifted.

    Pages that were prepared of it, where names join ranks, are removed.

    Raises:
        ReasonMissing: no reason given.
        NotEntitled: the actor does not preside the jury.
        Already: the results are published or proposed for publication, or it was taken back before.
        NotLifted: the anonymity of this ranking is in place.
    """
    require_reason(reason)
    run = own_run(run_id)
    if not may(actor.role, "sign-ranking"):
        raise NotEntitled
    if is_published(run.exam_id):
        raise Already("Les résultats de cet examen sont déjà publiés.")
    require_lifted(run)
    if Publication.objects.filter(run=run).exists():
        raise Already("Sa publication est proposée : retirez d’abord cette proposition.")
    withdrawal = RankingWithdrawal.objects.create(run=run, reason=reason, withdrawn_by=actor, withdrawn_at=now)
    lifted_by = list(run.lifts.order_by("step").values_list("lifted_by_id", flat=True))
    log_deed(
        actor=actor, verb="withdraw_ranking", target=f"ranking:{run.pk}", now=now, reason=reason,
        data={"lifted_by": lifted_by},
    )  # fmt: skip
    transaction.on_commit(partial(forget_pages, run), robust=True)
    return withdrawal


def own_run(run_id: int) -> RankingRun:
    """Lock the exam of a ranking, so that nobody ranks, signs or publishes it at the same time."""
    run = RankingRun.objects.get(pk=run_id)
    own_exam(run.exam_id)
    return run


def require_lifted(run: RankingRun) -> None:
    """Refuse an act on a ranking whose anonymity is in place.

    Raises:
        Already: it was taken back.
        NotLifted: two people have not lifted it.
    """
    _refuse_withdrawn(run)
    if lifted_ranking(run.exam_id) != run:
        raise NotLifted


def _refuse_withdrawn(run: RankingRun) -> None:
    if RankingWithdrawal.objects.filter(run=run).exists():
        raise Already("Ce classement a été retiré : calculez-en un autre.")


def refuse_outdated(run: RankingRun) -> None:
    """Refuse a ranking that is not the newest, or that the marks do not give any more.

    Raises:
        Outdated: which it is not said.
    """
    if latest_ranking(run.exam_id) == run and not changed_since(run):
        return
    if lifted_ranking(run.exam_id) == run:
        raise Outdated("Ce classement n’est plus celui que donnent les notes : le président doit d’abord le retirer.")
    raise Outdated


def require_reason(reason: str) -> None:
    """Refuse an act without a reason.

    Raises:
        ReasonMissing: there is none.
    """
    if not reason.strip():
        raise ReasonMissing
