import csv
import io
from datetime import timedelta

import pytest
from django.conf import settings
from django.core import signing
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from openpyxl import load_workbook

from centres.models import Candidate
from centres.rules.codes import code_digest, results_code
from ecni.accounts.enums import Role
from ecni.accounts.models import Deed
from exams.actions.journal import prepare_journal
from exams.enums import OpKind
from exams.models import JournalEntry, Media, Sheet
from ranking.actions import access
from ranking.models import Publication, RankingRun
from ranking.queries.pages import published_page
from ranking.queries.results import entries, marked_sheets, question_result, register_of
from ranking.templatetags.results import image_token
from ranking.views.results import COOKIE, COOKIE_SALT
from tests.factories.exams import NOW, user
from tests.factories.grading import BLANK, PERFECT, lift, prepare, publish, ranked_exam

pytestmark = pytest.mark.django_db

ANSWERS = {
    "K2-0001": BLANK,
    "K2-0002": PERFECT,
    "K2-0003": (("A", "A", "ABC", "E", "C"), None),
    "K2-0004": (None, None),
    "K2-0005": PERFECT,
}
NUMBERS = [f"K2-{number:04}" for number in range(1, 40)]


@pytest.fixture(autouse=True)
def fresh_cache():
    cache.clear()


@pytest.fixture
def agency():
    return user("agence", Role.AGENCY)


@pytest.fixture
def jury():
    return user("jury", Role.JURY)


@pytest.fixture
def run(agency):
    return ranked_exam(agency, ANSWERS)


def code_of(number):
    candidate = Candidate.objects.get(number=number)
    code = results_code(settings.SLIP_SECRET, candidate.pk)
    candidate.results_hmac = code_digest(settings.SLIP_SECRET, code)
    candidate.save()
    return {"official_number": candidate.official_number, "code": code}


def enter(client, number):
    return client.post(reverse("ranking:results-enter"), code_of(number))


def results(client, number, query=""):
    assert enter(client, number).status_code == 302
    return client.get(reverse("ranking:results-show") + query)


def test_jury_sees_the_ranking_with_ties_explained(client, run, jury):
    client.force_login(jury)
    page = client.get(reverse("ranking:ranking-show", args=[run.exam_id])).content.decode()
    assert "K2-0005" in page
    assert "plus âgé des deux" in page
    assert run.digest[:16] in page
    assert "Nom2" not in page
    assert "K2-0004" in page


def test_ranking_is_searched_and_sorted(client, run, jury):
    client.force_login(jury)
    address = reverse("ranking:ranking-show", args=[run.exam_id])
    assert [row.number for row in client.get(address, {"q": "0003"}).context["rows"]] == ["K2-0003"]
    assert next(row.number for row in client.get(address, {"tri": "numero"}).context["rows"]) == "K2-0001"
    assert next(row.number for row in client.get(address, {"tri": "departage"}).context["rows"]) == "K2-0005"


@pytest.mark.parametrize("role", [Role.COUNCIL, Role.CENTRE_HEAD, Role.INVIGILATOR, Role.OPS])
def test_other_roles_and_strangers_see_no_marking_and_no_ranking(client, run, role):
    gets = [
        reverse("grading:exam-list"),
        reverse("grading:marking-show", args=[run.exam_id]),
        reverse("grading:marking-progress", args=[run.exam_id]),
        reverse("ranking:ranking-show", args=[run.exam_id]),
        reverse("ranking:ranking-export", args=[run.exam_id]),
        reverse("ranking:official-show", args=[run.exam_id]),
    ]
    posts = [
        reverse("grading:run-start", args=[run.exam.sittings.first().pk]),
        reverse("ranking:ranking-compute", args=[run.exam_id]),
        reverse("ranking:publication-propose", args=[run.pk]),
        reverse("ranking:publication-confirm", args=[1]),
        reverse("ranking:official-export", args=[run.exam_id, "csv"]),
    ]
    assert {client.get(address).status_code for address in gets} == {302}
    assert {client.post(address).status_code for address in posts} == {302}
    client.force_login(user("autre", role))
    assert {client.get(address).status_code for address in gets} == {403}
    assert {client.post(address).status_code for address in posts} == {403}
    assert RankingRun.objects.count() == 1


