"""The door of entries: over the budget one waits with a place and types nothing again; who composes passes before."""

import re
import time
from dataclasses import replace
from hashlib import sha256
from types import SimpleNamespace

import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.test import Client

from centres.models import Hosting
from centres.queries.boards import national_board, room_board
from centres.queries.slips import printed_slips
from centres.views import entry
from centres.views.gate import Gate
from ecni.accounts.enums import Role
from ecni.accounts.models import Deed
from ecni.pages import WAITED
from ecni.shared.clock import now
from ecni.vitals import Pressure, Severity, hints
from exams import broadcast
from exams.actions.admission import confirm_guard, propose_guard, set_limit
from exams.actions.guards import Guards
from exams.broadcast import DoorSight
from exams.enums import GuardMode, GuardName, LimitName, SheetState
from exams.models import CentreSitting, Exam, GuardProposal, Sheet
from exams.queries.admission import present_limits
from exams.rules.admission import KNOCK_MS_PER_PLACE, LATEST_MS
from exams.rules.bucket import TokenBucket
from tests.factories.centres import make_hosting, make_staff

pytestmark = pytest.mark.django_db

KEY = "ab" * 32


@pytest.fixture(autouse=True)
def _fresh(monkeypatch):
    cache.clear()
    broadcast._redis().delete(broadcast.DOORS_KEY, broadcast.GUARDED_KEY)
    monkeypatch.setattr(entry, "gate", Gate())
    monkeypatch.setattr(entry, "guards", Guards())


@pytest.fixture
def ops():
    return make_staff(Role.OPS)


@pytest.fixture
def hosting(ops):
    hosting = make_hosting(count=4, state="LOBBY")
    set_limit(name=LimitName.LOGINS, value=1, reason="essai", actor=ops, now=now())
    return hosting


@pytest.fixture
def codes(hosting):
    return [slip.code for slip in printed_slips(hosting.pk)]


def tablet():
    client = Client()
    client.get("/entrer/")
    return client


def check(client, code, **headers):
    return client.post("/entrer/identite/", {"code": code}, headers=headers)


def is_identity(response):
    return "Est-ce bien vous" in response.content.decode()


def place_of(response):
    return int(re.search(r"<b>(\d+)</b></span><span class=\"soft\">votre place", response.content.decode())[1])


def test_one_too_many_waits_with_a_place_then_goes_straight_on(codes):
    first, second, third = tablet(), tablet(), tablet()
    assert is_identity(check(first, codes[0]))
    waits = [check(second, codes[1]), check(third, codes[2])]
    assert [place_of(page) for page in waits] == [1, 2]
    assert [page.status_code for page in waits] == [200, 200]
    assert all(re.fullmatch(r"[1-9]\d?;url=/entrer/attente/", page.headers["Refresh"]) for page in waits)
    assert "no-store" in waits[0].headers["Cache-Control"]
    assert place_of(second.get("/entrer/attente/")) == 1
    time.sleep(1.1)
    passed = second.get("/entrer/attente/")
    assert is_identity(passed)
    assert "Nom2 Prénom2" in passed.content.decode()
    assert second.post("/entrer/oui/", {"code": codes[1]}).status_code == 302
    assert place_of(third.get("/entrer/attente/")) == 1


def test_pages_that_come_late_make_newcomers_wait_whatever_the_limit(codes, ops, monkeypatch):
    monkeypatch.setattr("centres.views.gate.SLOWEST_PACE", 0.0)
    set_limit(name=LimitName.LOGINS, value=1_000, reason="essai", actor=ops, now=now())
    entry.gate = Gate()
    Sheet.objects.filter(number=printed_number(codes[3])).update(state=SheetState.COMPOSING, ends_at=now())
    late, client = {WAITED: 5.2}, tablet()
    assert place_of(client.post("/entrer/identite/", {"code": codes[0]}, **late)) == 1
    assert place_of(client.get("/entrer/attente/", **late)) == 1
    assert is_identity(tablet().post("/entrer/identite/", {"code": codes[3]}, **late))
    (alert,) = national_board([], now())["limits"]
    assert "pages d’entrée trop lentes" in alert["word"]
    assert "pages trop lentes : ajouter un « web »" in staff_client(ops).get("/national/limites/").content.decode()
    assert is_identity(client.get("/entrer/attente/"))


