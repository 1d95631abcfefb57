"""What a load test concludes: percentiles, the limit nearest to give, and each reason for which it proves nothing."""

from collections import Counter
from dataclasses import replace

import pytest

from loadtests.waves.drawing import Series, chart, rounded
from loadtests.waves.evidence import Evidence
from loadtests.waves.limits import Limit, averaged, find_limits, nearest
from loadtests.waves.measures import Delays, Line, Reader, Seen, Tally, class_of, milliseconds
from loadtests.waves.metrics import parse
from loadtests.waves.plan import read_plan, timetable
from loadtests.waves.report import page
from loadtests.waves.verdict import Run, judge
from loadtests.waves.vitals import Component, Queues, Sample, Usage, parse_queues

CANDIDATES = 70
KEYS = [
    *("plan", "candidates", "waves", "lost", "errors_shown", "ack_ms_p50", "ack_ms_p99", "ack_ms_max"),
    *("opening_ms_last", "reconnect_s_last", "limits", "nearest_limit", "headroom", "ok"),
]
CPU = Limit("processor daphne-1", "server", "processeur de daphne-1", 0.4, 1.0)
FILES = Limit("descriptors daphne-1", "server", "descripteurs de daphne-1", 9000, 20_000)


def delays(*values):
    found = Delays()
    for value in values:
        found.add(value)
    return found


LOOKED = {"board 0": delays(900)}


def line(**changed):
    events = [
        [kind, wave, 0, 100.0 + wave, 0.5]
        for kind in ("entered", "opened", "submitted")
        for wave, size in ((1, 18), (2, 18), (3, 16), (4, 18))
        for _ in range(size)
    ]
    fields = {
        "delays": {"ack 1": delays(5, 6, 7, 40), "late 1": delays(1, 2), "loop 0": delays(1), **LOOKED},
        "counts": {"acked 1": 4, "acts 1": 4},
        "gauges": {"linked 1": 18},
        "events": events,
        "errors": [],
    }
    return Line(at=110.0, worker="w", processor=0.1, **fields | changed)


@pytest.fixture
def run():
    plan = read_plan("uness-2022")
    return Run(
        plan=plan,
        timetable=timetable(plan, candidates=CANDIDATES, minutes=1, storms=["midway"]),
        candidates=CANDIDATES,
        seen=Seen([line()]),
        evidence=Evidence(acknowledged=4, stored=4, lost=0, broken=0, submitted=CANDIDATES, frozen=CANDIDATES),
        limits=[CPU, FILES],
        orders={1: 100.0, 2: 101.0, 3: 102.0, 4: 103.0},
        paper=(93, 3_000_000),
    )


def test_a_good_run_keeps_every_promise_and_names_what_would_give_first(run):
    verdict = judge(run)
    assert (verdict.refusals, verdict.ok) == ([], True)
    summary = verdict.summary("uness-2022", CANDIDATES)
    assert list(summary) == KEYS
    assert [wave["wave"] for wave in summary["waves"]] == [1, 2, 3, 4]
    assert summary["opening_ms_last"] == pytest.approx(1000)
    assert (summary["nearest_limit"], summary["headroom"]) == ("descriptors daphne-1", 0.55)
    assert summary["limits"][1]["candidates"] == 155


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"paper": (93, 2_000_000)}, "plus petit"),
        ({"paper": (60, 3_000_000)}, "plus petit"),
        ({"aborted": "demandé"}, "demandé"),
        ({"evidence": None}, "La base"),
        ({"candidates": CANDIDATES + 1}, "ne sont pas entrés"),
        ({"limits": [Limit("processor generator", "generator", "", 0.95, 1.0)]}, "saturé"),
        ({"seen": Seen([line(delays={"late 1": delays(*[150] * 10)})])}, "en retard"),
        ({"seen": Seen([line(delays={"loop 0": delays(*[300] * 10)})])}, "boucle"),
        ({"seen": Seen([line(delays={})])}, "pas été regardés"),
        ({"seen": Seen([line(delays={"board 0": delays(900, 40_000, 50_000)})])}, "aveugles"),
    ],
)
def test_a_run_that_proves_nothing_says_why(run, change, words):
    verdict = judge(replace(run, **change))
    assert words in " ".join(verdict.refusals)
    assert not verdict.ok


