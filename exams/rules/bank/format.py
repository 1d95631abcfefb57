"""The bank format `ecni-bank/1`: its keys, types and limits. `docs/bank-format.md` says the same in words."""

import re

from exams.enums import CaseKind, PropositionStatus, QuestionKind
from exams.rules.bank.grammar import Choice, Fields, Items, Maybe, OneOf, PerCent, Shape, Text, Whole
from exams.rules.bank.html import ARTICLE_TAGS, TEXT_TAGS
from exams.rules.bank.media import MEDIA_NAME

FORMAT = "ecni-bank/1"
FILE_BYTES = 8 * 1024 * 1024
SCALE = ("-2", "-1", "0", "1", "2")

ARTICLE = Text(200_000, tags=ARTICLE_TAGS)

_HTML = Text(20_000, tags=TEXT_TAGS)
_LINE = Text(500)
_IDENTIFIER = Text(40, re.compile("[A-Z0-9][A-Z0-9-]*"), "capitales, chiffres et tirets")
_POINT = Items(PerCent(), most=2, least=2)
_STATUSES = tuple(status.lower() for status in PropositionStatus.values)

_MEDIA = Fields({"file": Text(100, MEDIA_NAME, "media/nom.svg, .png, .jpg ou .webp"), "alt": Text(2_000)})
_PROPOSITION = Fields({"text": _LINE, "status": OneOf(_STATUSES)})
_ACCEPTED = Fields({"exact": Items(_LINE, most=100, least=1)}, {"acceptable": Items(_LINE, most=100)})
_ZONE = Choice(
    "shape",
    {
        "circle": Fields({"shape": Text(10), "x": PerCent(), "y": PerCent(), "r": PerCent()}),
        "polygon": Fields({"shape": Text(10), "points": Items(_POINT, most=200, least=3)}),
    },
)

_METADATA: dict[str, Shape] = {
    "id": _IDENTIFIER,
    "kind": OneOf(tuple(QuestionKind.values)),
    "rank": OneOf(("A", "B")),
    "stem": _HTML,
    "explanation": _HTML,
}
_LABELS: dict[str, Shape] = {"item": Maybe(Whole(1, 999)), "specialty": Text(80)}
_MEDIA_LIST: dict[str, Shape] = {"media": Items(_MEDIA, most=5)}
_ASKED = Fields(
    _METADATA,
    {
        **_LABELS,
        **_MEDIA_LIST,
        "propositions": Items(_PROPOSITION, most=25),
        "expected_count": Maybe(Whole(1, 5)),
        "accepted": Maybe(_ACCEPTED),
        "zones": Items(_ZONE, most=5),
    },
)
_SCRIPT = Fields(
    {
        **_METADATA,
        "hypothesis": _LINE,
        "new_information": _LINE,
        "scale": Fields(dict.fromkeys(SCALE, Text(100))),
        "panel": Fields(dict.fromkeys(SCALE, Whole(0, 1_000))),
    },
    {**_LABELS, **_MEDIA_LIST},
)
_QUESTION = Choice("kind", {kind: _SCRIPT if kind == QuestionKind.TCS else _ASKED for kind in QuestionKind.values})
_STEP = Fields({"question": _QUESTION}, {"new_information": Maybe(_HTML)})
_CASE_KEYS: dict[str, Shape] = {
    "id": _IDENTIFIER,
    "kind": OneOf(tuple(CaseKind.values)),
    "title": Text(200),
    "vignette": _HTML,
    "steps": Items(_STEP, most=20, least=1),
}
_SPECIALTIES: dict[str, Shape] = {"specialties": Items(Text(80), most=5)}
_ARTICLE_NAME = Text(100, re.compile(r"articles/[a-z0-9][a-z0-9_-]*\.html"), "articles/nom.html")
_CASE = Choice(
    "kind",
    {
        kind: Fields({**_CASE_KEYS, "article": _ARTICLE_NAME} if kind == CaseKind.LCA else _CASE_KEYS, _SPECIALTIES)
        for kind in CaseKind.values
    },
)

FILE = Fields(
    {"format": OneOf((FORMAT,))},
    {"questions": Items(_QUESTION, most=2_000), "cases": Items(_CASE, most=500)},
)
