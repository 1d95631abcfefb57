from dataclasses import replace
from pathlib import Path

import pytest

from ecni.accounts.models import Deed
from exams.actions.bank import IdentifierTaken, KeyIncoherent, import_bank, save_case, save_question
from exams.actions.sealing import seal_paper
from exams.enums import CaseKind, PropositionStatus, QuestionKind
from exams.imports import read_bank_folder
from exams.models import Case, Media, Question
from exams.queries.bankplan import Outcome, plan_import
from exams.queries.papers import question_content
from exams.rules.bank import BankErrors
from exams.rules.content import CaseContent, from_json
from tests.factories.papers import IMAGE, NOW, draft_paper, question, small_bank, staff

pytestmark = pytest.mark.django_db

MEDIA = {"media/trace.svg": IMAGE}


@pytest.fixture
def agency():
    return staff()


@pytest.fixture
def imported(agency):
    return import_bank(bank=small_bank(), media=MEDIA, actor=agency, now=NOW)


@pytest.fixture
def sealed(agency, settings, tmp_path):
    settings.PAPERS_ROOT = tmp_path
    return seal_paper(paper_id=draft_paper(agency).pk, actor=agency, now=NOW)


def versions():
    return sorted(Question.objects.values_list("identifier", "version"))


def test_import_bank_creates_questions_cases_and_images(imported):
    assert versions() == [("DP-1-1", 1), ("DP-1-2", 1), ("DP-1-3", 1), ("QI-1", 1), ("QI-2", 1)]
    assert [q.position for q in Case.objects.get().questions.order_by("identifier")] == [1, 2, 3]
    assert Media.objects.get().content_type == "image/svg+xml"
    assert imported.figures == {"NEW": 7, "CHANGED": 0, "SAME": 0}


def test_import_bank_logs_one_deed(imported, agency):
    deed = Deed.objects.get()
    assert (deed.actor, deed.verb, deed.data) == (agency, "import_bank", imported.figures)


def test_import_bank_again_changes_nothing(imported, agency):
    report = import_bank(bank=small_bank(), media=MEDIA, actor=agency, now=NOW)
    assert report.figures == {"NEW": 0, "CHANGED": 0, "SAME": 7}
    assert {version for _identifier, version in versions()} == {1}


def test_import_bank_twice_of_the_demo_bank_changes_nothing(agency):
    bank, media = read_bank_folder(Path(__file__).parents[2] / "ecni" / "demo" / "bank")
    first = import_bank(bank=bank, media=media, actor=agency, now=NOW)
    again = import_bank(bank=bank, media=media, actor=agency, now=NOW)
    assert again.figures == first.figures | {"NEW": 0, "SAME": first.figures["NEW"]}


def test_import_bank_gives_a_changed_question_a_new_version(imported, agency):
    bank = small_bank()
    changed = replace(bank.questions[0], rank="B")
    report = import_bank(bank=replace(bank, questions=(changed,)), media={}, actor=agency, now=NOW)
    assert [(planned.outcome, planned.version) for planned in report.questions] == [(Outcome.CHANGED, 2)]
    assert versions() == [("DP-1-1", 1), ("DP-1-2", 1), ("DP-1-3", 1), ("QI-1", 1), ("QI-1", 2), ("QI-2", 1)]


def test_import_bank_renews_a_case_as_a_whole(imported, agency):
    bank = small_bank()
    case = bank.cases[0]
    steps = (case.questions[0], replace(case.questions[1], rank="B"), case.questions[2])
    import_bank(bank=replace(bank, cases=(replace(case, questions=steps),)), media={}, actor=agency, now=NOW)
    renewed = Case.objects.get(version=2)
    assert sorted(renewed.questions.values_list("identifier", "version", "position")) == [
        ("DP-1-1", 2, 1),
        ("DP-1-2", 2, 2),
        ("DP-1-3", 2, 3),
    ]


def test_import_bank_takes_the_demo_bank_whole(agency):
    bank, media = read_bank_folder(Path(__file__).parents[2] / "ecni" / "demo" / "bank")
    report = import_bank(bank=bank, media=media, actor=agency, now=NOW)
    stored = {kind: Question.objects.filter(kind=kind).count() for kind in QuestionKind}
    assert sum(stored.values()) == bank.size
    assert min(stored.values()) > 0
    assert {case.case.kind for case in report.cases} == set(CaseKind)


