"""What a row of the hidden limits is worth, from what was seen: no process, no clock."""

import re
from dataclasses import replace

import pytest
from django.template.loader import render_to_string

from centres.queries.limits import LimitLine
from ecni.supervisor.nginx import CONTAINERS, render
from ecni.vitals import Pressure, Severity
from ecni.watch.board import Board, LimitRow, headline
from ecni.watch.rules import LAYERS as WATCHED
from exams.enums import LimitName
from loadtests.limits.layers import LAYERS, narrowed
from loadtests.limits.report import page, words
from loadtests.limits.rows import Outcome, Row, Spell, met, seen_figures, together
from loadtests.limits.site import in_force, reached
from loadtests.limits.trial import pace_of
from loadtests.waves.evidence import Evidence
from loadtests.waves.measures import Delays, Line, Reader, Seen, Tally
from loadtests.waves.plan import read_plan
from loadtests.waves.verdict import lateness

KEPT = Row(
    "nginx",
    "connexions de nginx",
    limit="worker_connections 512",
    inside=8000,
    newcomers=225,
    entered=5,
    told=200,
    unanswered=20,
    named=True,
    named_s=1.5,
    raised=True,
    in_s=12.0,
    composing=225,
    inside_p99_before=90.0,
    inside_p99_during=100.0,
    acts=2600,
    acts_expected=2700,
)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"troubles": ("GET /entrer/ : 500",)}, "anormal : GET /entrer/ : 500"),
        ({"dropped": 1}, "liaisons"),
        ({"inside_p99_during": 251.0}, "251 ms"),
        ({"acts": 0}, "0 actes acquittés au lieu d’environ 2700"),
        ({"acts": 49, "acts_expected": 99}, "49 actes acquittés"),
        ({"entered": 25, "waited": 21}, "1 nouveaux venus n’ont ni place, ni page, ni silence"),
        ({"told": 199}, "1 nouveaux venus n’ont ni place, ni page, ni silence"),
        ({"told": 0, "unanswered": 0, "entered": 225}, "retenu personne"),
        ({"named": False, "named_s": None}, "nommée"),
        ({"named_s": 5.1}, "nommée après 5.1 s"),
        ({"raised": False}, "relevée"),
        ({"in_s": None}, "tous ne sont pas entrés"),
        ({"in_s": 61.0}, "tous ne sont pas entrés"),
        ({"composing": 224}, "1 entrés ne composent pas"),
    ],
)
def test_each_promise_of_a_row_may_be_broken(change, words):
    (fault,) = replace(KEPT, **change).faults
    assert words in fault


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"inside_p99_during": 900.0, "acts": 999, "acts_expected": 1998},
        {"entered": 25, "waited": 20},
        {"inside_p99_before": 300.0, "inside_p99_during": 359.0},
        {"may_let_in": True, "told": 0, "unanswered": 0, "entered": 225},
        {"skipped": "il faut être root", "named": False, "raised": False, "in_s": None},
    ],
)
def test_a_row_is_kept(change):
    assert replace(KEPT, **change).faults == []


@pytest.fixture
def tally(tmp_path):
    made = Tally(tmp_path, "w")
    yield made
    made.close()


def test_what_is_seen_of_a_spell_tells_newcomers_from_those_inside(tally, tmp_path):
    tally.event("cut", 1, 0, 50.0)  # the row before has it
    tally.error("GET /copie/ : 504", 1, 50.0)
    tally.write()
    tally.event("cut", 1, 0, 99.0)  # since, when nothing was limited yet
    tally.event("cut", 1, 0, 115.0)
    tally.event("cut", 3, 0, 115.0)  # a newcomer's own
    tally.event("unanswered", 3, 0, 111.0)
    tally.event("told", 3, 0, 112.0, 1.0)  # the same one
    tally.event("told", 3, 0, 113.0)
    tally.event("unanswered", 3, 0, 114.0)
    tally.event("told", 3, 0, 141.0)  # too late to count
    for at, waited in ((116.0, 0.0), (118.0, 1.0), (144.5, 1.0), (150.0, 1.0)):
        tally.event("ready", 3, 0, at, waited)
    tally.event("opened late", 3, 0, 152.0)
    tally.error("GET /entrer/ : connexion perdue", 3, 114.0)
    tally.error("GET /copie/ : 500", 3, 114.0)
    tally.error("copie prise par une autre tablette", 2, 114.0)
    tally.error("GET /copie/ : 502", 4, 114.0)
    tally.write()
    seen = Seen(Reader(tmp_path).fresh())
    spell = Spell(wave=3, calm=90.0, came=100.0, imposed=108.0, lifted=140.0, named=112.5, read=1)
    figures = seen_figures(seen, spell)
    assert {name: figures[name] for name in ("entered", "waited", "told", "unanswered", "composing", "dropped")} == {
        "entered": 2,
        "waited": 1,
        "told": 2,
        "unanswered": 1,
        "composing": 1,
        "dropped": 2,
    }
    assert (figures["named"], figures["named_s"], figures["in_s"]) == (True, 1.5, 10.0)
    assert figures["troubles"] == ("GET /copie/ : 500", "copie prise par une autre tablette")