def test_marking_ranking_and_publishing_by_the_pages(client, run, agency, jury, django_capture_on_commit_callbacks):
    sitting = run.exam.sittings.get(number=1)
    client.force_login(agency)
    with django_capture_on_commit_callbacks(execute=True):
        client.post(reverse("grading:run-start", args=[sitting.pk]), {"reason": "Réclamation"})
    progress = client.get(reverse("grading:marking-progress", args=[run.exam_id])).json()[str(sitting.pk)]
    assert (progress["word"], progress["marked"], progress["sheets"]) == ("Terminée", 4, 4)
    client.post(reverse("ranking:ranking-compute", args=[run.exam_id]), {"reason": "Après réclamation"})
    newest = RankingRun.objects.latest("pk")
    lift(newest)
    prepare(newest)
    proposal = {"not_before": "2026-06-15T10:00", "reason": "Jury réuni"}
    assert "motif" in _said(client, "ranking:publication-propose", newest.pk, proposal | {"reason": ""}).lower()
    assert "proposée" in _said(client, "ranking:publication-propose", newest.pk, proposal)
    publication = Publication.objects.get()
    assert "autre personne" in _said(client, "ranking:publication-confirm", publication.pk, {"reason": "Signé"})
    client.force_login(jury)
    assert "publiés" in _said(client, "ranking:publication-confirm", publication.pk, {"reason": "Signé"})
    page = client.get(reverse("ranking:ranking-show", args=[run.exam_id])).content.decode()
    assert "Résultats publiés" in page


def _said(client, name, pk, data):
    page = client.post(reverse(name, args=[pk]), data, follow=True)
    return " ".join(str(message) for message in page.context["messages"])


def test_export_is_sorted_by_number_with_exact_totals(client, run, jury):
    client.force_login(jury)
    text = client.get(reverse("ranking:ranking-export", args=[run.exam_id])).content.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text), delimiter=";"))
    assert [row["numero"] for row in rows] == ["K2-0001", "K2-0002", "K2-0003", "K2-0005", "K2-0004"]
    assert (rows[1]["total"], rows[1]["total_exact"]) == ("10800", "10800")
    assert rows[4]["rang"] == "non classé"


def test_name_that_looks_like_a_formula_is_made_inert(client, run, agency, jury):
    Candidate.objects.filter(number="K2-0002").update(last_name="=1+1")
    publish(run, jury, agency)
    client.force_login(agency)
    export = client.post(reverse("ranking:official-export", args=[run.exam_id, "csv"]), {"reason": "Journal officiel"})
    assert "'=1+1" in export.content.decode()
    assert ";=1+1" not in export.content.decode()


def test_nothing_of_the_results_is_reachable_before_publication(client, run, agency):
    ask = reverse("ranking:results-ask")
    assert "pas encore publiés" in client.get(ask).content.decode()
    refused = enter(client, "K2-0002")
    assert refused.status_code == 403
    assert "pas encore publiés" in refused.content.decode()
    assert client.get(reverse("ranking:results-show")).headers["Location"] == ask
    client.force_login(agency)
    assert client.get(reverse("ranking:official-show", args=[run.exam_id])).status_code == 404
    client.post(reverse("ranking:official-export", args=[run.exam_id, "csv"]), {"reason": "Voir"})
    assert not Deed.objects.filter(verb="export_official_list").exists()


def test_visit_opened_before_shows_nothing_of_an_exam_not_published(client, run, agency, jury):
    publish(run, jury, agency)
    results(client, "K2-0002")
    Publication.objects.update(confirmed_at=None, confirmed_by=None)
    assert client.get(reverse("ranking:results-show")).status_code == 404


def test_candidate_reads_rank_points_answers_and_keys(client, run, agency, jury):
    publish(run, jury, agency)
    page = results(client, "K2-0003")
    found = page.context["results"]
    assert (found["rank"], found["ranked"], found["total"]) == (3, 4, "2\u202f430")
    assert [(part["label"], part["points"]) for part in found["parts"]][1] == ("Questions isolées", "540")
    assert [(case["label"], case["points"]) for case in found["cases"]] == [
        ("Épreuve 1, dossier 1", "1\u202f890"),
        ("Épreuve 2, dossier 2", "0"),
        ("Épreuve 2, dossier 3", "0"),
    ]
    text = page.content.decode()
    assert "Question blanc-1-1-1 ?" in text
    assert "Indispensable" in text
    assert "Vignette blanc-1-3" in text
    assert "1 discordance. 0,5 × 1\u202f080 = 540 points." in text
    assert "K2-0003" not in text


