"""Benchmarks run end to end at a small size, and say what they found without embellishing it."""

import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ecni.bench import report as reports
from ecni.bench.catalogue import BENCHMARKS
from ecni.bench.curves import points, slope_of
from ecni.bench.measures import Measure, Size, Target, figure, measured
from ecni.bench.processes import Watch, busy_seconds, processor_seconds, proportional_kb, tree
from ecni.bench.report import Benchmark, Report, as_table, merged, publish, target

ROOT = Path(__file__).parents[2]


def measure(value=3.0, floor=2.0, target=None, **more):
    return Measure("work", value, "ms of processor", "least", floor, target, **more)


@pytest.mark.parametrize(
    ("target", "is_met"),
    [
        (None, None),
        (Target("ratio", 1.5), True),
        (Target("ratio", 1.4), False),
        (Target("value", 2.9), False),
        (Target("seconds", 9.0), True),
    ],
)
def test_a_target_is_held_against_the_ratio_the_figure_or_a_detail(target, is_met):
    assert measure(target=target, details={"seconds": 9.0}).is_met is is_met


def test_a_floor_of_nothing_gives_no_ratio():
    assert measure(floor=0.0).ratio == float("inf")


@pytest.mark.parametrize(("value", "said"), [(0.12345, "0.123"), (12.34, "12.3"), (1234.5, "1 234"), (100, "100")])
def test_figures_have_three_digits(value, said):
    assert figure(value) == said


def test_runs_are_merged_into_the_median_with_the_worst_beside():
    (found,) = merged([[measure(value)] for value in (9.0, 2.0, 4.0)])
    assert (found.value, found.worst) == (4.0, 4.5)
    (alone,) = merged([[measure()]])
    assert alone.worst is None


def test_runs_are_merged_by_what_the_target_holds():
    runs = [
        [measure(value, target=Target("seconds", 2.0), details={"seconds": seconds})]
        for value, seconds in ((9.0, 1.5), (2.0, 2.5), (4.0, 1.0))
    ]
    (found,) = merged(runs)
    assert (found.details["seconds"], found.worst, found.worst_judged, found.is_met) == (1.5, 4.5, 2.5, True)
    assert target(found) == "seconds ≤ 2: met, **not by the worst** (worst 2.5)"


def test_work_is_timed_after_its_floor():
    order = []
    found, result = measured("work", lambda: order.append("work") or 7, "least", lambda: order.append("floor"))
    assert (order, result, found.unit) == (["floor", "work"], 7, "s of processor")


def test_a_flat_curve_has_no_slope_and_a_linear_one_doubles():
    assert slope_of({1000: 2.0, 2000: 2.0, 8000: 2.0}) == pytest.approx(0)
    assert slope_of({1000: 1.0, 2000: 2.0, 8000: 8.0}) == pytest.approx(100)
    first, last = points("answer", "ms of processor", {1000: 2.0, 4000: 3.0}, {4000: {"p99 ms": 9.0}})
    assert (first.ratio, last.ratio) == (1.0, 1.5)
    assert last.details == {"p99 ms": 9.0, "slope, % a doubling": pytest.approx(22.47, abs=0.01)}


def test_processes_are_measured_with_all_that_they_started():
    busy = "subprocess.Popen([sys.executable, '-c', 'while True: pass'])"
    code = f"import subprocess, sys; child = {busy}; print(child.pid, flush=True); child.wait()"
    root = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        child = int(root.stdout.readline())
        time.sleep(0.5)
        assert tree(root.pid) == [root.pid, child]
        assert processor_seconds([child]) > 0.05
        assert proportional_kb([root.pid, child]) > 1000
    finally:
        os.killpg(root.pid, 9)
        root.wait()
        root.stdout.close()


def test_our_own_work_is_not_taken_for_that_of_others():
    with Watch(os.getpid()) as watch:
        everybody, ours = busy_seconds(), time.process_time()
        while time.process_time() < ours + 0.5:
            pass
        everybody = busy_seconds() - everybody
    assert watch.foreign * watch.seconds <= everybody - 0.5 + 0.1


@pytest.fixture
def report():
    found = Benchmark([measure(target=Target("ratio", 1.4), worst=1.75)], 0.0, 0.4, is_disturbed=True, seconds=9.0)
    return Report(datetime(2026, 6, 1, 12, 0, tzinfo=UTC), Size(), "daphne", 3, {"answers": found})


def test_the_table_says_what_is_missed_and_what_was_disturbed(report):
    assert as_table(report).splitlines()[-1] == (
        "| answers † | work | 3 ms of processor | least: 2 | 1.50 (worst 1.75) | ratio ≤ 1.4: **missed** |  |"
    )


def test_the_table_is_published_between_its_marks(report, monkeypatch, tmp_path):
    page = tmp_path / "performance.md"
    page.write_text("before\n<!-- bench -->\nold\n<!-- /bench -->\nafter\n")
    monkeypatch.setattr(reports, "PAGE", page)
    publish(report)
    publish(report)
    lines = page.read_text().splitlines()
    assert (lines[0], lines[-1], "old" in lines) == ("before", "after", False)
    assert lines.count("<!-- bench -->") == 1
    assert lines[2].startswith("- 01/06/2026, 10000 candidates, 450 questions, 2000 sockets, daphne, Python ")
    later = replace(report, runs=5, benchmarks={"beats": report.benchmarks["answers"]})
    publish(later)
    publish(replace(later, benchmarks=report.benchmarks))
    text = page.read_text()
    assert [line.rpartition("run(s): ")[2] for line in text.splitlines() if "run(s)" in line] == ["beats, answers"]
    assert [line[:12] for line in text.splitlines() if "work |" in line] == [
        "| benchmark ",
        "| answers † ",
        "| beats † | ",
    ]


def test_the_published_page_has_its_marks():
    assert reports.PAGE.read_text(encoding="utf-8").count(reports.START) == 1


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_every_benchmark_runs_at_a_small_size(tmp_path):
    path = tmp_path / "bench.json"
    sizes = {
        "candidates": 60,
        "questions": 210,
        "sockets": 60,
        "storm": 60,
        "logins": 5,
        "seconds": 1,
        "sizes": "40,60",
        "folder": tmp_path / "bench",
        "report": path,
    }
    command = [sys.executable, "manage.py", "bench", *(f"--{name}={value}" for name, value in sizes.items())]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "ECNI_ENV": "demo"}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(path.read_text())["benchmarks"]
    assert list(found) == list(BENCHMARKS)
    assert all(one["measures"] for one in found.values())
    assert all(measure["value"] > 0 for one in found.values() for measure in one["measures"])
    assert all(measure["is_met"] for measure in found["statements"]["measures"])


@pytest.mark.slow
def test_who_enters_in_one_run_does_not_enter_again_in_the_next(tmp_path):
    sizes = {"logins": 5, "runs": 2, "folder": tmp_path / "bench", "report": tmp_path / "bench.json"}
    command = [sys.executable, "manage.py", "bench", "login", *(f"--{name}={value}" for name, value in sizes.items())]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "ECNI_ENV": "demo"}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_an_unknown_benchmark_is_refused():
    done = subprocess.run(
        [sys.executable, "manage.py", "bench", "nothing"],
        cwd=ROOT,
        env={**os.environ, "ECNI_ENV": "demo"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "Bancs d’essai inconnus : nothing, parmi answers, beats, boards, memory" in done.stderr
