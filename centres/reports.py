"""Slips and articles on paper: the data is given to Typst as JSON, never written into its source; the PDF is tagged."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import segno
import typst
from django.conf import settings
from django.utils.formats import date_format
from django.utils.timezone import localtime

from centres.models import Hosting
from centres.queries.slips import PrintedSlip
from centres.rules.codes import grouped
from exams.queries.articles import PrintedArticle
from exams.rules.content import html_tree

TEMPLATES = settings.BASE_DIR / "templates"
SLIPS = TEMPLATES / "centres/slips.typ"
ARTICLES = TEMPLATES / "centres/articles.typ"


def slips_document(hosting: Hosting, slips: Iterable[PrintedSlip], base_url: str) -> bytes:
    """Return the PDF of some slips, one page each, in the order given.

    Args:
        hosting: the centre and the sitting.
        slips: what each page says.
        base_url: public address of the house, with its last slash.
    """
    starts_at = localtime(hosting.sitting.starts_at)
    data = {
        "centre": hosting.centre.name,
        "sitting": hosting.sitting.title,
        "date": f"{date_format(starts_at, 'l j F Y')}, {starts_at:%H h %M}",
        "entry_url": f"{base_url}entrer/",
        "results_url": f"{base_url}resultats/",
        "slips": list(_pages(slips, base_url)),
    }
    return _pdf(SLIPS, data)


def articles_document(hosting: Hosting, articles: Iterable[PrintedArticle]) -> bytes:
    """Return the PDF of the articles of a critical reading, for a centre whose tablets cannot show them."""
    articles = list(articles)
    data = {
        "centre": hosting.centre.name,
        "sitting": hosting.sitting.title,
        "articles": [
            {name: asdict(html_tree(getattr(article, name))) for name in ("vignette", "article")}
            for article in articles
        ],
        "media": {name: _image(name, content) for article in articles for name, content in article.media.items()},
    }
    return _pdf(ARTICLES, data)


def _pdf(template: Path, data: dict[str, Any]) -> bytes:
    inputs = {"data": json.dumps(data, ensure_ascii=False)}
    document: bytes = typst.compile(template.read_bytes(), sys_inputs=inputs, format="pdf")
    return document


def _image(name: str, content: bytes) -> dict[str, Any]:
    """An image as Typst reads it from JSON: a drawing is its text, the others are lists of bytes."""
    extension = name.rpartition(".")[2]
    return {
        "format": extension,
        "data": content.decode() if extension == "svg" else list(content),
    }


def entry_url(base_url: str, code: str) -> str:
    """Return what a slip's QR says: the code is in the fragment, that no server and no log ever sees."""
    return f"{base_url}entrer/#{code}"


def _pages(slips: Iterable[PrintedSlip], base_url: str) -> Iterator[dict[str, Any]]:
    for slip in slips:
        url = entry_url(base_url, slip.code)
        yield {
            "room": slip.room,
            "seat": str(slip.seat_number),
            "number": slip.number,
            "code": grouped(slip.code),
            "results_code": grouped(slip.results_code),
            "qr": segno.make(url, error="m", micro=False).svg_inline(border=0, scale=1, omitsize=True),
        }
