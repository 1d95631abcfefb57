"""The room console by its forms and by its socket: who may, what is refused, two people at once."""

from datetime import timedelta
from threading import Barrier, Thread

import pytest
from django.core.cache import cache
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse

from centres import protocol
from centres.actions.room import NotAllowed, UnknownSeat, carry_out
from centres.models import Accommodation, Hosting, Incident, Slip
from centres.protocol import VERBS, BadCommand, parse_command
from centres.queries.boards import national_board, room_board
from centres.queries.hostings import hosting_for, hostings_of
from centres.queries.slips import printed_slips
from centres.rules.access import may
from ecni.accounts.enums import Role
from ecni.accounts.models import Deed, User
from ecni.shared import clock
from exams import broadcast
from exams.actions.journal import mark_ready, own_centre_sitting
from exams.actions.refusing import Refusal, keep_refusals
from exams.broadcast import Presence, publish_presence
from exams.enums import CentreSittingState, GrantCause, SheetState
from exams.models import CentreSitting, FrozenSheet, Sheet, TimeGrant
from exams.rules.states import Already, NotFinished, ReasonMissing
from tests.exams.sitting import Chain
from tests.factories.centres import NOW, make_centre, make_hosting, make_sitting, make_staff
from tests.holding import held_elsewhere

JSON = {"HTTP_ACCEPT": "application/json"}


@pytest.fixture(autouse=True)
def _fresh_cache():
    cache.clear()


@pytest.fixture
def hosting(db):
    return make_hosting(state="LOBBY")


@pytest.fixture
def head(hosting):
    return make_staff(Role.CENTRE_HEAD, hosting.centre)


@pytest.fixture
def console(head):
    client = Client()
    client.force_login(head)
    return client


def post(client, hosting, act, **data):
    return client.post(f"/salle/{hosting.pk}/{act}/", data, **JSON)


def seats(hosting):
    return list(hosting.seats.order_by("seat_number").values_list("pk", flat=True))


def states():
    return sorted(Sheet.objects.values_list("state", flat=True))


def set_hour(hosting):
    """The forms read the real clock, and the sitting's hour is in the past for it or not: make it so."""
    hosting.sitting.starts_at = NOW.replace(year=2020)
    hosting.sitting.save()


def test_the_day_of_a_room_goes_by_its_forms(console, hosting):
    set_hour(hosting)
    assert post(console, hosting, "admettre-tous").json() == {"ok": True, "text": "3 admis."}
    assert post(console, hosting, "ouvrir").json()["ok"]
    assert states() == [SheetState.COMPOSING] * 3
    assert post(console, hosting, "pause", reason="alarme").json()["ok"]
    assert states() == [SheetState.PAUSED] * 3
    assert post(console, hosting, "reprendre").json()["ok"]
    assert post(console, hosting, "temps-tous", minutes="5", reason="alarme").json()["ok"]
    one = seats(hosting)[0]
    granted = post(console, hosting, "temps", minutes="7", reason="malaise", seats=[one]).json()
    assert granted == {"ok": True, "text": "7 min de plus pour 1 candidat(s)."}
    assert sorted(TimeGrant.objects.values_list("seconds", flat=True)) == [300, 420]
    refused = post(console, hosting, "clore")
    assert refused.status_code == 409
    assert refused.json()["code"] == "not-finished"
    assert "3 copie(s) composent encore" in refused.json()["text"]
    assert (
        post(console, hosting, "clore", reason="évacuation").json()["text"]
        == "L’épreuve est close : 3 copie(s) figée(s)."
    )
    assert states() == [SheetState.CLOSED] * 3


def test_a_second_click_is_said_and_harmless(console, hosting):
    set_hour(hosting)
    post(console, hosting, "admettre-tous")
    post(console, hosting, "ouvrir")
    before = CentreSitting.objects.get().opened_at
    second = post(console, hosting, "ouvrir")
    assert (second.status_code, second.json()["code"]) == (409, "already")
    assert CentreSitting.objects.get().opened_at == before
    page = console.post(f"/salle/{hosting.pk}/ouvrir/", follow=True).content.decode()
    assert "C’est déjà fait." in page
    assert 'data-tone="info"' in page


