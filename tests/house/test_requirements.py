"""The lock files pin and hash everything, and say nothing of where it was found."""

import re
import tomllib
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKS = {name: (ROOT / "requirements" / f"{name}.txt").read_text() for name in ("base", "dev")}


def pins(text):
    return dict(re.findall(r"^([\w.-]+)(?:\[[^]]*\])?==([^ ;]+)", text, re.MULTILINE))


def canonical(requirement):
    return re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", requirement)[0]).lower()


@pytest.mark.parametrize("name", LOCKS)
def test_lock_file_names_no_host(name):
    assert re.findall(r"https?://|file:|--index|--find-links|@ ", LOCKS[name]) == []


@pytest.mark.parametrize("name", LOCKS)
def test_lock_file_hashes_every_pin(name):
    entries = re.split(r"\n(?=\S)", LOCKS[name].strip())
    assert [entry.splitlines()[0] for entry in entries if "--hash=sha256:" not in entry] == []


def test_development_runs_on_what_production_runs_on():
    base, dev = pins(LOCKS["base"]), pins(LOCKS["dev"])
    assert {name: dev.get(name) for name in base} == base


def test_every_declared_requirement_is_pinned():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    declared = project["project"]["dependencies"]
    assert {canonical(requirement) for requirement in declared} - set(pins(LOCKS["base"])) == set()
    for group in project["dependency-groups"].values():
        assert {canonical(requirement) for requirement in group} - set(pins(LOCKS["dev"])) == set()


def test_no_second_driver_can_slip_in():
    for text in LOCKS.values():
        assert {"psycopg", "psycopg-binary", "psycopg2"} & set(pins(text)) == set()


def extras_asked():
    """What installed packages ask of one another with extras, as `name[extra]`, optional dependencies left out."""
    for name in pins(LOCKS["dev"]):
        try:
            asked = requires(name) or []
        except PackageNotFoundError:  # of another platform
            continue
        for requirement in asked:
            found = re.match(r"([\w.-]+)\[([\w,-]+)\]", requirement)
            if found and "extra ==" not in requirement:
                yield canonical(found[1]), set(found[2].split(","))


def test_pins_keep_the_extras_that_are_asked_of_them():
    kept = {
        canonical(name): set(extras.split(","))
        for name, extras in re.findall(r"^([\w.-]+)\[([^]]*)\]==", LOCKS["dev"], re.MULTILINE)
    }
    assert [(name, extras) for name, extras in extras_asked() if not extras <= kept.get(name, set())] == []
