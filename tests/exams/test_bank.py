import copy
import json
import re
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exams.enums import CaseKind, QuestionKind
from exams.rules.bank import (
    ARTICLE_TAGS,
    Bank,
    BankCase,
    BankErrors,
    BankQuestion,
    html_faults,
    images,
    join_banks,
    media_faults,
    parse_bank,
)
from exams.rules.content import CaseContent, QuestionContent

REPOSITORY = Path(__file__).parents[2]
DEMO = REPOSITORY / "ecni" / "demo" / "bank"
DOC = (REPOSITORY / "docs" / "bank-format.md").read_text(encoding="utf-8")
MEDIA = {f"media/{path.name}": path.read_bytes() for path in sorted((DEMO / "media").iterdir())}
ARTICLES = {f"articles/{path.name}": path.read_bytes() for path in sorted((DEMO / "articles").iterdir())}
FILES = sorted(DEMO.glob("*.json"))
NBSP = "\u00a0"


def parse(data, *, name="demo.json", articles=ARTICLES):
    return parse_bank(data, name=name, media_names=set(MEDIA), articles=articles)


def errors_of(data, **kwargs):
    with pytest.raises(BankErrors) as refusal:
        parse(data, **kwargs)
    return [(error.place, error.identifier, error.reason) for error in refusal.value.errors]


def encoded(root):
    return json.dumps(root, ensure_ascii=False).encode()


# A small sound file, broken below in one place at a time.
QRM = {
    "id": "QI-1",
    "kind": "QRM",
    "rank": "A",
    "item": 235,
    "specialty": "Cardiologie",
    "stem": "<p>Que voit-on ?</p>",
    "media": [{"file": "media/qim-01-ecg.svg", "alt": "Un tracé"}],
    "propositions": [
        {"text": "Un bloc", "status": "required"},
        {"text": "Un flutter", "status": "false"},
        {"text": "Une onde P", "status": "true"},
        {"text": "Une pause", "status": "forbidden"},
    ],
    "explanation": "<p>Un bloc.</p>",
}
ZAP = {
    "id": "QI-2",
    "kind": "ZAP",
    "rank": "B",
    "stem": "<p>Pointez.</p>",
    "media": [{"file": "media/zap-01-ecg.svg", "alt": "Un tracé"}],
    "zones": [{"shape": "circle", "x": 50, "y": 40.5, "r": 4}],
    "expected_count": 1,
    "explanation": "<p>Là.</p>",
}
LCA = {
    "id": "LCA-1",
    "kind": "LCA",
    "title": "Un essai",
    "article": "articles/lca-01.html",
    "vignette": "<p>Lisez.</p>",
    "steps": [{"new_information": None, "question": {**QRM, "id": "LCA-1-1"}}],
}
TCS_QUESTION = {
    "id": "TCS-1-1",
    "kind": "TCS",
    "rank": "A",
    "hypothesis": "Si vous pensiez à une embolie",
    "new_information": "et qu’alors vous trouvez des D-dimères bas",
    "stem": "cette hypothèse devient",
    "scale": {"-2": "a", "-1": "b", "0": "c", "1": "d", "2": "e"},
    "panel": {"-2": 9, "-1": 1, "0": 0, "1": 0, "2": 0},
    "explanation": "<p>Bas.</p>",
}
TCS = {
    "id": "TCS-1",
    "kind": "TCS",
    "title": "Dyspnée",
    "vignette": "<p>Une femme.</p>",
    "steps": [{"question": TCS_QUESTION}],
}
SOUND = json.loads(json.dumps({"format": "ecni-bank/1", "questions": [QRM, ZAP], "cases": [LCA, TCS]}))
PROPOSITION = ("questions", 0, "propositions", 1)
ABSENT = object()


def broken(path, value):
    """The sound file with one value changed, or removed when it is ABSENT."""
    root = copy.deepcopy(SOUND)
    part = root
    for key in path[:-1]:
        part = part[key]
    if value is ABSENT:
        del part[path[-1]]
    else:
        part[path[-1]] = value
    return encoded(root)


def test_sound_file_is_read_in_order():
    bank = parse(encoded(SOUND))

    assert [question.identifier for question in bank.questions] == ["QI-1", "QI-2"]
    assert [(case.identifier, case.kind) for case in bank.cases] == [("LCA-1", "LCA"), ("TCS-1", "TCS")]
    assert bank.cases[0].content.article == ARTICLES["articles/lca-01.html"].decode()
    assert bank.cases[1].questions[0].content.script.panel == (9, 1, 0, 0, 0)
    assert bank.size == 4


