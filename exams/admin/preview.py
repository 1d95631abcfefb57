"""A question or a case as the tablet will show it, before it is sealed."""

import re
from html import unescape

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from exams.enums import CaseKind, QuestionKind
from exams.models import Case, Question
from exams.queries.bank import media_named
from exams.queries.fragments import Place, case_fragment, question_fragment
from exams.rules.content import case_from_json, from_json

_MEDIA = re.compile(r'data-media="([^"]*)"')


def preview_question(request: HttpRequest, question: Question) -> HttpResponse:
    """Show one question, beside its case when it has one."""
    return _page(request, str(question), question.case, [question])


def preview_case(request: HttpRequest, case: Case) -> HttpResponse:
    """Show a case and all its questions, one under the other."""
    return _page(request, str(case), case, list(case.questions.order_by("position")))


def _page(request: HttpRequest, title: str, case: Case | None, questions: list[Question]) -> HttpResponse:
    size = case.questions.count() if case else 1
    kind = CaseKind(case.kind) if case else None
    places = [Place(question.position or 1, question.position or 1, size, 1, kind) for question in questions]
    leaves = [
        question_fragment(QuestionKind(question.kind), from_json(question.content), place)
        for question, place in zip(questions, places, strict=True)
    ]
    opening = case_fragment(case_from_json(case.content), Place(1, 1, size, 1, kind)) if case else ""
    shown = _with_images([opening, *leaves])
    context = {
        "title": title,
        "frame": "reader" if kind is CaseKind.LCA else "case-split",
        "opening": shown[0],
        "leaves": shown[1:],
        "back": _back(case, questions),
    }
    return render(request, "exams/preview.html", context)


def _back(case: Case | None, questions: list[Question]) -> str:
    if len(questions) == 1:
        return reverse("admin:exams_question_change", args=[questions[0].pk])
    return reverse("admin:exams_case_change", args=[case.pk]) if case else reverse("admin:exams_question_changelist")


def _with_images(fragments: list[str]) -> list[str]:
    """Give each image the address where the administration serves it in clear."""
    names = {unescape(name) for fragment in fragments for name in _MEDIA.findall(fragment)}
    addresses = {
        name: reverse("admin:exams_media_image", args=[media.pk]) for name, media in media_named(names).items()
    }
    return [
        _MEDIA.sub(lambda found: f'src="{addresses.get(unescape(found[1]), "")}"', fragment) for fragment in fragments
    ]
