"""Prepared pages: the copy as HTML, the transcript and the official list as tagged PDF (PDF/UA-1)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import typst
from django.conf import settings
from django.template.loader import render_to_string
from django.utils.formats import date_format
from django.utils.safestring import mark_safe
from django.utils.timezone import localtime

from exams.enums import OpKind
from exams.queries.timeline import Act
from ranking.queries.official import OfficialRow
from ranking.queries.results import Book, MarkedSheet, Summary, entries, question_result, receipt_of

TRANSCRIPT = settings.BASE_DIR / "templates" / "ranking" / "transcript.typ"
OFFICIAL = settings.BASE_DIR / "templates" / "ranking" / "official.typ"


class CopyWriter:
    """Writes the copies of one paper: the same answer to the same question is rendered once for all who gave it."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self._questions: dict[tuple[int, str, int], tuple[str, dict[str, str]]] = {}

    def write(self, sheet: MarkedSheet | None, acts: Sequence[Act]) -> tuple[str, list[dict[str, str]]]:
        """Return one sitting of a copy as HTML, and its lines for tables; the receipt and the acts are in the HTML."""
        written = [self._question(*entry) for entry in entries(self.book, sheet)] if sheet else []
        lines = [{"sitting": self.book.sitting.title, **line} for _, line in written]
        html = render_to_string(
            "ranking/_copy.html",
            {
                "questions": mark_safe("".join(page for page, _ in written)),  # noqa: S308 -- rendered by our template
                "receipt": receipt_of(sheet) if sheet else "",
                "acts": [act_line(act) for act in acts],
            },
        )
        return html, lines

    def _question(self, index: int, answer: str, numerator: int) -> tuple[str, dict[str, str]]:
        key = index, answer, numerator
        if key not in self._questions:
            question = question_result(self.book, index, answer, numerator)
            line = {
                "number": str(question.number),
                "kind": question.kind,
                "answer": question.answer,
                "points": question.points,
                "worth": question.worth,
            }
            self._questions[key] = render_to_string("ranking/_question.html", {"question": question}), line
        return self._questions[key]


def act_line(act: Act) -> dict[str, str]:
    """Return an act in words: the hour in French time, what, on which question, and the value."""
    return {
        "at": f"{localtime(act.at):%H:%M:%S}",
        "what": str(OpKind(act.kind).label),
        "question": str(act.question or ""),
        "value": act.value,
    }


def transcript_pdf(summary: Summary, *, issued_on: str, digest: str) -> bytes:
    """Return one candidate's transcript (relevé de notes)."""
    return _pdf(TRANSCRIPT, asdict(summary) | {"issued_on": issued_on, "digest": digest})


def official_pdf(exam: str, rows: Sequence[OfficialRow], *, issued_on: str, digest: str) -> bytes:
    """Return the official list, in the order of the ranks, then those ranked apart, then those not ranked."""
    data = {"exam": exam, "issued_on": issued_on, "digest": digest, "lists": _lists(rows)}
    return _pdf(OFFICIAL, data)


def day_text(moment: Any) -> str:
    """Return a day in French: `15 juin 2026`."""
    return date_format(localtime(moment), "j F Y")


def _lists(rows: Sequence[OfficialRow]) -> list[dict[str, Any]]:
    chosen = {
        "Classement": [row for row in rows if row.rank and not row.is_apart],
        "Classement à part": [row for row in rows if row.rank and row.is_apart],
        "Non classés": [row for row in rows if not row.rank],
    }
    return [{"title": title, "rows": [asdict(row) for row in kept]} for title, kept in chosen.items() if kept]


def _pdf(template: Path, data: Mapping[str, Any]) -> bytes:
    document: bytes = typst.compile(
        template.read_bytes(),
        sys_inputs={"data": json.dumps(data, ensure_ascii=False)},
        format="pdf",
        timestamp=0,
        pdf_standards="ua-1",
    )
    return document
