"""Before the hour nobody reads a result, whatever the address and whoever asks; after it, each candidate their own."""

import json
from datetime import timedelta

import pytest
from django.conf import settings
from django.core import signing
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from centres.models import Candidate
from centres.rules.codes import code_digest, results_code
from ranking.actions.publication import confirm_publication, propose_publication
from ranking.models import Complaint
from ranking.queries.pages import RESULTS, page_path, published_page
from ranking.views.results import COOKIE, COOKIE_SALT
from tests.factories.exams import NOW
from tests.factories.grading import BLANK, PERFECT, lift, prepare, publish, ranked_exam
from tests.journeys.addresses import ACTORS, all_addresses, build_house

pytestmark = pytest.mark.django_db

ANSWERS = {
    "K2-0001": PERFECT,
    "K2-0002": BLANK,
    "K2-0003": (PERFECT[0], None),
    "K2-0004": (None, None),
    "K2-0005": (BLANK[0], PERFECT[1]),
}
FOLLOWERS = {"agency", "jury", "president"}
"""Who follows the anonymous ranking before publication."""
FIGURES = ("10\N{NARROW NO-BREAK SPACE}800", "10800", "5\N{NARROW NO-BREAK SPACE}940", "5940", "4860")
COPY = ("Explication embargo", "Question embargo", "Vignette embargo", "Empreinte de votre reçu")
OF_A_QUESTION = {"Question embargo", "Vignette embargo"}
"""What the pages of a question show to the jury, and no copy."""
NAMES = tuple(f"CANARI-{place}-NOM" for place in range(1, 6))


@pytest.fixture(autouse=True)
def folders(settings, tmp_path):
    settings.PAPERS_ROOT, settings.RESULTS_ROOT = tmp_path / "papers", tmp_path / "results"
    settings.PAPERS_ROOT.mkdir()
    cache.clear()
    return tmp_path / "results"


@pytest.fixture
def house():
    """A house whose exam is ranked, signed, lifted, prepared and proposed for an hour that has not come."""
    built = build_house(with_results=False)
    agency, jury = built.staff["agency"], built.staff["jury"]
    run = ranked_exam(agency, ANSWERS, slug="embargo")
    for candidate, name in zip(Candidate.objects.filter(exam=run.exam).order_by("number"), NAMES, strict=True):
        candidate.last_name = name
        code = results_code(settings.SLIP_SECRET, candidate.pk)
        candidate.results_hmac = code_digest(settings.SLIP_SECRET, code)
        candidate.save()
    lift(run)
    prepare(run)
    publication = propose_publication(
        run_id=run.pk, not_before=NOW + timedelta(days=36500), actor=jury, now=NOW, reason="Jury réuni"
    )
    complaint = Complaint.objects.create(candidate=candidates(run)[0], text="CANARI-PLAINTE", filed_at=NOW)
    marking = run.marking_runs.first()
    rows = (run, publication, complaint, marking, marking.chunks.first(), run.signature, run.lifts.first())
    built.places |= {row._meta.label_lower: row for row in rows}
    for place, candidate in enumerate(candidates(run), start=1):
        visit = signing.get_cookie_signer(salt=COOKIE + COOKIE_SALT).sign(f"{run.exam_id}.{candidate.pk}")
        built.cookies[f"visitor {place}"] = {COOKIE: visit}
    return built


def candidates(run):
    return list(Candidate.objects.filter(exam=run.exam_id).order_by("number"))


def faults(actor, address, text):
    """Say what of the results a page gives away to this actor."""
    found = [word for word in COPY if word in text and not address.startswith("/admin/")]
    if actor in FOLLOWERS and address.startswith("/notation/analyse/"):
        found = [word for word in found if word not in OF_A_QUESTION]
    figures, names = [word for word in FIGURES if word in text], [name for name in NAMES if name in text]
    numbers = [number for number in ANSWERS if number in text]
    if actor not in FOLLOWERS:
        found += figures + numbers
    if actor not in FOLLOWERS or figures or numbers:
        found += [name for name in names if not address.startswith("/admin/centres/candidate/")]
    return [(actor, address, word) for word in found]


