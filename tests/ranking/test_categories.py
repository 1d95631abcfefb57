"""Who is ranked, apart or not, by published rules; and how these are published before any mark is known."""

import csv
import io
from datetime import date
from functools import partial

import pytest
from django.db import connection, transaction
from django.urls import reverse

from centres.actions.candidates import change_standing
from centres.enums import CandidateCategory, CandidateStanding
from centres.models import Candidate
from ecni.accounts.enums import Role
from ecni.accounts.models import Deed
from exams.enums import SheetState
from exams.models import Exam, Question, Sheet
from exams.rules.states import Busy, ReasonMissing
from grading.actions.runs import start_marking
from ranking.actions.computing import compute_ranking
from ranking.actions.policy import MarksKnown, publish_policy
from ranking.enums import Status, Treatment
from ranking.models import RankingPolicy, RankingRun, SpecialtyGroup
from ranking.queries.official import official_rows
from ranking.queries.pages import missing_pages
from ranking.queries.policy import policy_of
from ranking.rules import Policy
from ranking.rules.policy import InvalidPolicy
from tests.factories.exams import NOW, make_exam, sit, user
from tests.factories.grading import BLANK, PERFECT, lift, mark_exam, prepare, ranked_exam, register
from tests.holding import held_elsewhere

pytestmark = pytest.mark.django_db

SEED = "tirage public du 1er juin 2026"
NUMBERS = ("K2-0001", "K2-0002", "K2-0003", "K2-0004")


@pytest.fixture
def agency():
    return user("agence", Role.AGENCY)


def prepared(agency, policy=None, **fields):
    """An exam of four perfect candidates of one age; `fields` are given to the first."""
    exam = make_exam()
    register(exam, dict.fromkeys(NUMBERS, date(2001, 1, 1)))
    Candidate.objects.filter(exam=exam, number=NUMBERS[0]).update(**fields) if fields else None
    if policy:
        publish_policy(exam_id=exam.pk, policy=policy, actor=agency, now=NOW, reason="Arrêté d’ouverture")
    mark_exam(exam, agency, dict.fromkeys(NUMBERS, PERFECT))
    return exam


def with_treatment(status, treatment):
    return Policy(treatments={**Policy().treatments, status: treatment})


def test_lots_of_the_published_seed_separate_candidates_equal_on_everything(agency):
    exam = prepared(agency, Policy(seed=SEED))
    run = compute_ranking(exam_id=exam.pk, actor=agency, now=NOW)
    assert list(run.places.order_by("position").values_list("rank", flat=True)) == [1, 2, 3, 4]
    assert run.places.get(position=2).tie["key"]["source"] == "LOT"
    assert run.policy["seed"] == SEED


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"category": CandidateCategory.MILITARY}, Status.MILITARY),
        ({"category": CandidateCategory.INTERN}, Status.INTERN),
        ({"standing": CandidateStanding.CYCLE_NOT_VALIDATED}, Status.CYCLE_NOT_VALIDATED),
    ],
)
def test_status_is_ranked_in_the_list_by_default_and_apart_when_the_rules_say_so(agency, fields, status):
    exam = prepared(agency, with_treatment(status, Treatment.APART), **fields)
    run = compute_ranking(exam_id=exam.pk, actor=agency, now=NOW)
    assert list(run.places.order_by("position").values_list("rank", "is_apart", "number")) == [
        (1, False, "K2-0002"),
        (1, False, "K2-0003"),
        (1, False, "K2-0004"),
        (1, True, "K2-0001"),
    ]
    assert run.statuses == {"K2-0001": status.value}


@pytest.mark.parametrize("standing", [CandidateStanding.EXCLUDED, CandidateStanding.WITHDRAWN])
def test_excluded_and_withdrawn_are_not_ranked_and_the_reason_is_kept(agency, standing):
    exam = prepared(agency, standing=standing)
    run = compute_ranking(exam_id=exam.pk, actor=agency, now=NOW)
    assert (run.unranked, run.statuses) == (["K2-0001"], {"K2-0001": standing.value})
    assert run.places.count() == 3


def test_sheet_excluded_in_its_centre_is_not_ranked(agency):
    exam = prepared(agency)
    Sheet.objects.filter(sitting__exam=exam, number="K2-0003").update(state=SheetState.EXCLUDED)
    run = compute_ranking(exam_id=exam.pk, actor=agency, now=NOW)
    assert run.statuses == {"K2-0003": "EXCLUDED"}