def test_questions_of_a_copy_say_answer_key_points_and_verdict(run):
    book = register_of(run).books[1]
    sheet = marked_sheets(book, ["K2-0003"])["K2-0003"]
    questions = [question_result(book, *entry) for entry in entries(book, sheet)]
    assert [(question.answer, question.expected, question.points) for question in questions] == [
        ("A", "B", "0"),
        ("A", "A, C", "540"),
        ("A, B, C", "A, B", "630"),
        ("E", "E", "1\u202f260"),
        ("C", "A, C", "0"),
    ]
    assert [question.verdict.word for question in questions] == [
        "Faux",
        "1 discordance",
        "1 discordance",
        "Juste",
        "Indispensable oubliée",
    ]


def test_candidate_reads_in_words_what_an_equality_became_and_nothing_of_the_other(client, run, agency, jury):
    publish(run, jury, agency)
    above, below = results(client, "K2-0002"), results(client, "K2-0005")
    assert above.context["results"]["ties"] == [
        "Un candidat de même total que vous est placé juste après vous : la date de naissance vous départage."
    ]
    assert below.context["results"]["ties"] == [
        "Un candidat de même total que vous est placé juste avant vous : la date de naissance vous départage."
    ]
    assert "K2-00" not in above.content.decode() + below.content.decode()


def test_candidate_reads_the_line_of_their_acts(client, run, agency, jury):
    sheet = Sheet.objects.get(number="K2-0002", sitting__number=1)
    prepare_journal(sitting_id=sheet.sitting_id)
    for seq, (kind, question, value) in enumerate([(OpKind.ANSWER, 1, "B"), (OpKind.SEAL, 3, "")], start=1):
        JournalEntry.objects.create(
            sitting_id=sheet.sitting_id,
            sheet_id=sheet.pk,
            seq=seq,
            epoch=1,
            kind=kind,
            question=question,
            value=value,
            made_at=0,
            received_at=NOW + timedelta(seconds=seq),
            digest=bytes(32),
        )
    publish(run, jury, agency)
    text = results(client, "K2-0002").content.decode()
    assert "Vos actes : 2 reçus, dans l’ordre" in text
    assert "18:00:01" in text
    assert "Validation définitive" in text


def test_candidate_takes_the_transcript_as_tagged_pdf_and_as_tables(client, run, agency, jury):
    publish(run, jury, agency)
    results(client, "K2-0002")
    pdf = client.get(reverse("ranking:results-transcript", args=["pdf"]))
    assert pdf.headers["Content-Type"] == "application/pdf"
    assert_universal(pdf.content)
    text = client.get(reverse("ranking:results-transcript", args=["csv"])).content.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text), delimiter=";"))
    assert [row["question"] for row in rows] == ["1", "2", "3", "4", "5", "1", "2", "3"]
    assert rows[1] == {
        "epreuve": "Épreuve 1",
        "question": "2",
        "type": "Question à réponses multiples",
        "reponse": "A, C",
        "points": "1080",
        "sur": "1080",
    }
    table = client.get(reverse("ranking:results-transcript", args=["xlsx"])).content
    cells = list(load_workbook(io.BytesIO(table)).active.values)
    assert [list(row) for row in cells[1:]] == [list(row.values()) for row in rows]
    assert client.get(reverse("ranking:results-transcript", args=["docx"])).status_code == 404


def assert_universal(pdf):
    """The PDF says that it is PDF/UA-1, is tagged, has a language and a title."""
    assert all(mark in pdf for mark in (b"<pdfuaid:part>1<", b"/MarkInfo", b"/StructTreeRoot", b"/Lang", b"<dc:title>"))
    assert b"/S/Table" in pdf.replace(b" ", b"") or b"/ObjStm" in pdf


def test_candidate_absent_somewhere_is_told_so(client, run, agency, jury):
    publish(run, jury, agency)
    assert "pas remis de copie" in results(client, "K2-0003", "?epreuve=2").content.decode()


def test_candidate_absent_everywhere_is_not_ranked(client, run, agency, jury):
    publish(run, jury, agency)
    page = results(client, "K2-0004").content.decode()
    assert "Non classé" in page
    assert "Absent à toutes les épreuves" in page


