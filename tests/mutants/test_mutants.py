"""The machinery of mutants works: a few are caught here; `make mutants` hunts them all."""

import subprocess
import sys

import pytest

from tests.mutants.__main__ import hunt
from tests.mutants.catalogue import MUTANTS
from tests.mutants.patching import ROOT, Mutant, install
from tests.simulation.node import node


@pytest.mark.parametrize("mutant", MUTANTS.values(), ids=MUTANTS)
def test_every_patch_still_applies(mutant):
    source = (ROOT / mutant.path).read_text(encoding="utf-8")
    assert mutant.patched(source) != source


def test_a_patch_that_no_longer_applies_is_an_error():
    with pytest.raises(LookupError):
        Mutant("old", "", "manage.py", "what is not there", "").patched("print()")


def test_mutants_are_refused_outside_tests(monkeypatch):
    monkeypatch.setenv("ECNI_ENV", "production")
    with pytest.raises(PermissionError):
        install(MUTANTS["lose-one-in-seven"])


def test_the_product_does_not_know_of_mutants():
    command = [
        "grep",
        "-rliE",
        "ecni_mutant|tests.mutants",
        "ecni",
        "exams",
        "centres",
        "grading",
        "ranking",
        "static",
        "templates",
    ]
    assert subprocess.run(command, capture_output=True, cwd=ROOT, check=False).stdout == b""


@pytest.mark.skipif(node() is None, reason="no Node on this machine: tablets cannot be simulated")
@pytest.mark.parametrize("name", ["ack-before-commit", "next-step-before-its-seal", "saved-before-the-ack"])
def test_the_simulator_catches(name):
    assert hunt(MUTANTS[name])["caught"]


def test_a_named_test_catches():
    assert hunt(MUTANTS["log-a-name"])["caught_by"] == "test"


def test_an_unknown_mutant_is_refused():
    command = [sys.executable, "-m", "tests.simulation", "--pairs", "1", "--seeds", "1"]
    done = subprocess.run(
        command, capture_output=True, cwd=ROOT, check=False, env={"ECNI_ENV": "test", "ECNI_MUTANT": "x"}
    )
    assert done.returncode == 1
