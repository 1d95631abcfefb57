from datetime import date, timedelta
from fractions import Fraction
from threading import Thread

import pytest
from django.db import IntegrityError, connection, transaction

from centres.models import Candidate
from centres.rules.codes import code_digest, results_code
from ecni.accounts.enums import Role
from ecni.accounts.models import Deed
from exams.rules.states import Already, ReasonMissing, Refused, TooEarly
from ranking.actions.access import MustWait, NotPublished, WrongCode, open_results
from ranking.actions.anonymity import (
    NotEntitled,
    NotLifted,
    NotSigned,
    Outdated,
    SamePerson,
    lift_anonymity,
    sign_ranking,
    withdraw_ranking,
)
from ranking.actions.computing import NotRankable, compute_ranking
from ranking.actions.pages import store_page
from ranking.actions.publication import NotPrepared, confirm_publication, propose_publication, withdraw_publication
from ranking.models import AnonymityLift, Publication, RankedSheet, RankingWithdrawal
from ranking.queries.official import Anonymous, official_rows
from ranking.queries.pages import RESULTS, expected_pages, missing_pages, page_path, published_page, run_owners
from ranking.queries.publication import published_ranking
from ranking.queries.rows import ranking_obstacles
from ranking.tasks import launch_preparation, prepare_copies, prepare_official_list
from tests.factories.centres import make_hosting
from tests.factories.exams import NOW, make_exam, sit, user
from tests.factories.grading import (
    BLANK,
    PERFECT,
    lift,
    mark_exam,
    mark_sitting,
    prepare,
    publish,
    ranked_exam,
    register,
)

pytestmark = pytest.mark.django_db

ANSWERS = {
    "K2-0001": BLANK,
    "K2-0002": PERFECT,
    "K2-0003": (PERFECT[0], None),
    "K2-0004": (None, None),
    "K2-0005": PERFECT,
}


@pytest.fixture
def agency():
    return user("agence", Role.AGENCY)


@pytest.fixture
def jury():
    return user("jury", Role.JURY)


@pytest.fixture
def run(agency):
    return ranked_exam(agency, ANSWERS)


@pytest.fixture
def ready(run):
    """A ranking that is signed, lifted and prepared."""
    lift(run)
    prepare(run)
    return run


def test_ranking_orders_by_total_then_by_age_and_lists_the_absent_apart(run):
    places = [
        (place.rank, place.number, Fraction(place.total, run.denominator)) for place in run.places.order_by("position")
    ]
    assert places == [(1, "K2-0002", 10800), (2, "K2-0005", 10800), (3, "K2-0003", 5940), (4, "K2-0001", 0)]
    assert run.unranked == ["K2-0004"]
    tie = run.places.get(position=2).tie
    assert tie["above"] == "K2-0002"
    assert tie["key"]["source"] == "BIRTH"
    assert tie["sentence"] == "Même total que K2-0002, placé avant : c’est le plus âgé des deux."


def test_ranking_gives_the_points_of_each_part(run):
    parts = run.places.get(number="K2-0003").parts
    assert {code: Fraction(value, run.denominator) for code, value in parts.items()} == {
        "QI": 2160,
        "DP": 3780,
        "LCA": 0,
    }


def test_ranking_computed_again_gives_the_same_digests(run, agency):
    again = compute_ranking(exam_id=run.exam_id, actor=agency, now=NOW + timedelta(days=1))
    assert (again.digest, again.inputs_digest) == (run.digest, run.inputs_digest)
    fields = ("position", "rank", "number", "total", "parts", "tie")
    assert list(again.places.order_by("position").values(*fields)) == list(
        run.places.order_by("position").values(*fields)
    )


def test_candidates_equal_on_every_key_share_their_rank(agency):
    exam = make_exam()
    register(exam, dict.fromkeys(("K2-0001", "K2-0002", "K2-0003"), date(2001, 1, 1)))
    mark_exam(exam, agency, {"K2-0003": BLANK, "K2-0002": PERFECT, "K2-0001": PERFECT})
    run = compute_ranking(exam_id=exam.pk, actor=agency, now=NOW)
    assert list(run.places.order_by("position").values_list("rank", "number")) == [
        (1, "K2-0001"),
        (1, "K2-0002"),
        (3, "K2-0003"),
    ]