@pytest.mark.parametrize(
    ("path", "value", "place", "identifier", "reason"),
    [
        (("format",), "ecni-bank/9", "format", "", f"valeur «{NBSP}ecni-bank/9{NBSP}» inconnue, attendu ecni-bank/1"),
        (("format",), ABSENT, "format", "", "clé manquante"),
        (("format",), 1, "format", "", "texte attendu, et non un nombre"),
        (("titre",), "x", "titre", "", "clé inconnue"),
        (("questions",), {}, "questions", "", "liste attendue, et non un objet"),
        (("questions", 0), "QI-1", "questions[0]", "", "objet attendu, et non un texte"),
        (("questions", 0, "colour"), 1, "questions[0].colour", "QI-1", "clé inconnue"),
        (("questions", 0, "stem"), ABSENT, "questions[0].stem", "QI-1", "clé manquante"),
        (("questions", 0, "stem"), " ", "questions[0].stem", "QI-1", "texte vide"),
        (
            ("questions", 0, "stem"),
            "x" * 20_001,
            "questions[0].stem",
            "QI-1",
            "texte trop long, 20001 caractères pour 20000 au plus",
        ),
        (
            ("questions", 0, "stem"),
            "<p>a\u202eb</p>",
            "questions[0].stem",
            "QI-1",
            "caractère invisible U+202E non autorisé",
        ),
        (
            ("questions", 0, "stem"),
            "<p>Que <script>vois</script></p>",
            "questions[0].stem",
            "QI-1",
            "balise <script> non autorisée",
        ),
        (("questions", 0, "kind"), ABSENT, "questions[0].kind", "QI-1", "clé manquante"),
        (
            ("questions", 0, "kind"),
            "QCM",
            "questions[0].kind",
            "QI-1",
            f"valeur «{NBSP}QCM{NBSP}» inconnue, attendu QRU ou QRM ou QRP ou QRPL ou QROC ou TCS ou ZAP",
        ),
        (
            ("questions", 0, "rank"),
            "C",
            "questions[0].rank",
            "QI-1",
            f"valeur «{NBSP}C{NBSP}» inconnue, attendu A ou B",
        ),
        (("questions", 0, "item"), True, "questions[0].item", "QI-1", "nombre entier attendu, et non un booléen"),
        (("questions", 0, "item"), 2.5, "questions[0].item", "QI-1", "nombre entier attendu, et non un nombre"),
        (("questions", 0, "item"), 0, "questions[0].item", "QI-1", "nombre de 1 à 999 attendu, et non 0"),
        (
            ("questions", 0, "id"),
            "qi 1",
            "questions[0].id",
            "qi 1",
            f"«{NBSP}qi 1{NBSP}» refusé, attendu capitales, chiffres et tirets",
        ),
        (("questions", 1, "id"), "QI-1", "questions[1].id", "QI-1", "identifiant déjà pris par questions[0]"),
        (("cases", 1, "id"), "QI-1", "cases[1].id", "QI-1", "identifiant déjà pris par questions[0]"),
        (
            (*PROPOSITION, "status"),
            "vrai",
            "questions[0].propositions[1].status",
            "QI-1",
            f"valeur «{NBSP}vrai{NBSP}» inconnue, attendu true ou false ou required ou forbidden",
        ),
        (
            (*PROPOSITION, "text"),
            "Un <em>flutter</em>",
            "questions[0].propositions[1].text",
            "QI-1",
            "texte simple attendu, sans balise HTML",
        ),
        (PROPOSITION, None, "questions[0].propositions[1]", "QI-1", "objet attendu, et non null"),
        (
            PROPOSITION,
            QRM["propositions"][0],
            "questions[0].propositions[1].text",
            "QI-1",
            "proposition écrite deux fois",
        ),
        (
            ("questions", 0, "propositions"),
            QRM["propositions"] * 7,
            "questions[0].propositions",
            "QI-1",
            "de 0 à 25 éléments attendus, et non 28",
        ),
        (
            ("questions", 0, "expected_count"),
            2,
            "questions[0].expected_count",
            "QI-1",
            "sans objet pour une question QRM",
        ),
        (
            ("questions", 0, "media", 0, "file"),
            "../secret.svg",
            "questions[0].media[0].file",
            "QI-1",
            f"«{NBSP}../secret.svg{NBSP}» refusé, attendu media/nom.svg, .png, .jpg ou .webp",
        ),
        (
            ("questions", 0, "media", 0, "file"),
            "media/absent.svg",
            "questions[0].media[0].file",
            "QI-1",
            "image absente de la banque",
        ),
        (("questions", 1, "zones", 0, "x"), "50", "questions[1].zones[0].x", "QI-2", "nombre attendu, et non un texte"),
        (("questions", 1, "zones", 0, "y"), 100.5, "questions[1].zones[0].y", "QI-2", "nombre de 0 à 100 attendu"),
        (("questions", 1, "zones", 0, "r"), 4.0625, "questions[1].zones[0].r", "QI-2", "3 décimales au plus"),
        (("questions", 1, "zones", 0, "r"), 0, "questions[1].zones[0]", "QI-2", "zone sans surface"),
        (("questions", 1, "zones", 0, "shape"), ABSENT, "questions[1].zones[0].shape", "QI-2", "clé manquante"),
        (
            ("questions", 1, "zones", 0),
            {"shape": "polygon", "points": [[1, 1], [2, 2, 3], [3, 1]]},
            "questions[1].zones[0].points[1]",
            "QI-2",
            "de 2 à 2 éléments attendus, et non 3",
        ),
        (("cases", 0, "article"), ABSENT, "cases[0].article", "LCA-1", "clé manquante"),
        (
            ("cases", 0, "article"),
            "articles/absent.html",
            "cases[0].article",
            "LCA-1",
            "article absent de la banque",
        ),
        (("cases", 1, "article"), "articles/lca-01.html", "cases[1].article", "TCS-1", "clé inconnue"),
        (("cases", 0, "steps"), [], "cases[0].steps", "LCA-1", "de 1 à 20 éléments attendus, et non 0"),
        (
            ("cases", 0, "steps", 0, "question", "rank"),
            ABSENT,
            "cases[0].steps[0].question.rank",
            "LCA-1-1",
            "clé manquante",
        ),
        (
            ("cases", 0, "steps", 0, "new_information"),
            "<p>Vu",
            "cases[0].steps[0].new_information",
            "LCA-1",
            "balise <p> jamais fermée",
        ),
        (
            ("cases", 1, "steps", 0, "question", "panel", "3"),
            1,
            "cases[1].steps[0].question.panel.3",
            "TCS-1-1",
            "clé inconnue",
        ),
        (
            ("cases", 1, "steps", 0, "question", "panel", "-2"),
            -1,
            "cases[1].steps[0].question.panel.-2",
            "TCS-1-1",
            "nombre de 0 à 1000 attendu, et non -1",
        ),
        (
            ("cases", 1, "steps", 0, "question", "panel"),
            {"-2": 0, "-1": 0, "0": 0, "1": 0, "2": 0},
            "cases[1].steps[0].question.panel",
            "TCS-1-1",
            "aucun vote dans le panel",
        ),
    ],
)
def test_broken_value_is_refused_with_its_place_and_reason(path, value, place, identifier, reason):
    assert errors_of(broken(path, value)) == [(place, identifier, reason)]


