"""One very small run of the hidden limits on real processes: what it shows is looked at, never how fast it was."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ecni.supervisor import ProxyError, find_nginx

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("waves")]  # two load tests at once would load each other
ROOT = Path(__file__).parents[2]
OURS = {"DATABASE_URL", "REDIS_URL", "PAPERS_ROOT", "STATIC_ROOT", "RESULTS_ROOT", "DJANGO_SETTINGS_MODULE"}
ASKED = {"CANDIDATES", "INSIDE", "ONLY", "SECONDS", "SERVER", "PROCESSES", "WEB", "SEED"}
LAYERS = ("nginx", "postgresql", "redis", "sockets")


def test_who_composes_goes_on_and_who_comes_waits_then_enters(tmp_path):
    try:
        find_nginx()
    except ProxyError:
        pytest.skip("no nginx on this machine")
    for path in (tmp_path, *tmp_path.parents[:2]):
        path.chmod(0o711)
    environment = {name: value for name, value in os.environ.items() if name not in OURS | ASKED}
    done = subprocess.run(
        [
            *(sys.executable, "manage.py", "limits", "--candidates", "40", "--inside", "30", "--seconds", "8"),
            *("--only", ",".join(LAYERS), "--folder", str(tmp_path / "waves"), "--report", str(tmp_path)),
        ],
        cwd=ROOT,
        env=environment | {"ECNI_ENV": "demo"},
        capture_output=True,
        text=True,
        check=False,
    )
    output = done.stdout + done.stderr
    summary = json.loads((tmp_path / "limits.json").read_text(encoding="utf-8"))
    assert (summary["lost"], summary["came"], summary["handed_in"]) == (0, 40, 40), output
    assert [row["layer"] for row in summary["layers"]] == list(LAYERS)
    for row in summary["layers"]:
        assert (row["dropped"], row["named"], row["raised"]) == (0, True, True), output
        assert row["composing"] == row["newcomers"], output
        assert row["troubles"] == [], output
        kept_out = row["newcomers"] - row["entered"]
        assert row["told"] + row["unanswered"] >= kept_out, output
        assert kept_out == 0 if row["layer"] == "redis" else kept_out > 0, output
    assert "Limites cachées" in (tmp_path / "limits.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("options", "words"),
    [(["--only", "nginx,dns"], "Couche inconnue : dns"), (["--candidates", "8", "--inside", "8"], "nouveau venu")],
)
def test_a_run_that_makes_no_sense_is_refused(options, words):
    done = subprocess.run(
        [sys.executable, "manage.py", "limits", *options],
        cwd=ROOT,
        env=os.environ | {"ECNI_ENV": "demo"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert words in done.stderr