def test_who_waits_knocks_at_the_pace_at_which_pages_come_in_time(monkeypatch):
    clock = SimpleNamespace(monotonic=lambda: clock.now, now=100.0)
    monkeypatch.setattr("centres.views.gate.time", clock)
    monkeypatch.setattr("centres.views.gate.random", lambda: 0.5)
    gate = Gate()
    crowd = range(6 * gate._rate)

    def knock_all(waited):
        clock.now += 1
        gate._asked.clear()
        waits = [gate.knock(device=str(one), code="X", now=clock.now, since=None, waited=waited) for one in crowd]
        return [wait.retry_ms for wait in waits if wait]

    assert max(knock_all(5.2)) <= len(crowd) * 1000 // (2 * gate._rate)
    assert max([knock_all(5.2) for _ in range(30)][-1]) > 20 * len(crowd) * 1000 // (2 * gate._rate)
    knocks = [len(knock_all(0.1)) for _ in range(90)]
    assert knocks[0] < len(crowd)
    assert knocks[-1] == len(crowd) - gate._rate  # the pace is the allowed one again


def test_a_short_line_before_a_low_limit_learns_soon_that_it_was_raised(codes, monkeypatch):
    clock = SimpleNamespace(monotonic=lambda: clock.now, now=100.0)
    monkeypatch.setattr("centres.views.gate.time", clock)
    monkeypatch.setattr("centres.views.gate.random", lambda: 0.5)
    gate, waits = Gate(), []
    for one in range(1_200):
        clock.now += 0.25
        waits.append(gate.knock(device=str(one), code="X", now=100.0, since=one / 100, waited=0.0))
    told = [wait.retry_ms for wait in waits if wait]
    assert max(told[:280]) == LATEST_MS
    assert max(told) == pytest.approx(
        len(gate._line) * KNOCK_MS_PER_PLACE, rel=0.01
    )  # a long one costs as many knocks in all


def test_whose_sheet_will_start_without_them_is_told_to_knock_soon(codes, ops):
    set_limit(name=LimitName.LOGINS, value=25, reason="essai", actor=ops, now=now())
    entry.gate, instant = Gate(), now().timestamp()
    entry.gate._follow(instant)
    for one in range(2_000):
        entry.gate._line.join(one, 0, instant, instant - 60)
    Sheet.objects.filter(number=printed_number(codes[3])).update(state=SheetState.ADMITTED)
    admitted, expected = check(tablet(), codes[3]), check(tablet(), codes[0])
    soon, late = (int(page.headers["Refresh"].partition(";")[0]) for page in (admitted, expected))
    assert soon < 20 < late
    assert "dans quelques secondes" in admitted.content.decode()
    assert "dans trois minutes au plus" in expected.content.decode()


@pytest.mark.parametrize(("value", "pace"), [(20, 4), (3, 3), (30, 30)])
def test_only_a_limit_that_is_raised_quickens_a_door(hosting, ops, value, pace):
    gate = Gate()
    gate._line.join(1, 0, 0.0)
    gate._follow(0.0)
    gate._rate, gate._pace, gate._read_at = 25, 4.0, time.monotonic() - 2
    set_limit(name=LimitName.LOGINS, value=value, reason="essai", actor=ops, now=now())
    gate._follow(0.0)
    assert gate._pace == pytest.approx(pace, rel=0.06)


def staff_client(user):
    client = Client()
    client.force_login(user)
    return client


