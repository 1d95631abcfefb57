"""What a reading means: pure tables."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecni.vitals import Gauges, Pressure, Severity
from ecni.vitals.pressure import in_order
from ecni.watch import signs
from ecni.watch.board import PAST_LENGTH, SPARK_HEIGHT, SPARK_WIDTH, drawing, headline
from ecni.watch.firewall import rules as firewall_rules
from ecni.watch.rules import (
    LAYERS,
    Attempt,
    Queue,
    Reading,
    backlog,
    counted,
    headroom,
    judge,
    judge_all,
    nearest,
    newcomer,
    several,
    silent,
)
from exams.broadcast import DoorSight
from exams.enums import Lack
from tests.watch.test_metrics import vitals

CALM, NEAR, REACHED = Severity.CALM, Severity.NEAR, Severity.REACHED


def history(*shares, refused=()):
    """Severities of one limit as its share goes, a reading every two seconds; `refused` numbers those that refuse."""
    verdict, seen = None, []
    for number, share in enumerate(shares):
        reading = Reading("descriptors", "sockets 1@a", share * 100, 100, refused=int(number in refused))
        verdict = judge(reading, verdict, 1000.0 + 2 * number)
        seen.append(verdict.pressure.severity)
    return seen


@pytest.mark.parametrize(
    ("shares", "expected"),
    [
        ((0.1, 0.79, 0.8), (CALM, CALM, NEAR)),
        ((0.8, 0.75, 0.71, 0.69), (NEAR, NEAR, NEAR, CALM)),
        ((0.98, 0.99, 0.96, 0.94), (NEAR, REACHED, REACHED, NEAR)),
        ((1.2, 0.5), (REACHED, CALM)),
    ],
)
def test_a_word_outlasts_a_small_step_back(shares, expected):
    assert history(*shares) == list(expected)


def test_a_refusal_is_remembered_for_ten_seconds_whatever_the_count():
    assert history(0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, refused={1}) == [CALM, *[REACHED] * 5, CALM]


def test_since_tells_when_the_word_began():
    first = judge(Reading("conntrack", "", 90, 100), None, 10.0)
    second = judge(Reading("conntrack", "", 91, 100), first, 12.0)
    third = judge(Reading("conntrack", "", 100, 100), second, 14.0)
    assert [one.pressure.since for one in (first, second, third)] == [10.0, 10.0, 14.0]


@pytest.mark.parametrize(
    ("reading", "sentence"),
    [
        (Reading("cpu", "sockets 7@a", 99, 100), "processeur d’un processus, sockets 7@a : 99 sur 100 % d’un cœur"),
        (Reading("conntrack", "", 12_000, 262_144), "suivi des connexions : 12 000 sur 262 144 connexions suivies"),
        (silent("postgresql", "", 3.2), "PostgreSQL ne répond pas"),
    ],
)
def test_a_reading_is_said_in_french(reading, sentence):
    assert judge(reading, None, 0.0).pressure.sentence == sentence


def test_a_refusal_keeps_its_words_and_remedy_while_it_is_remembered():
    refusing = judge(Reading("nginx", "", 3, 0, refused=3, words="nginx refuse"), None, 0.0)
    later = judge(Reading("nginx", "", 10, 100), refusing, 4.0).pressure
    assert (later.sentence, later.share, later.remedy) == ("nginx refuse", 1.0, LAYERS["nginx"].remedy)


@pytest.mark.parametrize(
    ("stage", "is_silent", "queue", "layer"),
    [
        ("", False, Reading("backlog", "port 80", 0, 10), "newcomers"),
        ("la connexion", True, Reading("backlog", "port 80", 0, 10), "firewall"),
        ("la connexion", False, Reading("backlog", "port 80", 0, 10), "firewall"),
        ("la connexion", True, Reading("backlog", "port 80", 11, 10), "newcomers"),
        ("la connexion", False, None, "newcomers"),
        ("la page", False, Reading("backlog", "port 80", 0, 10), "newcomers"),
        ("le websocket", True, Reading("backlog", "port 80", 0, 10), "newcomers"),
    ],
)
def test_a_call_that_nobody_answers_while_the_queue_has_room_is_a_firewall(stage, is_silent, queue, layer):
    reading = newcomer(Attempt("http://127.0.0.1", stage, 12.0, is_silent, 80, is_local=True), queue)
    assert reading.layer == layer
    assert bool(reading.refused) is bool(stage)
    assert stage in reading.words or layer == "firewall"


def test_what_overflowed_is_told_of_the_fullest_queue():
    readings = backlog([Queue(80, 3, 100), Queue(8000, 5, 4), Queue(22, 0, 128)], overflows=7)
    refusing = [reading for reading in readings if reading.refused]
    assert [(one.where, one.refused) for one in refusing] == [("port 8000", 7)]
    assert "7 appels perdus" in refusing[0].words
    assert not any(one.refused for one in backlog([Queue(80, 3, 100)], overflows=0))


def test_what_overflowed_and_has_drained_is_told_of_no_port():
    readings = backlog([Queue(22, 0, 128), Queue(8443, 0, 4096)], overflows=12)
    (refusing,) = [reading for reading in readings if reading.refused]
    assert (refusing.where, refusing.limit) == ("", 0)
    assert refusing.words == "file d’attente des connexions : 12 appels perdus"


def test_who_turns_newcomers_away_is_read_before_what_is_only_slow():
    slow = judge(Reading("cpu", "sockets 1@centre", 300, 100), None, 0.0).pressure
    full = judge(Reading("processes", "sockets 2@centre", 9_000, 10_000, refused=40), None, 0.0).pressure
    assert (slow.severity, full.severity) == (REACHED, REACHED)
    assert [one.layer for one in in_order([slow, full])] == ["processes", "cpu"]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (9800, "9 800"), (2.5, "2,5"), (12_000_000, "12 M"), (40_000_000_000, "40 G")],
)
def test_counts_are_written_as_french_does(value, text):
    assert counted(value) == text


def pressure(layer="cpu", share=0.5, severity=CALM, limit=100.0, where=""):
    return Pressure(layer, where, share * limit, limit, share, severity, "s", "", 0.0)


PRESSURES = st.builds(
    pressure,
    layer=st.sampled_from(sorted(LAYERS)),
    share=st.floats(0, 2),
    severity=st.sampled_from(list(Severity)),
    limit=st.sampled_from([0.0, 100.0]),
)


@given(st.lists(PRESSURES))
def test_the_gravest_is_read_first_and_each_limit_once(pressures):
    ordered = in_order(pressures)
    rank = {REACHED: 0, NEAR: 1, CALM: 2}
    assert [rank[one.severity] for one in ordered] == sorted(rank[one.severity] for one in ordered)
    assert {one.key for one in ordered} == {one.key for one in pressures}
    assert len(ordered) == len({one.key for one in pressures})


@given(st.lists(PRESSURES))
def test_the_headline_names_what_is_grave_or_what_comes_first(pressures):
    line = headline(in_order(pressures), 100.0)
    severities = {one.severity for one in pressures}
    expected = "danger" if REACHED in severities else "warn" if NEAR in severities else "ok"
    assert line.tone == expected
    countable = [one for one in pressures if one.limit]
    assert (nearest(pressures) is None) == (countable == [])


def test_what_is_left_is_said():
    assert headroom(pressure("descriptors", share=0.75)) == "reste 25 descripteurs"
    assert headroom(pressure("newcomers", limit=0.0)) == "rien à compter"


@given(st.lists(st.floats(0, 1e6), max_size=PAST_LENGTH))
def test_a_drawing_stays_in_its_frame(values):
    points = [tuple(map(float, point.split(","))) for point in drawing(values).split()]
    assert len(points) == len(values)
    assert all(-0.1 <= x <= SPARK_WIDTH and 0 <= y <= SPARK_HEIGHT for x, y in points)


def test_rules_of_both_firewalls_are_read():
    iptables = (
        "Chain INPUT (policy ACCEPT 0 packets, 0 bytes)\n"
        "    pkts      bytes target     prot opt in     out     source               destination\n"
        "      12      720 DROP       6    --  *      *       0.0.0.0/0   0.0.0.0/0   tcp dpt:443 #conn src/0 > 8000\n"
        "     999    72000 ACCEPT     6    --  *      *       0.0.0.0/0   0.0.0.0/0   tcp dpt:443\n"
    )
    nft = "\t\ttcp dport 443 ct count over 8000 counter packets 5 bytes 300 drop\n"
    assert [found[1:] for text in (iptables, nft) for found in firewall_rules("x", text)] == [(12, 8000), (5, 8000)]
    counters = {rule for text in (iptables, iptables.replace(" 12 ", " 13 ")) for rule, *_ in firewall_rules("x", text)}
    assert len(counters) == 1
    other = iptables.replace("INPUT", "DOCKER-USER")
    names = {rule for name in ("iptables", "ip6tables") for rule, *_ in firewall_rules(name, iptables + other + other)}
    assert len(names) == 6


def test_every_layer_has_a_name_and_a_remedy():
    assert all(layer.name and layer.unit and layer.remedy for layer in LAYERS.values())


def test_newcomers_who_wait_are_a_limit_reached_whatever_places_are_left():
    full = Gauges(sockets=7500, budget=10_000, waiting=1800, writer_capacity=100)
    (places,) = [one for one in signs.readings([vitals(gauges=full)]) if one.layer == "processes"]
    pressure = judge(places, None, 0.0).pressure
    assert pressure.severity is REACHED
    assert pressure.sentence.endswith("7 500 sur 10 000 tablettes ; 1 800 nouveaux venus attendent")


def test_newcomers_who_wait_for_want_of_descriptors_are_told_of_these():
    full = Gauges(sockets=744, budget=744, waiting=18, writer_capacity=100, lacks_descriptors=True)
    told = {one.layer: judge(one, None, 0.0).pressure for one in signs.readings([vitals(gauges=full)])}
    assert (told["descriptors"].severity, "prlimit" in told["descriptors"].remedy) == (REACHED, True)
    assert told["descriptors"].sentence.endswith("18 nouveaux venus attendent")
    assert "attendent" not in told["processes"].sentence


def test_entries_that_wait_are_a_limit_reached_and_named():
    def door(limit, waiting, lack=Lack.NOTHING):
        return DoorSight("centre-1:7", limit, 25, 25, waiting, 1000, 2000, {}, lack)

    (entries,) = signs.entries([door("LOGINS", 300), door("LOGINS", 0), door("SOCKETS", 12)])
    pressure = judge(entries, None, 0.0).pressure
    assert (pressure.layer, pressure.severity) == ("entries", REACHED)
    assert pressure.sentence == "entrées par seconde, centre-1:7 : 25 ; 300 attendent"
    assert "Limites et gardes" in pressure.remedy
    (late,) = signs.entries([door("LOGINS", 40, Lack.PAGES)])
    pressure = judge(late, None, 0.0).pressure
    assert (pressure.layer, pressure.severity) == ("entry-pages", REACHED)
    assert pressure.sentence == "pages d’entrée, centre-1:7 : trop lentes ; 40 attendent"
    assert pressure.remedy == "ajouter un « web », ou un cœur"


def test_a_process_without_candidates_has_no_places_and_no_writer():
    layers = {one.layer for one in signs.readings([vitals(gauges=Gauges(), loop_lag_ms=0.0)])}
    assert layers == {"descriptors", "cpu"}


def test_of_two_readings_of_one_limit_the_one_that_refuses_counts_wherever_it_stands():
    refusing, fuller = Reading("descriptors", "7@h", 76, 100, refused=9), Reading("descriptors", "7@h", 80, 100)
    for readings in ([refusing, fuller], [fuller, refusing]):
        (verdict,) = judge_all(readings, {}, 0.0).values()
        assert (verdict.pressure.severity, verdict.pressure.used) == (REACHED, 76)


def test_a_refusal_that_is_read_once_is_shown_for_a_while():
    verdicts = judge_all([Reading("nginx-descriptors", "", 3, 0, refused=3)], {}, 0.0)
    shown = [len(verdicts := judge_all([], verdicts, float(second))) for second in range(1, 13)]
    assert shown == [1] * 9 + [0] * 3


def test_a_count_agrees_with_its_words():
    assert [several(count, "clé", "clés") for count in (0, 1, 2, 1800)] == ["0 clé", "1 clé", "2 clés", "1 800 clés"]
