import re
from dataclasses import replace
from io import BytesIO
from zipfile import ZipFile

import pytest
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from ecni.accounts.enums import Role
from ecni.accounts.models import Deed, User
from exams.actions.bank import import_bank
from exams.actions.sealing import seal_paper
from exams.models import Case, CentreSitting, Exam, ExamPart, FrozenSheet, Media, Paper, Question, Sheet, Sitting
from tests.factories.papers import IMAGE, NOW, draft_paper, question, small_bank, staff

pytestmark = pytest.mark.django_db

EXAM_PAGES = ["exam", "sitting", "centresitting", "sheet", "timegrant", "pause", "frozensheet"]
BANK_PAGES = ["question", "case", "media"]
OTHERS = [role for role in Role if role not in {Role.AGENCY, Role.COUNCIL}]


@pytest.fixture(autouse=True)
def papers_root(settings, tmp_path):
    settings.PAPERS_ROOT = tmp_path
    return tmp_path


@pytest.fixture
def agency():
    return staff()


@pytest.fixture
def paper(agency):
    return draft_paper(agency)


@pytest.fixture
def sealed(paper, agency):
    return seal_paper(paper_id=paper.pk, actor=agency, now=NOW)


@pytest.fixture
def desk(client, agency):
    client.force_login(agency)
    return client


def pages(names):
    return [reverse(f"admin:exams_{name}_changelist") for name in names]


def inner_pages(paper):
    first = Question.objects.order_by("pk").first()
    case = Question.objects.exclude(case=None).first().case
    return [
        reverse("admin:exams_question_change", args=[first.pk]),
        reverse("admin:exams_question_add"),
        reverse("admin:exams_question_preview", args=[first.pk]),
        reverse("admin:exams_question_import"),
        reverse("admin:exams_case_change", args=[case.pk]),
        reverse("admin:exams_case_preview", args=[case.pk]),
        reverse("admin:exams_media_change", args=[Media.objects.get().pk]),
        reverse("admin:exams_media_add"),
        reverse("admin:exams_media_image", args=[Media.objects.get().pk]),
        reverse("admin:exams_paper_change", args=[paper.pk]),
        reverse("admin:exams_paper_seal", args=[paper.pk]),
    ]


def agency_pages(paper):
    exam_id = paper.sitting.exam_id
    return [
        reverse("admin:index"),
        reverse("admin:exams_exam_change", args=[exam_id]),
        reverse("admin:exams_exam_add"),
        reverse("admin:exams_exam_preset", args=[exam_id]),
        reverse("admin:exams_sitting_change", args=[paper.sitting_id]),
        reverse("admin:accounts_user_changelist"),
        reverse("admin:accounts_user_add"),
        reverse("admin:accounts_deed_changelist"),
        *pages(EXAM_PAGES),
        *pages([*BANK_PAGES, "paper"]),
    ]


def test_agency_opens_every_page(desk, paper):
    for address in [*agency_pages(paper), *inner_pages(paper)]:
        assert (address, desk.get(address).status_code) == (address, 200)


def test_council_opens_the_bank_and_the_papers_only(client, paper):
    client.force_login(staff(Role.COUNCIL))
    for address in [*pages([*BANK_PAGES, "paper"]), *inner_pages(paper)]:
        assert (address, client.get(address).status_code) == (address, 200)
    for address in [
        *pages(EXAM_PAGES),
        reverse("admin:accounts_user_changelist"),
        reverse("admin:accounts_deed_changelist"),
    ]:
        assert (address, client.get(address).status_code) == (address, 403)


@pytest.mark.parametrize("role", OTHERS)
def test_others_open_no_page_even_marked_as_staff(client, paper, role):
    client.force_login(staff(role, is_superuser=True))
    for address in [*agency_pages(paper)[1:], *inner_pages(paper)]:
        assert (address, client.get(address).status_code) == (address, 403)
    for address in inner_pages(paper):
        assert (address, client.post(address).status_code) == (address, 403)


def test_strangers_are_sent_to_the_login(client, paper):
    for address in [*agency_pages(paper), *inner_pages(paper)]:
        assert (address, client.get(address).status_code) == (address, 302)


def test_keys_and_journal_have_no_page(desk):
    for model in ("paperkey", "journalentry"):
        assert desk.get(f"/admin/exams/{model}/").status_code == 404


def test_pages_hold_nothing_inline(desk, paper):
    for address in [*agency_pages(paper), *inner_pages(paper)]:
        text = desk.get(address).content.decode()
        assert (address, re.findall(r"<script>|<script type=\"text|\sstyle=|\son[a-z]+=\"", text)) == (address, [])


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("name", ["question", "case", "media", "paper", "exam", "sitting", "sheet", "centresitting"])
def test_list_pages_cost_the_same_with_more_rows(desk, paper, django_assert_num_queries, name, count):
    grow(paper, count)
    address = reverse(f"admin:exams_{name}_changelist")
    desk.get(address)
    with django_assert_num_queries(QUERIES[name]):
        desk.get(address)