@pytest.mark.parametrize(
    ("act", "data", "code"),
    [
        ("ouvrir", {}, "too-early"),
        ("pause", {"reason": ""}, "reason-missing"),
        ("pause", {"reason": "alarme"}, "wrong-state"),
        ("reprendre", {}, "wrong-state"),
        ("accueillir", {}, "already"),
        ("clore", {}, "wrong-state"),
        ("temps-tous", {"minutes": "5"}, "reason-missing"),
        ("temps-tous", {"minutes": "0", "reason": "x"}, "malformed"),
        ("temps-tous", {"minutes": "181", "reason": "x"}, "malformed"),
        ("temps-tous", {"minutes": "cinq", "reason": "x"}, "malformed"),
        ("temps", {"minutes": "5", "reason": "x"}, "malformed"),
        ("admettre", {}, "malformed"),
        ("admettre", {"seats": "x"}, "malformed"),
        ("admettre", {"seats": "999999"}, "unknown-seat"),
        ("absents", {"seats": "999999"}, "unknown-seat"),
        ("liberer", {"seats": "999999", "reason": "panne"}, "unknown-seat"),
        ("incident", {"text": " "}, "malformed"),
        ("incident", {"text": "a" * 4001}, "malformed"),
        ("incident", {"text": "chute", "seats": "999999"}, "unknown-seat"),
        ("pause", {"reason": "a" * 201}, "malformed"),
    ],
)
def test_refusals_say_why_and_change_nothing(console, hosting, act, data, code):
    hosting.sitting.starts_at = NOW.replace(year=2100)
    hosting.sitting.save()
    revision = CentreSitting.objects.get().revision
    response = post(console, hosting, act, **data)
    assert (response.status_code, response.json()["code"]) == (409, code)
    assert response.json()["text"]
    assert CentreSitting.objects.get().revision == revision
    assert not Incident.objects.exists()


def test_a_seat_of_another_centre_is_unknown(console, hosting):
    other = make_hosting(centre=make_centre("lille"), sitting=make_sitting(number=2))
    assert post(console, hosting, "admettre", seats=[seats(other)[0]]).json()["code"] == "unknown-seat"
    assert set(states()) == {SheetState.EXPECTED}


def test_another_centre_does_not_exist(console):
    other = make_hosting(centre=make_centre("lille"), sitting=make_sitting(number=2))
    seat = seats(other)[0]
    for path in (f"/salle/{other.pk}/", f"/salle/{other.pk}/place/{seat}/", f"/salle/{other.pk}/coupons.pdf"):
        assert console.get(path).status_code == 404
    assert console.get(f"/salle/{other.pk}/place/{seat}/coupon.pdf").status_code == 404
    assert console.post(f"/salle/{other.pk}/place/{seat}/identite/").status_code == 404
    for act in VERBS:
        assert post(console, other, act).status_code == 404
    assert "Lille" not in console.get("/").content.decode()


@pytest.mark.parametrize("role", [Role.COUNCIL, Role.JURY])
def test_roles_outside_centres_see_no_room_even_attached(hosting, role):
    user = make_staff(role, hosting.centre)
    assert not hostings_of(user).exists()
    with pytest.raises(Hosting.DoesNotExist):
        hosting_for(user, hosting.pk)


def test_an_inactive_account_sees_no_room(hosting, head):
    head.is_active = False
    assert not hostings_of(head).exists()


def test_strangers_are_sent_to_the_login_page(client, hosting):
    for path in ("/", f"/salle/{hosting.pk}/", "/national/"):
        assert client.get(path).status_code in {302, 403}
    assert post(client, hosting, "ouvrir").status_code == 302
    assert "Connexion" in client.get("/connexion/").content.decode()


