"""The deeds of the jury: who, when, how many; what is decided counts in what is marked afterwards, and only there."""

from fractions import Fraction

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from ecni.accounts.enums import Role
from ecni.accounts.models import Deed
from exams.rules.states import Already, ReasonMissing
from grading.actions import jury
from grading.actions.minutes import NotApplied, content_digest, sign_minutes
from grading.actions.runs import NotMarkable
from grading.actions.spellings import NotAwaited, SecondPersonNeeded, judge_spellings
from grading.enums import BallotChoice, NeutralisationMode, ProposalKind, SpellingCategory
from grading.models import Decision, Minutes, SheetMark, SpellingOpinion
from grading.queries.analysis import analysed_questions, run_analysis
from grading.queries.decisions import decisions_in_force, sittings_behind
from grading.queries.jury import proposal_rows
from grading.queries.marking import exam_papers, latest_run, run_plan
from grading.queries.questions import question_list, question_page
from grading.queries.spellings import OpenQuestion, group_rows, groups_of, listed_key, settled_of
from grading.reports.minutes import minutes_document
from grading.rules.decisions import Adopted
from grading.rules.deliberation import NoQuorum
from tests.factories.exams import NOW, user
from tests.factories.grading import mark_sitting
from tests.factories.jury import (
    make_jury,
    neutralise,
    open_exam,
    paper_of,
    propose,
    rekey,
    sat_exam,
    sitting_jury,
)

pytestmark = pytest.mark.django_db

EXACT, ACCEPTABLE, WRONG = SpellingCategory


@pytest.fixture
def agency():
    return user("agence", Role.AGENCY)


@pytest.fixture
def people():
    return make_jury()


@pytest.fixture
def president(people):
    return people[0]


@pytest.fixture
def members(people):
    return people[1]


@pytest.fixture
def exam(agency):
    return sat_exam(agency, candidates=6)


@pytest.fixture
def paper(exam):
    return paper_of(exam)


def adopt(change, president, members):
    proposal = propose(change, members[0])
    for member in (president, *members):
        jury.cast_ballot(proposal_id=proposal.pk, choice=BallotChoice.FOR, actor=member, now=NOW)
    return jury.close_vote(proposal_id=proposal.pk, actor=president, now=NOW)


def mark_again(exam, agency):
    return [mark_sitting(sitting, agency) for sitting in exam.sittings.order_by("number")]


def worth(run):
    return [Fraction(points) for points in run.scale]


def test_session_needs_its_quorum_and_members_of_the_jury(exam, president, members, agency):
    with pytest.raises(NoQuorum, match="3 membres ; présents : 2"):
        sitting_jury(exam, president, members[:1])
    with pytest.raises(jury.NotPresent):
        sitting_jury(exam, president, [agency, *members])
    session = sitting_jury(exam, president, members)
    assert set(session.presences.values_list("member", flat=True)) == {one.pk for one in (president, *members)}
    assert session.runs == [latest_run(sitting.pk).pk for sitting in exam.sittings.order_by("number")]
    with pytest.raises(Already):
        sitting_jury(exam, president, members)


def test_vote_is_each_member_s_own_once_in_a_session(exam, paper, president, members):
    proposal = propose(neutralise(paper, 1), members[0])
    with pytest.raises(jury.NoSession):
        jury.cast_ballot(proposal_id=proposal.pk, choice=BallotChoice.FOR, actor=members[0], now=NOW)
    sitting_jury(exam, president, members[:2])
    with pytest.raises(jury.NotPresent):
        jury.cast_ballot(proposal_id=proposal.pk, choice=BallotChoice.FOR, actor=members[2], now=NOW)
    jury.cast_ballot(proposal_id=proposal.pk, choice=BallotChoice.FOR, actor=members[0], now=NOW)
    with pytest.raises(Already):
        jury.cast_ballot(proposal_id=proposal.pk, choice=BallotChoice.AGAINST, actor=members[0], now=NOW)
    with pytest.raises(NoQuorum):
        jury.close_vote(proposal_id=proposal.pk, actor=president, now=NOW)
    assert Decision.objects.count() == 0