def test_plan_import_writes_nothing():
    report = plan_import(small_bank(), MEDIA)
    assert report.figures["NEW"] == 7
    assert not Question.objects.exists()
    assert not Media.objects.exists()


@pytest.mark.parametrize(
    "drawing",
    [
        b'<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>',
        b'<svg xmlns="http://www.w3.org/2000/svg" onload="x()"/>',
        b'<svg xmlns="http://www.w3.org/2000/svg"><foreignObject/></svg>',
        b'<svg xmlns="http://www.w3.org/2000/svg"><use href="https://elsewhere.example/a.svg#b"/></svg>',
        b'<!DOCTYPE svg [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><svg xmlns="http://www.w3.org/2000/svg">&b;</svg>',
    ],
)
def test_import_bank_refuses_a_drawing_that_does_more_than_show(agency, drawing):
    with pytest.raises(BankErrors):
        import_bank(bank=small_bank(), media={"media/trace.svg": drawing}, actor=agency, now=NOW)
    assert not Question.objects.exists()


def test_import_bank_cleans_html_whatever_came(agency):
    bank = small_bank()
    content = replace(bank.questions[0].content, stem='<p onclick="x()">Un<script>alert(1)</script> <b>gras</b></p>')
    dirty = replace(bank.questions[0], content=content)
    import_bank(bank=replace(bank, questions=(dirty,)), media={}, actor=agency, now=NOW)
    assert from_json(Question.objects.get(identifier="QI-1").content).stem == "<p>Un gras</p>"


def test_save_question_creates_one(agency):
    saved = save_question(question=question("QI-7"), question_id=None, actor=agency, now=NOW)
    assert (saved.identifier, saved.version) == ("QI-7", 1)
    assert question_content(saved.pk) == question("QI-7").content


def test_save_question_refuses_a_taken_identifier(imported, agency):
    with pytest.raises(IdentifierTaken):
        save_question(question=question("QI-1"), question_id=None, actor=agency, now=NOW)


def test_save_question_refuses_a_key_that_cannot_be_marked(imported, agency):
    with pytest.raises(KeyIncoherent):
        save_question(question=question("QI-9", right=""), question_id=None, actor=agency, now=NOW)


def test_save_question_changes_a_draft_in_place(imported, agency):
    stored = Question.objects.get(identifier="QI-2")
    changed = replace(question("QI-2"), rank="B")
    saved = save_question(question=changed, question_id=stored.pk, actor=agency, now=NOW)
    assert (saved.pk, saved.version, saved.rank) == (stored.pk, 1, "B")


def test_save_question_leaves_a_sealed_version_alone(sealed, agency):
    stored = Question.objects.get(identifier="QI-2")
    saved = save_question(question=replace(question("QI-2"), rank="B"), question_id=stored.pk, actor=agency, now=NOW)
    stored.refresh_from_db()
    assert (saved.version, saved.rank, stored.rank) == (2, "B", "A")


def test_save_question_unchanged_makes_no_version(sealed, agency):
    stored = Question.objects.get(identifier="QI-1")
    same = question("QI-1", QuestionKind.QRU, right="B")
    assert save_question(question=same, question_id=stored.pk, actor=agency, now=NOW) == stored


def test_save_question_of_a_sealed_case_renews_the_case(sealed, agency):
    stored = Question.objects.get(identifier="DP-1-2")
    changed = question("DP-1-2", right="D", news="<p>Autre</p>")
    saved = save_question(question=changed, question_id=stored.pk, actor=agency, now=NOW)
    assert (saved.version, saved.position, saved.case.version) == (2, 2, 2)
    assert saved.case.questions.count() == 3
    kept = question_content(stored.pk).propositions[3]
    assert kept.status is PropositionStatus.FALSE


def test_save_case_of_a_sealed_paper_makes_a_version(sealed, agency):
    case = Case.objects.get()
    saved = save_case(case_id=case.pk, content=CaseContent(title="T", vignette="<p>Autre</p>"), actor=agency, now=NOW)
    assert (saved.version, saved.questions.count()) == (2, 3)


def test_save_case_of_a_draft_changes_it_in_place(imported, agency):
    case = Case.objects.get()
    saved = save_case(case_id=case.pk, content=CaseContent(title="T", vignette="<p>Autre</p>"), actor=agency, now=NOW)
    assert (saved.pk, saved.version, saved.content["vignette"]) == (case.pk, 1, "<p>Autre</p>")