def test_who_types_the_code_again_keeps_their_place(codes, monkeypatch):
    first, second, third = tablet(), tablet(), tablet()
    for client, code in zip((first, second, third), codes, strict=False):
        check(client, code)
    other = Gate()
    other._newcomers.take(time.monotonic(), 1, 1)
    monkeypatch.setattr(entry, "gate", other)
    assert place_of(check(third, codes[2])) == 1
    assert place_of(check(second, codes[1])) == 1
    assert place_of(check(second, codes[3])) == 3  # another code has no place to keep


def test_of_late_pages_one_lets_somebody_in(codes, ops):
    set_limit(name=LimitName.LOGINS, value=25, reason="essai", actor=ops, now=now())
    entry.gate, late = Gate(), {WAITED: 5.2}
    pages = [tablet().post("/entrer/identite/", {"code": code}, **late) for code in codes[:3]]
    assert is_identity(pages[0])
    assert not all(is_identity(page) for page in pages)


def test_the_places_of_a_process_are_kept_by_another(codes, monkeypatch):
    first, second, third = tablet(), tablet(), tablet()
    check(first, codes[0])
    check(second, codes[1])
    check(third, codes[2])
    other = Gate()
    other._newcomers.take(time.monotonic(), 1, 1)
    monkeypatch.setattr(entry, "gate", other)
    assert place_of(third.get("/entrer/attente/")) == 1
    assert place_of(second.get("/entrer/attente/")) == 1
    assert place_of(third.get("/entrer/attente/")) == 2


def test_who_composes_passes_before_newcomers(codes):
    for client, code in ((tablet(), codes[0]), (tablet(), codes[1])):
        check(client, code)
    Sheet.objects.filter(number=printed_number(codes[3])).update(state=SheetState.COMPOSING, ends_at=now())
    entry.gate._returning = TokenBucket(time.monotonic(), 1)
    assert is_identity(check(tablet(), codes[3]))


def printed_number(code):
    hosting = Hosting.objects.get()
    return next(slip.number for slip in printed_slips(hosting.pk) if slip.code == code)


def test_raising_the_limit_lets_in_those_who_wait(codes, ops):
    clients = [tablet() for _ in codes]
    pages = [check(client, code) for client, code in zip(clients, codes, strict=True)]
    assert sum(is_identity(page) for page in pages) == 1
    set_limit(name=LimitName.LOGINS, value=1_000, reason="affluence", actor=ops, now=now())
    time.sleep(1.1)
    assert all(is_identity(client.get("/entrer/attente/")) for client in clients[1:])


def test_who_waits_when_the_centre_opens_passes(codes):
    check(tablet(), codes[0])
    client = tablet()
    assert place_of(check(client, codes[3])) == 1
    Sheet.objects.filter(number=printed_number(codes[3])).update(state=SheetState.COMPOSING, ends_at=now())
    entry.gate._asked_at = entry.gate._read_at = float("-inf")
    entry.gate._newcomers = TokenBucket(time.monotonic(), 0)
    entry.gate._returning = TokenBucket(time.monotonic(), 1)
    assert is_identity(client.get("/entrer/attente/"))


def test_nobody_invents_a_wait(codes):
    client = tablet()
    client.cookies[entry.WAIT_COOKIE] = "eyJzaW5jZSI6MH0:1:forged"
    response = client.get("/entrer/attente/")
    assert (response.status_code, response["Location"]) == (302, "/entrer/")


def test_redis_away_makes_wait_all_the_same(codes, monkeypatch):
    monkeypatch.setattr(broadcast, "_redis", broken)
    check(tablet(), codes[0])
    assert place_of(check(tablet(), codes[1])) == 1


def broken():
    raise broadcast.redis.ConnectionError


def test_boards_name_the_limit_in_words(codes):
    check(tablet(), codes[0])
    check(tablet(), codes[1])
    hosting = Hosting.objects.select_related("centre", "sitting", "centre_sitting").get()
    (national,) = national_board([hosting], now())["limits"]
    assert national["word"] == (
        "Limite atteinte depuis moins de 10 s (entrées par seconde et par processus : 1). "
        "1 tablette attend. Ceux qui composent ne sont pas gênés ; relever la limite fait entrer les autres."
    )
    (room,) = room_board(hosting, now())["limits"]
    assert "1 tablette de ce centre attend. Rien n’est perdu" in room["word"]