def test_proposal_that_no_session_closed_is_voted_on_anew_at_the_next(exam, paper, president, members):
    first = sitting_jury(exam, president, members)
    proposal = propose(neutralise(paper, 1), members[0])
    for member in members[:2]:
        jury.cast_ballot(proposal_id=proposal.pk, choice=BallotChoice.AGAINST, actor=member, now=NOW)
    sign_minutes(session_id=first.pk, actor=president, now=NOW)
    sitting_jury(exam, president, members)
    (row,) = proposal_rows(exam.pk, members[0])
    assert (row.ballots, row.own) == (0, None)
    for member in members:
        jury.cast_ballot(proposal_id=proposal.pk, choice=BallotChoice.FOR, actor=member, now=NOW)
    (row,) = proposal_rows(exam.pk, members[0])
    assert (row.ballots, row.own) == (3, BallotChoice.FOR)
    decision = jury.close_vote(proposal_id=proposal.pk, actor=president, now=NOW)
    assert (decision.votes_for, decision.votes_against) == (3, 0)


def test_vote_closed_is_a_row_and_nothing_more_is_cast(exam, paper, president, members):
    sitting_jury(exam, president, members)
    proposal = propose(neutralise(paper, 1), members[0])
    for member, choice in zip((president, *members), ("AGAINST", "FOR", "FOR", "AGAINST"), strict=True):
        jury.cast_ballot(proposal_id=proposal.pk, choice=BallotChoice(choice), actor=member, now=NOW)
    decision = jury.close_vote(proposal_id=proposal.pk, actor=president, now=NOW)
    assert (decision.is_adopted, decision.by_casting_vote, decision.votes_for) == (False, True, 2)
    assert decisions_in_force(exam.pk) == []
    for again in (
        lambda: jury.close_vote(proposal_id=proposal.pk, actor=president, now=NOW),
        lambda: jury.cast_ballot(proposal_id=proposal.pk, choice=BallotChoice.FOR, actor=members[0], now=NOW),
    ):
        with pytest.raises(Already):
            again()
    verbs = list(Deed.objects.order_by("pk").values_list("verb", flat=True))
    assert verbs[-6:] == ["submit_proposal", *["cast_ballot"] * 4, "close_vote"]


def test_absent_president_of_another_session_closes_nothing(exam, paper, president, members):
    sitting_jury(exam, president, members)
    proposal = propose(neutralise(paper, 1), members[0])
    with pytest.raises(jury.NotPresent):
        jury.close_vote(proposal_id=proposal.pk, actor=user("autre", Role.PRESIDENT), now=NOW)


def test_proposal_says_why_and_leaves_an_exam_that_can_be_marked(paper, exam, members):
    with pytest.raises(ReasonMissing):
        jury.submit_proposal(paper_id=paper.pk, change=neutralise(paper, 1), reason=" ", actor=members[0], now=NOW)
    for change in (
        neutralise(paper, *range(1, 10)),
        neutralise(paper, 99),
        rekey(paper, 1, "TF"),
        rekey(paper, 1, "FFFFF"),
    ):
        with pytest.raises(NotMarkable):
            propose(change, members[0])
    lca = paper_of(exam, 2)
    with pytest.raises(NotMarkable, match="LCA n’a plus de question"):
        propose(neutralise(lca, 3, 4), members[0])


def test_two_decisions_that_cannot_stand_together_are_not_both_adopted(exam, president, members):
    sitting_jury(exam, president, members)
    lca = paper_of(exam, 2)
    first, second = (propose(neutralise(lca, number), members[0]) for number in (3, 4))
    for proposal in (first, second):
        for member in (president, *members):
            jury.cast_ballot(proposal_id=proposal.pk, choice=BallotChoice.FOR, actor=member, now=NOW)
    jury.close_vote(proposal_id=first.pk, actor=president, now=NOW)
    with pytest.raises(NotMarkable):
        jury.close_vote(proposal_id=second.pk, actor=president, now=NOW)


def test_decision_counts_in_later_runs_only_and_is_frozen_in_them(exam, paper, agency, president, members):
    sitting_jury(exam, president, members)
    before = latest_run(paper.sitting_id)
    adopt(neutralise(paper, 1), president, members)
    assert [sitting.number for sitting in sittings_behind(exam.pk)] == [1, 2]
    after, _ = mark_again(exam, agency)
    assert sittings_behind(exam.pk) == []
    assert (before.decisions, after.decisions) == ([], [neutralise(paper, 1).data()])
    assert before.inputs_digest != after.inputs_digest
    assert (worth(before)[:2], worth(after)[:2]) == ([240, 240], [0, 270])
    assert sum(worth(after)) == sum(worth(before))
    adopt(Adopted(ProposalKind.RESTORE, paper.pk, (1,)), president, members)
    restored, _ = mark_again(exam, agency)
    assert restored.digest == before.digest != after.digest
    assert run_plan(after).neutralised.dropped == {1}