@pytest.mark.parametrize(
    "command",
    [
        protocol.Welcome(),
        protocol.Open(),
        protocol.PauseRoom("x"),
        protocol.ResumeRoom(),
        protocol.GrantTime((), 5, "x"),
        protocol.Close("x"),
    ],
)
@pytest.mark.parametrize("role", [Role.INVIGILATOR, Role.OPS])
def test_invigilators_and_ops_do_not_conduct(hosting, role, command):
    user = make_staff(role, hosting.centre)
    with pytest.raises(NotAllowed):
        carry_out(command=command, hosting=hosting, actor=user, now=NOW)


def test_unknown_verbs_and_roles_are_refused():
    assert not may(Role.AGENCY, "launch")
    assert not may("NOBODY", "open")
    for verb in ("launch", None, 3, ["ouvrir"], {}):
        with pytest.raises(BadCommand):
            parse_command(verb, {})


@pytest.mark.parametrize(
    "seats",
    ["12", [True], [0], [-1], [1.5], None, [[1]], [2**60], list(range(1, 2002))],
)
def test_parse_command_refuses_seats_that_are_no_numbers(seats):
    with pytest.raises(BadCommand):
        parse_command("admettre", {"seats": seats})


def test_release_gives_a_new_code_to_print(console, hosting):
    slip = printed_slips(hosting.pk)[0]
    text = post(console, hosting, "liberer", seats=[slip.seat_id], reason="écran cassé").json()["text"]
    fresh = printed_slips(hosting.pk)[0]
    assert fresh.code != slip.code
    assert fresh.code[:4] in text
    assert Sheet.objects.get(pk=slip.sheet_id).epoch == 2


def test_absent_then_admitted_late(console, hosting):
    one = seats(hosting)[0]
    assert post(console, hosting, "absents", seats=[one]).json()["text"] == "1 noté(s) absent(s)."
    assert post(console, hosting, "absents", seats=[one]).json()["code"] == "already"
    assert post(console, hosting, "admettre", seats=[one]).json()["ok"]


def test_who_was_admitted_by_mistake_is_absent_unless_a_tablet_had_the_sheet(console, hosting, head):
    one, two, three = seats(hosting)
    carry_out(command=protocol.Admit(()), hosting=hosting, actor=head, now=NOW)
    assert post(console, hosting, "absents", seats=[one]).json()["ok"]
    carry_out(command=protocol.Open(), hosting=hosting, actor=User.objects.get(role=Role.AGENCY), now=NOW)
    sheets = {seat.pk: seat.sheet_id for seat in hosting.seats.all()}
    Slip.objects.filter(seat_id=three).update(
        used_at=NOW, device="d"
    )  # a latecomer who reads, and whose tablet has said nothing yet
    assert post(console, hosting, "absents", seats=[three]).json()["code"] == "wrong-state"
    mark_ready(sheets=[(sheets[two], 1)], now=NOW)
    assert post(console, hosting, "absents", seats=[two]).json()["code"] == "wrong-state"
    Slip.objects.filter(seat_id=three).update(used_at=None, device="")
    assert post(console, hosting, "absents", seats=[three]).json()["ok"]
    states = dict(Sheet.objects.values_list("pk", "state"))
    assert [states[sheets[seat]] for seat in (one, two, three)] == ["ABSENT", "COMPOSING", "ABSENT"]
    carry_out(command=protocol.Close("fin"), hosting=hosting, actor=head, now=NOW)
    assert list(FrozenSheet.objects.values_list("sheet_id", flat=True)) == [sheets[two]]


def test_no_slip_is_printed_once_the_sitting_is_closed(console, hosting, head):
    CentreSitting.objects.update(state=CentreSittingState.CLOSED)
    for path in ("coupons.pdf", f"place/{seats(hosting)[0]}/coupon.pdf"):
        answer = console.get(f"/salle/{hosting.pk}/{path}", follow=True)
        assert "plus aucun coupon" in answer.content.decode()