def test_each_newcomer_is_met_once(tally, tmp_path):
    tally.event("ready", 3, 0, 110.0)
    for kind, value in (("unanswered", 0.0), ("told", 1.0), ("ready", 1.0)):  # one and the same
        tally.event(kind, 3, 0, 112.0, value)
    tally.event("told", 3, 0, 113.0)
    tally.event("told", 2, 0, 113.0)
    tally.write()
    assert met(Seen(Reader(tmp_path).fresh()), 3) == 3


def line_at(at, acks):
    found = Delays()
    for _ in range(acks):
        found.add(20.0)
    return Line(at, "w", 0.1, {"ack 1": found}, {}, {}, [], [])


def test_as_many_acts_are_expected_as_the_rate_of_before_gives():
    seen = Seen([line_at(95.0, 30), line_at(120.0, 4)])
    figures = seen_figures(seen, Spell(wave=3, calm=90.0, came=100.0, imposed=108.0, lifted=140.0, named=None))
    assert (figures["acts"], figures["acts_expected"]) == (4, 96)


def test_those_who_compose_are_looked_at_over_all_rows():
    seen = Seen([line_at(at, acks) for at, acks in ((95.0, 30), (105.0, 7), (120.0, 4), (195.0, 10), (210.0, 5))])
    spells = [Spell(3, 90.0, 100.0, 108.0, 140.0, None), Spell(4, 190.0, 200.0, 208.0, 240.0, None)]
    assert [delays.count for delays in together(seen, spells)] == [40, 9]


def test_a_board_that_never_names_it_is_told(tally, tmp_path):
    figures = seen_figures(Seen(Reader(tmp_path).fresh()), Spell(2, 1.0, 2.0, 3.0, 4.0, None))
    assert (figures["named"], figures["named_s"]) == (False, None)


def test_a_generator_that_was_late_proves_nothing(tally, tmp_path):
    tally.delay("late", 1, 400.0)
    tally.write()
    (reason,) = lateness(Seen(Reader(tmp_path).fresh()))
    assert "en retard" in reason


EVIDENCE = Evidence(acknowledged=70, stored=70, lost=0, broken=0, submitted=8225, frozen=8225)


def many(ms, count):
    found = Delays()
    for _ in range(count):
        found.add(ms)
    return found


@pytest.mark.parametrize(
    ("change", "is_ok"),
    [
        ({}, True),
        ({"rows": [replace(KEPT, dropped=1)]}, False),
        ({"rows": [replace(KEPT, skipped="pas root")]}, False),
        ({"handed_in": 8224}, False),
        ({"evidence": None}, False),
        ({"evidence": replace(EVIDENCE, lost=1)}, False),
        ({"evidence": replace(EVIDENCE, broken=1)}, False),
        ({"refusals": ["arrêté"]}, False),
        ({"before": many(20, 10_000), "during": many(24.4, 10_000)}, False),
        ({"before": many(20, 10_000), "during": many(23.6, 10_000)}, True),
        ({"before": many(20, 10_000), "during": many(40, 9_999)}, True),
    ],
)
def test_a_run_is_kept_when_every_row_is_and_nothing_is_lost(change, is_ok):
    outcome = replace(Outcome(9800, 8000, [KEPT], EVIDENCE, 8225, []), **change)
    assert outcome.ok is is_ok
    assert outcome.as_json()["ok"] is is_ok
    assert ("Toutes les promesses sont tenues" in words(outcome)) is is_ok
    assert outcome.as_json()["is_felt"] is ("plus d’un cinquième de plus" in words(outcome))
    assert page(outcome).startswith("<!doctype html>")
    assert "<title>Limites cachées : 8000 composent, 1800 viennent</title>" in page(outcome)


