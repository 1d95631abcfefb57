"""The complaint desk: filed by the candidate within the delay, handled by the agency step by step, nothing leaks."""

import csv
import io
from datetime import timedelta

import pytest
from django.core import signing
from django.urls import reverse

from centres.models import Candidate, Hosting, Incident
from ecni.accounts.enums import Role
from ecni.accounts.models import Deed
from exams.models import CentreSitting, TimeGrant
from exams.rules.states import TooEarly
from ranking.actions.complaints import file_complaint, handle_complaint
from ranking.enums import ComplaintState
from ranking.models import Complaint, ComplaintStep
from ranking.queries.complaints import complaints_of, sheet_logs
from ranking.rules.complaints import MOST_OPEN, TextMissing, TooLate, TooMany, WrongStep
from ranking.views.results import COOKIE, COOKIE_SALT
from tests.factories.exams import NOW, user
from tests.factories.grading import BLANK, PERFECT, publish, ranked_exam

pytestmark = pytest.mark.django_db

TEXT = "La proposition C est juste aussi."
DAY = timedelta(days=1)


@pytest.fixture
def agency():
    return user("agence", Role.AGENCY)


@pytest.fixture
def run(agency):
    ranked = ranked_exam(agency, {"K2-0001": PERFECT, "K2-0002": BLANK})
    publish(ranked, user("jury", Role.JURY), agency)
    return ranked


@pytest.fixture
def candidate(run):
    return Candidate.objects.get(exam=run.exam, number="K2-0001")


def complain(candidate, *, now=NOW, text=TEXT, sitting=1, question=2):
    return file_complaint(candidate_id=candidate.pk, sitting_number=sitting, question=question, text=text, now=now)


def visit(client, candidate):
    signed = signing.get_cookie_signer(salt=COOKIE + COOKIE_SALT).sign(f"{candidate.exam_id}.{candidate.pk}")
    client.cookies[COOKIE] = signed


def test_complaint_goes_through_its_steps_and_each_is_a_row(candidate, agency):
    complaint = complain(candidate)
    assert complaints_of(candidate.pk)[0].state is ComplaintState.FILED
    for step, text in (("TAKEN", ""), ("ANSWERED", "Le jury a maintenu la clé."), ("CLOSED", "")):
        handle_complaint(complaint_id=complaint.pk, step=ComplaintState(step), text=text, actor=agency, now=NOW)
    row = complaints_of(candidate.pk)[0]
    assert (row.state, row.answer, row.sitting, row.question) == (
        ComplaintState.CLOSED,
        "Le jury a maintenu la clé.",
        "Épreuve 1",
        2,
    )
    assert [step.state for step in row.steps] == ["TAKEN", "ANSWERED", "CLOSED"]
    assert Deed.objects.filter(verb="handle_complaint").count() == 3


@pytest.mark.parametrize("step", [ComplaintState.FILED, ComplaintState.ANSWERED, ComplaintState.CLOSED])
def test_step_that_does_not_follow_is_refused(candidate, agency, step):
    complaint = complain(candidate)
    with pytest.raises(WrongStep):
        handle_complaint(complaint_id=complaint.pk, step=step, text="x", actor=agency, now=NOW)
    assert not ComplaintStep.objects.exists()


def test_answer_without_a_text_is_refused(candidate, agency):
    complaint = complain(candidate)
    handle_complaint(complaint_id=complaint.pk, step=ComplaintState.TAKEN, text="", actor=agency, now=NOW)
    with pytest.raises(TextMissing):
        handle_complaint(complaint_id=complaint.pk, step=ComplaintState.ANSWERED, text=" ", actor=agency, now=NOW)


def test_complaint_is_filed_within_the_delay_only(candidate):
    with pytest.raises(TooEarly):
        complain(candidate, now=NOW - timedelta(seconds=1))
    complain(candidate, now=NOW + 15 * DAY - timedelta(seconds=1))
    with pytest.raises(TooLate):
        complain(candidate, now=NOW + 15 * DAY)


def test_complaint_before_publication_is_refused(agency):
    ranked = ranked_exam(agency, {"K2-0001": PERFECT})
    with pytest.raises(TooEarly):
        complain(Candidate.objects.get(exam=ranked.exam))


@pytest.mark.parametrize("text", ["", " \n", "a" * 4001])
def test_complaint_without_a_text_or_too_long_is_refused(candidate, text):
    with pytest.raises(TextMissing):
        complain(candidate, text=text)


def test_candidate_has_few_complaints_waiting(candidate):
    for _ in range(MOST_OPEN):
        complain(candidate)
    with pytest.raises(TooMany):
        complain(candidate)


def test_complaint_about_a_sitting_that_does_not_exist_is_about_the_whole(candidate):
    complaint = complain(candidate, sitting=9)
    assert (complaint.sitting, complaint.question) == (None, None)