@pytest.mark.parametrize("query", ["?epreuve=99", "?epreuve=abc", "?epreuve=²"])
def test_unknown_sitting_shows_the_first(client, run, agency, jury, query):
    publish(run, jury, agency)
    assert results(client, "K2-0002", query).context["shown"] == 1


def test_code_of_somebody_else_or_forged_cookie_opens_nothing(client, run, agency, jury):
    publish(run, jury, agency)
    mine, other = code_of("K2-0001"), code_of("K2-0002")
    crossed = client.post(reverse("ranking:results-enter"), mine | {"code": other["code"]})
    assert crossed.status_code == 403
    client.cookies["ecni_results"] = str(Candidate.objects.first().pk)
    assert client.get(reverse("ranking:results-show")).status_code == 302


def test_visit_lasts_half_an_hour(client, run, agency, jury, time_machine):
    publish(run, jury, agency)
    start = run.created_at + timedelta(days=1)
    time_machine.move_to(start)
    assert results(client, "K2-0002").status_code == 200
    time_machine.move_to(start + timedelta(minutes=31))
    assert client.get(reverse("ranking:results-show")).status_code == 302


def test_wrong_codes_slow_down_wrong_codes_of_that_number_only(client, run, agency, jury):
    publish(run, jury, agency)
    mine, other = code_of("K2-0001"), code_of("K2-0002")
    for _ in range(access.FREE_ATTEMPTS + 1):
        client.post(reverse("ranking:results-enter"), mine | {"code": "0000-0000-0000"})
    wrong = client.post(reverse("ranking:results-enter"), mine | {"code": "0000-0000-0000"})
    assert "attendez" in wrong.content.decode()
    for right in (mine, other):
        assert client.post(reverse("ranking:results-enter"), right).status_code == 302


def test_official_list_joins_names_after_publication_and_its_export_is_a_deed(client, run, agency, jury):
    publish(run, jury, agency)
    client.force_login(agency)
    page = client.get(reverse("ranking:official-show", args=[run.exam_id])).content.decode()
    assert page.index("Nom2") < page.index("Nom5") < page.index("Nom3") < page.index("Nom4")
    found = client.get(reverse("ranking:official-show", args=[run.exam_id]), {"q": "PRENOM5"}).content.decode()
    assert ("Nom5" in found, "Nom2" in found) == (True, False)
    export = client.post(reverse("ranking:official-export", args=[run.exam_id, "csv"]), {"reason": "Journal officiel"})
    assert export.content.decode("utf-8-sig").splitlines()[1] == "1;;2026-0002;Nom2;Prénom2;10800;"
    assert Deed.objects.get(verb="export_official_list").reason == "Journal officiel"


@pytest.mark.parametrize("name", ["grading:marking-show", "ranking:ranking-show", "ranking:official-show"])
def test_statements_of_a_page_do_not_grow_with_its_rows(client, agency, jury, name):
    runs = ranked_exam(agency, {"K2-0001": PERFECT}), ranked_exam(agency, dict.fromkeys(NUMBERS, PERFECT), slug="grand")
    client.force_login(agency)
    counts = set()
    for run in runs:
        publish(run, jury, agency)
        with CaptureQueriesContext(connection) as statements:
            assert client.get(reverse(name, args=[run.exam_id])).status_code == 200
        counts.add(len(statements))
    assert len(counts) == 1


def test_image_of_a_copy_is_given_to_its_visitor_only(client, run, agency, jury):
    image = b'<svg xmlns="http://www.w3.org/2000/svg"/>'
    Media.objects.create(name="media/ecg.svg", content_type="image/svg+xml", size=len(image), content=image)
    address = reverse("ranking:results-image", args=[image_token("media/ecg.svg")])
    assert client.get(address).status_code == 404
    publish(run, jury, agency)
    enter(client, "K2-0002")
    assert client.get(address).content == image
    assert client.get(reverse("ranking:results-image", args=["ecg.svg:forged"])).status_code == 404