def test_ranking_is_refused_while_a_sitting_is_not_marked(agency):
    exam = make_exam()
    register(exam, {"K2-0001": date(2001, 1, 1)})
    first = exam.sittings.get(number=1)
    sit(first, {"K2-0001": PERFECT[0]})
    mark_sitting(first, agency)
    with pytest.raises(NotRankable) as refusal:
        compute_ranking(exam_id=exam.pk, actor=agency, now=NOW)
    assert refusal.value.obstacles == ("« Épreuve 2 » n’est pas notée.",)


def test_ranking_is_refused_when_a_number_has_no_candidate(agency):
    exam = make_exam()
    mark_exam(exam, agency, {"K2-0001": PERFECT})
    with pytest.raises(NotRankable, match="Numéros sans candidat : K2-0001"):
        compute_ranking(exam_id=exam.pk, actor=agency, now=NOW)


def test_publication_takes_two_people_and_the_hour(ready, agency, jury):
    run = ready
    hour = NOW + timedelta(hours=72)
    proposed = propose_publication(run_id=run.pk, not_before=hour, actor=jury, now=NOW, reason="Jury réuni")
    with pytest.raises(SamePerson):
        confirm_publication(publication_id=proposed.pk, actor=jury, now=hour, reason="Signé")
    with pytest.raises(TooEarly):
        confirm_publication(publication_id=proposed.pk, actor=agency, now=hour - timedelta(seconds=1), reason="Signé")
    with pytest.raises(ReasonMissing):
        confirm_publication(publication_id=proposed.pk, actor=agency, now=hour, reason=" ")
    assert published_ranking(run.exam_id) is None
    confirm_publication(publication_id=proposed.pk, actor=agency, now=hour, reason="Signé")
    assert published_ranking(run.exam_id) == run
    verbs = list(Deed.objects.order_by("pk").values_list("verb", "reason"))[-2:]
    assert verbs == [("propose_publication", "Jury réuni"), ("confirm_publication", "Signé")]


def test_publication_is_refused_twice(run, agency, jury):
    publish(run, jury, agency)
    with pytest.raises(Already):
        propose_publication(run_id=run.pk, not_before=NOW, actor=jury, now=NOW, reason="Encore")


def test_publication_of_a_ranking_made_outdated_is_refused(ready, agency, jury):
    proposed = propose_publication(run_id=ready.pk, not_before=NOW, actor=jury, now=NOW, reason="Jury réuni")
    Candidate.objects.filter(number="K2-0005").update(born_on=date(1990, 1, 1))
    with pytest.raises(Outdated, match="doit d’abord le retirer"):
        confirm_publication(publication_id=proposed.pk, actor=agency, now=NOW, reason="Signé")


def test_signature_of_a_ranking_made_outdated_does_not_count(run, agency):
    president, one = user("presidente", Role.PRESIDENT), user("jure", Role.JURY)
    sign_ranking(run_id=run.pk, actor=president, now=NOW, reason="Délibération")
    Candidate.objects.filter(number="K2-0005").update(born_on=date(1990, 1, 1))
    with pytest.raises(Outdated):
        lift_anonymity(run_id=run.pk, actor=one, now=NOW, reason="Signé")
    newer = compute_ranking(exam_id=run.exam_id, actor=agency, now=NOW)
    with pytest.raises(Outdated):
        lift_anonymity(run_id=run.pk, actor=one, now=NOW, reason="Signé")
    with pytest.raises(NotSigned):
        lift_anonymity(run_id=newer.pk, actor=one, now=NOW, reason="Signé")
    publish(newer, one, agency)
    assert published_ranking(run.exam_id) == newer