QUERIES = {"question": 9, "case": 7, "media": 7, "paper": 8, "exam": 7, "sitting": 8, "sheet": 7, "centresitting": 8}


def grow(paper, count):
    centre_sitting = CentreSitting.objects.create(sitting=paper.sitting)
    for index in range(count):
        Sheet.objects.create(sitting=paper.sitting, centre_sitting=centre_sitting, number=f"K7-{index}")
    for index in range(count - 1):
        Media.objects.create(name=f"media/{index}.svg", content_type="image/svg+xml", size=1, content=IMAGE)
        copy_case(Case.objects.get(version=1), version=index + 2)
        exam = Exam.objects.create(name=f"Examen {index}", slug=f"examen-{index}")
        sitting = Sitting.objects.create(exam=exam, number=1, title="Épreuve", starts_at=NOW)
        Paper.objects.create(sitting=sitting, title=f"Sujet {index}")
        CentreSitting.objects.create(sitting=sitting)


def copy_case(case, version):
    questions = list(case.questions.all())
    case.pk, case.version = None, version
    case.save()
    for copy in questions:
        copy.pk, copy.version, copy.case = None, version, case
        copy.save()


def test_a_unit_is_chosen_by_typing_its_identifier(desk, paper):
    names = {"app_label": "exams", "model_name": "paperunit", "field_name": "question", "term": "QI-2"}
    answer = desk.get(reverse("admin:autocomplete"), names).json()
    assert [found["text"] for found in answer["results"]] == ["QI-2 v1"]


def test_sealing_asks_why_and_seals(desk, paper, agency):
    address = reverse("admin:exams_paper_seal", args=[paper.pk])
    assert desk.post(address, {"reason": ""}).status_code == 200
    desk.post(address, {"reason": "relu par le conseil"})
    paper.refresh_from_db()
    assert paper.state == "SEALED"
    assert Deed.objects.get(verb="seal_paper").reason == "relu par le conseil"


def test_sealing_says_what_stands_in_the_way(desk, paper):
    Media.objects.all().delete()
    page = desk.get(reverse("admin:exams_paper_seal", args=[paper.pk])).content.decode()
    assert "Question 2 (QI-2 v1)\u00a0: l’image media/trace.svg manque." in page
    assert "Sceller définitivement" not in page


def test_sealing_says_when_a_newer_version_exists(desk, paper, agency):
    bank = small_bank()
    newer = replace(bank, questions=(replace(bank.questions[0], rank="B"),), cases=())
    import_bank(bank=newer, media={}, actor=agency, now=NOW)
    page = desk.get(reverse("admin:exams_paper_seal", args=[paper.pk])).content.decode()
    assert "Unité 1 (QI-1 v1)\u00a0: la version 2 existe." in page
    assert "Sceller définitivement" in page


def test_a_paper_sealed_meanwhile_is_not_overwritten(desk, paper, agency, rf):
    stale = Paper.objects.get()
    seal_paper(paper_id=paper.pk, actor=agency, now=NOW)
    with pytest.raises(PermissionDenied):
        admin.site.get_model_admin(Paper).save_model(rf.post("/"), stale, form=None, change=True)
    assert Paper.objects.get().state == "SEALED"


def test_a_sealed_paper_is_only_looked_at(desk, sealed):
    address = reverse("admin:exams_paper_change", args=[sealed.pk])
    page = desk.get(address).content.decode()
    assert sealed.digest in page
    assert 'name="_save"' not in page
    assert desk.post(address, {"title": "Autre"}).status_code == 403
    assert desk.post(reverse("admin:exams_paper_delete", args=[sealed.pk]), {"post": "yes"}).status_code == 403


def authored(identifier, **changes):
    source = question(identifier).content
    data = {
        "identifier": identifier,
        "kind": "QRM",
        "rank": "B",
        "item": "12",
        "specialty": "Neurologie",
        "stem": source.stem,
        "new_information": "",
        "images": "",
        "explanation": source.explanation,
    }
    for letter, line in zip("ABCDE", source.propositions, strict=True):
        data |= {f"text_{letter}": line.text, f"status_{letter}": line.status.value}
    return data | changes