@pytest.mark.parametrize(
    ("data", "place", "reason"),
    [
        (b'{"format":\n  ecni}', "ligne 2, colonne 3", "JSON mal formé"),
        (b"", "ligne 1, colonne 1", "JSON mal formé"),
        ("é".encode("latin-1"), "", "texte qui n’est pas en UTF-8, à l’octet 0"),
        (b"[]", "", "objet attendu, et non une liste"),
        (b'{"format": NaN}', "", "nombre hors de toute mesure"),
        (b'{"format": 1e99999999999999999999}', "", "nombre hors de toute mesure"),
        (b'{"format": ' + b"9" * 5_000 + b"}", "", "nombre hors de toute mesure"),
        (b"[" * 200_000, "", "JSON imbriqué trop profondément"),
        (b" " * (8 * 1024 * 1024 + 1), "", "fichier trop lourd, 8 Mio au plus"),
        (b'{"format": "ecni-bank/1", "format": "ecni-bank/1"}', "format", "clé écrite deux fois"),
    ],
)
def test_file_that_is_no_bank_is_refused(data, place, reason):
    assert errors_of(data) == [(place, "", reason)]


def test_every_error_is_given_in_reading_order():
    root = copy.deepcopy(SOUND)
    root["questions"] = [{**copy.deepcopy(QRM), "id": f"QI-{index}"} for index in range(11)]
    root["questions"][10]["rank"] = "D"
    root["questions"][2]["propositions"][0]["status"] = "vrai"
    root["questions"][2]["propositions"][2]["status"] = "vrai"
    root["cases"][1]["steps"][0]["question"]["stem"] = 3

    assert [place for place, _, _ in errors_of(encoded(root))] == [
        "cases[1].steps[0].question.stem",
        "questions[2].propositions[0].status",
        "questions[2].propositions[2].status",
        "questions[10].rank",
    ]


