"""The settings fail loudly, are all documented, and are safe in production."""

import json
import logging
import os
import re
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import IntegrityError, connection, transaction
from django.db.backends.postgresql.psycopg_any import is_psycopg3
from django.http import HttpResponse
from django.test import RequestFactory

from ecni import env
from ecni.logs import JsonLines
from ecni.middleware import permissions_policy
from tests.factories.exams import make_exam
from tests.factories.grading import register

ROOT = Path(__file__).resolve().parents[2]
SECRETS = ("SECRET_KEY", "SLIP_SECRET", "TICKET_SECRET", "KEY_SHARE_1", "KEY_SHARE_2", "CHECKPOINT_KEY")
PLACES = {
    "DATABASE_URL": "postgresql://ecni@db/ecni",
    "REDIS_URL": "redis://redis/0",
    "PAPERS_ROOT": "/srv/papers",
    "RESULTS_ROOT": "/srv/results",
    "STATIC_ROOT": "/srv/static",
    "ALLOWED_HOSTS": "concours.example.fr",
}


def manage(*arguments, **variables):
    return subprocess.run(
        [sys.executable, "manage.py", *arguments], cwd=ROOT, env=variables, capture_output=True, text=True, check=False
    )


def test_every_variable_read_has_a_heading_and_every_heading_a_reader():
    settings = (ROOT / "ecni" / "settings.py").read_text()
    compulsory = re.search(r"_SECRETS = .*?\n_PLACES = [^\n]*", settings, re.DOTALL)[0]
    read = set(re.findall(r'env_(?:str|bool|int|list|secret)\(\s*"(\w+)"', settings))
    read |= set(re.findall(r'"([A-Z][A-Z_0-9]+)"', compulsory))
    for source in ("ecni/engines/postgresql.py", "tests/chromium.py"):
        read |= set(re.findall(r'os\.environ(?:\.get\(|\[)"([A-Z_]+)"', (ROOT / source).read_text()))
    headings = set(re.findall(r"^### `(\w+)`$", (ROOT / "docs" / "configuration.md").read_text(), re.MULTILINE))
    assert headings == read - {"PLAYWRIGHT_BROWSERS_PATH"}


def test_production_names_every_missing_value():
    done = manage("check", ECNI_ENV="production")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith(
        f"Missing in the environment (set NAME or NAME_FILE): {', '.join([*SECRETS, *PLACES])}."
    )


def test_production_is_the_default_and_refuses_short_secrets_debug_and_bad_keys():
    good = dict.fromkeys(SECRETS, "0123456789abcdef" * 4) | PLACES
    assert "Shorter than 32 characters: TICKET_SECRET." in manage("check", **good | {"TICKET_SECRET": "secret"}).stderr
    assert "DEBUG is refused in production" in manage("check", **good, DEBUG="1").stderr
    assert "CHECKPOINT_FORMER_KEYS must be" in manage("check", **good, CHECKPOINT_FORMER_KEYS="abc").stderr


def test_production_passes_every_deployment_check():
    good = {name: f"{name}-ZkQ7p2vX9rT4wY8sB1nM6cL3dF5gH0jKaeiouRb6TqW" for name in SECRETS} | PLACES
    done = manage("check", "--deploy", "--fail-level", "WARNING", **good)
    assert done.stdout + done.stderr == "System check identified no issues (0 silenced).\n"
    assert done.returncode == 0


def test_the_driver_is_psycopg2():
    assert is_psycopg3 is False
    assert connection.Database.__name__ == "psycopg2"


def test_a_secret_may_come_from_a_file(monkeypatch, tmp_path):
    (tmp_path / "slip").write_text("from a file\n")
    monkeypatch.setenv("SLIP_SECRET_FILE", str(tmp_path / "slip"))
    monkeypatch.setenv("SLIP_SECRET", "from the variable")
    assert env.env_required(["SLIP_SECRET"], None) == {"SLIP_SECRET": "from a file"}
    monkeypatch.setenv("SLIP_SECRET_FILE", str(tmp_path / "absent"))
    with pytest.raises(ImproperlyConfigured, match="SLIP_SECRET_FILE cannot be read: No such file"):
        env.env_required(["SLIP_SECRET"], None)


