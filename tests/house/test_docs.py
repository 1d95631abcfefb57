"""The documents name what exists: files, links, commands, frames, refusals; and everything public is in a document."""

import json
import re
from pathlib import Path

import pytest
from django.core.management import get_commands

from exams import protocol

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
TEXTS = {str(page.relative_to(ROOT)): page.read_text(encoding="utf-8") for page in PAGES}
APPS = ("ecni", "exams", "centres", "grading", "ranking")
TOP = (*APPS, "docs", "loadtests", "requirements", "static", "templates", "tests")
SOURCES = [
    path
    for top in (*APPS, "loadtests", "static", "templates", "tests")
    for path in (ROOT / top).rglob("*")
    if path.suffix in {".py", ".js", ".html"}
]
WIRE = TEXTS["docs/protocol.md"]
GOLDEN = {name: json.loads((ROOT / "tests" / "wire" / f"{name}.json").read_text()) for name in ("tablet", "server")}


def section(text, heading):
    return re.split(r"^## ", text.split(f"\n## {heading}\n")[1], maxsplit=1, flags=re.MULTILINE)[0]


def frames(heading):
    lines = [line.split("|")[1] for line in section(WIRE, heading).splitlines() if line.startswith("| `")]
    return {found for line in lines for found in re.findall(r'"t":"(\w+)"|`(\w+)`', line)[0] if found}


def anchors(text):
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("name", TEXTS)
def test_every_link_leads_somewhere(name):
    lost = []
    for link in re.findall(r"\]\(([^)\s]+)\)", TEXTS[name]):
        target, _, anchor = link.partition("#")
        path = (ROOT / name).parent / target if target else ROOT / name
        if "://" in link:
            continue
        if not path.exists() or (anchor and anchor not in anchors(path.read_text(encoding="utf-8"))):
            lost.append(link)
    assert lost == []


@pytest.mark.parametrize("name", TEXTS)
def test_every_path_named_exists(name):
    named = re.findall(rf"`((?:{'|'.join(TOP)})/[\w./-]*)`", TEXTS[name])
    assert [path for path in named if not (ROOT / path).exists() and not (ROOT / f"{path}.py").exists()] == []


@pytest.mark.parametrize("name", TEXTS)
def test_every_test_named_exists(name):
    named = set(re.findall(r"`(test_\w+)\.py`", TEXTS[name]))
    assert named - {path.stem for path in SOURCES} == set()


def test_every_document_that_the_code_names_exists():
    named = {
        (str(path.relative_to(ROOT)), found)
        for path in SOURCES
        for found in re.findall(r"\bdocs/[\w/-]+\.(?:md|conf)\b", path.read_text(encoding="utf-8"))
    }
    assert sorted(pair for pair in named if not (ROOT / pair[1]).exists()) == []


def test_every_command_of_a_person_has_its_place_in_the_documents():
    ours = {name for name, app in get_commands().items() if app in APPS}
    written = {found for text in TEXTS.values() for found in re.findall(r"manage\.py (\w+)", text)}
    by_make = {"demo", "drills", "prepare_demo", "rehearsal"}
    assert ours - by_make - written == set()
    assert written - set(get_commands()) == set()


def test_every_frame_of_the_wire_is_written_down():
    sent, said = ({frame["frame"]["t"] for frame in GOLDEN[side]["accepted"]} for side in ("tablet", "server"))
    assert frames("From the tablet") == set(protocol._READERS) == sent
    assert frames("From the server") == said


def test_every_refusal_code_is_written_down():
    assert set(re.findall(r"`([a-z-]+)`", section(WIRE, "Refusal codes"))) == set(protocol.REFUSALS)


def test_every_close_code_is_written_down():
    written = set(re.findall(r"^\| (\d{4}) \|", section(WIRE, "Close codes"), re.MULTILINE))
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "exams" / "consumers").glob("*.py")]
    assert set(re.findall(r"\b4[0-9]{3}\b(?!_)", "\n".join(re.sub(r"#.*", "", s) for s in sources))) <= written


def test_no_page_names_this_machine():
    assert [page for page, text in TEXTS.items() if re.search(r"/(work|root|home)/|localhost:\d{5}", text)] == []