@pytest.mark.parametrize("has_sheet", [True, False])
@pytest.mark.parametrize(("treatment", "ranked"), [(Treatment.RANKED, 2), (Treatment.UNRANKED, 1)])
def test_absent_at_one_sitting_follows_the_published_rule(agency, treatment, ranked, has_sheet):
    exam = make_exam()
    register(exam, dict.fromkeys(NUMBERS[:2], date(2001, 1, 1)))
    policy = with_treatment(Status.ABSENT_ONCE, treatment)
    publish_policy(exam_id=exam.pk, policy=policy, actor=agency, now=NOW, reason="Arrêté")
    mark_exam(exam, agency, {NUMBERS[0]: PERFECT, NUMBERS[1]: (PERFECT[0], None)})
    if not has_sheet:  # never seated there
        Sheet.objects.get(number=NUMBERS[1], state=SheetState.ABSENT).delete()
    assert compute_ranking(exam_id=exam.pk, actor=agency, now=NOW).places.count() == ranked


def test_candidate_registered_and_never_seated_is_in_the_lists_as_absent(agency):
    exam = make_exam()
    register(exam, dict.fromkeys(NUMBERS, date(2001, 1, 1)))
    mark_exam(exam, agency, dict.fromkeys(NUMBERS[:3], PERFECT))
    run = compute_ranking(exam_id=exam.pk, actor=agency, now=NOW)
    assert (run.unranked, run.statuses) == ([NUMBERS[3]], {NUMBERS[3]: Status.ABSENT.value})
    lift(run)
    prepare(run)
    assert missing_pages(run) == 0
    assert official_rows(run)[-1].status == Status.ABSENT.label


def test_status_changes_the_digest(agency):
    exam = prepared(agency)
    before = compute_ranking(exam_id=exam.pk, actor=agency, now=NOW)
    candidate = Candidate.objects.get(exam=exam, number="K2-0001")
    with pytest.raises(ReasonMissing):
        change_standing(
            candidate_id=candidate.pk, category="STUDENT", standing="WITHDRAWN", actor=agency, now=NOW, reason=""
        )
    change_standing(
        candidate_id=candidate.pk, category="STUDENT", standing="WITHDRAWN", actor=agency, now=NOW, reason="Courrier"
    )
    after = compute_ranking(exam_id=exam.pk, actor=agency, now=NOW)
    assert before.digest != after.digest
    deed = Deed.objects.get(verb="change_standing")
    assert (deed.reason, deed.data["standing"]) == ("Courrier", ["REGULAR", "WITHDRAWN"])


@pytest.mark.django_db(transaction=True)
def test_no_marking_starts_while_rules_are_being_published(agency):
    exam = make_exam()
    sitting = exam.sittings.get(number=1)
    sit(sitting, {"K2-0001": PERFECT[0]})
    publish = partial(
        publish_policy, exam_id=exam.pk, policy=Policy(seed=SEED), actor=agency, now=NOW, reason="Arrêté d’ouverture"
    )
    with held_elsewhere(publish), transaction.atomic():
        connection.cursor().execute("SET LOCAL lock_timeout = '200ms'")
        with pytest.raises(Busy):
            start_marking(sitting_id=sitting.pk, actor=agency, now=NOW)
    start_marking(sitting_id=sitting.pk, actor=agency, now=NOW)
    assert policy_of(exam.pk).seed == SEED


def test_rules_are_published_before_any_mark_and_never_after(agency):
    exam = make_exam()
    with pytest.raises(ReasonMissing):
        publish_policy(exam_id=exam.pk, policy=Policy(), actor=agency, now=NOW, reason=" ")
    with pytest.raises(InvalidPolicy):
        publish_policy(exam_id=exam.pk, policy=Policy(seed="courte"), actor=agency, now=NOW, reason="Arrêté")
    publish_policy(exam_id=exam.pk, policy=Policy(smallest_cell=10), actor=agency, now=NOW, reason="Arrêté")
    publish_policy(exam_id=exam.pk, policy=Policy(seed=SEED), actor=agency, now=NOW, reason="Tirage")
    assert policy_of(exam.pk) == Policy(seed=SEED)
    register(exam, {"K2-0001": date(2001, 1, 1)})
    mark_exam(exam, agency, {"K2-0001": PERFECT})
    with pytest.raises(MarksKnown):
        publish_policy(exam_id=exam.pk, policy=Policy(), actor=agency, now=NOW, reason="Trop tard")
    assert RankingPolicy.objects.count() == 2


