"""What the staff does to limits and guards on the day: rows that are added, each with its deed."""

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db import transaction

from ecni.accounts.actions import log_deed
from ecni.accounts.models import User
from exams.enums import GuardMode, GuardName, LimitName
from exams.models import CentreSitting, GuardConfirmation, GuardProposal, LimitChange
from exams.queries.admission import guard_modes, open_proposals, present_limits
from exams.rules.networks import parse_networks
from exams.rules.states import Already, ReasonMissing, Refused

LIMIT_VALUES = range(1, 1_000_001)


class BadLimit(Refused):
    """A value that no process could hold."""

    code = "bad-limit"
    text = "La limite doit être comprise entre 1 et 1 000 000."


class NothingProposed(Refused):
    """The proposal is not the last one of its guard, or there is none."""

    code = "nothing-proposed"
    text = "Cette proposition n’est plus la dernière : relisez la page."


class SamePerson(Refused):
    """Switching a guard takes two people."""

    code = "same-person"
    text = "Une autre personne que celle qui a proposé doit confirmer."


@transaction.atomic
def set_limit(*, name: LimitName, value: int, reason: str, actor: User, now: datetime) -> LimitChange:
    """Set one limit, in every process within a second or two. A lower one disconnects nobody.

    Raises:
        ReasonMissing: no reason given.
        BadLimit: the value is out of `LIMIT_VALUES`.
        Already: the limit has this value.
    """
    reason = _reason(reason)
    if value not in LIMIT_VALUES:
        raise BadLimit
    before = present_limits()[name]
    if before == value:
        raise Already
    change = LimitChange.objects.create(name=name, value=value, reason=reason, set_by=actor, set_at=now)
    data = {"before": before, "after": value}
    log_deed(actor=actor, verb="set_limit", target=f"limit:{name}", now=now, reason=reason, data=data)
    return change


@transaction.atomic
def propose_guard(*, name: GuardName, mode: GuardMode, reason: str, actor: User, now: datetime) -> GuardProposal:
    """Propose that a guard turn away, or only observe. It changes nothing, and takes the place of an older proposal.

    Raises:
        ReasonMissing: no reason given.
        Already: the guard is in this mode.
    """
    reason = _reason(reason)
    if guard_modes()[name] is mode:
        raise Already
    proposal = GuardProposal.objects.create(name=name, mode=mode, reason=reason, proposed_by=actor, proposed_at=now)
    log_deed(
        actor=actor, verb="propose_guard", target=f"guard:{name}", now=now, reason=reason, data={"mode": mode.value}
    )
    return proposal


@transaction.atomic
def confirm_guard(*, proposal_id: int, actor: User, now: datetime) -> GuardConfirmation:
    """Switch a guard as another person proposed, in every process within two seconds.

    Raises:
        NothingProposed: the proposal is not the last one of its guard, or is confirmed.
        SamePerson: the actor proposed it.
        Already: the guard is in this mode.
    """
    found = GuardProposal.objects.select_for_update(of=("self",), no_key=True).filter(pk=proposal_id).first()
    if found is None or open_proposals().get(GuardName(found.name)) != found:
        raise NothingProposed
    if found.proposed_by_id == actor.pk:
        raise SamePerson
    if guard_modes()[GuardName(found.name)] == found.mode:
        raise Already
    confirmation = GuardConfirmation.objects.create(proposal=found, confirmed_by=actor, confirmed_at=now)
    data = {"mode": found.mode, "proposed_by": found.proposed_by_id}
    log_deed(actor=actor, verb="confirm_guard", target=f"guard:{found.name}", now=now, reason=found.reason, data=data)
    return confirmation


@transaction.atomic
def set_networks(*, centre_sitting_ids: Collection[int], networks: Sequence[str], actor: User, now: datetime) -> None:
    """Say where the tablets of these centre sittings may come from; those that are in stay in.

    Raises:
        ValueError: one of them is no network.
    """
    texts = [str(network) for network in parse_networks(networks)]
    CentreSitting.objects.filter(pk__in=centre_sitting_ids).update(networks=texts)
    for centre_sitting_id in centre_sitting_ids:
        target = f"centre_sitting:{centre_sitting_id}"
        log_deed(actor=actor, verb="set_networks", target=target, now=now, data={"networks": texts})


def _reason(text: str) -> str:
    reason = text.strip()
    if not reason:
        raise ReasonMissing
    return reason