def test_error_reads_as_one_line():
    with pytest.raises(BankErrors) as refusal:
        parse(broken((*PROPOSITION, "status"), "vrai"))

    assert str(refusal.value) == (
        f"demo.json, questions[0].propositions[1].status, QI-1{NBSP}: "
        f"valeur «{NBSP}vrai{NBSP}» inconnue, attendu true ou false ou required ou forbidden"
    )


@pytest.mark.parametrize(
    ("article", "reason"),
    [
        (b"\xff", "article qui n’est pas en UTF-8, à l’octet 0"),
        (b"<p>" + b"a" * 200_001 + b"</p>", "texte trop long, 200008 caractères pour 200000 au plus"),
        (b'<p onclick="x">a</p>', "attribut onclick non autorisé dans <p>"),
        (b'<img src="media/absent.svg" alt="a">', "image media/absent.svg absente de la banque"),
        (b'<img src="https://example.org/a.svg" alt="a">', "image https://example.org/a.svg absente de la banque"),
    ],
)
def test_article_is_judged_with_its_case(article, reason):
    articles = {"articles/lca-01.html": article}

    assert errors_of(encoded(SOUND), articles=articles) == [("cases[0].article", "LCA-1", reason)]


@pytest.mark.parametrize(
    ("html", "faults"),
    [
        ("<p>p &lt; 0,05 &amp; n&nbsp;= 3, 2 > 1</p><table><tr><th>a</th><td>b<br>c</td></tr></table>", []),
        ('<table><tr><th scope="col" colspan="2">a</th></tr></table>', []),
        ("<ul><li>a <strong>b <em>c</em></strong></li></ul>", []),
        ("<div>a</div>", ["balise <div> non autorisée"]),
        ("<h1>a</h1>", ["balise <h1> non autorisée"]),
        ("<p>a", ["balise <p> jamais fermée"]),
        ("a</p>", ["balise </p> qui ne ferme rien"]),
        ("<p><em>a</p>", ["balise </p> alors que <em> reste ouverte"]),
        ("<p><p>a</p></p>", ["balise <p> impossible dans <p>"]),
        ("<li>a</li>", ["balise <li> hors de <ol> ou <ul>"]),
        ("<p>p < 0,05</p>", ["signe < isolé ou balise mal écrite, ligne 1 (< 0,05)"]),
        ("<p>a &eacute;</p>", ["signe & isolé ou caractère &eacute; à écrire directement"]),
        (
            "<p>a<!-- b --></p>",
            ["signe < isolé ou balise mal écrite, ligne 1 (<!-- b -->)"],
        ),
        (
            "<!DOCTYPE html>",
            ["signe < isolé ou balise mal écrite, ligne 1 (<!DOCTYPE html>)"],
        ),
        ('<p style="color:red">a</p>', ["attribut style non autorisé dans <p>"]),
        ('<table><tr><td colspan="99">a</td></tr></table>', ["attribut colspan de <td> mal rempli"]),
    ],
)
def test_html_is_judged_in_words(html, faults):
    assert html_faults(html) == faults


