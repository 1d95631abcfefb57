"""The door: codes typed as people type them, one tablet per slip, few statements, no session."""

from datetime import timedelta
from threading import Barrier, Thread

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import connection
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from centres.actions.slips import OtherDevice, reissue_slip, use_slip
from centres.models import Slip
from centres.queries.slips import candidate_id_by_results_code, open_entry, printed_slips
from centres.rules.codes import ALPHABET, code_digest, grouped, normalise_code, results_code, slip_code
from ecni.accounts.enums import Role
from ecni.accounts.models import User
from exams.enums import CentreSittingState, SheetState
from exams.models import CentreSitting, Sheet
from exams.rules.states import ReasonMissing, WrongState
from exams.tickets import COOKIE, read_ticket
from tests.factories.centres import NOW, make_hosting

codes = st.text(ALPHABET, min_size=12, max_size=12)


@pytest.fixture(autouse=True)
def _fresh_cache():
    cache.clear()


@given(codes)
def test_normalise_code_reads_back_what_is_printed(code):
    assert normalise_code(grouped(code)) == code
    assert normalise_code(f"  {grouped(code).lower()} ") == code
    assert normalise_code(code.replace("0", "o").replace("1", "l")) == code
    assert normalise_code(code.replace("1", "I")) == code


@pytest.mark.parametrize("typed", ["", "ABCD", "U" * 12, "0" * 13, "é" * 12, "ABCD-EFGH-JKM?", "\x00" * 12])
def test_normalise_code_refuses_what_is_no_code(typed):
    assert normalise_code(typed) is None


def test_slip_codes_are_all_different_and_hold_sixty_bits():
    found = {slip_code("secret", seat, serial) for seat in range(500) for serial in (1, 2)}
    found |= {results_code("secret", candidate) for candidate in range(500)}
    assert len(found) == 1500
    assert all({code[place] for code in found} == set(ALPHABET) for place in range(12))
    assert slip_code("other", 1, 1) != slip_code("secret", 1, 1)


def test_code_digest_is_not_the_derivation():
    assert code_digest("secret", "A" * 12) != code_digest("other", "A" * 12)
    assert len(code_digest("secret", "A" * 12)) == 32


def code_of(hosting, place=0):
    return printed_slips(hosting.pk)[place].code


def enter(client, code):
    client.get("/entrer/")
    return client.post("/entrer/oui/", {"code": code})


@pytest.mark.django_db
def test_the_database_never_holds_a_code():
    hosting = make_hosting(count=2)
    with connection.cursor() as cursor:
        cursor.execute("SELECT centres_slip::text FROM centres_slip")
        stored = str(cursor.fetchall())
    for slip in printed_slips(hosting.pk):
        assert slip.code not in stored
        assert slip.code.encode().hex() not in stored


@pytest.mark.django_db
def test_identity_check_shows_the_person_and_consumes_nothing(client):
    hosting = make_hosting(state="LOBBY")
    client.get("/entrer/")
    page = client.post("/entrer/identite/", {"code": grouped(code_of(hosting)).lower()}).content.decode()
    assert "Nom1 Prénom1" in page
    assert "2 janvier 2001" in page
    assert "place 1" in page
    assert not Slip.objects.filter(used_at__isnull=False).exists()
    assert COOKIE not in client.cookies


@pytest.mark.django_db
def test_denying_identity_consumes_nothing(client):
    make_hosting(state="LOBBY")
    client.get("/entrer/")
    assert "Rien n’a été enregistré" in client.post("/entrer/non/").content.decode()
    assert not Slip.objects.filter(used_at__isnull=False).exists()


@pytest.mark.django_db
def test_confirming_gives_the_ticket_and_leads_to_the_tablet_page(client):
    hosting = make_hosting(state="LOBBY")
    response = enter(client, code_of(hosting))
    assert response.status_code == 302
    assert response["Location"] == "/copie/"
    cookie = response.cookies[COOKIE]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Strict"
    sheet = Sheet.objects.get(number="R" + Sheet.objects.first().number[1:])
    ticket = read_ticket(cookie.value)
    assert (ticket.sheet_id, ticket.epoch, ticket.number) == (sheet.pk, 1, sheet.number)
    assert ticket.centre_sitting_id == hosting.centre_sitting_id
    named = response.cookies["ecni_sheet"]
    assert (named.value, named["httponly"], named["samesite"]) == (f"{sheet.sitting_id}|{sheet.number}", "", "Strict")
    centre = response.cookies["ecni_centre"]
    assert (centre.value, centre["httponly"], centre["samesite"]) == (f"{hosting.centre_sitting_id:02}", True, "Strict")
    assert not Session.objects.exists()


@pytest.mark.django_db
def test_entering_costs_five_statements_and_the_limits_once_a_second(
    client, django_assert_num_queries, django_assert_max_num_queries
):
    code = code_of(make_hosting(state="LOBBY"))
    with django_assert_num_queries(0):
        client.get("/entrer/")
    with django_assert_max_num_queries(2 + 1):
        client.post("/entrer/identite/", {"code": code})
    with django_assert_max_num_queries(3 + 1):
        client.post("/entrer/oui/", {"code": code})