def test_incidents_only_grow(console, hosting):
    post(console, hosting, "incident", text="coupure de courant")
    post(console, hosting, "incident", text="malaise", seats=[seats(hosting)[0]])
    assert Incident.objects.count() == 2
    for change in (lambda: Incident.objects.update(text="rien"), lambda: Incident.objects.all().delete()):
        with pytest.raises(IntegrityError), transaction.atomic():
            change()
    assert "malaise" in console.get(f"/salle/{hosting.pk}/place/{seats(hosting)[0]}/").content.decode()


def test_the_name_is_behind_a_logged_reveal(console, hosting):
    seat = seats(hosting)[0]
    name = hosting.seats.get(pk=seat).candidate.last_name
    for path in (f"/salle/{hosting.pk}/", f"/salle/{hosting.pk}/place/{seat}/"):
        assert name not in console.get(path).content.decode()
    assert not Deed.objects.filter(verb="reveal_candidate").exists()
    assert name in console.post(f"/salle/{hosting.pk}/place/{seat}/identite/").content.decode()
    assert Deed.objects.get(verb="reveal_candidate").target == f"seat:{seat}"


def test_an_accommodation_declared_after_seating_blocks_closing(hosting, head):
    candidate = hosting.seats.first().candidate
    Accommodation.objects.create(candidate=candidate, extra_percent=33, reason="décision", declared_at=NOW)
    agency = User.objects.get(role=Role.AGENCY)
    carry_out(command=protocol.Admit(()), hosting=hosting, actor=head, now=NOW)
    carry_out(command=protocol.Open(), hosting=hosting, actor=agency, now=NOW)
    with pytest.raises(NotFinished, match=r"1 copie\(s\) sans tout leur temps majoré"):
        carry_out(command=protocol.Close(""), hosting=hosting, actor=head, now=NOW)
    board = room_board(hosting, NOW)
    assert "1 copie(s) sans tout leur temps majoré." in board["obstacles"]
    rows = board["rows"]
    late = [alert["word"] for row in rows for alert in row["alerts"] if alert["icon"] == "time-add"]
    assert late == ["Temps majoré : il manque 60 min sur la copie"]
    seat = hosting.seats.get(candidate=candidate).pk
    carry_out(command=protocol.GrantTime((seat,), 60, "décision 12"), hosting=hosting, actor=head, now=NOW)
    assert "temps majoré" not in " ".join(room_board(hosting, NOW)["obstacles"])


@pytest.mark.parametrize("change", ["outage", "absent"])
def test_what_an_outage_gives_back_is_no_extra_time_and_who_is_not_there_lacks_none(hosting, head, change):
    seat = hosting.seats.first()
    Accommodation.objects.create(candidate=seat.candidate, extra_percent=33, reason="décision", declared_at=NOW)
    carry_out(command=protocol.Admit(()), hosting=hosting, actor=head, now=NOW)
    carry_out(command=protocol.Open(), hosting=hosting, actor=User.objects.get(role=Role.AGENCY), now=NOW)
    if change == "outage":
        outage = {"cause": GrantCause.OUTAGE, "seconds": 3600, "reason": "panne", "granted_at": NOW}
        TimeGrant.objects.create(sitting=hosting.sitting, sheet=seat.sheet, **outage)
    else:
        Sheet.objects.filter(pk=seat.sheet_id).update(state=SheetState.WITHDRAWN)
    board = " ".join(room_board(hosting, NOW)["obstacles"])
    assert ("sans tout leur temps majoré" in board) == (change == "outage")


def test_room_page_shows_each_seat_and_filters(console, hosting):
    post(console, hosting, "admettre", seats=[seats(hosting)[0]])
    page = console.get(f"/salle/{hosting.pk}/").content.decode()
    assert page.count("<tbody data-seat=") == 3
    assert "Admis" in page
    assert "style=" not in page
    filtered = console.get(f"/salle/{hosting.pk}/?etat=ADMITTED").content.decode()
    assert filtered.count('" hidden>\n<tr>') == 2