def test_authoring_adds_a_question(desk, agency):
    desk.post(reverse("admin:exams_question_add"), authored("QI-50"))
    stored = Question.objects.get(identifier="QI-50")
    assert (stored.version, stored.rank, stored.content["stem"]) == (1, "B", question("QI-50").content.stem)
    assert {deed.verb for deed in Deed.objects.all()} == {"save_question", "add_question"}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"kind": "QRU"}, "une proposition vraie attendue, et non 2"),
        ({"stem": "<p>Non fermé"}, "balise &lt;p&gt; jamais fermée"),
        ({"stem": "<script>1</script>"}, "balise &lt;script&gt; non autorisée"),
        ({"images": "media/absente.svg | rien"}, "L’image media/absente.svg n’est pas dans la banque."),
        ({"images": "media/trace.svg"}, "L’image media/trace.svg n’est pas décrite."),
        ({"identifier": "QI-1"}, "Cet identifiant est déjà pris."),
    ],
)
def test_authoring_says_what_is_wrong(desk, paper, changes, reason):
    page = desk.post(reverse("admin:exams_question_add"), authored("QI-50") | changes)
    assert page.status_code == 200
    assert reason in page.content.decode()
    assert not Question.objects.filter(identifier="QI-50").exists()


def test_changing_a_question_of_a_sealed_paper_makes_a_version_and_says_so(desk, sealed):
    stored = Question.objects.get(identifier="QI-2")
    address = reverse("admin:exams_question_change", args=[stored.pk])
    assert "Cette version est dans un sujet scellé" in desk.get(address).content.decode()
    page = desk.post(address, authored("QI-2", images="media/trace.svg | Tracé"), follow=True)
    assert "QI-2 v1 est dans un sujet scellé et n’a pas changé\u00a0: QI-2 v2 a été créée." in page.content.decode()
    stored.refresh_from_db()
    assert (stored.rank, Question.objects.get(identifier="QI-2", version=2).rank) == ("A", "B")


def test_changing_a_case_of_a_sealed_paper_makes_a_version_and_says_so(desk, sealed):
    case = Case.objects.get()
    data = {"title": "Titre", "vignette": "<p>Autre vignette</p>", "article": ""}
    page = desk.post(reverse("admin:exams_case_change", args=[case.pk]), data, follow=True)
    assert "DP-1 v1 est dans un sujet scellé et n’a pas changé\u00a0: DP-1 v2 a été créée." in page.content.decode()


def test_deleting_a_draft_leaves_a_deed(desk, paper):
    desk.post(reverse("admin:exams_paper_delete", args=[paper.pk]), {"post": "yes"})
    assert not Paper.objects.exists()
    assert Deed.objects.get(verb="delete_paper").target == f"paper:{paper.pk}"