def switch(name, mode, ops):
    proposal = propose_guard(name=name, mode=mode, reason="essai", actor=ops, now=now())
    confirm_guard(proposal_id=proposal.pk, actor=make_staff(username="confirme"), now=now())


def test_a_tablet_of_another_network_does_not_enter(hosting, codes, ops, monkeypatch):
    monkeypatch.setattr(entry, "gate", Gate())
    set_limit(name=LimitName.LOGINS, value=100, reason="essai", actor=ops, now=now())
    CentreSitting.objects.filter(pk=hosting.centre_sitting_id).update(networks=["193.52.10.0/24"])
    client = tablet()
    refused = check(client, codes[0])
    assert "n’est pas sur le réseau de son centre" in refused.content.decode()
    assert "n’est pas sur le réseau" in client.post("/entrer/oui/", {"code": codes[0]}).content.decode()
    assert is_identity(client.post("/entrer/identite/", {"code": codes[0]}, REMOTE_ADDR="193.52.10.7"))
    switch(GuardName.ADDRESS, GuardMode.OBSERVE, ops)
    time.sleep(1.1)
    assert is_identity(check(client, codes[0]))
    assert broadcast.guarded()[GuardName.ADDRESS, GuardMode.OBSERVE] >= 1


def proof(path, key=KEY):
    return sha256(f"http://testserver{path}{key}".encode()).hexdigest()


def test_an_exam_may_ask_for_its_browser(codes, ops, monkeypatch):
    monkeypatch.setattr(entry, "gate", Gate())
    set_limit(name=LimitName.LOGINS, value=100, reason="essai", actor=ops, now=now())
    Exam.objects.update(seb_config_key=KEY)
    client, header = tablet(), "X-SafeExamBrowser-ConfigKeyHash"
    for shown in ({}, {header: proof("/entrer/identite/", "cd" * 32)}, {header: proof("/ailleurs/")}):
        assert "Safe Exam Browser" in check(client, codes[0], **shown).content.decode()
    assert is_identity(check(client, codes[0], **{header: proof("/entrer/identite/")}))
    confirmed = client.post("/entrer/oui/", {"code": codes[0]}, headers={header: proof("/entrer/oui/")})
    assert confirmed.status_code == 302
    switch(GuardName.SEB, GuardMode.OBSERVE, ops)
    time.sleep(1.1)
    assert is_identity(check(client, codes[0]))


def post(client, act, **data):
    return client.post(f"/national/limites/{act}/", data, follow=True).content.decode()


def test_the_page_raises_a_limit_and_takes_two_people_for_a_guard(hosting, client, ops):
    client.force_login(ops)
    assert "20\xa0000" not in client.get("/national/limites/").content.decode()
    page = post(client, "fixer", name="SOCKETS", value="20000", reason="troisième hôte")
    assert "Connexions par processus : 20\xa0000, dans chaque processus d’ici 2 secondes." in page
    assert "troisième hôte" in page
    assert "Rien n’a été fait" in post(client, "fixer", name="SOCKETS", value="beaucoup", reason="x")
    assert "Rien n’a été fait" in post(client, "fixer", name="AUTRE", value="5", reason="x")
    assert "Rien n’a été fait" in post(client, "fixer", name="SOCKETS", value="5")
    assert "comprise entre 1 et" in post(client, "fixer", name="SOCKETS", value="0", reason="x")
    page = post(client, "proposer", name="ORIGIN", mode="OBSERVE", reason="nom d’hôte")
    assert "Une autre personne doit confirmer." in page
    proposal_id = GuardProposal.objects.get().pk
    assert "Une autre personne que celle qui a proposé" in post(client, "confirmer", proposal_id=proposal_id)
    client.force_login(make_staff(username="seconde"))
    assert "en observation, dans chaque processus" in post(client, "confirmer", proposal_id=proposal_id)
    assert list(Deed.objects.order_by("pk").values_list("verb", flat=True))[-3:] == [
        "set_limit",
        "propose_guard",
        "confirm_guard",
    ]