def test_room_page_costs_the_same_statements_whatever_the_seats(hosting, console, django_assert_max_num_queries):
    with django_assert_max_num_queries(12):
        console.get(f"/salle/{hosting.pk}/")
    other = make_hosting(count=30, centre=make_centre("lille", 40), sitting=make_sitting(number=2))
    other.centre.memberships.create(user=User.objects.get(role=Role.CENTRE_HEAD))
    with django_assert_max_num_queries(12):
        assert console.get(f"/salle/{other.pk}/").content.decode().count("<tbody data-seat=") == 30


def test_presence_shows_calls_and_lost_tablets(console, hosting, head):
    agency = User.objects.get(role=Role.AGENCY)
    carry_out(command=protocol.Admit(()), hosting=hosting, actor=head, now=NOW)
    carry_out(command=protocol.Open(), hosting=hosting, actor=agency, now=NOW)
    sheets = [seat.sheet_id for seat in hosting.seats.order_by("seat_number")]
    at = int(NOW.timestamp() * 1000)
    publish_presence(
        {
            hosting.centre_sitting_id: {
                sheets[0]: Presence(at, at - 9000, 12, 3, called=True, online=True, by_http=False),
                sheets[1]: Presence(at - 130_000, at - 131_000, 40, 41, called=False, online=False, by_http=False),
                sheets[2]: Presence(at, at, 5, 6, called=False, online=True, by_http=True),
            }
        }
    )
    board = room_board(hosting, NOW)
    first, second, third = board["rows"]
    assert (first["answered"], first["saved"], first["tone"]) == (12, "moins de 10 s", "danger")
    assert first["alerts"][0]["icon"] == "hand"
    assert second["network"]["tone"] == "danger"
    assert "Hors ligne depuis 2 min" in second["alerts"][0]["word"]
    assert (third["network"]["word"], third["network"]["tone"]) == ("Secours HTTP", "info")
    assert "1 appel(s) non traité(s)." in board["obstacles"]
    carry_out(command=protocol.HandleCall(first["seat"]), hosting=hosting, actor=head, now=NOW)
    assert not room_board(hosting, NOW)["rows"][0]["called"]


@pytest.mark.parametrize(
    ("beat", "silence", "word"), [(10, 31, "Hors ligne"), (24, 43, "En ligne"), (24, 45, "Hors ligne")]
)
def test_a_tablet_that_beats_less_often_is_given_up_later(console, hosting, head, beat, silence, word):
    carry_out(command=protocol.Admit(()), hosting=hosting, actor=head, now=NOW)
    carry_out(command=protocol.Open(), hosting=hosting, actor=User.objects.get(role=Role.AGENCY), now=NOW)
    sheet = hosting.seats.order_by("seat_number").first().sheet_id
    seen = Presence(int(NOW.timestamp() * 1000), None, 0, 0, called=False, online=True, by_http=False, beat=beat)
    publish_presence({hosting.centre_sitting_id: {sheet: seen}})
    later = NOW + timedelta(seconds=silence)
    assert room_board(hosting, later)["rows"][0]["network"]["word"] == word
    (tile,) = national_board([hosting], later)["tiles"]
    assert tile["connected"] == int(word == "En ligne")


@pytest.mark.parametrize(
    ("code", "tone", "word"), [("contradiction", "danger", "contradictoires"), ("replaced", "warn", "pour le jury")]
)
def test_board_warns_of_what_was_refused(hosting, head, code, tone, word):
    seat = hosting.seats.order_by("seat_number").first()
    keep_refusals(refusals=[Refusal(seat.sheet_id, 1, 0, Chain(seat.sheet).op(), code)], now=NOW)
    row, *others = room_board(hosting, NOW)["rows"]
    assert [(alert["tone"], word in alert["word"]) for alert in row["alerts"]] == [(tone, True)]
    assert [other["alerts"] for other in others] == [[], []]


