import pytest
from django.conf import settings
from django.db import DatabaseError, connection, transaction

from ecni.accounts.enums import Role
from ecni.accounts.models import Deed
from ecni.shared.clock import now
from exams.actions.admission import (
    BadLimit,
    NothingProposed,
    SamePerson,
    confirm_guard,
    propose_guard,
    set_limit,
)
from exams.enums import GuardMode, GuardName, LimitName
from exams.models import GuardConfirmation, GuardProposal, LimitChange
from exams.queries.admission import guard_modes, open_proposals, present_limits
from exams.rules.states import Already, ReasonMissing
from tests.exams.sitting import staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def ops():
    return staff(Role.OPS, "exploitant")


@pytest.fixture
def agency():
    return staff(Role.AGENCY, "agence")


def test_limits_are_those_of_the_settings_until_somebody_decides(ops):
    assert present_limits() == {LimitName(name): value for name, value in settings.ADMISSION_LIMITS.items()}
    for value in (12_000, 9_000):
        set_limit(name=LimitName.SOCKETS, value=value, reason="salle 3", actor=ops, now=now())
    assert present_limits()[LimitName.SOCKETS] == 9_000
    assert present_limits()[LimitName.LOGINS] == settings.ADMISSION_LIMITS["LOGINS"]
    assert list(LimitChange.objects.order_by("pk").values_list("value", "reason", "set_by")) == [
        (12_000, "salle 3", ops.pk),
        (9_000, "salle 3", ops.pk),
    ]


@pytest.mark.parametrize(
    ("value", "reason", "error"),
    [(0, "x", BadLimit), (1_000_001, "x", BadLimit), (5, "  ", ReasonMissing), (25, "x", Already)],
)
def test_a_limit_is_refused(ops, value, reason, error):
    with pytest.raises(error):
        set_limit(name=LimitName.LOGINS, value=value, reason=reason, actor=ops, now=now())
    assert not LimitChange.objects.exists()
    assert not Deed.objects.exists()


def test_a_guard_is_switched_and_back_by_two_people(ops, agency):
    for mode, proposer, confirmer in ((GuardMode.OBSERVE, ops, agency), (GuardMode.ENFORCE, agency, ops)):
        proposal = propose_guard(name=GuardName.ORIGIN, mode=mode, reason="nom d’hôte", actor=proposer, now=now())
        assert guard_modes()[GuardName.ORIGIN] is not mode
        assert open_proposals() == {GuardName.ORIGIN: proposal}
        confirm_guard(proposal_id=proposal.pk, actor=confirmer, now=now())
        assert guard_modes() == dict.fromkeys(GuardName, GuardMode.ENFORCE) | {GuardName.ORIGIN: mode}
        assert open_proposals() == {}
    assert list(Deed.objects.order_by("pk").values_list("verb", "actor", "target")) == [
        ("propose_guard", ops.pk, "guard:ORIGIN"),
        ("confirm_guard", agency.pk, "guard:ORIGIN"),
        ("propose_guard", agency.pk, "guard:ORIGIN"),
        ("confirm_guard", ops.pk, "guard:ORIGIN"),
    ]


def test_one_person_alone_switches_no_guard(ops):
    proposal = propose_guard(name=GuardName.SEB, mode=GuardMode.OBSERVE, reason="x", actor=ops, now=now())
    with pytest.raises(SamePerson):
        confirm_guard(proposal_id=proposal.pk, actor=ops, now=now())
    with pytest.raises(DatabaseError, match="two people"), transaction.atomic():
        GuardConfirmation.objects.create(proposal=proposal, confirmed_by=ops, confirmed_at=now())
    assert guard_modes()[GuardName.SEB] is GuardMode.ENFORCE


def test_only_the_last_proposal_of_a_guard_is_confirmed_once(ops, agency):
    old = propose_guard(name=GuardName.SEB, mode=GuardMode.OBSERVE, reason="x", actor=ops, now=now())
    new = propose_guard(name=GuardName.SEB, mode=GuardMode.OBSERVE, reason="y", actor=ops, now=now())
    with pytest.raises(NothingProposed):
        confirm_guard(proposal_id=old.pk, actor=agency, now=now())
    confirm_guard(proposal_id=new.pk, actor=agency, now=now())
    for proposal_id in (new.pk, 0):
        with pytest.raises(NothingProposed):
            confirm_guard(proposal_id=proposal_id, actor=agency, now=now())


def test_a_guard_needs_a_reason_and_a_change(ops):
    with pytest.raises(ReasonMissing):
        propose_guard(name=GuardName.SEB, mode=GuardMode.OBSERVE, reason=" ", actor=ops, now=now())
    with pytest.raises(Already):
        propose_guard(name=GuardName.SEB, mode=GuardMode.ENFORCE, reason="x", actor=ops, now=now())


def test_what_was_decided_only_grows(ops, agency):
    set_limit(name=LimitName.SOCKETS, value=5, reason="x", actor=ops, now=now())
    proposal = propose_guard(name=GuardName.SEB, mode=GuardMode.OBSERVE, reason="x", actor=ops, now=now())
    confirm_guard(proposal_id=proposal.pk, actor=agency, now=now())
    for model in (LimitChange, GuardProposal, GuardConfirmation):
        table = model._meta.db_table
        for statement in (f"UPDATE {table} SET id = id", f"DELETE FROM {table}"):
            with pytest.raises(DatabaseError, match="only grows"), transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(statement)