def test_case_dropped_whole_gives_its_points_to_the_cases_of_the_other_sitting(exam, paper, agency, president, members):
    """Three questions of the only case of sitting 1: the whole part DP is then in sitting 2."""
    sitting_jury(exam, president, members)
    adopt(neutralise(paper, 10, 11, 12), president, members)
    one, two = mark_again(exam, agency)
    assert worth(one)[9:] == [0, 0, 0]
    assert worth(two)[:2] == [3780, 3780]
    assert sum(worth(one)) + sum(worth(two)) == 10_800


def test_points_given_to_all_are_given_to_all(exam, paper, agency, president, members):
    sitting_jury(exam, president, members)
    adopt(neutralise(paper, 1, mode=NeutralisationMode.FULL), president, members)
    run, _ = mark_again(exam, agency)
    marks = SheetMark.objects.filter(run=run).values_list("points", flat=True)
    assert {int.from_bytes(bytes(points)[:8], "little") for points in marks} == {240 * run.denominator}


def test_new_key_marks_otherwise(exam, paper, agency, president, members):
    sitting_jury(exam, president, members)
    adopt(rekey(paper, 1, "FFFFT"), president, members)
    page = question_page(paper.pk, 1)
    assert (page.printed.right, page.counted.right) == (0b1, 0b10000)
    run, _ = mark_again(exam, agency)
    assert run.digest != latest_run(exam.sittings.get(number=2).pk).digest
    assert run_plan(run).columns[1].key == page.counted


def test_minutes_say_what_was_decided_and_close_the_session(exam, paper, agency, president, members):
    session = sitting_jury(exam, president, members)
    adopt(neutralise(paper, 1), president, members)
    with pytest.raises(NotApplied, match="Épreuve 1"):
        sign_minutes(session_id=session.pk, actor=president, now=NOW)
    mark_again(exam, agency)
    minutes = sign_minutes(session_id=session.pk, actor=president, now=NOW)
    assert minutes.digest == content_digest(Minutes.objects.get().content)
    assert [member["name"] for member in minutes.content["present"]] == ["presidente", "membre1", "membre2", "membre3"]
    assert minutes.content["votes"][0]["sentence"] == "Neutraliser : question 1, points répartis sur les autres."
    with pytest.raises(Already):
        sign_minutes(session_id=session.pk, actor=president, now=NOW)
    proposal = propose(neutralise(paper, 2), members[0])
    with pytest.raises(jury.NoSession):
        jury.cast_ballot(proposal_id=proposal.pk, choice=BallotChoice.FOR, actor=members[0], now=NOW)
    assert sitting_jury(exam, president, members).pk != session.pk


def test_minutes_take_words_as_data_never_as_markup(exam, paper, president, members):
    session = sitting_jury(exam, president, members)
    proposal = jury.submit_proposal(
        paper_id=paper.pk, change=neutralise(paper, 1), reason='#panic("pwned") $x$ */ "\\', actor=members[0], now=NOW
    )
    for member in (president, *members):
        jury.cast_ballot(proposal_id=proposal.pk, choice=BallotChoice.AGAINST, actor=member, now=NOW)
    jury.close_vote(proposal_id=proposal.pk, actor=president, now=NOW)
    pdf = minutes_document(sign_minutes(session_id=session.pk, actor=president, now=NOW))
    assert (pdf[:5], b"/StructTreeRoot" in pdf, b"/Lang" in pdf) == (b"%PDF-", True, True)


def judge(exam, actor, **opinions):
    texts = {text.replace("_", " "): category for text, category in opinions.items()}
    return judge_spellings(paper_id=paper_of(exam).pk, number=2, opinions=texts, actor=actor, now=NOW)


def test_two_people_settle_an_answer_once_for_all_its_copies(agency, members):
    texts = {"K2-0001": "aortte", "K2-0002": "L’Aortte", "K2-0003": "aorte", "K2-0004": "foie", "K2-0005": ""}
    exam = open_exam(agency, texts)
    question = OpenQuestion(exam_papers(exam.pk)[0], 2)
    groups = groups_of(question, listed_key(question))
    assert [(group.form, group.copies) for group in groups] == [("aortte", 2), ("foie", 1)]
    assert judge(exam, members[0], aortte=EXACT, foie=WRONG) == 2
    with pytest.raises(SecondPersonNeeded):
        judge(exam, members[0], aortte=EXACT)
    assert decisions_in_force(exam.pk) == []
    judge(exam, members[1], aortte=EXACT, foie=ACCEPTABLE)
    rows = group_rows(question, groups_of(question, listed_key(question)), listed_key(question), members[0].pk)
    assert [(row.group.form, row.standing.contradicted) for row in rows] == [("foie", (WRONG, ACCEPTABLE))]
    assert settled_of(question) == [("aortte", EXACT)]
    with pytest.raises(Already):
        judge(exam, members[2], AORTTE=WRONG)
    judge(exam, members[2], foie=WRONG)
    judge(exam, members[0], foie=WRONG)
    mark_again(exam, agency)
    run = latest_run(exam.sittings.get().pk)
    full = dict.fromkeys(("K2-0001", "K2-0002", "K2-0003"), 1080 * run.denominator)
    totals = dict(SheetMark.objects.filter(run=run).values_list("number", "total"))
    assert {number: total - 1080 * run.denominator for number, total in totals.items()} == full | {
        "K2-0004": 0,
        "K2-0005": 0,
    }