@pytest.mark.parametrize(
    "html",
    [
        "<SCRIPT>alert(1)</SCRIPT>",
        "<p/onclick=alert(1)>a</p>",
        "<p\nonclick=alert(1)>a</p>",
        "<style>p{}</style>",
        "<svg onload=alert(1)>",
        "<a href='javascript:alert(1)'>a</a>",
        "<![CDATA[<script>]]>",
        "<?php a ?>",
        "</p x>",
        "<p>a</p",
        "<em",
        "<img src=x onerror=alert(1)>",
        "<<p>a</p>",
        "<!-->",
    ],
)
def test_html_that_could_act_is_refused_everywhere(html):
    assert html_faults(html) != []
    assert html_faults(html, ARTICLE_TAGS) != []


def test_html_with_countless_faults_gives_the_first_ones_and_the_rest_as_a_number():
    faults = html_faults("<div></div>" * 60)

    assert faults == ["balise <div> non autorisée"] * 50 + ["et 10 autres fautes dans ce texte"]


def test_article_may_hold_figures_and_names_its_images():
    html = '<figure><img src="media/a.svg" alt="Une courbe"><figcaption>Figure 1.</figcaption></figure>'

    assert html_faults(html, ARTICLE_TAGS) == []
    assert [(image.source, image.alt) for image in images(html)] == [("media/a.svg", "Une courbe")]


def test_image_of_an_article_must_say_what_it_shows():
    assert html_faults('<img src="media/a.svg">', ARTICLE_TAGS) == ["attribut alt manquant dans <img>"]


SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1">%s</svg>'


@pytest.mark.parametrize(
    ("name", "data", "faults"),
    [
        ("media/a.svg", SVG % b'<defs><clipPath id="c"/></defs><path clip-path="url(#c)" d="M0 0"/>', []),
        ("media/a.png", b"\x89PNG\r\n\x1a\n...", []),
        ("media/a.jpg", b"\xff\xd8\xff...", []),
        ("media/a.webp", b"RIFF1234WEBP", []),
        ("media/a.png", b"<svg/>", ["le contenu n’est pas une image png"]),
        ("media/a.png", b"\x89PNG\r\n\x1a\n" + b"0" * (2 * 1024 * 1024), ["image trop lourde, 2048 Kio au plus"]),
        ("media/a.svg", SVG % b"<script>1</script>", ["élément <script> non autorisé dans un dessin"]),
        ("media/a.svg", SVG % b'<g onload="x"/>', ["attribut onload non autorisé dans un dessin"]),
        ("media/a.svg", SVG % b'<g style="a"/>', ["attribut style non autorisé dans un dessin"]),
        ("media/a.svg", SVG % b'<use href="https://example.org"/>', ["attribut href non autorisé dans un dessin"]),
        ("media/a.svg", SVG % b'<g fill="URL(https://example.org)"/>', ["attribut fill non autorisé dans un dessin"]),
        ("media/a.svg", SVG % b'<g fill="u\\72l(//example.org)"/>', ["attribut fill non autorisé dans un dessin"]),
        ("media/a.svg", b"<!DOCTYPE svg><svg/>", ["déclaration DOCTYPE non autorisée dans un dessin"]),
        ("media/a.svg", SVG % b"<?x y?>", ["instruction non autorisée dans un dessin"]),
        ("media/a.svg", b"<svg>", ["dessin illisible, ligne 1, colonne 6"]),
    ],
)
def test_image_is_what_it_says_and_can_do_nothing(name, data, faults):
    assert media_faults(name, data) == faults


@pytest.mark.parametrize(
    "name", ["a.svg", "media/../a.svg", "media/A.svg", "media/a.exe", "media/a.svg\n", "media/é.svg"]
)
def test_image_name_that_is_not_safe_is_refused(name):
    assert media_faults(name, SVG % b"") == [
        "nom d’image refusé, attendu media/nom.svg, .png, .jpg ou .webp, en minuscules sans espace ni accent"
    ]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(["questions", "cases", "id"]), inner),
    max_leaves=20,
)


@settings(deadline=None)
@given(json_values)
def test_any_json_is_refused_in_words(value):
    with pytest.raises(BankErrors):
        parse(json.dumps(value).encode())


@settings(deadline=None)
@given(st.binary())
def test_any_bytes_are_refused_in_words(data):
    with pytest.raises(BankErrors):
        parse(data)


def verdict(data):
    try:
        return parse(data)
    except BankErrors as refusal:
        return refusal.errors


def places_of(value, path=()):
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from places_of(item, (*path, key))