def test_anonymity_is_lifted_after_the_signature_by_two_others_and_once(run, agency, jury):
    president = user("presidente", Role.PRESIDENT)
    with pytest.raises(NotSigned):
        lift_anonymity(run_id=run.pk, actor=agency, now=NOW, reason="Avant")
    for actor in (agency, jury):
        with pytest.raises(NotEntitled):
            sign_ranking(run_id=run.pk, actor=actor, now=NOW, reason="À sa place")
    with pytest.raises(ReasonMissing):
        sign_ranking(run_id=run.pk, actor=president, now=NOW, reason=" ")
    signature = sign_ranking(run_id=run.pk, actor=president, now=NOW, reason="Délibération close")
    assert signature.digest == run.digest
    with pytest.raises(Already):
        sign_ranking(run_id=run.pk, actor=president, now=NOW, reason="Encore")
    with pytest.raises(NotEntitled):
        lift_anonymity(run_id=run.pk, actor=president, now=NOW, reason="Seul")
    lift_anonymity(run_id=run.pk, actor=agency, now=NOW, reason="Un")
    with pytest.raises(SamePerson):
        lift_anonymity(run_id=run.pk, actor=agency, now=NOW, reason="Deux")
    with pytest.raises(NotLifted):
        propose_publication(run_id=run.pk, not_before=NOW, actor=agency, now=NOW, reason="Trop tôt")
    lift_anonymity(run_id=run.pk, actor=jury, now=NOW, reason="Deux")
    with pytest.raises(Already):
        lift_anonymity(run_id=run.pk, actor=user("tiers", Role.AGENCY), now=NOW, reason="Trois")
    with pytest.raises(Already):
        compute_ranking(exam_id=run.exam_id, actor=agency, now=NOW)
    verbs = list(Deed.objects.order_by("pk").values_list("verb", flat=True))[-3:]
    assert verbs == ["sign_ranking", "lift_anonymity", "lift_anonymity"]


def test_only_the_president_takes_back_a_lifted_ranking_that_nobody_publishes(run, agency, jury):
    president = user("presidente", Role.PRESIDENT)
    with pytest.raises(NotLifted):
        withdraw_ranking(run_id=run.pk, actor=president, now=NOW, reason="Trop tôt")
    lift(run, president, jury, agency)
    prepare(run)
    proposed = propose_publication(run_id=run.pk, not_before=NOW, actor=jury, now=NOW, reason="Jury réuni")
    with pytest.raises(ReasonMissing):
        withdraw_ranking(run_id=run.pk, actor=president, now=NOW, reason=" ")
    with pytest.raises(NotEntitled):
        withdraw_ranking(run_id=run.pk, actor=agency, now=NOW, reason="Exclusion")
    with pytest.raises(Already, match="retirez d’abord"):
        withdraw_ranking(run_id=run.pk, actor=president, now=NOW, reason="Exclusion")
    confirm_publication(publication_id=proposed.pk, actor=agency, now=NOW, reason="Signé")
    with pytest.raises(Already, match="déjà publiés"):
        withdraw_ranking(run_id=run.pk, actor=president, now=NOW, reason="Trop tard")


def test_database_itself_refuses_two_lifted_rankings_of_an_exam(run, agency, jury):
    newer = compute_ranking(exam_id=run.exam_id, actor=agency, now=NOW)
    lift(newer, user("presidente", Role.PRESIDENT), jury, agency)
    forced = {"exam": run.exam, "run": run, "step": 2, "lifted_by": jury, "lifted_at": NOW, "reason": "En force"}
    with pytest.raises(IntegrityError, match="anonymitylift_one_standing"), transaction.atomic():
        AnonymityLift.objects.create(**forced)


def test_pages_prepared_of_a_ranking_taken_back_are_removed(ready, django_capture_on_commit_callbacks):
    assert missing_pages(ready) == 0
    president = user("autre-presidente", Role.PRESIDENT)
    with django_capture_on_commit_callbacks(execute=True):
        withdraw_ranking(run_id=ready.pk, actor=president, now=NOW, reason="Exclusion")
    assert missing_pages(ready) == len(list(expected_pages(ready)))


def test_no_page_is_written_while_the_anonymity_is_in_place(run):
    with pytest.raises(Anonymous):
        prepare_copies(run_id=run.pk, candidate_ids=run_owners(run))
    with pytest.raises(Anonymous):
        prepare_official_list(run_id=run.pk)
    assert missing_pages(run) == len(list(expected_pages(run)))


def test_pages_being_prepared_of_a_ranking_taken_back_are_removed_at_the_end(ready, monkeypatch):
    def taken_back_meanwhile(**page):
        store_page(**page)
        if not RankingWithdrawal.objects.exists():
            president = user("autre-presidente", Role.PRESIDENT)
            withdraw_ranking(run_id=ready.pk, actor=president, now=NOW, reason="Exclusion")

    monkeypatch.setattr("ranking.tasks.store_page", taken_back_meanwhile)
    prepare_copies(run_id=ready.pk, candidate_ids=run_owners(ready))
    assert missing_pages(ready) == len(list(expected_pages(ready)))