def test_before_the_hour_no_address_gives_a_byte_of_results_to_anybody(house):
    visitors = [name for name in house.cookies if name.startswith("visitor ")]
    visited, found = 0, []
    for actor in (*(actor for actor in ACTORS if actor != "visitor"), *visitors):
        for address in all_addresses(house):
            if address.name.startswith("admin:") and actor not in {"agency", "council"}:
                continue
            answers = [house.client(actor).get(address.path)]
            if address.name.startswith(("ranking:", "grading:")):
                answers.append(house.client(actor).post(address.path, {"reason": "", "official_number": "2026-0001"}))
            visited += len(answers)
            for answer in answers:
                found += faults(actor, address.path, answer.content.decode(errors="replace"))
    assert found == []
    assert visited > 700


def test_before_the_hour_the_right_code_opens_nothing_and_files_show_nothing(house, folders):
    run = house.places["ranking.rankingrun"]
    for candidate in candidates(run):
        code = results_code(settings.SLIP_SECRET, candidate.pk)
        typed = {"official_number": candidate.official_number, "code": code}
        assert Client().post(reverse("ranking:results-enter"), typed).status_code == 403
        assert published_page(run.exam_id, candidate.pk, RESULTS) is None
    files = [path for path in folders.rglob("*") if path.is_file()]
    assert len(files) == 3 + 5 * 4
    needles = [word.encode() for word in (*NAMES, *FIGURES, *COPY, *ANSWERS, "%PDF", "2026-0001")]
    assert [path for path in files if any(needle in path.read_bytes() for needle in needles)] == []
    assert {len(path.name) for path in files} == {64}
    assert not folders.is_relative_to(settings.STATIC_ROOT)
    for path in files:
        for address in (f"/sujets/{path.name}.ecni", f"/static/{path.name}", f"/resultats/images/{path.name}"):
            assert Client().get(address).status_code == 404


def test_name_of_a_page_needs_the_shares_of_both_officers(house, settings):
    run = house.places["ranking.rankingrun"]
    owner = candidates(run)[0].pk
    path = page_path(run.pk, owner, RESULTS)
    assert path.exists()
    settings.KEY_SHARE_2 = "another share, of somebody who is not the second officer"
    assert page_path(run.pk, owner, RESULTS) != path


def test_after_the_hour_every_candidate_reads_exactly_their_own(house):
    run, publication = house.places["ranking.rankingrun"], house.places["ranking.publication"]
    confirm_publication(
        publication_id=publication.pk, actor=house.staff["agency"], now=publication.not_before, reason="Signé"
    )
    people = candidates(run)
    for candidate in people:
        client = Client()
        code = results_code(settings.SLIP_SECRET, candidate.pk)
        typed = {"official_number": candidate.official_number, "code": code}
        assert client.post(reverse("ranking:results-enter"), typed).status_code == 302
        pages = [client.get(reverse("ranking:results-show") + f"?epreuve={number}") for number in (1, 2)]
        pages += [client.get(reverse("ranking:results-transcript", args=[form])) for form in ("csv", "xlsx", "pdf")]
        assert {page.status_code for page in pages} == {200}
        text = "".join(page.content.decode(errors="replace") for page in pages)
        others = [person for person in people if person != candidate]
        assert candidate.official_number in text
        assert [
            word
            for person in others
            for word in (person.official_number, person.last_name, person.number)
            if word in text
        ] == []
        prepared = json.loads(published_page(run.exam_id, candidate.pk, RESULTS))["summary"]
        assert (prepared["official_number"], prepared["last_name"]) == (
            candidate.official_number,
            candidate.last_name,
        )
        place = run.places.filter(number=candidate.number).first()
        assert prepared["rank"] == (place.rank if place else None)
    ranks = [json.loads(published_page(run.exam_id, one.pk, RESULTS))["summary"]["rank"] for one in people]
    assert sorted(rank for rank in ranks if rank) == [1, 2, 3, 4]


def test_visit_of_one_exam_opens_no_other(house):
    other = ranked_exam(house.staff["agency"], {"K2-0001": PERFECT}, slug="autre")
    publish(other, house.staff["jury"], house.staff["agency"])
    forged = f"{other.exam_id}.{candidates(house.places['ranking.rankingrun'])[0].pk}"
    client = Client()
    client.cookies[COOKIE] = signing.get_cookie_signer(salt=COOKIE + COOKIE_SALT).sign(forged)
    assert client.get(reverse("ranking:results-show")).status_code == 404
