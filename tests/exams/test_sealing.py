import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser
from io import StringIO
from itertools import permutations
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from ecni.accounts.models import Deed
from exams.actions.bank import save_question
from exams.actions.sealing import PaperAlreadySealed, PaperEmpty, PaperFaulty, seal_paper
from exams.enums import CaseKind, PartCode, PropositionStatus, QuestionKind
from exams.models import Exam, ExamPart, Media, Paper, PaperKey, PaperUnit, Question
from exams.queries.fragments import Place, case_fragment, question_fragment
from exams.queries.papers import main_paper, paper_keys, paper_shapes, paper_structure, question_content
from exams.rules.answers import QuestionShape
from exams.rules.content import CaseContent, MediaRef, from_json, to_json
from tests.factories.papers import CANARY, IMAGE, NOW, draft_paper, open_file, opening_keys, question, small_bank, staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def papers_root(settings, tmp_path):
    settings.PAPERS_ROOT = tmp_path / "papers"
    return settings.PAPERS_ROOT


@pytest.fixture
def agency():
    return staff()


@pytest.fixture
def sealed(papers_root, agency):
    paper = draft_paper(agency)
    return seal_paper(paper_id=paper.pk, actor=agency, now=NOW, reason="prêt")


def file_of(paper, papers_root):
    return (papers_root / f"{paper.digest}.ecni").read_bytes()


def test_seal_paper_numbers_questions_and_their_shapes(sealed):
    assert paper_shapes(sealed.pk) == {
        1: QuestionShape(QuestionKind.QRU, 5, None, is_progressive=False, previous=0),
        2: QuestionShape(QuestionKind.QRM, 5, None, is_progressive=False, previous=0),
        3: QuestionShape(QuestionKind.QRM, 5, None, is_progressive=True, previous=0),
        4: QuestionShape(QuestionKind.QRM, 5, None, is_progressive=True, previous=3),
        5: QuestionShape(QuestionKind.QRU, 5, None, is_progressive=True, previous=4),
    }


def test_seal_paper_names_the_file_by_its_digest(sealed, papers_root):
    data = file_of(sealed, papers_root)
    assert sha256(data).hexdigest() == sealed.digest
    assert len(data) == sealed.size
    assert [path.name for path in papers_root.iterdir()] == [f"{sealed.digest}.ecni"]
    assert stat.S_IMODE((papers_root / f"{sealed.digest}.ecni").stat().st_mode) == 0o444


def test_seal_paper_writes_its_deed(sealed, agency):
    deed = Deed.objects.get(verb="seal_paper")
    assert (deed.actor, deed.target, deed.reason) == (agency, f"paper:{sealed.pk}", "prêt")


def test_header_says_the_shape_and_nothing_else(sealed, papers_root):
    header, _read = open_file(file_of(sealed, papers_root))
    assert header["paper"] == str(sealed.pk)
    assert header["sitting"] == sealed.sitting_id
    entries = [{key: entry[key] for key in entry if key not in {"offset", "length"}} for entry in header["questions"]]
    assert entries[4] == {
        "number": 5,
        "unit": 3,
        "position": 3,
        "unit_size": 3,
        "case": "DP",
        "kind": "QRU",
        "propositions": 5,
        "progressive": True,
        "previous": 4,
    }


def test_opening_key_opens_only_what_is_readable_from_the_start(sealed, papers_root):
    keys = paper_keys(sealed.pk)
    assert sorted(keys) == [0, 4, 5]
    _header, read = open_file(file_of(sealed, papers_root))
    readable = opening_keys(read, keys[0])
    assert sorted(readable) == [1, 2, 3]
    for number in readable:
        assert f"Proposition A {CANARY} &amp; &lt;suite&gt;" in read(number, readable[number])["html"]
    for number in (4, 5):
        for key in (keys[0], *readable.values()):
            with pytest.raises(InvalidTag):
                read(number, key)
        assert CANARY in read(number, keys[number])["html"]


def test_vignette_comes_with_the_first_step_and_news_with_its_own(sealed, papers_root):
    keys = paper_keys(sealed.pk)
    _header, read = open_file(file_of(sealed, papers_root))
    readable = opening_keys(read, keys[0])
    assert f"<p>Vignette {CANARY}</p>" in read(3, readable[3])["vignette"]
    assert read(4, keys[4])["vignette"] is None
    assert f"<p>Nouvelle {CANARY}</p>" in read(4, keys[4])["html"]
    assert "Nouvelle" not in read(3, readable[3])["html"]


def test_images_travel_with_their_question(sealed, papers_root):
    _header, read = open_file(file_of(sealed, papers_root))
    readable = opening_keys(read, paper_keys(sealed.pk)[0])
    blob = read(2, readable[2])
    assert '<img data-media="media/trace.svg" alt="Tracé CANARI-7f3a">' in blob["html"]
    assert list(blob["media"]) == ["media/trace.svg"]
    assert blob["media"]["media/trace.svg"]["type"] == "image/svg+xml"
    assert read(1, readable[1])["media"] == {}