def test_ranking_taken_back_leaves_the_place_to_another(run, agency, jury):
    president = user("presidente", Role.PRESIDENT)
    lift(run, president, jury, agency)
    withdraw_ranking(run_id=run.pk, actor=president, now=NOW, reason="Exclusion")
    with pytest.raises(Already, match="a été retiré"):
        withdraw_ranking(run_id=run.pk, actor=president, now=NOW, reason="Encore")
    with pytest.raises(Already):
        sign_ranking(run_id=run.pk, actor=president, now=NOW, reason="Encore")
    with pytest.raises(Already, match="a été retiré"):
        lift_anonymity(run_id=run.pk, actor=user("tiers", Role.AGENCY), now=NOW, reason="Encore")
    with pytest.raises(Anonymous):
        official_rows(run)

    Candidate.objects.filter(number="K2-0001").update(standing="EXCLUDED")
    newer = compute_ranking(exam_id=run.exam_id, actor=agency, now=NOW)
    assert newer.unranked == ["K2-0001", "K2-0004"]
    lift(newer, president, jury, agency)
    with pytest.raises(Anonymous):
        official_rows(run)
    publish(newer, jury, agency)
    assert published_ranking(run.exam_id) == newer


def test_proposal_is_taken_back_and_another_hour_proposed(ready, agency, jury):
    later = NOW + timedelta(days=3)
    proposed = propose_publication(run_id=ready.pk, not_before=later, actor=jury, now=NOW, reason="Mauvaise heure")
    with pytest.raises(ReasonMissing):
        withdraw_publication(publication_id=proposed.pk, actor=agency, now=NOW, reason=" ")
    withdraw_publication(publication_id=proposed.pk, actor=agency, now=NOW, reason="Mauvaise heure")
    deed = Deed.objects.get(verb="withdraw_publication")
    assert (deed.reason, deed.data["not_before"]) == ("Mauvaise heure", later.isoformat())
    again = propose_publication(run_id=ready.pk, not_before=NOW, actor=jury, now=NOW, reason="Bonne heure")
    confirm_publication(publication_id=again.pk, actor=agency, now=NOW, reason="Signé")
    with pytest.raises(Already, match="déjà publiés"):
        withdraw_publication(publication_id=again.pk, actor=agency, now=NOW, reason="Trop tard")


def test_somebody_who_signed_as_president_lifts_nothing_under_another_role(run):
    president = user("presidente", Role.PRESIDENT)
    sign_ranking(run_id=run.pk, actor=president, now=NOW, reason="Délibération close")
    president.role = Role.AGENCY
    president.save()
    with pytest.raises(SamePerson):
        lift_anonymity(run_id=run.pk, actor=president, now=NOW, reason="Seul")


@pytest.mark.parametrize(
    ("step", "same_person", "constraint"),
    [(2, True, "by_two_people"), (3, False, "two_steps"), (1, False, "step_once")],
)
def test_database_itself_refuses_to_lift_by_one_person_or_thrice(run, agency, jury, step, same_person, constraint):
    sign_ranking(run_id=run.pk, actor=user("presidente", Role.PRESIDENT), now=NOW, reason="Délibération close")
    lift_anonymity(run_id=run.pk, actor=agency, now=NOW, reason="Un")
    with pytest.raises(IntegrityError, match=f"anonymitylift_{constraint}"), transaction.atomic():
        AnonymityLift.objects.create(
            exam=run.exam,
            run=run,
            step=step,
            lifted_by=agency if same_person else jury,
            lifted_at=NOW,
            reason="En force",
        )


def test_publication_waits_for_every_page(run, agency, jury):
    lift(run)
    with pytest.raises(NotPrepared, match=r": 23\."):
        propose_publication(run_id=run.pk, not_before=NOW, actor=jury, now=NOW, reason="Jury réuni")
    prepare(run)
    proposed = propose_publication(run_id=run.pk, not_before=NOW, actor=jury, now=NOW, reason="Jury réuni")
    owner = Candidate.objects.get(number="K2-0002").pk
    page_path(run.pk, owner, "transcript.pdf").unlink()
    with pytest.raises(NotPrepared, match=r": 1\."):
        confirm_publication(publication_id=proposed.pk, actor=agency, now=NOW, reason="Signé")