def test_agency_publishes_the_rules_from_their_page(client, agency):
    exam = make_exam()
    client.force_login(agency)
    address = reverse("ranking:policy-show", args=[exam.pk])
    page = client.get(address)
    typed = {name: page.context["form"][name].value() for name in page.context["form"].fields}
    typed |= {"seed": SEED, "status_MILITARY": "APART", "tie_keys": "DP, LCA QI", "reason": "Arrêté"}
    wrong = client.post(address, typed | {"tie_keys": "ECOS"})
    assert wrong.status_code == 400
    assert "« ECOS » n’est pas une clé" in wrong.content.decode()
    assert client.post(address, typed | {"reason": ""}).status_code == 400
    assert client.post(address, typed).status_code == 302
    policy = policy_of(exam.pk)
    assert (policy.seed, policy.treatments[Status.MILITARY]) == (SEED, Treatment.APART)
    assert [key.part for key in policy.tie_keys] == ["DP", "LCA", "QI"]


def test_page_hides_small_cells(client, agency):
    run = ranked_exam(agency, {f"K2-{place:04}": BLANK for place in range(1, 13)})
    Candidate.objects.filter(number__in=NUMBERS[:2]).update(category=CandidateCategory.CESP)
    client.force_login(agency)
    cells = client.get(reverse("ranking:ranking-show", args=[run.exam_id])).context["cells"]
    assert [(cell.label, cell.people, cell.is_hidden) for cell in cells] == [
        ("Étudiant", "", True),
        ("Contrat d’engagement de service public", "", True),
    ]


def test_agency_changes_a_standing_with_a_reason_in_the_administration(client, agency):
    agency.is_staff = True
    agency.save()
    exam = prepared(agency)
    candidate = Candidate.objects.get(exam=exam, number="K2-0001")
    client.force_login(agency)
    address = reverse("admin:centres_candidate_standing", args=[candidate.pk])
    assert client.get(address).status_code == 200
    client.post(address, {"category": "AUDITOR", "standing": "REGULAR", "reason": ""})
    assert Candidate.objects.get(pk=candidate.pk).category == "STUDENT"
    client.post(address, {"category": "AUDITOR", "standing": "REGULAR", "reason": "Décision du 3 mai"})
    assert Candidate.objects.get(pk=candidate.pk).category == "AUDITOR"


def test_weighted_rankings_of_the_groups_are_exported_by_number(client, agency):
    run = ranked_exam(agency, {"K2-0001": BLANK, "K2-0003": PERFECT, "K2-0002": PERFECT})
    Exam.objects.filter(pk=run.exam_id).update(rank_a_minimum=14)
    SpecialtyGroup.objects.create(exam=run.exam, number=1, name="Chirurgie", items=[5])
    SpecialtyGroup.objects.create(exam=run.exam, number=2, name="Psychiatrie")
    client.force_login(agency)
    text = client.get(reverse("ranking:groups-export", args=[run.exam_id])).content.decode("utf-8-sig")
    rows = [list(row.values()) for row in csv.DictReader(io.StringIO(text), delimiter=";")]
    assert rows == [
        ["1", "Chirurgie", "K2-0002", "1", "20", "20"],
        ["1", "Chirurgie", "K2-0003", "1", "20", "20"],
        ["2", "Psychiatrie", "K2-0002", "1", "20", "20"],
        ["2", "Psychiatrie", "K2-0003", "1", "20", "20"],
    ]


def test_rank_b_questions_of_the_group_count_double(client, agency):
    run = ranked_exam(agency, {"K2-0001": (("B", "AC", "AB", "E", "AC"), ("", "AE", "A"))})
    Question.objects.filter(identifier="blanc-2-1-1").update(rank="B", item=5)
    SpecialtyGroup.objects.create(exam=run.exam, number=1, name="Chirurgie", items=[5])
    SpecialtyGroup.objects.create(exam=run.exam, number=2, name="Autre")
    client.force_login(agency)
    text = client.get(reverse("ranking:groups-export", args=[run.exam_id])).content.decode("utf-8-sig")
    marks = [row["note_sur_20"] for row in csv.DictReader(io.StringIO(text), delimiter=";")]
    assert marks == ["140/9", "35/2"]


@pytest.mark.parametrize(
    ("data", "words"),
    [({"items": "[0]"}, "numéros d’items"), ({"tie_keys": '["ECOS"]'}, "Clés inconnues : ECOS")],
)
def test_group_typed_wrong_is_refused(client, agency, data, words):
    agency.is_staff = True
    agency.save()
    client.force_login(agency)
    typed = {"exam": make_exam().pk, "number": "1", "name": "Chirurgie", "items": "[5]", "tie_keys": '["ALL"]'}
    page = client.post(reverse("admin:ranking_specialtygroup_add"), typed | data)
    assert words in page.content.decode()
    assert not SpecialtyGroup.objects.exists()
    assert client.post(reverse("admin:ranking_specialtygroup_add"), typed).status_code == 302
    assert not RankingRun.objects.exists()