def test_no_text_is_readable_in_the_database_or_on_disk(sealed, papers_root):
    assert from_json(Question.objects.get(identifier="QI-1").content).stem.count(CANARY) == 1
    assert Media.objects.get().content == IMAGE
    traces = [
        CANARY.encode(),
        CANARY.encode().hex().encode(),
        *(key.hex().encode() for key in paper_keys(sealed.pk).values()),
    ]
    dump = _dump()
    for trace in traces:
        assert trace not in dump
        assert all(trace not in path.read_bytes() for path in papers_root.rglob("*"))
    assert b"seal_paper" in dump


def _dump():
    """Every table as text, as pg_dump would write it."""
    parts = []

    class Sink:
        def write(self, data):
            parts.append(data if isinstance(data, bytes) else data.encode())

    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.copy_expert(f'COPY (SELECT * FROM "{table}") TO STDOUT', Sink())
    return b"".join(parts)


def test_fragment_is_the_same_whatever_the_key():
    content = question("QI-9").content
    statuses = (
        PropositionStatus.TRUE,
        PropositionStatus.FALSE,
        PropositionStatus.REQUIRED,
        PropositionStatus.FORBIDDEN,
    )
    fragments = set()
    for row in permutations(statuses):
        keyed = tuple(replace(p, status=s) for p, s in zip(content.propositions, (*row, row[0]), strict=True))
        other = replace(content, propositions=keyed, explanation=f"<p>{row[0]}</p>")
        fragments.add(question_fragment(QuestionKind.QRM, other, Place(number=7)))
    assert len(fragments) == 1


def test_no_blob_holds_a_hint(sealed, papers_root):
    keys = paper_keys(sealed.pk)
    _header, read = open_file(file_of(sealed, papers_root))
    keys |= opening_keys(read, keys[0])
    for number in range(1, 6):
        text = str(read(number, keys[number]))
        for hint in ("EXPLICATION", "TITRE", "Cardiologie", "235", "TRUE", "status"):
            assert hint not in text


@settings(deadline=None)
@given(text=st.text(min_size=1, max_size=60))
def test_texts_are_never_read_as_tags(text):
    content = question("QI-9").content
    written = tuple(replace(line, text=text) for line in content.propositions)
    other = replace(content, propositions=written, media=(MediaRef("media/a.svg", text),))
    assert tags_of(other) == tags_of(replace(content, media=(MediaRef("media/a.svg", "a"),)))


def tags_of(content):
    met = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag, attrs):
            met.append((tag, [name for name, _value in attrs]))

    Reader().feed(question_fragment(QuestionKind.QRM, content, Place(number=1)))
    return met


def test_fragments_hold_nothing_inline(sealed, papers_root):
    fragment = question_fragment(QuestionKind.QRU, question("QI-9").content, Place(number=7))
    assert [word for word in ("style=", "<script", "onclick", "src=") if word in fragment] == []


def test_article_images_are_named_never_fetched():
    case = CaseContent(title="", vignette="", article='<h2>Essai</h2><figure><img src="media/f.svg" alt="f"></figure>')
    fragment = case_fragment(case, Place(number=1, unit_size=2, case_number=1, case_kind=CaseKind.LCA))
    assert '<img data-media="media/f.svg" alt="f">' in fragment
    assert "src=" not in fragment


def test_seal_paper_refuses_twice(sealed, agency):
    with pytest.raises(PaperAlreadySealed):
        seal_paper(paper_id=sealed.pk, actor=agency, now=NOW)
    assert Paper.objects.get().digest == sealed.digest
    assert PaperKey.objects.count() == 3


def test_seal_paper_refuses_an_empty_paper(papers_root, agency):
    paper = draft_paper(agency)
    PaperUnit.objects.all().delete()
    with pytest.raises(PaperEmpty):
        seal_paper(paper_id=paper.pk, actor=agency, now=NOW)


def test_seal_paper_says_every_fault_and_writes_nothing(papers_root, agency):
    paper = draft_paper(agency)
    Media.objects.all().delete()
    spoilt = Question.objects.get(identifier="QI-1")
    content = from_json(spoilt.content)
    all_false = tuple(replace(p, status=PropositionStatus.FALSE) for p in content.propositions)
    spoilt.content = to_json(replace(content, propositions=all_false))
    spoilt.save()
    Question.objects.filter(identifier="DP-1-2").update(kind=QuestionKind.QROC)
    with pytest.raises(PaperFaulty) as refusal:
        seal_paper(paper_id=paper.pk, actor=agency, now=NOW)
    assert refusal.value.reasons == (
        "Question 1 (QI-1 v1) : une proposition vraie attendue, et non 0.",
        "Question 2 (QI-2 v1) : l’image media/trace.svg manque.",
        "Question 4 (DP-1-2 v1) : sans objet pour une question QROC.",
        "Question 4 (DP-1-2 v1) : au moins une réponse exacte attendue.",
    )
    assert not papers_root.exists()
    assert Paper.objects.get().state == "DRAFT"