def test_pages_prepared_again_carry_a_name_that_was_corrected(ready, agency, jury, django_capture_on_commit_callbacks):
    candidate = Candidate.objects.get(number="K2-0002")
    Candidate.objects.filter(pk=candidate.pk).update(last_name="Corrigée")
    with django_capture_on_commit_callbacks() as started:
        launch_preparation(run_id=ready.pk, actor=agency, now=NOW, reason="Nom corrigé")
    started[0]()
    assert missing_pages(ready) == 23
    with pytest.raises(NotPrepared):
        propose_publication(run_id=ready.pk, not_before=NOW, actor=jury, now=NOW, reason="Trop tôt")
    for go_on in started[1:]:
        go_on()
    assert missing_pages(ready) == 0
    proposed = propose_publication(run_id=ready.pk, not_before=NOW, actor=jury, now=NOW, reason="Jury réuni")
    confirm_publication(publication_id=proposed.pk, actor=agency, now=NOW, reason="Signé")
    assert "Corrigée".encode() in published_page(ready.exam_id, candidate.pk, RESULTS)


@pytest.mark.parametrize(
    ("changes", "constraint"),
    [
        ({"own": True, "late": 0}, "publication_by_two_people"),
        ({"own": False, "late": -1}, "publication_confirmed_in_time"),
    ],
)
def test_database_itself_refuses_a_publication_by_one_person_or_too_early(ready, agency, jury, changes, constraint):
    proposed = propose_publication(run_id=ready.pk, not_before=NOW, actor=jury, now=NOW, reason="Jury réuni")
    confirmed_at = NOW + timedelta(seconds=changes["late"])
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        Publication.objects.filter(pk=proposed.pk).update(
            confirmed_by=jury if changes["own"] else agency, confirmed_at=confirmed_at
        )


def test_rankings_are_written_once(run):
    with pytest.raises(IntegrityError, match="only grows"), transaction.atomic():
        RankedSheet.objects.update(rank=1)


@pytest.mark.django_db(transaction=True)
def test_two_people_who_confirm_at_once_publish_once(agency, jury):
    run = ranked_exam(agency, ANSWERS)
    lift(run)
    prepare(run)
    other = user("agence-2", Role.AGENCY)
    proposed = propose_publication(run_id=run.pk, not_before=NOW, actor=jury, now=NOW, reason="Jury réuni")
    outcomes = []

    def confirm(actor):
        try:
            confirm_publication(publication_id=proposed.pk, actor=actor, now=NOW, reason="Signé")
            outcomes.append("published")
        except Refused as refusal:
            outcomes.append(refusal.code)
        finally:
            connection.close()

    threads = [Thread(target=confirm, args=(actor,)) for actor in (agency, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["already", "published"]


@pytest.mark.parametrize("change", ["blank_is_zero", "points", "is_reserve"])
def test_marks_of_another_scale_are_not_added_up(agency, change):
    exam = make_exam()
    sit(exam.sittings.get(number=1), {"K2-0001": PERFECT[0]})
    sit(exam.sittings.get(number=2), {"K2-0001": PERFECT[1]})
    mark_sitting(exam.sittings.get(number=1), agency)
    if change == "blank_is_zero":
        exam.blank_is_zero = not exam.blank_is_zero
        exam.save()
    elif change == "points":
        exam.parts.filter(code="DP").update(points=9000)
    mark_sitting(exam.sittings.get(number=2), agency)
    if change == "is_reserve":
        assert ranking_obstacles(exam.pk) == []
        exam.sittings.filter(number=2).update(is_reserve=True)
    (obstacle,) = ranking_obstacles(exam.pk)
    assert "le barème d’aujourd’hui : notez à nouveau" in obstacle


def test_wrong_codes_of_somebody_else_never_keep_a_candidate_out(settings):
    make_hosting(count=1)
    candidate = Candidate.objects.get()
    code = results_code(settings.SLIP_SECRET, candidate.pk)
    Candidate.objects.update(results_hmac=code_digest(settings.SLIP_SECRET, code))
    refusals = []
    for _ in range(8):
        with pytest.raises((WrongCode, MustWait)) as refusal:
            open_results(official_number=candidate.official_number, code="0000-0000-0000")
        refusals.append(refusal.type)
    assert refusals[-1] is MustWait
    with pytest.raises(NotPublished):  # the right code passes, as far as there is something to see
        open_results(official_number=candidate.official_number, code=code)