@pytest.mark.parametrize(("text", "expected"), [("1", True), ("Yes", True), ("off", False), ("", False)])
def test_a_yes_or_no_is_read(monkeypatch, text, expected):
    monkeypatch.setenv("SWITCH", text)
    assert env.env_bool("SWITCH", default=not expected) is expected


def test_a_value_of_the_wrong_kind_is_refused(monkeypatch):
    monkeypatch.setenv("SWITCH", "perhaps")
    with pytest.raises(ImproperlyConfigured, match="SWITCH must be yes or no, not 'perhaps'"):
        env.env_bool("SWITCH", default=True)
    with pytest.raises(ImproperlyConfigured, match="SWITCH must be a whole number, 0 at least, not 'perhaps'"):
        env.env_int("SWITCH", 1)


@pytest.mark.parametrize("text", ["0", "-1", "", "2.5"])
def test_a_number_below_what_means_something_is_refused(monkeypatch, text):
    monkeypatch.setenv("LOGINS_BUDGET", text)
    with pytest.raises(ImproperlyConfigured, match="LOGINS_BUDGET must be a whole number, 1 at least"):
        env.env_int("LOGINS_BUDGET", 25, least=1)


def test_a_number_is_read_with_the_blanks_of_a_file(monkeypatch):
    monkeypatch.setenv("LOGINS_BUDGET", "40\r")
    assert env.env_int("LOGINS_BUDGET", 25, least=1) == 40


def test_a_list_is_read_without_blanks(monkeypatch):
    monkeypatch.setenv("HOSTS", "a.example, b.example ,")
    assert env.env_list("HOSTS") == ["a.example", "b.example"]
    assert env.env_list("ABSENT", ["c"]) == ["c"]


def test_a_database_address_is_translated():
    database = env.postgresql("postgresql://ecni:p%40ss@db:5433/house?sslmode=require")
    assert database == {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "house",
        "USER": "ecni",
        "PASSWORD": "p@ss",
        "HOST": "db",
        "PORT": "5433",
        "OPTIONS": {"sslmode": "require"},
    }
    assert env.postgresql("postgresql://ecni@/house?host=/run/postgresql")["HOST"] == "/run/postgresql"


@pytest.mark.parametrize("address", ["mysql://a@b/c", "postgresql://a@b", "", "sqlite:///x"])
def test_an_address_that_is_no_postgresql_is_refused(address):
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL must look like"):
        env.postgresql(address)


def test_redis_databases_follow_each_other():
    assert env.redis_database("redis://:pw@host:6380/4", 2) == "redis://:pw@host:6380/6"
    assert env.redis_database("redis://host", 1) == "redis://host/1"
    with pytest.raises(ImproperlyConfigured, match="REDIS_URL must look like"):
        env.redis_database("unix:///run/redis", 1)


def test_log_lines_carry_allowed_fields_and_no_identity():
    record = logging.LogRecord("exams", logging.INFO, "f.py", 1, "batch of %d", (3,), None)
    record.__dict__ |= {"sheet": 12, "username": "dupont", "request": object()}
    line = json.loads(JsonLines("sockets").format(record))
    assert line.pop("at")
    assert line.pop("pid") == os.getpid()
    assert line == {"level": "INFO", "logger": "exams", "role": "sockets", "message": "batch of 3", "sheet": 12}


def test_log_lines_of_a_refused_row_leave_out_whose_it_is(db):
    (candidate,) = register(make_exam(), {"K2-0001": date(2001, 1, 1)})
    candidate.last_name, candidate.category = "Nom d’une\nPersonne", None
    try:
        with transaction.atomic():
            candidate.save()
    except IntegrityError as error:
        record = logging.LogRecord("celery", logging.ERROR, "f.py", 1, "raised: %r", (error,), sys.exc_info())
    assert "Personne" in record.getMessage()
    line = json.loads(JsonLines("worker").format(record))
    assert "django.db.utils.IntegrityError: null value" in line["exception"]
    assert "null value" in line["message"]
    assert "Personne" not in str(line)


def test_pages_renounce_camera_and_microphone():
    response = permissions_policy(lambda _: HttpResponse())(RequestFactory().get("/"))
    assert "camera=(), " in response.headers["Permissions-Policy"]
