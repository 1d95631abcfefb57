"""Marking never sees a person: no import, no relation, no name of a table, no field."""

import ast
import re
from pathlib import Path

import grimp
import pytest
from django.apps import apps

ROOT = Path(__file__).parents[2]
PEOPLE = {"centres", "ranking"}
BLIND = ("exams", "grading")
SOURCES = sorted(path for app in BLIND for path in (ROOT / app).rglob("*.py") if "migrations" not in path.parts)
LOOPHOLES = {"get_model", "get_models", "ContentType", "RawSQL", "raw", "extra", "related_objects", "_meta"}
PERSONAL = re.compile(
    r"(^|_)(candidate|person|people|student|first|last|sur|full|birth|born|email|phone|address|gender|sex|centre|room|seat)"
    r"(_|$|name)"
)
OUR_OWN = {"centre_sitting", "last_seq", "first_sheet", "last_sheet"}


def models_of(labels):
    return [model for model in apps.get_models(include_auto_created=True) if model._meta.app_label in labels]


def related(model, *, hidden):
    fields = model._meta.get_fields(include_hidden=hidden)
    return {field.related_model for field in fields if field.is_relation and field.related_model}


@pytest.fixture(scope="module")
def imports():
    return grimp.build_graph("ecni", "exams", "centres", "grading", "ranking", cache_dir=None)


@pytest.mark.parametrize("app", BLIND)
@pytest.mark.parametrize("people", sorted(PEOPLE))
def test_no_chain_of_imports_leads_to_people(imports, app, people):
    assert not imports.chain_exists(importer=app, imported=people, as_packages=True)


@pytest.mark.parametrize("model", models_of({"grading"}), ids=lambda model: model.__name__)
def test_no_relation_of_grading_leads_to_a_person_or_a_place(model):
    reached, frontier = set(), {model}
    while frontier:
        reached |= frontier
        frontier = {other for one in frontier for other in related(one, hidden=False)} - reached
    assert {other._meta.label for other in reached if other._meta.app_label in PEOPLE} == set()


@pytest.mark.parametrize("model", models_of(PEOPLE), ids=lambda model: model.__name__)
def test_keys_of_people_that_point_down_cannot_be_followed_back(model):
    down = [field for field in model._meta.get_fields() if field.concrete and field.is_relation]
    shown = [f.name for f in down if f.related_model._meta.app_label in BLIND and not f.remote_field.hidden]
    assert shown == []


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_source_uses_no_loophole(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    names |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    loopholes = LOOPHOLES if path.is_relative_to(ROOT / "grading") else {"get_model", "ContentType"}
    assert names & loopholes == set()
    assert [text for text in texts if re.search(r"\b(centres|ranking)_\w|__\+|\bcentres\.", text)] == []


@pytest.mark.parametrize("model", models_of(BLIND), ids=lambda model: model.__name__)
def test_no_field_is_named_like_a_person_or_a_place(model):
    names = {field.name for field in model._meta.get_fields() if field.concrete} - OUR_OWN
    assert [name for name in names if PERSONAL.search(name)] == []


def test_the_list_of_personal_names_knows_those_of_a_candidate():
    candidate = apps.get_model("centres", "Candidate")
    names = {field.name for field in candidate._meta.get_fields() if field.concrete}
    assert {name for name in names if PERSONAL.search(name)} >= {
        "last_name",
        "first_name",
        "born_on",
        "email",
        "centre",
    }