def test_a_batch_with_one_refusal_writes_nothing(agency, members):
    exam = open_exam(agency, {"K2-0001": "aortte", "K2-0002": "foie"})
    judge(exam, members[0], aortte=EXACT)
    with pytest.raises(SecondPersonNeeded):
        judge(exam, members[0], aortte=EXACT, foie=WRONG)
    assert SpellingOpinion.objects.count() == 1


def test_only_answers_that_wait_are_put_in_a_list(agency, members):
    exam = open_exam(agency, {"K2-0001": "aortte", "K2-0002": "x" * 500})
    for text in ("foie", "aorte", "x" * 500, ""):
        with pytest.raises(NotAwaited):
            judge(exam, members[0], **{text: EXACT})
    with pytest.raises(NotAwaited, match="n’est pas à réponse ouverte"):
        judge_spellings(paper_id=paper_of(exam).pk, number=1, opinions={"aortte": EXACT}, actor=members[0], now=NOW)
    assert SpellingOpinion.objects.count() == 0


def test_postgresql_refuses_a_second_opinion_of_the_same_person(agency, members):
    exam = open_exam(agency, {"K2-0001": "aortte"})
    judge(exam, members[0], aortte=EXACT)
    row = SpellingOpinion.objects.get()
    row.pk, row.place = None, 2
    with pytest.raises(IntegrityError, match="spellingopinion_by_two_people"), transaction.atomic():
        row.save(force_insert=True)


def test_rules_of_a_session_are_those_of_its_opening(exam, paper, president, members):
    sitting_jury(exam, president, members, quorum=2, casting_vote=False)
    proposal = propose(neutralise(paper, 1), members[0])
    for member, choice in ((president, BallotChoice.FOR), (members[0], BallotChoice.AGAINST)):
        jury.cast_ballot(proposal_id=proposal.pk, choice=choice, actor=member, now=NOW)
    assert not jury.close_vote(proposal_id=proposal.pk, actor=president, now=NOW).is_adopted


def test_questions_of_the_exam_have_their_case_and_their_figures(exam, paper):
    page = question_page(paper.pk, 11)
    assert (page.unit, page.vignette, page.facts.copies) == ((10, 11, 12), "<p>Vignette jury-1-10</p>", 6)
    assert [option.letter for option in page.facts.options] == list("ABCDE")
    assert question_page(paper.pk, 13) is None


def test_analysis_shows_the_key_that_counted_and_leaves_neutralised_questions_out(
    client, exam, paper, agency, president, members
):
    sitting_jury(exam, president, members)
    for change in (
        neutralise(paper, 1),
        neutralise(paper, 2, mode=NeutralisationMode.FULL),
        rekey(paper, 4, "TFFFF"),
    ):
        adopt(change, president, members)
    run = mark_again(exam, agency)[0]
    assert sorted(analysed_questions(run)) == list(range(3, 13))
    assert run_analysis(run).exam.mean == Fraction(sum(mark.total for mark in run.marks.all()), run.denominator * 6)
    assert [(row.number, row.state) for row in question_list(paper)][-2:] == [(1, "Retirée"), (2, "Points à tous")]
    item, jury_page = reverse("grading:item", args=[run.pk, 4]), reverse("grading:question-show", args=[paper.pk, 4])
    client.force_login(members[0])
    answer = client.get(item)
    assert (answer.context["key"], jury_page in answer.content.decode()) == ("A", True)
    assert item in client.get(jury_page).content.decode()
    for number in (1, 2):
        page = client.get(reverse("grading:question-show", args=[paper.pk, number]))
        assert (page.context["question"].facts.copies, page.context["question"].facts.question) == (6, None)
        assert client.get(reverse("grading:item", args=[run.pk, number])).status_code == 404
    client.force_login(agency)
    assert jury_page not in client.get(item).content.decode()