def test_a_centre_is_not_calm_while_some_are_offline_and_others_have_handed_in(hosting, head):
    carry_out(command=protocol.Admit(()), hosting=hosting, actor=head, now=NOW)
    carry_out(command=protocol.Open(), hosting=hosting, actor=User.objects.get(role=Role.AGENCY), now=NOW)
    lost, *there = [seat.sheet_id for seat in hosting.seats.order_by("seat_number")]
    Sheet.objects.filter(pk__in=there).update(state=SheetState.SUBMITTED)
    seen = Presence(int(NOW.timestamp() * 1000), None, 0, 0, called=False, online=True, by_http=False)
    publish_presence({hosting.centre_sitting_id: dict.fromkeys(there, seen)})
    (tile,) = national_board(Hosting.objects.all(), NOW)["tiles"]
    assert (tile["offline"], tile["composing"], tile["submitted"], tile["state"]["tone"]) == (1, 1, 2, "danger")
    assert lost not in there


def test_without_redis_presence_is_unknown_and_nobody_is_said_offline(hosting, head, settings):
    carry_out(command=protocol.Admit(()), hosting=hosting, actor=head, now=NOW)
    carry_out(command=protocol.Open(), hosting=hosting, actor=User.objects.get(role=Role.AGENCY), now=NOW)
    settings.REDIS_HINTS_URL = "redis://127.0.0.1:1/0"
    broadcast._redis.cache_clear()
    try:
        room, nation = room_board(hosting, NOW), national_board(Hosting.objects.all(), NOW)
    finally:
        broadcast._redis.cache_clear()
    assert [(row["network"], row["alerts"], row["tone"]) for row in room["rows"]] == [(None, [], "ok")] * 3
    assert nation["sums"]["offline"] == 0
    for board in (room, nation):
        assert "Redis ne répond pas" in board["limits"][0]["word"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("before", "command"),
    [
        ([], protocol.Open()),
        ([protocol.Open()], protocol.PauseRoom("alarme")),
        ([protocol.Open()], protocol.Close("évacuation")),
        ([], protocol.Admit(())),
    ],
)
def test_two_people_at_once_do_it_once(before, command):
    hosting = make_hosting(state="LOBBY")
    agency = User.objects.get()
    for earlier in before:
        carry_out(command=earlier, hosting=hosting, actor=agency, now=NOW)
    outcomes, barrier = [], Barrier(2)

    def attempt():
        barrier.wait()
        try:
            outcomes.append(carry_out(command=command, hosting=hosting, actor=agency, now=NOW))
        except Already:
            outcomes.append("already")
        finally:
            connection.close()

    threads = [Thread(target=attempt) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if isinstance(command, protocol.Admit):
        assert Deed.objects.filter(verb="admit_sheet").count() == 3
    else:
        assert outcomes.count("already") == 1


@pytest.mark.django_db
def test_grants_to_several_are_all_or_nothing(hosting, head):
    with pytest.raises(UnknownSeat):
        carry_out(command=protocol.GrantTime((*seats(hosting), 999_999), 5, "x"), hosting=hosting, actor=head, now=NOW)
    with pytest.raises(ReasonMissing):
        carry_out(command=protocol.GrantTime(tuple(seats(hosting)), 5, ""), hosting=hosting, actor=head, now=NOW)
    assert not TimeGrant.objects.exists()


# ----- The nation -----


def test_national_board_is_for_those_who_watch_the_nation(client, hosting):
    for role, status in ((Role.AGENCY, 200), (Role.OPS, 200), (Role.CENTRE_HEAD, 403), (Role.JURY, 403)):
        user = User.objects.filter(role=role).first() or make_staff(role, hosting.centre)
        client.force_login(user)
        assert client.get(reverse("centres:national-board")).status_code == status
    assert client.get("/national/?epreuve=999").status_code == 403


def test_the_agency_opens_everywhere_and_ops_may_not(client, hosting):
    set_hour(hosting)
    path = reverse("centres:national-open", args=[hosting.sitting_id])
    client.force_login(make_staff(Role.OPS))
    assert client.post(path).status_code == 403
    assert CentreSitting.objects.get().state == CentreSittingState.LOBBY
    client.force_login(User.objects.get(role=Role.AGENCY))
    assert "1 centre(s) ouvert(s)" in client.post(path, follow=True).content.decode()
    assert CentreSitting.objects.get().state == CentreSittingState.OPEN
    assert "0 centre(s) ouvert(s)" in client.post(path, follow=True).content.decode()
    assert client.get("/national/?epreuve=999").status_code == 404


@pytest.mark.django_db(transaction=True)
def test_a_centre_that_somebody_moves_keeps_the_others_from_opening_only_for_an_instant(client, hosting):
    set_hour(hosting)
    other = make_hosting(count=1, centre=make_centre("lille", 40), sitting=hosting.sitting, state="LOBBY")
    client.force_login(User.objects.get(role=Role.AGENCY))
    path = reverse("centres:national-open", args=[hosting.sitting_id])
    with held_elsewhere(lambda: own_centre_sitting(other.centre_sitting_id)):
        page = client.post(path, follow=True).content.decode()
    assert "1 centre(s) ouvert(s)" in page
    assert "Un autre acte est en cours dans" in page
    states = dict(CentreSitting.objects.values_list("pk", "state"))
    assert (states[hosting.centre_sitting_id], states[other.centre_sitting_id]) == ("OPEN", "LOBBY")


def test_giving_time_to_some_costs_the_same_statements_however_many(hosting, head, django_assert_max_num_queries):
    with django_assert_max_num_queries(20):
        carry_out(command=protocol.GrantTime(tuple(seats(hosting)), 5, "bruit"), hosting=hosting, actor=head, now=NOW)
    assert TimeGrant.objects.count() == 3
    other = make_hosting(count=30, centre=make_centre("lille", 40), sitting=make_sitting(number=2))
    with django_assert_max_num_queries(20):
        carry_out(command=protocol.GrantTime(tuple(seats(other)), 5, "bruit"), hosting=other, actor=head, now=NOW)
    assert Deed.objects.filter(verb="grant_time", reason="bruit").count() == 33


def test_the_agency_gives_the_same_time_to_everybody(client, hosting, head):
    set_hour(hosting)
    client.force_login(User.objects.get(role=Role.AGENCY))
    client.post(reverse("centres:national-open", args=[hosting.sitting_id]))
    carry_out(command=protocol.Admit(()), hosting=hosting, actor=head, now=clock.now())
    ends = list(hosting.centre_sitting.sheets.order_by("pk").values_list("ends_at", flat=True))
    path = reverse("centres:national-grant", args=[hosting.sitting_id])
    fields = {"minutes": "38", "reason": "articles illisibles"}
    assert "38 min de plus pour tous" in client.post(path, fields, follow=True).content.decode()
    later = list(hosting.centre_sitting.sheets.order_by("pk").values_list("ends_at", flat=True))
    assert [after - before for before, after in zip(ends, later, strict=True)] == [timedelta(minutes=38)] * len(ends)
    for wrong in ({"minutes": "0", "reason": "x"}, {"minutes": "5", "reason": ""}, {}):
        assert 'role="alert"' in client.post(path, wrong, follow=True).content.decode()
    carry_out(command=protocol.Close("évacuation"), hosting=hosting, actor=head, now=clock.now())
    assert "ont déjà clos" in client.post(path, fields, follow=True).content.decode()
    assert TimeGrant.objects.count() == 1


def test_only_the_agency_gives_time_everywhere(client, hosting, head):
    path = reverse("centres:national-grant", args=[hosting.sitting_id])
    for user in (make_staff(Role.OPS), head):
        client.force_login(user)
        assert client.post(path, {"minutes": "5", "reason": "x"}).status_code == 403
    assert TimeGrant.objects.count() == 0