def pressure(layer, where=""):
    return Pressure(layer, where, 10, 10, 1.0, Severity.REACHED, f"{WATCHED[layer].name} : 10", "relever", 0.0)


BOARD_NAMES = {
    "descriptors": "descriptors",
    "nginx": "nginx",
    "backlog": "backlog",
    "connlimit": "firewall",
    "postgresql": "postgresql-connections",
    "redis": "redis-clients",
    "sockets": "processes",
    "logins": "entries",
}


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.name)
def test_each_layer_is_found_on_the_page_of_the_board_by_its_row_or_its_headline(layer):
    watched = BOARD_NAMES[layer.name]
    name = WATCHED[watched].name
    row = LimitRow("danger", "alert", "Atteinte", name[:1].upper() + name[1:], "ici", "", "", "", 100)
    calm = replace(row, tone="ok", name="Mémoire de Redis")
    rows = Board(headline([], 0.0), [row, calm])
    head = Board(headline([pressure(watched)], 5.0))
    for board in (rows, head):
        said = reached(render_to_string("watch/_state.html", {"board": board, "spark": {}}))
        assert len(said) == 1
        assert any(sign in said[0] for sign in layer.signs)


def test_a_limit_in_force_is_read_from_its_page_whatever_its_size():
    lines = [
        LimitLine(LimitName.SOCKETS, 1_018_000, 10_000, None, []),
        LimitLine(LimitName.LOGINS, 40, 25, None, []),
    ]
    said = render_to_string("centres/_limit_tables.html", {"limits": lines, "guards": []})
    assert (in_force(said, "SOCKETS"), in_force(said, "LOGINS")) == (1_018_000, 40)
    with pytest.raises(RuntimeError, match="OTHER"):
        in_force(said, "OTHER")


def test_a_narrow_nginx_has_hardly_any_connection_of_its_own():
    configuration = render(replace(CONTAINERS, plain_port=None, tls=None))
    text = narrowed(configuration, 2, 60)
    assert "worker_connections" in text
    least = int(text.partition("worker_connections ")[2].partition(";")[0])
    assert least < 200
    assert text.replace(f"worker_connections {least}", f"worker_connections {CONTAINERS.connections}").count(
        "limit_conn inside"
    ) == configuration.count("limit_conn inside")


def test_where_nginx_tells_newcomers_it_keeps_room_to_answer_them():
    told = "events { worker_connections 900; } listen 1; listen 2; location /entrer/ { limit_conn inside 700; }"
    assert narrowed(told, 2, 60) == (
        "events { worker_connections 80; } listen 1; listen 2; location /entrer/ { limit_conn inside 60; }"
    )


@pytest.mark.parametrize("cores", [1, 8])
def test_only_the_bounds_of_newcomers_are_narrowed_however_great_they_are(cores):
    configuration = render(replace(CONTAINERS, plain_port=None, tls=None, cores=cores))
    text = narrowed(configuration, 2, 60)
    bounds = re.findall(r"location (.*?) \{[^}]*?limit_conn inside (\d+)", text)
    assert dict(bounds) == {
        "= /nginx/nouveaux": "60",
        "/entrer/": "60",
        "= /copie/": "60",
        "= /ws/copie/": "65535",
        "= /copie/trames/": "65535",
    }


def test_a_small_crowd_answers_fast_enough_for_a_percentile_and_nobody_drops_a_link():
    pace = read_plan("uness-2022").pace
    small, large = pace_of(pace, 56), pace_of(pace, 8000)
    assert (small.drop, large.drop) == (0.0, 0.0)
    assert small.mu == pytest.approx(1.72, abs=0.01)
    assert large.mu == pace.mu
