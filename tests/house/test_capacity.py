"""What it takes to hold so many candidates: formulas, laws, and the answer that a person reads."""

import json
from dataclasses import asdict, fields, replace
from datetime import date
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from ecni.management.commands import capacity as command
from ecni.preflight import Needs, limits
from ecni.preflight.capacity import Day, UnitCosts, held_by, needs_of
from ecni.preflight.costs import CostsMissing, read_costs, write_costs
from tests.factories.papers import draft_paper  # noqa: F401 -- loads the models

COSTS = UnitCosts(
    answer_server_ms=0.3,
    answer_database_ms=0.2,
    beat_ms=0.3,
    answer_wal_bytes=2000,
    act_bytes=150,
    answer_wire_bytes=250,
    candidate_kb=30,
    process_mb=100,
    backend_mb=10,
    return_ms=2,
    login_ms=30,
    board_seat_ms=0.02,
    opening_ms=0.06,
    opening_bytes=150,
    presence_bytes=300,
)
DAY = Day(candidates=9800, paper_bytes=2_000_000)


def needed(day=DAY, costs=COSTS):
    return {need.what: need.amount for need in needs_of(day, costs)}


def test_a_national_day_needs():
    assert needed() == {
        # 2 s of processor each, all back in 30 s, half of a core: 9,800 x 2 ms / 30 s / 0.5
        "socket-processes": 2,
        "web-processes": 2,
        "workers": 1,
        "postgresql-cores": 1,
        "hosts": 2,
        "socket-memory": 494,
        "postgresql-memory": 530,
        "bandwidth-papers": 88,
        "bandwidth-opening": 17,
        "bandwidth-answers": 3,
        "postgresql-connections": 53,
        "journal-disk": 1176,
        "wal-disk": 15_680,
        "redis-clients": 300,
        "redis-memory": 3,
    }


@pytest.mark.parametrize(
    ("cost", "value", "what", "amount"),
    [
        ("answer_server_ms", 3.0, "socket-processes", 5),  # (653 answers/s x 3 ms + 980 beats/s x 0.3 ms) / 0.5
        ("beat_ms", 1.0, "socket-processes", 3),  # (653 x 0.3 ms + 980 x 1 ms) / 0.5
        ("opening_ms", 1.0, "socket-processes", 7),  # 9,800 x 1 ms / 3 s / 0.5
        ("return_ms", 10.0, "socket-processes", 7),  # 9,800 x 10 ms / 30 s / 0.5
        ("login_ms", 300.0, "web-processes", 4),  # (9,800 x 300 ms / 1,800 s + 0.29) / 0.5
        ("board_seat_ms", 0.1, "web-processes", 4),  # (9,800 x 3 x 0.1 ms / 2 s + 0.16) / 0.5
        ("answer_database_ms", 2.0, "postgresql-cores", 3),  # 653 answers/s x 2 ms / 0.5
        ("candidate_kb", 60.0, "socket-memory", 788),
    ],
)
def test_the_most_demanding_moment_decides(cost, value, what, amount):
    assert needed(costs=replace(COSTS, **{cost: value}))[what] == amount


POSITIVE = st.floats(0.001, 10_000, allow_nan=False)
ANY_COSTS = st.builds(UnitCosts, **{field.name: POSITIVE for field in fields(UnitCosts)})
ANY_DAY = st.builds(Day, candidates=st.integers(1, 50_000), paper_bytes=st.integers(1, 10**8))


@given(ANY_DAY, ANY_COSTS, st.integers(1, 50_000))
def test_more_candidates_never_need_less(day, costs, more):
    fewer, greater = needed(day, costs), needed(replace(day, candidates=day.candidates + more), costs)
    assert all(greater[what] >= fewer[what] for what in fewer)


@given(ANY_DAY, ANY_COSTS, st.sampled_from([field.name for field in fields(UnitCosts)]))
def test_a_dearer_unit_never_needs_less(day, costs, name):
    dearer = replace(costs, **{name: 2 * getattr(costs, name)})
    cheap, dear = needed(day, costs), needed(day, dearer)
    assert all(dear[what] >= cheap[what] for what in cheap)


