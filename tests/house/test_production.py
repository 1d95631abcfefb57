"""What production promises to browsers, whatever page is asked: nothing inline, nothing foreign, nothing in clear."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SECRETS = ("SECRET_KEY", "SLIP_SECRET", "TICKET_SECRET", "KEY_SHARE_1", "KEY_SHARE_2", "CHECKPOINT_KEY")
ENVIRONMENT = {name: f"{name}-ZkQ7p2vX9rT4wY8sB1nM6cL3dF5gH0jKaeiouRb6TqW" for name in SECRETS} | {
    "DATABASE_URL": "postgresql://ecni@db/ecni",
    "REDIS_URL": "redis://redis/0",
    "PAPERS_ROOT": "/srv/papers",
    "RESULTS_ROOT": "/srv/results",
    "STATIC_ROOT": "/srv/static",
    "ALLOWED_HOSTS": "concours.example.fr",
    "CSRF_TRUSTED_ORIGINS": "https://concours.example.fr",
}
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
MODULES = sorted((ROOT / "static" / "js").rglob("*.js"))
INLINE = re.compile(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|javascript:", re.IGNORECASE)
FOREIGN = re.compile(r"""(?:src|href|action)=["']?(?:https?:)?//|url\(["']?https?:""", re.IGNORECASE)
ACTING_TEXT = re.compile(r"\beval\(|new Function\(|document\.write|\.style\.cssText|import\(['\"]https?:")
HTML_OF_OURS = {"static/js/exam/fragments.js", "static/js/lib/parts.js"}
"""The only modules that make elements from text: leaves of the sealed paper, whose tag authenticated them, and the
operations board, which takes its own page again from this server, escaped by its template."""

VISIT = """
import json, django
django.setup()
from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.test import Client, RequestFactory
client = Client(headers={"host": "concours.example.fr"})
plain, secure = client.get("/deconnexion/"), client.get("/deconnexion/", secure=True)
try:
    foreign = RequestFactory(headers={"host": "ailleurs.example"}).get("/").get_host()
except DisallowedHost:
    foreign = "refused"
names = ("SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SESSION_COOKIE_HTTPONLY", "DEBUG", "SESSION_COOKIE_SAMESITE")
print(json.dumps({
    "plain": [plain.status_code, plain.headers.get("Location")],
    "secure": dict(secure.headers) | {"status": secure.status_code},
    "foreign": foreign,
    "settings": {name: getattr(settings, name) for name in names},
}))
"""


def run(*arguments, **changes):
    environment = ENVIRONMENT | {"DJANGO_SETTINGS_MODULE": "ecni.settings"} | changes
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("name", SECRETS)
def test_each_missing_secret_is_named(name):
    environment = {key: value for key, value in ENVIRONMENT.items() if key != name}
    done = subprocess.run(
        [sys.executable, "-c", "import ecni.settings"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith(f"(set NAME or NAME_FILE): {name}.")


def test_production_answers_by_https_only_and_to_its_own_name_only():
    done = run("-c", VISIT)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["plain"] == [301, "https://concours.example.fr/deconnexion/"]
    assert found["foreign"] == "refused"
    headers = found["secure"]
    assert headers["status"] == 405
    assert headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains; preload"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert not re.search(r"unsafe|http|\*|data:", headers["Content-Security-Policy"])
    assert (headers["X-Frame-Options"], headers["X-Content-Type-Options"]) == ("DENY", "nosniff")
    assert (headers["Referrer-Policy"], headers["Cross-Origin-Opener-Policy"]) == ("same-origin", "same-origin")
    assert found["settings"] == {
        "SESSION_COOKIE_SECURE": True,
        "CSRF_COOKIE_SECURE": True,
        "SESSION_COOKIE_HTTPONLY": True,
        "DEBUG": False,
        "SESSION_COOKIE_SAMESITE": "Lax",
    }


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT / "templates")))
def test_a_template_holds_nothing_inline_and_nothing_foreign(path):
    text = path.read_text(encoding="utf-8")
    assert INLINE.findall(text) == []
    assert FOREIGN.findall(text) == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT / "static" / "js")))
def test_a_module_makes_no_code_and_no_html_of_texts(path):
    text = path.read_text(encoding="utf-8")
    assert ACTING_TEXT.findall(text) == []
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|DOMParser|createContextualFragment", text) or (
        str(path.relative_to(ROOT)) in HTML_OF_OURS
    )


def test_a_template_of_a_form_that_posts_carries_the_token():
    forms = {
        str(path.relative_to(ROOT)): form
        for path in TEMPLATES
        for form in re.findall(r"<form[^>]*method=.?post.*?</form>", path.read_text(), re.DOTALL | re.IGNORECASE)
        if "csrf_token" not in form
    }
    assert forms == {}
