"""Articles on paper: nothing before the centre's own opening nor after its end, then for heads only, and logged."""

from pathlib import Path

import pytest
from django.test import Client

from centres.reports import articles_document
from ecni.accounts.enums import Role
from ecni.accounts.models import Deed, User
from ecni.demo.build import BANK
from exams.enums import CentreSittingState
from exams.imports import read_bank_folder
from exams.queries.articles import PrintedArticle, opened_articles
from exams.rules.bank import ARTICLE_TAGS, html_faults, images
from exams.rules.content import html_tree
from exams.rules.states import WrongState
from tests.centres.test_reports import pages
from tests.factories.centres import make_staff
from tests.journeys.concours import make_concours

ARTICLE = Path(BANK / "articles" / "lca-01.html").read_text(encoding="utf-8")
OPENED = {CentreSittingState.OPEN, CentreSittingState.PAUSED}


@pytest.fixture
def hosting(db, settings, tmp_path):
    settings.PAPERS_ROOT = tmp_path
    return make_concours((), ("LCA-01",)).hosting


def put(hosting, state):
    centre_sitting = hosting.centre_sitting
    centre_sitting.state = state
    centre_sitting.save()


@pytest.mark.parametrize("state", CentreSittingState)
def test_articles_are_reachable_only_while_the_centre_is_open(hosting, state):
    put(hosting, state)
    client = Client()
    client.force_login(User.objects.get(username="responsable"))
    response = client.get(f"/salle/{hosting.pk}/articles.pdf")
    if state in OPENED:
        assert response["Content-Type"] == "application/pdf"
        assert "no-store" in response["Cache-Control"]
        assert response.content.startswith(b"%PDF-")
        assert Deed.objects.get(verb="print_articles").data == {"articles": 1}
    else:
        assert response.url == f"/salle/{hosting.pk}/"
        assert not Deed.objects.filter(verb="print_articles").exists()
        with pytest.raises(WrongState):
            opened_articles(hosting.centre_sitting_id)


@pytest.mark.parametrize(("role", "status"), [(Role.INVIGILATOR, 403), (Role.OPS, 403), (Role.AGENCY, 200)])
def test_articles_are_for_heads(hosting, role, status):
    put(hosting, CentreSittingState.OPEN)
    client = Client()
    client.force_login(make_staff(role, hosting.centre, username=f"autre-{role}"))
    assert client.get(f"/salle/{hosting.pk}/articles.pdf").status_code == status


def test_room_offers_the_articles_of_a_critical_reading_only(hosting):
    client = Client()
    client.force_login(User.objects.get(username="responsable"))
    put(hosting, CentreSittingState.OPEN)
    assert "articles.pdf" in client.get(f"/salle/{hosting.pk}/").content.decode()


def test_demo_articles_are_printed_with_their_figures_and_tags():
    _bank, media = read_bank_folder(BANK)
    articles = []
    for path in sorted((BANK / "articles").glob("*.html")):
        html = path.read_text(encoding="utf-8")
        articles.append(PrintedArticle("<p>Lisez.</p>", html, {one.source: media[one.source] for one in images(html)}))
    hosting = type("H", (), {"centre": type("C", (), {"name": "Amiens"}), "sitting": type("S", (), {"title": "É"})})
    pdf = articles_document(hosting, articles)
    assert b"/StructTreeRoot" in pdf
    assert b"/Alt" in pdf


def test_article_is_data_never_markup():
    hostile = PrintedArticle("", '<p>#panic("x") $y$ &lt;b&gt; \\</p>', {})
    hosting = type("H", (), {"centre": type("C", (), {"name": "#x"}), "sitting": type("S", (), {"title": "$"})})
    assert pages(articles_document(hosting, [hostile])) == 1


@pytest.mark.parametrize(
    "html",
    [
        "<p></p>",
        '<table><tr><th scope="col">a</th><th></th></tr><tr><td colspan="2"></td></tr></table>',
        "<table><tr><td>1</td></tr></table><ul><li></li></ul><ol><li>x<sub>2</sub><br>y</li></ol>",
        "<figure><figcaption>sans image</figcaption></figure><h1>t</h1>",
    ],
)
def test_empty_paragraphs_cells_and_lists_are_printed(html):
    assert html_faults(html, ARTICLE_TAGS) == []
    hosting = type("H", (), {"centre": type("C", (), {"name": "A"}), "sitting": type("S", (), {"title": "É"})})
    assert pages(articles_document(hosting, [PrintedArticle("", html, {})])) == 1


def test_tree_keeps_the_texts_in_order():
    root = html_tree("<section><p>a <em>b</em>&lt;</p>\n<ul><li>c</li></ul></section>")
    (section,) = root.children
    paragraph, items = section.children
    assert [getattr(child, "tag", child) for child in paragraph.children] == ["a ", "em", "<"]
    assert items.children[0].children == ["c"]


def test_vignette_of_a_demo_article_says_how_many_questions_follow():
    bank, _media = read_bank_folder(BANK)
    readings = [case for case in bank.cases if case.kind == "LCA"]
    assert len(readings) == 2
    for case in readings:
        assert f"répondez aux\u00a0{len(case.questions)} questions" in case.content.vignette.replace(
            "aux ", "aux\u00a0"
        )