def test_candidate_files_from_their_page_and_reads_the_answer(client, candidate, agency, time_machine):
    time_machine.move_to(NOW + DAY)
    visit(client, candidate)
    address = reverse("ranking:results-complain")
    assert client.post(address, {"sitting": "1", "question": "2", "text": TEXT}).status_code == 302
    empty = client.post(address, {"sitting": "1", "text": " "})
    assert empty.status_code == 400
    assert "Écrivez votre texte" in empty.content.decode()
    wrong = client.post(address, {"sitting": "un", "text": TEXT})
    assert "illisible" in wrong.content.decode()
    assert Complaint.objects.count() == 1
    complaint = Complaint.objects.get()
    for step, text in ((ComplaintState.TAKEN, ""), (ComplaintState.ANSWERED, "La clé est maintenue.")):
        handle_complaint(complaint_id=complaint.pk, step=step, text=text, actor=agency, now=NOW)
    page = client.get(reverse("ranking:results-show")).content.decode()
    assert TEXT in page
    assert "La clé est maintenue." in page
    assert "agence" not in page
    time_machine.move_to(NOW + 20 * DAY)
    visit(client, candidate)
    page = client.get(reverse("ranking:results-show")).content.decode()
    assert "délai de réclamation est passé" in page
    assert "Déposer la réclamation" not in page


def test_nobody_reads_the_complaint_of_somebody_else(client, run, candidate):
    complain(candidate)
    visit(client, Candidate.objects.get(exam=run.exam, number="K2-0002"))
    assert TEXT not in client.get(reverse("ranking:results-show")).content.decode()
    assert client.get(reverse("ranking:results-show")).status_code == 200


def test_complaint_without_a_visit_is_refused_and_asks_for_the_code(client, candidate):
    answer = client.post(reverse("ranking:results-complain"), {"text": TEXT})
    assert answer.status_code == 403
    assert "entrez à nouveau" in answer.content.decode()
    assert not Complaint.objects.exists()


def test_agency_handles_a_complaint_beside_the_log_of_the_sheet(client, run, candidate, agency):
    complaint = complain(candidate)
    centre_sitting = CentreSitting.objects.get(sitting__exam=run.exam, sitting__number=1)
    hosting = Hosting.objects.create(
        centre=candidate.centre, sitting=centre_sitting.sitting, centre_sitting=centre_sitting
    )
    Incident.objects.create(hosting=hosting, text="Alarme incendie", reported_by=agency, at=NOW)
    TimeGrant.objects.create(
        sitting=centre_sitting.sitting,
        centre_sitting=centre_sitting,
        seconds=300,
        reason="alarme",
        granted_by=agency,
        granted_at=NOW,
    )
    client.force_login(agency)
    address = reverse("ranking:complaint-show", args=[run.exam_id, complaint.pk])
    page = client.get(address).content.decode()
    assert all(word in page for word in (TEXT, "Alarme incendie", "300 s accordées", candidate.official_number))
    assert candidate.number not in page
    assert candidate.last_name not in page
    act = reverse("ranking:complaint-act", args=[run.exam_id, complaint.pk])
    for data, said in (
        ({"step": "TAKEN"}, "en cours d’examen"),
        ({"step": "CLOSED"}, "pas possible"),
        ({"step": "ANSWERED", "text": "Maintenue."}, "répondue"),
        ({"step": "PARTIE"}, "Étape inconnue"),
    ):
        assert said in client.post(act, data, follow=True).content.decode()
    path = reverse("ranking:complaint-list", args=[run.exam_id])
    row = f"n° {complaint.pk}</a>"
    found = {
        query: row in client.get(f"{path}?{query}").content.decode()
        for query in ("", "etat=ANSWERED", "etat=FILED", f"q={candidate.official_number}", "q=absent")
    }
    assert [query for query, is_there in found.items() if is_there] == [
        *("", "etat=ANSWERED", f"q={candidate.official_number}")
    ]


def test_log_of_a_complaint_about_the_whole_shows_every_sheet(candidate):
    complaint = complain(candidate, sitting=None)
    assert [log.sitting for log in sheet_logs(complaint.pk)] == ["Épreuve 1", "Épreuve 2"]
    assert {bool(log.receipt) for log in sheet_logs(complaint.pk)} == {True}


def test_complaint_of_another_exam_is_unknown(client, run, candidate, agency):
    complaint = complain(candidate)
    other = ranked_exam(agency, {"K2-0001": PERFECT}, slug="autre")
    client.force_login(agency)
    for name in ("complaint-show", "complaint-act"):
        address = reverse(f"ranking:{name}", args=[other.exam_id, complaint.pk])
        ask = client.get if name == "complaint-show" else client.post
        assert ask(address).status_code == 404


def test_export_names_nobody_and_runs_no_formula(client, run, candidate, agency):
    complain(candidate, text="=1+1")
    client.force_login(agency)
    content = client.get(reverse("ranking:complaint-export", args=[run.exam_id])).content.decode("utf-8-sig")
    (row,) = csv.DictReader(io.StringIO(content), delimiter=";")
    assert (row["numero_candidat"], row["epreuve"], row["etat"], row["reclamation"]) == (
        candidate.official_number,
        "Épreuve 1",
        "Déposée",
        "'=1+1",
    )
    assert candidate.number not in content
    assert candidate.last_name not in content
