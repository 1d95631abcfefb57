"""Nothing is left over, nothing drifts: templates, migrations, unfinished business, containers."""

import json
import re
import shlex
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.core.management import call_command

from ecni.asgi import FRAMES_PATH
from ecni.supervisor import celery_worker, daphne
from exams.enums import QuestionKind

ROOT = Path(__file__).parents[2]
APPS = ("ecni", "exams", "centres", "grading", "ranking")
TEMPLATES = ROOT / "templates"
BY_CONVENTION = {"400.html", "403.html", "403_csrf.html", "404.html", "500.html"}
FRAGMENTS = "exams/fragments"
UNFINISHED = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME)\b")
CODE = {".py", ".js", ".css", ".html", ".md", ".toml", ".yml", ".typ", ".conf", ""}


@pytest.fixture(scope="module")
def sources():
    places = [*(path for app in APPS for path in (ROOT / app).rglob("*.py")), *TEMPLATES.rglob("*.html")]
    return "\n".join(path.read_text(encoding="utf-8") for path in places)


def tracked():
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    return [ROOT / name for name in listed.split("\0") if name and Path(name).suffix in CODE]


@pytest.mark.parametrize("name", sorted(str(path.relative_to(TEMPLATES)) for path in TEMPLATES.rglob("*.*")))
def test_template_is_used(sources, name):
    kinds = {f"{FRAGMENTS}/_{kind.lower()}.html" for kind in QuestionKind}
    overrides_admin = re.fullmatch(r"admin/(base_site|\w+/\w+/change_(form|list))\.html", name)
    path = re.escape(name).replace("/", r'(?:/|" / ")')
    assert name in BY_CONVENTION | kinds or overrides_admin or re.search(rf'"{path}"', sources)


def test_every_kind_has_its_form_and_its_module():
    index = (ROOT / "static/js/exam/kinds/index.js").read_text(encoding="utf-8")
    assert set(re.findall(r"\b([A-Z]+): \w+", index)) == set(QuestionKind)
    missing = [kind for kind in QuestionKind if not (TEMPLATES / FRAGMENTS / f"_{kind.lower()}.html").exists()]
    assert missing == []


@pytest.mark.django_db
def test_migrations_say_what_models_say():
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


def test_nothing_is_left_unfinished():
    files = tracked()
    if not files:
        pytest.skip("not a git checkout")
    assert [str(f.relative_to(ROOT)) for f in files if f.is_file() and UNFINISHED.search(f.read_text("utf-8"))] == []


def options(argv):
    """The words of a command, each option with its value, the interpreter left out."""
    pairs = re.split(r" (?=--|-A |-m )", " ".join(argv[1:]))
    return {pair.strip() for pair in pairs}


def test_image_serves_as_the_supervisor_does():
    command = json.loads(re.search(r"^CMD (\[.*\])$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)[1])
    ours = options(command) - {"--bind 0.0.0.0", "--port 8000", "--proxy-headers"}
    assert ours == options(daphne(SimpleNamespace(fileno=lambda: 7))) - {"--fd 7"}


def test_containers_work_as_the_supervisor_does():
    compose = (ROOT / "docker-compose.yml").read_text()
    command = shlex.split(re.search(r"command: (python -m celery .*)$", compose, re.MULTILINE)[1])
    assert options(command) == options(celery_worker(Path("/tmp")))


def test_image_takes_every_package_and_is_no_superuser():
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert set(re.findall(r"^COPY (\w+) ", dockerfile, re.MULTILINE)) == {*APPS, "templates", "static"}
    assert re.findall(r"^USER (\w+)$", dockerfile, re.MULTILINE) == ["ecni"]


def test_compose_gives_every_compulsory_variable():
    settings = (ROOT / "ecni" / "settings.py").read_text()
    compulsory = re.search(r"_SECRETS = .*?\n_PLACES = [^\n]*", settings, re.DOTALL)[0]
    given = re.findall(r"^    ([A-Z_0-9]+): ", (ROOT / "docker-compose.yml").read_text(), re.MULTILINE)
    assert set(re.findall(r'"([A-Z_0-9]+)"', compulsory)) == set(given) - {"ECNI_ENV"}


def test_proxy_sends_the_candidates_wire_to_its_own_processes():
    nginx = (ROOT / "docs" / "nginx.conf").read_text()
    to_sockets = re.findall(r"location = (\S+) { proxy_pass http://sockets;", nginx)
    assert set(to_sockets) == {"/ws/copie/", FRAMES_PATH}
