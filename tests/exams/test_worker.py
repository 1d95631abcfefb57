"""The service worker's list holds all that the tablet's page loads, under the names by which it is served."""

import json
import re

import pytest
from django.core.management import call_command
from django.test import Client

from ecni.shared import offline
from exams.views.worker import TABLET


def release(script):
    return json.loads(re.match(r"const RELEASE = (\{.*\});\n", script)[1])


def test_the_worker_is_a_script_of_the_page_scope_that_no_cache_keeps():
    response = Client().get("/copie/sw.js")
    assert (response.status_code, response["Content-Type"]) == (200, "text/javascript; charset=utf-8")
    assert response["Cache-Control"] == "no-cache"
    assert "default-src 'none'" in response["Content-Security-Policy"]
    assert response.cookies == {}


def test_the_list_follows_imports_of_modules_and_styles():
    files = TABLET.files()
    assert {"js/exam/main.js", "js/exam/outbox.js", "js/lib/dom.js", "js/exam/kinds/index.js"} <= set(files)
    assert {"css/ecni.css", "css/tokens.css", "img/favicon.svg"} <= set(files)
    assert [name for name in files if name.startswith(("js/centre", "js/grading", "css/admin"))] == []
    assert "js/exam/worker.js" not in files


def test_the_list_says_the_address_of_each_file_and_the_page():
    said = release(Client().get("/copie/sw.js").content.decode())
    assert said["page"] == "/copie/"
    assert said["assets"] == [f"/static/{name}" for name in TABLET.files()]
    assert re.fullmatch("[0-9a-f]{16}", said["version"])


def test_production_lists_hashed_names_that_exist(settings, tmp_path):
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = settings.STORAGES | {"staticfiles": {"BACKEND": "ecni.static.HashedModules"}}
    call_command("collectstatic", interactive=False, verbosity=0)
    said = release(Client().get("/copie/sw.js").content.decode())
    assert [name for name in said["assets"] if not re.search(r"\.[0-9a-f]{12}\.(js|css|svg)$", name)] == []
    assert [name for name in said["assets"] if not (tmp_path / name.removeprefix("/static/")).is_file()] == []
    loaded = re.findall(r'(?:src|href)="(/static/[^"]+)"', Client().get("/copie/").content.decode())
    assert set(loaded) <= set(said["assets"])


@pytest.mark.parametrize("name", ["js/exam/main.js", "css/ecni.css"])
def test_another_text_of_a_file_is_another_version(monkeypatch, name):
    def changed(asked):
        return source(asked) + (b"\n" if asked == name else b"")

    source, before = offline._source, offline.written(TABLET)
    monkeypatch.setattr(offline, "_source", changed)
    assert release(offline.written(TABLET))["version"] != release(before)["version"]


def test_the_worker_of_the_entrance_keeps_the_page_that_says_to_wait():
    response = Client().get("/entrer/sw.js")
    assert (response.status_code, response["Content-Type"]) == (200, "text/javascript; charset=utf-8")
    assert (response["Cache-Control"], response.cookies) == ("no-cache", {})
    said = release(response.content.decode())
    assert said["page"] == "/entrer/sans-reponse/"
    page = Client().get(said["page"])
    assert (page.status_code, "Le serveur ne répond pas encore" in page.content.decode()) == (200, True)
    assert ("no-store" in page["Cache-Control"], page.cookies) == (True, {})
    assert set(re.findall(r'(?:src|href)="(/static/[^"]+)"', page.content.decode())) <= set(said["assets"])
    assert "/static/js/lib/code.js" in said["assets"]
