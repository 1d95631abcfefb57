"""One very small load test on real processes, with each generator: the whole way from the slip to the report."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ecni.management.commands.waves import wants_nginx

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("waves")]  # two load tests at once would load each other
ROOT = Path(__file__).parents[2]
OURS = {"DATABASE_URL", "REDIS_URL", "PAPERS_ROOT", "STATIC_ROOT", "RESULTS_ROOT", "DJANGO_SETTINGS_MODULE"}
ASKED = {
    "PLAN",
    "CANDIDATES",
    "MINUTES",
    "RATE",
    "STORM",
    "SERVER",
    "PROCESSES",
    "NGINX",
    "TLS",
    "GENERATOR",
    "TIMING",
    "SEED",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("waves")
    for path in (made, *made.parents[:2]):
        path.chmod(0o711)
    return made


def start(folder, generator, *options):
    environment = {name: value for name, value in os.environ.items() if name not in OURS | ASKED}
    report = folder / generator
    process = subprocess.Popen(
        [
            *(sys.executable, "manage.py", "waves", "--plan", "small", "--generator", generator, *options),
            *("--folder", str(folder / "waves"), "--report", str(report)),
        ],
        cwd=ROOT,
        env=environment | {"ECNI_ENV": "demo"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return process, report


TLS = ["--tls"] if wants_nginx("") else []


@pytest.mark.parametrize(
    ("generator", "front"), [("locust", TLS), ("raw", ["--no-nginx"]), *([("raw", TLS)] if TLS else [])]
)
def test_a_small_sitting_keeps_every_promise(folder, generator, front):
    process, report = start(folder, generator, *front, "--storm", "midway,closing")
    output, _ = process.communicate()
    assert (report / "waves.json").exists(), output
    summary = json.loads((report / "waves.json").read_text(encoding="utf-8"))
    details = json.loads((report / "waves-details.json").read_text(encoding="utf-8"))
    kept = [promise["words"] for promise in details["promises"] if not promise["ok"]]
    assert kept == [], output
    assert (summary["lost"], summary["errors_shown"], summary["candidates"]) == (0, 0, 20)
    assert [wave["logins"] for wave in summary["waves"]] == [10, 10]
    assert 36 <= details["figures"]["dropped"] <= 40  # a tablet may be without link by itself when the storm strikes
    assert details["figures"]["acknowledged"] == details["figures"]["stored"] > 60
    assert details["figures"]["frozen"] == 20
    assert details["figures"]["papers"] >= 1
    assert (details["figures"]["screens_cut"], details["figures"]["boards"] > 20) == (0, True)
    assert details["figures"]["command_ms_max"] > 0
    assert {line["name"] for line in details["components"]} >= {"postgresql", "redis"}
    assert summary["nearest_limit"]
    assert (report / "waves.html").read_text(encoding="utf-8").count("<svg") == 6


def test_a_run_is_alone_in_its_folder_and_an_interrupted_one_still_writes_its_report(folder):
    process, report = start(folder, "raw", "--minutes", "5")
    for line in process.stdout:
        if "ouverture" in line:
            break
    other, _ = start(folder, "raw")
    assert "Un autre essai se sert de" in other.communicate(timeout=60)[0]
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "Arrêté avant la fin" in output
    summary = json.loads((report / "waves.json").read_text(encoding="utf-8"))
    assert (summary["ok"], summary["lost"]) == (False, 0)