@pytest.mark.django_db
def test_the_same_tablet_may_enter_again_another_may_not(client):
    code = code_of(make_hosting(state="LOBBY"))
    assert enter(client, code).status_code == 302
    assert enter(client, code).status_code == 302
    refused = enter(Client(), code)
    assert refused.status_code == 422
    assert "Appelez un surveillant" in refused.content.decode()
    assert COOKIE not in refused.cookies


@pytest.mark.django_db
def test_entering_without_cookies_is_refused_in_words():
    code = code_of(make_hosting(state="LOBBY"))
    page = Client().post("/entrer/oui/", {"code": code})
    assert page.status_code == 422
    assert "cookies" in page.content.decode()
    assert not Slip.objects.filter(used_at__isnull=False).exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("typed", "words"),
    [("0000-0000-0000", "n’est pas reconnu"), ("", "n’est pas reconnu"), ("<b>" * 99, "n’est pas reconnu")],
)
def test_a_wrong_code_is_refused_in_words(client, typed, words):
    make_hosting(state="LOBBY")
    page = client.post("/entrer/identite/", {"code": typed})
    assert page.status_code == 422
    assert words in page.content.decode()
    assert "<b>" * 3 not in page.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("state", [CentreSittingState.PLANNED, CentreSittingState.CLOSED, CentreSittingState.SIGNED])
def test_entry_waits_for_the_doors(client, state):
    hosting = make_hosting()
    CentreSitting.objects.update(state=state)
    assert "L’accueil n’est pas ouvert" in enter(client, code_of(hosting)).content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("state", [SheetState.EXCLUDED, SheetState.WITHDRAWN, SheetState.CLOSED])
def test_an_ended_sheet_is_not_entered(client, state):
    hosting = make_hosting(state="LOBBY")
    Sheet.objects.update(state=state)
    assert "Cette copie est terminée" in enter(client, code_of(hosting)).content.decode()


@pytest.mark.django_db
def test_wrong_codes_slow_one_tablet_and_nobody_else(client):
    code = code_of(make_hosting(state="LOBBY"))
    client.get("/entrer/")
    for _ in range(4):
        client.post("/entrer/identite/", {"code": "0000-0000-0000"})
    assert "attendez quelques secondes" in client.post("/entrer/identite/", {"code": code}).content.decode()
    neighbour = Client()
    neighbour.get("/entrer/")
    assert neighbour.post("/entrer/identite/", {"code": code}).status_code == 200


@pytest.mark.django_db
def test_reissuing_kills_the_old_slip_and_raises_the_epoch(client):
    hosting = make_hosting(state="LOBBY")
    slip = printed_slips(hosting.pk)[0]
    enter(client, slip.code)
    agency = User.objects.get(role=Role.AGENCY)
    fresh = reissue_slip(seat_id=slip.seat_id, reason="tablette en panne", actor=agency, now=NOW)
    assert fresh != slip.code
    assert "a été remplacé" in enter(client, slip.code).content.decode()
    response = enter(Client(), fresh)
    assert read_ticket(response.cookies[COOKIE].value).epoch == 2
    assert code_of(hosting) == fresh


@pytest.mark.django_db
def test_reissuing_needs_a_reason_and_a_living_sheet():
    hosting = make_hosting(state="LOBBY")
    slip, agency = printed_slips(hosting.pk)[0], User.objects.get()
    with pytest.raises(ReasonMissing):
        reissue_slip(seat_id=slip.seat_id, reason=" ", actor=agency, now=NOW)
    Sheet.objects.update(state=SheetState.CLOSED)
    with pytest.raises(WrongState):
        reissue_slip(seat_id=slip.seat_id, reason="panne", actor=agency, now=NOW)
    assert Slip.objects.filter(seat_id=slip.seat_id).count() == 1


@pytest.mark.django_db
def test_a_slip_replaced_between_the_check_and_the_answer_gives_no_ticket():
    hosting = make_hosting(state="LOBBY")
    slip, agency = printed_slips(hosting.pk)[0], User.objects.get()
    entry = open_entry(slip.code)
    reissue_slip(seat_id=slip.seat_id, reason="panne", actor=agency, now=NOW)
    with pytest.raises(OtherDevice):
        use_slip(entry=entry, device="tablette", now=NOW)


@pytest.mark.django_db(transaction=True)
def test_two_tablets_at_once_with_one_slip_give_one_ticket():
    code = code_of(make_hosting(state="LOBBY"))
    outcomes, barrier = [], Barrier(4)

    def attempt(device):
        try:
            entry = open_entry(code)
            barrier.wait()
            outcomes.append(use_slip(entry=entry, device=device, now=NOW + timedelta(seconds=1)))
        except OtherDevice:
            outcomes.append(None)
        finally:
            connection.close()

    threads = [Thread(target=attempt, args=(f"tablette {index}",)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(outcome is not None for outcome in outcomes) == 1


@pytest.mark.django_db
def test_results_code_finds_its_candidate_only():
    hosting = make_hosting(count=1)
    candidate = hosting.seats.get().candidate
    code = results_code(settings.SLIP_SECRET, candidate.pk)
    assert candidate_id_by_results_code(code) is None
    candidate.results_hmac = code_digest(settings.SLIP_SECRET, code)
    candidate.save()
    assert candidate_id_by_results_code(grouped(code)) == candidate.pk
    assert candidate_id_by_results_code("0000-0000-0000") is None