def test_nothing_of_the_bank_is_deleted(desk, paper):
    for model, row in (
        ("question", Question.objects.first()),
        ("case", Case.objects.get()),
        ("media", Media.objects.get()),
    ):
        assert desk.post(reverse(f"admin:exams_{model}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403


def test_frozen_sheets_show_their_digest(desk, paper):
    centre_sitting = CentreSitting.objects.create(sitting=paper.sitting)
    sheet = Sheet.objects.create(sitting=paper.sitting, centre_sitting=centre_sitting, number="K7-1")
    FrozenSheet.objects.create(sheet=sheet, masks=b"", last_seq=3, head_digest=b"\xab\xcd", frozen_at=NOW)
    page = desk.get(reverse("admin:exams_frozensheet_changelist")).content.decode()
    assert "K7-1" in page
    assert "abcd" in page


def test_sittings_count_their_sheets_by_state(desk, paper):
    centre_sitting = CentreSitting.objects.create(sitting=paper.sitting)
    for index, state in enumerate(["ADMITTED", "ADMITTED", "READY"]):
        Sheet.objects.create(sitting=paper.sitting, centre_sitting=centre_sitting, number=f"K7-{index}", state=state)
    assert "Admis 2 · Prêt 1" in desk.get(reverse("admin:exams_sitting_changelist")).content.decode()


def test_sealing_twice_is_refused_in_words(desk, sealed):
    address = reverse("admin:exams_paper_seal", args=[sealed.pk])
    page = desk.post(address, {"reason": "encore"}, follow=True).content.decode()
    assert "Ce sujet est déjà scellé." in page


def test_saving_a_question_as_it_is_changes_nothing(desk, sealed):
    stored = Question.objects.get(identifier="QI-2")
    source = authored(
        "QI-2", rank="A", item="235", specialty="Cardiologie", images="media/trace.svg | Tracé CANARI-7f3a"
    )
    desk.post(reverse("admin:exams_question_change", args=[stored.pk]), source)
    assert list(Question.objects.filter(identifier="QI-2").values_list("version", flat=True)) == [1]


def test_preview_shows_the_fragment_with_its_image(desk, paper):
    stored = Question.objects.get(identifier="QI-2")
    page = desk.get(reverse("admin:exams_question_preview", args=[stored.pk])).content.decode()
    image = reverse("admin:exams_media_image", args=[Media.objects.get().pk])
    assert f'<img src="{image}" alt="Tracé CANARI-7f3a">' in page
    assert "EXPLICATION" not in page
    assert desk.get(image).content == IMAGE


def test_uploaded_image_enters_the_bank(desk, agency):
    file = SimpleUploadedFile("coupe.svg", IMAGE)
    desk.post(reverse("admin:exams_media_add"), {"file": file})
    assert Media.objects.get().name == "media/coupe.svg"


def test_uploaded_image_that_could_act_is_refused(desk, agency):
    file = SimpleUploadedFile("coupe.svg", b'<svg xmlns="http://www.w3.org/2000/svg" onload="x()"/>')
    page = desk.post(reverse("admin:exams_media_add"), {"file": file})
    assert "attribut onload non autorisé dans un dessin" in page.content.decode()
    assert not Media.objects.exists()


BANK_JSON = b"""{"format": "ecni-bank/1", "questions": [{"id": "QI-77", "kind": "QRU", "rank": "A", "item": 1,
"specialty": "Urologie", "stem": "<p>Que faire ?</p>", "explanation": "<p>Parce que.</p>", "propositions": [
{"text": "un", "status": "true"}, {"text": "deux", "status": "false"}, {"text": "trois", "status": "false"},
{"text": "quatre", "status": "false"}, {"text": "cinq", "status": "false"}]}]}"""


def test_import_shows_then_writes(desk, agency):
    address = reverse("admin:exams_question_import")
    page = desk.post(address, {"file": SimpleUploadedFile("banque.json", BANK_JSON)}).content.decode()
    assert "Nouveaux\u00a0: 1, modifiés\u00a0: 0, inchangés\u00a0: 0" in page
    assert not Question.objects.exists()
    token = re.search(r'name="token" value="(\w+)"', page)[1]
    desk.post(address, {"token": token})
    assert Question.objects.get().identifier == "QI-77"
    page = desk.post(address, {"token": token}, follow=True).content.decode()
    assert "déposez-le à nouveau" in page


def test_import_gives_place_and_reason_of_each_error(desk, agency):
    stream = BytesIO()
    with ZipFile(stream, "w") as out:
        out.writestr("a.json", BANK_JSON.replace(b'"A"', b'"Z"'))
    file = SimpleUploadedFile("banque.zip", stream.getvalue())
    page = desk.post(reverse("admin:exams_question_import"), {"file": file}).content.decode()
    assert "<code>questions[0].rank</code>" in page
    assert "Rien n’a été importé" in page


def test_preset_makes_an_ecni(desk, agency):
    exam = Exam.objects.create(name="ECNi", slug="ecni")
    address = reverse("admin:exams_exam_preset", args=[exam.pk])
    desk.post(address, {"preset": "ECNI", "first_day": "2026-06-15"})
    assert sorted(ExamPart.objects.values_list("code", "points")) == [("DP", 7560), ("LCA", 1080), ("QI", 2160)]
    starts = [
        f"{s.starts_at.astimezone():%d %H:%M}" for s in Sitting.objects.filter(is_reserve=False).order_by("number")
    ]
    assert starts == ["15 14:30", "16 09:00", "16 14:30", "17 09:00", "17 14:30"]
    assert Sitting.objects.filter(is_reserve=True).count() == 4
    page = desk.post(address, {"preset": "ECNI", "first_day": "2026-06-15"}, follow=True).content.decode()
    assert "le préréglage ne remplace rien" in page
    assert Sitting.objects.count() == 9


def test_preset_makes_an_edn(desk, agency):
    exam = Exam.objects.create(name="EDN", slug="edn")
    desk.post(reverse("admin:exams_exam_preset", args=[exam.pk]), {"preset": "EDN", "first_day": "2026-10-12"})
    assert sorted(ExamPart.objects.values_list("code", "points", "shared_by")) == [
        ("LCA", 2000, "UNIT"),
        ("UC", 8000, "QUESTION"),
    ]
    assert Sitting.objects.filter(is_reserve=False).count() == 4
    assert Exam.objects.get().rank_a_minimum == 14


def test_an_account_enters_the_administration_by_its_role(desk, agency):
    data = {"username": "auteur", "role": "COUNCIL", "usable_password": "true"}
    data |= {"password1": "Une longue phrase 42", "password2": "Une longue phrase 42"}
    desk.post(reverse("admin:accounts_user_add"), data)
    account = User.objects.get(username="auteur")
    assert (account.is_staff, account.is_superuser) == (True, False)
    address = reverse("admin:accounts_user_change", args=[account.pk])
    desk.post(address, {"username": "auteur", "role": "INVIGILATOR", "is_active": "on"})
    account.refresh_from_db()
    assert (account.role, account.is_staff) == ("INVIGILATOR", False)
    assert Deed.objects.filter(verb="change_user").get().data == {"fields": ["Rôle"]}