@pytest.mark.parametrize(
    "change",
    [
        {"evidence": Evidence(4, 3, 1, 0, CANDIDATES, CANDIDATES)},
        {"evidence": Evidence(4, 4, 0, 1, CANDIDATES, CANDIDATES)},
        {"evidence": Evidence(4, 4, 0, 0, CANDIDATES - 1, CANDIDATES)},
        {"seen": Seen([line(counts={"errors 2": 1})])},
        {"seen": Seen([line(counts={"logins again 2": 1})])},
        {"seen": Seen([line(counts={"losses seen 2": 1})])},
        {"seen": Seen([line(delays={"ack 1": delays(*[400] * 10), **LOOKED})])},
        {"seen": Seen([line(delays={"board 0": delays(*[2000] * 90, *[5200] * 10)})])},
        {"orders": {1: 100.0, 2: 101.0, 3: 102.0, 4: 99.0}},
        {"seen": Seen([line(), line(events=[["back", 1, 0, 120.0, 31.0]])])},
    ],
)
def test_a_broken_promise_is_not_ok(run, change):
    verdict = judge(replace(run, **change))
    assert verdict.refusals == []
    assert [promise.ok for promise in verdict.promises].count(False) == 1
    assert not verdict.ok


OPENING = "Dernière tablette ouverte après l’ordre"


def test_what_is_lost_is_told_of_its_wave(run):
    lost = Evidence(6, 3, 3, 0, CANDIDATES, CANDIDATES, lost_of={"K2-0001": 2, "K2-0002": 1})
    verdict = judge(replace(run, evidence=lost, wave_of={"K2-0001": 4, "K2-0002": 1}))
    assert [wave["lost"] for wave in verdict.waves] == [1, 0, 0, 2]
    assert verdict.figures["lost"] == 3
    assert [wave["lost"] for wave in judge(replace(run, evidence=None)).waves] == [-1] * 4


def opening(run):
    (promise,) = [promise for promise in judge(run).promises if promise.words == OPENING]
    return promise


def events_without_opening(wave, late):
    return [
        *(event for event in line().events if event[:2] != ["opened", wave]),
        *(["opened late", wave, 0, 110.0, 0.0] for _ in range(late)),
    ]


def test_a_wave_ordered_to_open_of_which_nothing_opened_breaks_the_promise_and_its_late_tablets_are_named(run):
    mute = replace(run, seen=Seen([line(events=events_without_opening(2, late=18))]))
    assert not opening(mute).ok
    assert opening(mute).seen == (
        "1000 ms ; aucune ouverture dans la vague 2 ; prêtes après l’ordre, non comptées : 18"
    )


@pytest.mark.parametrize(("late", "is_kept"), [(0, True), (2, False)])
def test_a_platform_late_with_its_papers_keeps_no_promise_of_opening(run, late, is_kept):
    events = [*line().events, *[["opened late", 1, 0, 130.0, 0.0]] * late]
    several = replace(run, seen=Seen([line(events=events)]))
    assert opening(several).ok is is_kept


def test_a_wave_never_ordered_to_open_breaks_no_promise_of_opening(run):
    seen = Seen([line(events=events_without_opening(4, late=0))])
    assert opening(replace(run, seen=seen, orders={1: 100.0, 2: 101.0, 3: 102.0})).ok
    assert not opening(replace(run, seen=seen)).ok


def test_the_generator_and_its_machine_are_not_the_platform():
    test = Limit("processor generator", "generator", "", 0.99, 1.0)
    machine = Limit("processor machine", "machine", "", 2.0, 2)
    assert nearest([test, machine, CPU]) is CPU
    assert nearest([test]) is None


@pytest.mark.parametrize(("used", "headroom", "left"), [(4097, 0.0, "0%"), (4110, -0.003, "0%"), (4506, -0.1, "-10%")])
def test_a_limit_passed_by_little_has_nothing_left_and_no_sign(used, headroom, left):
    full = Limit("backlog", "kernel", "", used, 4096)
    assert str(full.headroom) == str(headroom)
    assert full.left == f"il en restait {left}"


def test_limits_are_found_in_samples_the_nearest_first():
    components = [Component("daphne-1", "server", 1), Component("postgresql", "postgresql", 2)]
    machine = {"processor": 1.0, "available": 6.0, "postgresql": 30, "redis": 12, "tcp_pages": 10}
    machine |= {"backlog": 4000, "backlog_allowed": 4096}
    used = {"daphne-1": Usage(0.5, 0.5, 1, 1, 9000), "postgresql": Usage(0.3, 0.1, 1, 1, 50)}
    allowed = {"cores": 2, "memory": 10.0, "postgresql": 197, "redis": 10_000, "tcp_pages": 1000}
    samples = [Sample(float(second), used, machine) for second in range(20)]
    found = find_limits(components, samples, allowed, {"daphne-1": 10_000})
    assert [limit.name for limit in found[:2]] == ["backlog", "descriptors daphne-1"]
    assert {limit.name: limit.used for limit in found}["processor postgresql"] == pytest.approx(0.3)
    refusing = [Sample(0.0, used, machine | {"refused": 3})]
    assert find_limits(components, refusing, allowed, {})[0].name == "refused connections"


