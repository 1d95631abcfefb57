"""The glossary is the law of names: what it names exists, and no member of a closed list is left out."""

import re
from itertools import chain
from pathlib import Path

import pytest

from centres.enums import CandidateCategory, CandidateStanding
from ecni.accounts.enums import Role
from exams.enums import (
    CaseKind,
    CentreSittingState,
    GuardMode,
    GuardName,
    LimitName,
    OpKind,
    PaperState,
    PartCode,
    PartShare,
    PropositionStatus,
    QuestionKind,
    SheetState,
)
from grading.enums import BallotChoice, MarkingState, NeutralisationMode, ProposalKind, SpellingCategory
from ranking.enums import ComplaintState, Status, Treatment

ROOT = Path(__file__).parents[2]
APPS = ("ecni", "exams", "centres", "grading", "ranking")
NAMES, LISTS = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8").split("\n## Lists\n")
CLOSED = {
    kind.__name__: kind
    for kind in (
        *(
            QuestionKind,
            CaseKind,
            PropositionStatus,
            PartCode,
            PartShare,
            PaperState,
            CentreSittingState,
            SheetState,
            OpKind,
        ),
        *(LimitName, GuardName, GuardMode),
        *(CandidateCategory, CandidateStanding, MarkingState, Role, Status, Treatment, ComplaintState),
        *(ProposalKind, NeutralisationMode, BallotChoice, SpellingCategory),
    )
}
NAMED_ELSEWHERE = {"OpKind": {"SEAL", "FLAG", "STRIKE", "SUBMIT"}}


def rows(text):
    lines = [line for line in text.splitlines() if line.startswith("|") and not set(line) <= set("|- ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def code_names():
    return sorted(set(chain.from_iterable(re.findall(r"`(\w+)`", row[1]) for row in rows(NAMES) if row[1] != "code")))


def members_written():
    """Pairs of list and member, the name of the list being written once, on its first line."""
    written, current = {}, ""
    for name, member, *_ in rows(LISTS)[1:]:
        current = name.strip("`") or current
        written.setdefault(current, []).append(member.strip("`"))
    return written


@pytest.fixture(scope="module")
def words():
    sources = chain.from_iterable((ROOT / app).rglob("*.py") for app in APPS)
    return set(chain.from_iterable(re.findall(r"\w+", source.read_text(encoding="utf-8")) for source in sources))


def test_glossary_is_read():
    assert len(code_names()) > 60
    assert {"Sheet", "replay", "extra_seconds"} <= set(code_names())


@pytest.mark.parametrize("name", code_names())
def test_name_of_the_glossary_exists(words, name):
    assert name in words


def test_every_list_of_the_glossary_exists():
    assert set(members_written()) == set(CLOSED)


@pytest.mark.parametrize("name", CLOSED)
def test_list_has_an_entry_for_each_member(name):
    written = members_written()[name]
    assert len(written) == len(set(written))
    assert set(written) | NAMED_ELSEWHERE.get(name, set()) == set(CLOSED[name].__members__)
    assert NAMED_ELSEWHERE.get(name, set()) <= set(code_names())