def test_seal_paper_refuses_a_part_of_another_exam_and_an_empty_case(papers_root, agency):
    paper = draft_paper(agency)
    other = ExamPart.objects.create(exam=Exam.objects.create(name="Autre", slug="autre"), code="QI", points=1)
    PaperUnit.objects.filter(position=2).update(part=other)
    Question.objects.exclude(case=None).delete()
    with pytest.raises(PaperFaulty) as refusal:
        seal_paper(paper_id=paper.pk, actor=agency, now=NOW)
    assert refusal.value.reasons == (
        "Unité 2 (QI-2 v1)\u00a0: la partie choisie est celle d’un autre examen.",
        "Unité 3 (DP-1 v1)\u00a0: ce dossier n’a aucune question.",
    )


def test_seal_paper_refuses_a_question_asked_twice(papers_root, agency):
    paper = draft_paper(agency)
    first = PaperUnit.objects.get(position=1)
    PaperUnit.objects.create(paper=paper, position=9, part=first.part, question=first.question)
    with pytest.raises(PaperFaulty) as refusal:
        seal_paper(paper_id=paper.pk, actor=agency, now=NOW)
    assert refusal.value.reasons == ("Question 6 (QI-1 v1) : déjà posée, sous le numéro 1.",)


@pytest.mark.django_db(transaction=True)
def test_sealing_waits_for_a_question_being_changed(papers_root, agency):
    paper = draft_paper(agency)
    stored = Question.objects.get(identifier="QI-1")
    changed = question("QI-1", QuestionKind.QRU, right="D")
    changed = replace(changed, content=replace(changed.content, stem="<p>Question corrigée ?</p>"))

    def seal():
        try:
            return seal_paper(paper_id=paper.pk, actor=agency, now=NOW)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            save_question(question=changed, question_id=stored.pk, actor=agency, now=NOW)
            sealing = pool.submit(seal)
            with pytest.raises(TimeoutError):
                sealing.result(timeout=0.5)
        sealed = sealing.result(timeout=10)
    _header, read = open_file(file_of(sealed, papers_root))
    readable = opening_keys(read, paper_keys(sealed.pk)[0])
    assert "Question corrigée ?" in read(1, readable[1])["html"]


def test_critical_reading_is_open_from_the_start(papers_root, agency):
    bank = small_bank()
    lca = replace(bank.cases[0], kind=CaseKind.LCA, content=replace(bank.cases[0].content, article="<p>Article</p>"))
    paper = seal_paper(paper_id=draft_paper(agency, replace(bank, cases=(lca,))).pk, actor=agency, now=NOW)
    assert sorted(paper_keys(paper.pk)) == [0]
    assert {shape.previous for shape in paper_shapes(paper.pk).values()} == {0}


def test_paper_structure_gives_marking_its_units(sealed):
    units = paper_structure(sealed.pk)
    assert [(unit.position, unit.part, unit.part_points) for unit in units] == [
        (1, PartCode.QI, 2160),
        (2, PartCode.QI, 2160),
        (3, PartCode.DP, 7560),
    ]
    assert [[question.number for question in unit.questions] for unit in units] == [[1], [2], [3, 4, 5]]


def test_main_paper_is_the_sealed_one(sealed):
    assert main_paper(sealed.sitting_id) == sealed


def test_question_content_is_what_was_imported(sealed):
    stored = Question.objects.get(identifier="DP-1-1")
    assert question_content(stored.pk) == question("DP-1-1").content


def test_refusals_of_sealing_are_documented():
    text = (Path(__file__).parents[2] / "docs" / "papers.md").read_text()
    for refusal in (PaperAlreadySealed, PaperEmpty, PaperFaulty):
        assert f"`{refusal.code}`" in text


def test_seal_paper_command_says_the_file(papers_root, agency):
    paper = draft_paper(agency)
    said = StringIO()
    call_command("seal_paper", paper.pk, "--actor", agency.username, "--reason", "prêt", stdout=said)
    paper.refresh_from_db()
    assert said.getvalue() == f"{paper.digest}.ecni, {paper.size} octets\n"


@pytest.mark.parametrize(
    ("paper_id", "actor", "reason"),
    [(0, "agency", "ce sujet n’existe pas"), (0, "personne", "--actor doit nommer un compte du personnel")],
)
def test_seal_paper_command_refuses_in_words(agency, paper_id, actor, reason):
    with pytest.raises(CommandError, match=reason):
        call_command("seal_paper", paper_id, "--actor", actor, "--reason", "prêt")