def test_memory_that_the_generator_shares_is_never_the_limit_of_the_platform():
    allowed = {"cores": 2, "memory": 10.0, "postgresql": 197, "redis": 10_000, "tcp_pages": 1000}
    machine = {"processor": 0.0, "available": 0.1, "tcp_pages": 999, "postgresql": 20, "redis": 1}
    found = find_limits([], [Sample(0.0, {}, machine)], allowed, {})
    assert {limit.name for limit in found[:2]} == {"memory", "tcp memory"}
    assert nearest(found).name == "connections postgresql"


def test_what_servers_tell_of_themselves_is_read_by_process():
    text = (
        "# TYPE ecni_loop_lag_seconds gauge\n"
        'ecni_loop_lag_seconds{role="sockets",host="h",pid="12"} 0.25\n'
        'ecni_gc_pause_seconds{role="sockets",host="h",pid="12"} 0.004\n'
        'ecni_sockets_budget{role="sockets",host="h",pid="13"} 9800\n'
        'ecni_limit_reached{layer="cpu"} 0\n'
    )
    assert parse(text) == {12: {"loop_lag_ms": 250, "gc_pause_ms": 4}, 13: {"sockets_budget": 9800}}


def test_a_budget_of_sockets_is_a_limit():
    used = {"daphne-1": Usage(told={"sockets": 900.0, "sockets_budget": 1000.0})}
    allowed = {"cores": 2, "memory": 10.0, "postgresql": 1, "redis": 1, "tcp_pages": 1}
    sample = Sample(0.0, used, {"processor": 0.0, "available": 10.0})
    found = find_limits([Component("daphne-1", "server", 1)], [sample], allowed, {})
    assert (found[0].name, round(found[0].headroom, 2)) == ("sockets daphne-1", 0.1)


def test_queues_are_read_as_ss_prints_them():
    text = (
        "LISTEN 3 4096 127.0.0.1:8000 0.0.0.0:*\n\t skmem:(r0,rb131072,t0,tb16384,f0,w0,o0,bl0,d7)\n"
        "LISTEN 0 128 127.0.0.1:8001 0.0.0.0:*\n\t skmem:(r0,rb131072,t0,tb16384,f0,w0,o0,bl0,d0)\n"
    )
    assert parse_queues(text) == Queues(3, 4096, 7)
    assert parse_queues("") == Queues()


def test_a_peak_counts_when_it_lasts():
    assert averaged([0.1] * 20 + [1.0] + [0.1] * 20) == pytest.approx(0.19)
    assert averaged([1.0] * 10) == 1.0
    assert averaged([]) == 0.0


def test_percentiles_are_true_within_two_per_cent():
    values = [1.5**power for power in range(-5, 20)]
    for value in values:
        assert value <= milliseconds(class_of(value)) <= value * 1.021
    found = delays(*range(1, 1001))
    assert found.quantile(0.5) == pytest.approx(500, rel=0.021)
    assert found.quantile(0.99) == pytest.approx(990, rel=0.021)
    assert (found.quantile(1.0), found.greatest, Delays().quantile(0.5)) == (1000, 1000, 0.0)


def test_what_workers_write_is_added_up_whole_lines_only(tmp_path):
    for worker in ("a", "b"):
        tally = Tally(tmp_path, worker)
        tally.delay("ack", 1, 5.0)
        tally.count("acked", 1)
        tally.gauge("linked", 1, 1)
        tally.event("opened", 1, 3, 10.0)
        tally.error("refus", 1, 10.0)
        tally.acked("A-1", 1, bytes(32))
        tally.close()
    with (tmp_path / "seen-a.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"at": 1, "wor')
    reader = Reader(tmp_path)
    seen = Seen(reader.fresh())
    assert (seen.count("acked"), seen.count("acked", 2), seen.now("linked", 1)) == (2, 0, 2)
    assert seen.delays("ack", 1).count == 2
    assert seen.events("opened") == [(1, 3, 10.0, 0.0)] * 2
    assert (seen.errors(), seen.count("errors")) == (Counter({"refus": 2}), 2)
    assert reader.fresh() == []
    assert (tmp_path / "acked-a.bin").stat().st_size == 48


def test_the_report_is_one_page_without_script_or_stranger(run):
    used = {"daphne-1": Usage(0.5, 0.5, 1, 1, 9000)}
    hostile = replace(run, aborted="<script>alert(1)</script>")
    text = page(hostile, judge(hostile), [Sample(105.0, used, {"processor": 1.0, "available": 1.0})], 100.0)
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert "http" not in text
    assert text.count("<svg") == 6
    assert 'lang="fr"' in text


def test_a_drawing_has_room_for_its_highest_point():
    assert [rounded(value) for value in (0, 0.03, 0.4, 1, 7, 12, 260, 9800)] == [1, 0.1, 0.5, 1, 10, 20, 500, 10_000]
    assert "rien" in chart("x", [Series("a", [])], "ms")
