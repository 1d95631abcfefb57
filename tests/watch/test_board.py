"""The operations board: who sees it, what it says, what is left of it without PostgreSQL or Redis."""

import time

import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.db import DatabaseError
from django.test import Client
from django.urls import reverse

from centres.queries.boards import national_board
from ecni.accounts.enums import Role
from ecni.accounts.models import User
from ecni.shared.clock import now
from ecni.vitals import Gauges, Pressure, Severity, Vitals, hints
from ecni.watch import views
from tests.watch.test_metrics import vitals

BOARD, STATE = "/exploitation/", "/exploitation/etat/"


@pytest.fixture
def told():
    """Publish what a watcher and one process say; gives the function that does it."""
    hints._shared.cache_clear()
    client = hints.client()
    client.flushdb()

    def tell(*pressures: Pressure, processes: tuple[Vitals, ...] = ()):
        hints.publish_pressures(client, "here", pressures, time.time())
        for one in processes:
            hints.publish_vitals(client, one)

    yield tell
    client.flushdb()
    client.close()
    hints._shared.cache_clear()


@pytest.fixture
def ops(db):
    browser = Client()
    browser.force_login(User.objects.create_user("ops", role=Role.OPS))
    return browser


def reached(layer="postgresql-connections", where="", sentence="PostgreSQL refuse les nouvelles connexions"):
    return Pressure(
        layer, where, 200, 200, 1.0, Severity.REACHED, sentence, "relever max_connections", time.time() - 12
    )


def calm(layer="descriptors", share=0.4):
    return Pressure(layer, "sockets 7@a", share * 100, 100, share, Severity.CALM, "descripteurs", "", time.time())


def test_the_gravest_limit_comes_first_with_its_remedy(ops, told):
    told(calm(), reached(), processes=(vitals(gauges=Gauges(sockets=4321, composing=4300)),))
    page = ops.get(BOARD).content.decode()
    assert "Limite atteinte : PostgreSQL refuse les nouvelles connexions, depuis 1" in page
    assert "À faire : relever max_connections." in page
    assert page.index("Atteinte") < page.index("Loin")
    assert "4 321 / " not in page
    assert "4 321" in page
    assert "<polyline points=" in page


def test_tablets_by_http_are_told_beside_the_sockets(ops, told):
    told(calm(), processes=(vitals(gauges=Gauges(sockets=4321, budget=10_000, by_http=12)),))
    assert "4 321 / 10 000, et 12 par HTTP" in ops.get(STATE).content.decode()


def test_when_nothing_is_near_the_first_to_come_is_named_with_what_is_left(ops, told):
    told(calm(share=0.4), calm("conntrack", 0.1))
    page = ops.get(STATE).content.decode()
    assert "Aucune limite n’est proche." in page
    assert "descripteurs de fichiers » (sockets 7@a) : 40 % utilisés, reste 60 descripteurs." in page


def test_the_board_says_that_nobody_watches(ops, told):
    assert "Personne ne surveille les limites" in ops.get(STATE).content.decode()
    told()
    assert "Aucune limite n’est lue." in ops.get(STATE).content.decode()


def test_the_board_says_that_redis_is_away(ops, settings):
    settings.REDIS_HINTS_URL = "redis://127.0.0.1:1/0"
    hints._shared.cache_clear()
    assert "Limite atteinte : Redis, il ne répond pas." in ops.get(STATE).content.decode()
    hints._shared.cache_clear()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("role", "status"),
    [
        (Role.OPS, 200), (Role.AGENCY, 200), (Role.CENTRE_HEAD, 403), (Role.INVIGILATOR, 403),
        (Role.JURY, 403), (Role.PRESIDENT, 403), (Role.COUNCIL, 403),
    ],
)  # fmt: skip
@pytest.mark.parametrize("address", [BOARD, STATE])
def test_the_board_is_for_ops_and_the_agency(client, told, role, status, address):
    client.force_login(User.objects.create_user("somebody", role=role))
    response = client.get(address)
    assert response.status_code == status
    assert (views.COOKIE in response.cookies) is (status == 200)
    assert client.post(address).status_code == 405


@pytest.mark.django_db
def test_a_stranger_is_led_to_the_door(client):
    assert client.get(BOARD).headers["Location"] == f"/connexion/?next={BOARD}"


def test_without_postgresql_the_board_opens_where_it_was_seen_and_nowhere_else(ops, told, monkeypatch):
    told(reached())
    assert ops.get(BOARD).cookies[views.COOKIE]["httponly"]
    stranger, forger = Client(), Client()
    forger.cookies["sessionid"] = "0123456789abcdefghijklmnopqrstuv"
    forger.cookies[views.COOKIE] = "1:abc:def"
    _cut_off(monkeypatch)
    assert "PostgreSQL refuse" in ops.get(BOARD).content.decode()
    assert ops.get(STATE).status_code == 200
    assert [one.get(STATE).status_code for one in (stranger, forger)] == [302, 503]
    monkeypatch.setattr(views.settings, "SESSION_COOKIE_AGE", -1)
    assert ops.get(STATE).status_code == 503


def _cut_off(monkeypatch):
    """PostgreSQL refuses whatever asks for a session, as a full one does."""

    def refuse(_self):
        raise DatabaseError("sorry, too many clients already")

    monkeypatch.setattr(SessionStore, "load", refuse)


@pytest.mark.django_db
def test_the_national_board_names_the_limit(told):
    assert national_board([], now())["limit"] == ""
    told(calm())
    assert national_board([], now())["limit"] == ""
    told(reached())
    assert national_board([], now())["limit"] == "Limite atteinte : PostgreSQL refuse les nouvelles connexions"


@pytest.mark.django_db
def test_home_leads_there_whoever_may_see_it(client):
    for role, leads in ((Role.OPS, True), (Role.INVIGILATOR, False)):
        client.force_login(User.objects.create_user(role.lower(), role=role))
        assert (reverse("watch:board-show") in client.get("/").content.decode()) is leads
