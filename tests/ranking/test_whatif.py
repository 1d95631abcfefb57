"""What is foreseen before the vote is what comes after it, to the byte, whatever is decided."""

import pytest
from django.db import connection

from ecni.accounts.enums import Role
from grading.actions import jury
from grading.actions.jury import submit_proposal
from grading.enums import BallotChoice, NeutralisationMode, ProposalKind
from grading.rules.decisions import Adopted
from ranking.actions.computing import NotRankable, compute_ranking
from ranking.queries.whatif import current_ranking, hypotheses, hypothetical_ranking
from ranking.rules import canonical_bytes
from tests.factories.exams import NOW, user
from tests.factories.grading import mark_sitting, read_copy
from tests.factories.jury import make_jury, miskeyed, neutralise, paper_of, propose, rekey, sat_exam, sitting_jury
from tests.journeys.addresses import fingerprint

pytestmark = pytest.mark.django_db


@pytest.fixture
def agency():
    return user("agence", Role.AGENCY)


@pytest.fixture
def exam(agency):
    return sat_exam(agency, miskeyed(), candidates=40)


def changes(exam):
    one, two = paper_of(exam), paper_of(exam, 2)
    return {
        "question": [neutralise(one, 2)],
        "case": [neutralise(one, 10, 11, 12)],
        "question of a case": [neutralise(two, 1)],
        "points to all": [neutralise(two, 3, mode=NeutralisationMode.FULL)],
        "key": [rekey(one, 4, "FFFTF")],
        "zero rules": [rekey(one, 7, "RTFFX")],
        "together": [neutralise(one, 10, 11, 12), rekey(one, 4, "FFFTF"), neutralise(two, 3), neutralise(one, 1)],
        "taken back": [neutralise(one, 2), Adopted(ProposalKind.RESTORE, one.pk, (2,))],
    }


NAMES = (
    *("question", "case", "question of a case", "points to all", "key", "zero rules"),
    *("together", "taken back"),
)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_foreseen_is_what_comes(exam, agency, name):
    president, members = make_jury()
    sitting_jury(exam, president, members)
    proposals = [propose(change, members[0]) for change in changes(exam)[name]]
    before = fingerprint()
    foreseen = canonical_bytes(*hypothetical_ranking(exam.pk, proposals))
    assert fingerprint() == before
    for proposal in proposals:
        for member in members:
            jury.cast_ballot(proposal_id=proposal.pk, choice=BallotChoice.FOR, actor=member, now=NOW)
        jury.close_vote(proposal_id=proposal.pk, actor=president, now=NOW)
    with pytest.raises(NotRankable, match="ne suivent pas les décisions du jury"):
        compute_ranking(exam_id=exam.pk, actor=agency, now=NOW)
    for sitting in exam.sittings.order_by("number"):
        mark_sitting(sitting, agency, chunk_sheets=7)
    assert canonical_bytes(*current_ranking(exam.pk)) == foreseen
    run = compute_ranking(exam_id=exam.pk, actor=agency, now=NOW)
    lines = [line.split("\t")[:2] for line in foreseen.decode().splitlines()[1:]]
    assert [
        [str(rank), number] for rank, number in run.places.order_by("position").values_list("rank", "number")
    ] == lines


def test_nothing_decided_changes_nothing(exam):
    assert canonical_bytes(*hypothetical_ranking(exam.pk, [])) == canonical_bytes(*current_ranking(exam.pk))


def test_proposals_are_weighed_alone_then_together(exam):
    member = make_jury()[1][0]
    one = paper_of(exam)
    proposals = [propose(neutralise(one, 2), member), propose(rekey(one, 4, "FFFTF"), member)]
    found = hypotheses(exam.pk, proposals, [10])
    keys = [proposal.pk for proposal in proposals]
    assert [one.proposals for one in found] == [(keys[0],), (keys[1],), tuple(keys)]
    assert all(len(one.comparison.crossings) == 1 for one in found)
    assert hypotheses(exam.pk, proposals[:1], [10]) == found[:1]


def test_what_if_reads_no_name(exam, django_assert_max_num_queries):
    member = make_jury()[1][0]
    proposal = submit_proposal(
        paper_id=paper_of(exam).pk, change=neutralise(paper_of(exam), 2), reason="essai", actor=member, now=NOW
    )
    with django_assert_max_num_queries(80, connection=connection) as statements:
        hypothetical_ranking(exam.pk, [proposal])
    assert not [one["sql"] for one in statements.captured_queries if "last_name" in one["sql"]]


def test_candidate_reads_the_key_and_the_points_that_the_jury_decided(exam, agency):
    president, members = make_jury()
    sitting_jury(exam, president, members)
    paper = paper_of(exam)
    full = neutralise(paper, 1, mode=NeutralisationMode.FULL)
    for change in (rekey(paper, 4, "FFFTF"), full, neutralise(paper, 2)):
        proposal = propose(change, members[0])
        for member in members:
            jury.cast_ballot(proposal_id=proposal.pk, choice=BallotChoice.FOR, actor=member, now=NOW)
        jury.close_vote(proposal_id=proposal.pk, actor=president, now=NOW)
    for sitting in exam.sittings.order_by("number"):
        mark_sitting(sitting, agency)
    questions = read_copy(compute_ranking(exam_id=exam.pk, actor=agency, now=NOW), "K2-0001")
    assert [line.is_right for line in questions[3].propositions] == [False, False, False, True, False]
    assert (questions[0].points, questions[0].verdict.word) == (questions[0].worth, "Neutralisée")
    assert (questions[1].points, questions[1].worth, questions[1].verdict.word) == ("0", "0", "Neutralisée")
    assert "retirée pour tous" in questions[1].calculation