@settings(max_examples=200, deadline=None)
@given(path=st.sampled_from([path for path in places_of(SOUND) if path]), value=json_values)
def test_any_value_anywhere_is_taken_or_refused_in_words(path, value):
    assert isinstance(verdict(broken(path, value)), Bank | tuple)


@pytest.mark.parametrize("piece", ["<", "<p>", "<!--", "<em ", "&x;", '<img src="a" alt="', "</p>"])
def test_hostile_article_is_judged_in_bounded_time(piece):
    article = {"articles/lca-01.html": (piece * 200_000)[:200_000].encode()}

    started = time.process_time()
    assert errors_of(encoded(SOUND), articles=article)
    assert time.process_time() - started < 5


@settings(deadline=None)
@given(st.text())
def test_any_text_as_html_gets_a_verdict(text):
    assert isinstance(html_faults(text, ARTICLE_TAGS), list)


def question(identifier, kind=QuestionKind.QRM, new_information=""):
    return BankQuestion(identifier, kind, "A", None, "", QuestionContent("<p>?</p>", new_information=new_information))


def case(identifier, *questions, kind=CaseKind.DP):
    return BankCase(identifier, kind, CaseContent("titre", "<p>v</p>"), questions)


def test_join_banks_refuses_an_identifier_of_two_files():
    one, two = Bank((question("Q1"),)), Bank((question("Q2"),), (case("D1", question("Q1")),))

    with pytest.raises(BankErrors) as refusal:
        join_banks({"a.json": one, "b.json": two})

    assert [str(error) for error in refusal.value.errors] == [f"b.json, Q1{NBSP}: identifiant déjà pris dans a.json"]


def demo():
    return join_banks({path.name: parse(path.read_bytes(), name=path.name) for path in FILES})


def test_demo_bank_is_whole():
    bank = demo()

    assert (len(bank.questions), len(bank.cases), bank.size) == (80, 22, 207)
    assert {item.kind for item in bank.questions} == set(QuestionKind) - {QuestionKind.TCS}
    assert {item.kind for item in bank.cases} == set(CaseKind)


@pytest.mark.parametrize("name", MEDIA)
def test_demo_image_can_be_shown(name):
    assert media_faults(name, MEDIA[name]) == []


def test_demo_bank_uses_every_image_and_article():
    bank = demo()
    questions = [*bank.questions, *(item for case in bank.cases for item in case.questions)]
    shown = {media.file for item in questions for media in item.content.media}
    shown |= {image.source for case in bank.cases for image in images(case.content.article)}

    assert shown == set(MEDIA)
    assert {case.content.article for case in bank.cases} - {""} == {text.decode() for text in ARTICLES.values()}


@pytest.mark.parametrize("path", [*FILES, *sorted((DEMO / "articles").iterdir())], ids=lambda path: path.name)
def test_demo_text_follows_french_typography(path):
    text = re.sub(r'<[^>]*>|"accepted": \{.*?\}', "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    plain_space = re.findall(r".{10} [;:!?»%].{5}|.{5}« .{5}", text)
    split_unit = re.findall(
        r"\d (?:mmHg|mg|g|°C|ans|mL|mmol|µmol|heures|jours|minutes|semaines|mois|cm|mm|kg|L)\b", text
    )

    assert (plain_space, split_unit, re.findall(r"\w'\w", text)) == ([], [], [])


def example():
    return re.search(r"```json\n(.*?)```", DOC, re.DOTALL).group(1)


def test_documented_example_is_a_bank():
    bank = parse(example().encode())

    assert [item.identifier for item in bank.questions] == ["QI-001", "QI-002"]
    assert bank.cases[0].questions[0].specialty == "Maladies infectieuses"


def test_documented_error_is_the_one_given():
    root = json.loads(example())
    root["questions"][0]["propositions"][1]["status"] = "vrai"

    with pytest.raises(BankErrors) as refusal:
        parse(encoded(root))

    assert str(refusal.value) == re.search(r"```text\n(.*?)\n```", DOC, re.DOTALL).group(1)


def keys_in(value):
    if isinstance(value, dict):
        yield from value
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for item in items:
        yield from keys_in(item)


def test_every_key_of_the_demo_bank_is_documented():
    keys = {key for path in FILES for key in keys_in(json.loads(path.read_bytes()))}
    named = set(re.findall(r"[\w/-]+", " ".join(re.findall(r"`([^`\n]+)`", DOC))))

    assert keys - named == set()
