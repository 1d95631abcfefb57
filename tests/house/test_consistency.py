"""Nothing is left over, nothing drifts: templates, migrations, unfinished business."""

import re
import subprocess
from pathlib import Path

import pytest
from django.core.management import call_command

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