@given(ANY_DAY, ANY_COSTS)
def test_the_margin_is_the_last_number_that_the_same_processes_hold(day, costs):
    held = held_by(day, costs)
    processes = ("socket-processes", "web-processes", "postgresql-cores")
    bought = needed(day, costs)
    same = needed(replace(day, candidates=held), costs)
    beyond = needed(replace(day, candidates=held + 1), costs)
    assert held >= day.candidates
    assert all(same[what] == bought[what] for what in processes)
    assert any(beyond[what] > bought[what] for what in processes)


@pytest.mark.parametrize("candidates", [1, 350, 9800, 20_000, 36_000])
def test_what_is_bought_passes_preflight(candidates):
    published = read_costs().costs
    bought = needed(replace(DAY, candidates=candidates), published)
    processes = int(bought["socket-processes"])
    needs = Needs(candidates, processes, int(bought["web-processes"]), limits.supposed_spread(processes))
    assert limits.processes(4, needs).is_met
    assert limits.database_connections(int(bought["postgresql-connections"]), 3, needs).is_met
    assert limits.redis_clients(int(bought["redis-clients"]), needs).is_met
    assert limits.disk("postgresql-disk", candidates * limits.BYTES_PER_CANDIDATE, needs).is_met
    written = 10**6 * (bought["journal-disk"] + bought["wal-disk"])
    assert limits.BYTES_PER_CANDIDATE * candidates >= written - 2 * 10**6


def test_costs_are_published_each_with_its_day(tmp_path):
    path = tmp_path / "costs.json"
    with pytest.raises(CostsMissing, match="act_bytes, answer_database_ms"):
        read_costs(path)
    write_costs(asdict(COSTS), disturbed=frozenset({"login_ms"}), machine="2 cœurs", on=date(2026, 6, 1), path=path)
    write_costs({"login_ms": 25.0}, disturbed=frozenset(), machine="4 cœurs", on=date(2026, 6, 2), path=path)
    published = read_costs(path)
    assert published.costs == replace(COSTS, login_ms=25.0)
    assert (published.machine, published.oldest, published.disturbed) == ("4 cœurs", date(2026, 6, 1), ())


@pytest.fixture
def published(monkeypatch, tmp_path):
    path = tmp_path / "costs.json"
    write_costs(asdict(COSTS), disturbed=frozenset({"login_ms"}), machine="2 cœurs", on=date(2026, 6, 1), path=path)
    monkeypatch.setattr(command, "read_costs", lambda: read_costs(path))
    return path


def said(*arguments):
    out = StringIO()
    call_command("capacity", *arguments, stdout=out)
    return out.getvalue()


@pytest.mark.django_db
def test_the_command_answers_a_person(published):
    lines = said("--candidates", "9800").splitlines()
    assert lines[0] == "9800 candidats ensemble, 4 actes par minute chacun à la fin."
    assert lines[2].split(maxsplit=3)[:3] == ["socket-processes", "2", "processus"]
    assert "retour en 30 s x 2.00 ms = 1.31" in lines[2]
    assert "les mêmes processus tiennent 13333 candidats" in lines[-3]
    assert lines[-2:] == [
        "Coûts unitaires mesurés le 01/06/2026 au plus tôt, sur 2 cœurs.",
        "Mesurés pendant que d’autres programmes tournaient : login_ms.",
    ]


@pytest.mark.django_db
def test_the_command_answers_a_machine(published):
    answer = json.loads(said("--candidates", "20000", "--paper-bytes", "1000000", "--cores", "8", "--json"))
    assert answer["day"]["paper_bytes"] == 1_000_000
    assert {need["what"]: need["amount"] for need in answer["needs"]}["hosts"] == 1
    assert answer["measured"] == {"machine": "2 cœurs", "oldest": "2026-06-01"}


@pytest.mark.django_db
def test_the_command_asks_for_costs(published):
    published.unlink()
    with pytest.raises(CommandError, match=r"Coûts unitaires non publiés.*make bench"):
        said()