def test_the_page_asks_again_for_what_changes_and_says_each_number_as_french_does(hosting, client, ops):
    client.force_login(ops)
    told = DoorSight("h:1", "SOCKETS", 10_000, 9_800, 1_800, int(now().timestamp() * 1000), 0, {})
    broadcast.publish_door(replace(told, at=int(now().timestamp() * 1000)))
    for address in ("/national/limites/", "/national/limites/etat/"):
        page = client.get(address).content.decode()
        for part, text in (("value", "10\xa0000"), ("used", "9\xa0800"), ("waiting", "1\xa0800")):
            assert f'data-part="SOCKETS-{part}">{text}<' in page
        assert "9\xa0800 sur 10\xa0000, <b>1\xa0800 attendent</b>" in page
        assert 'value="10000"' in page
        assert "est vérifié dans tous les cas" in page
    assert 'data-state="/national/limites/etat/"' in client.get("/national/limites/").content.decode()


def test_asking_again_does_not_take_what_was_done_off_the_page(hosting, client, ops):
    client.force_login(ops)
    client.post("/national/limites/fixer/", {"name": "SOCKETS", "value": "20000", "reason": "essai"})
    assert "dans chaque processus" not in client.get("/national/limites/etat/").content.decode()
    assert "dans chaque processus" in client.get("/national/limites/").content.decode()


def test_a_full_process_is_one_line_of_the_national_board(hosting, client, ops):
    client.force_login(ops)
    instant = int(now().timestamp() * 1000)
    reached = Pressure("processes", "sockets 1@h", 3, 3, 1.0, Severity.REACHED, "places d’un processus", "ajouter", 1.0)
    other = replace(reached, layer="nginx", where="", share=1.0, sentence="nginx refuse")
    hints._shared.cache_clear()
    to = hints.client()
    try:
        hints.publish_pressures(to, "h", [reached], 1.0)
        assert national_board([], now())["limit"] == "Limite atteinte : places d’un processus"
        broadcast.publish_door(DoorSight("h:1", "SOCKETS", 3, 3, 2, instant, instant, {}))
        board = national_board([], now())
        assert (board["limit"], len(board["limits"])) == ("", 1)
        page = client.get("/national/").content.decode()
        assert 'relever la limite fait entrer les autres. <a href="/national/limites/">' in page
        hints.publish_pressures(to, "h", [reached, other], 1.0)
        assert national_board([], now())["limit"] == "Limite atteinte : nginx refuse"
    finally:
        to.flushdb()
        to.close()


def test_a_limit_is_set_from_a_shell_by_those_who_may(ops, capsys):
    make_staff(Role.CENTRE_HEAD)
    call_command("set_limit", "SOCKETS", "20000", actor="ops", reason="aucune page ne répond")
    assert present_limits()[LimitName.SOCKETS] == 20_000
    assert capsys.readouterr().out == "Connexions par processus : 20000.\n"
    for actor, reason in (("centre_head", "x"), ("personne", "x"), ("ops", " ")):
        with pytest.raises(CommandError):
            call_command("set_limit", "SOCKETS", "5", actor=actor, reason=reason)
    assert present_limits()[LimitName.SOCKETS] == 20_000


@pytest.mark.parametrize("page", ["/entrer/identite/", "/entrer/oui/"])
def test_a_database_that_has_no_connection_makes_wait_and_loses_nothing(codes, page, monkeypatch):
    client = tablet()
    with monkeypatch.context() as away:
        away.setattr(entry, "open_entry", refuse_connection)
        response = client.post(page, {"code": codes[0]})
    assert (response.status_code, "votre place" in response.content.decode()) == (200, False)
    assert response.headers["Refresh"].endswith(";url=/entrer/attente/")
    time.sleep(1.1)
    assert is_identity(client.get("/entrer/attente/"))


def refuse_connection(_code):
    raise OperationalError