def test_official_list_is_taken_as_tagged_pdf_and_as_tables_that_run_nothing(client, run, agency, jury):
    Candidate.objects.filter(number="K2-0002").update(last_name="=1+1", category="MILITARY")
    publish(run, jury, agency)
    client.force_login(agency)
    taken = {
        form: client.post(reverse("ranking:official-export", args=[run.exam_id, form]), {"reason": "Journal officiel"})
        for form in ("csv", "xlsx", "pdf")
    }
    assert_universal(taken["pdf"].content)
    sheet = load_workbook(io.BytesIO(taken["xlsx"].content)).active
    assert "f" not in {cell.data_type for row in sheet.iter_rows() for cell in row}
    assert [cell.value for cell in sheet[2]][:4] == ["1", None, "2026-0002", "'=1+1"]
    rows = list(csv.reader(io.StringIO(taken["csv"].content.decode("utf-8-sig")), delimiter=";"))
    assert rows[-1] == ["non classé", "", "2026-0004", "Nom4", "Prénom4", "", "Absent à toutes les épreuves"]
    assert [[cell or "" for cell in row] for row in sheet.values] == rows
    assert Deed.objects.filter(verb="export_official_list").count() == 3


def test_transcript_is_the_same_bytes_when_prepared_again(run, agency, jury):
    publish(run, jury, agency)
    owner = Candidate.objects.get(number="K2-0002").pk
    first = published_page(run.exam_id, owner, "transcript.pdf")
    prepare(run)
    assert published_page(run.exam_id, owner, "transcript.pdf") == first


def test_president_signs_and_two_others_lift_from_the_page(
    client, run, agency, jury, django_capture_on_commit_callbacks
):
    president = user("presidente", Role.PRESIDENT)
    steps = (
        (president, "ranking-sign", "Le classement est signé."),
        (agency, "anonymity-lift", "Votre acte est enregistré."),
        (agency, "anonymity-lift", "Cet acte demande une autre personne"),
        (jury, "anonymity-lift", "Votre acte est enregistré."),
        (agency, "pages-prepare", "Les pages se préparent."),
    )
    for actor, name, words in steps:
        client.force_login(actor)
        with django_capture_on_commit_callbacks(execute=True):
            assert words in _said(client, f"ranking:{name}", run.pk, {"reason": "Délibération"})
    page = client.get(reverse("ranking:ranking-show", args=[run.exam_id])).content.decode()
    assert "Pages prêtes" in page
    assert "Proposer la publication" in page
    assert "Nom2" not in page


def test_a_proposal_then_a_ranking_are_taken_back_from_the_page(client, run, agency, jury):
    president = user("presidente", Role.PRESIDENT)
    lift(run, president, jury, agency)
    prepare(run)
    page = reverse("ranking:ranking-show", args=[run.exam_id])
    client.force_login(president)
    take_back = reverse("ranking:ranking-withdraw", args=[run.pk])
    assert take_back in client.get(page).content.decode()
    client.force_login(jury)
    assert take_back not in client.get(page).content.decode()
    client.post(
        reverse("ranking:publication-propose", args=[run.pk]), {"not_before": "2027-01-01T10:00", "reason": "Jury"}
    )
    withdraw = reverse("ranking:publication-withdraw", args=[Publication.objects.get().pk])
    assert withdraw in client.get(page).content.decode()
    assert "La proposition est retirée" in client.post(withdraw, {"reason": "Erreur"}, follow=True).content.decode()
    client.force_login(president)
    said = client.post(take_back, {"reason": "Exclusion"}, follow=True).content.decode()
    assert "Le classement est retiré" in said
    assert "Retiré par le président" in said
    assert reverse("ranking:ranking-compute", args=[run.exam_id]) in said


def test_a_reading_costs_a_few_statements_whatever_the_exam(client, agency, jury):
    counts = set()
    runs = ranked_exam(agency, {"K2-0002": PERFECT}), ranked_exam(agency, dict.fromkeys(NUMBERS, PERFECT), slug="grand")
    for run in runs:
        publish(run, jury, agency)
        candidate = Candidate.objects.get(exam=run.exam, number="K2-0002")
        signed = signing.get_cookie_signer(salt=COOKIE + COOKIE_SALT).sign(f"{run.exam_id}.{candidate.pk}")
        client.cookies[COOKIE] = signed
        with CaptureQueriesContext(connection) as statements:
            assert client.get(reverse("ranking:results-show")).status_code == 200
        counts.add(len(statements))
    assert counts == {5}
