"""The part of the authoring form that depends on the kind: its fields, what they say, and where a fault is shown."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrPromise

from exams.enums import PropositionStatus, QuestionKind
from exams.forms.fields import LinesField, ZonesField
from exams.rules.answers import LETTERS, SCALE
from exams.rules.content import AcceptedAnswers, Proposition, QuestionContent, Script
from exams.rules.content.keys import CHOICE_SIZE, LONG_LIST_SIZE

Fields = dict[str, forms.Field]
Names = tuple[str | tuple[str, ...], ...]

_WIDE = {"class": "vLargeTextField"}


@dataclass(frozen=True, slots=True)
class KeyForm:
    """How the key of some kinds is written.

    Attributes:
        kinds: the kinds written in this way; a question may change from one to another.
        title: what its fields are called together.
        fields: the fields, filled in with what is stored.
        names: how they are laid out, a line for each item.
        content: the content's values that cleaned data says.
        places: for each beginning of a fault's place (`exams.rules.content.KeyFault`), the field that shows it.
    """

    kinds: tuple[QuestionKind, ...]
    title: StrPromise
    fields: Callable[[QuestionContent], Fields]
    names: Names
    content: Callable[[Mapping[str, Any]], dict[str, Any]]
    places: Mapping[str, str]

    def shown_at(self, place: str) -> str | None:
        """Return the name of the field that shows a fault at this place; None for the form as a whole."""
        if found := re.fullmatch(r"propositions\[(\d+)\]\.(text|status)", place):
            return f"{found[2]}_{LETTERS[int(found[1])]}"
        return next((name for start, name in self.places.items() if place.startswith(start)), None)


def key_form(kind: str) -> KeyForm:
    """Return how the key of a kind is written; that of a QRM when there is no such kind."""
    return _FORMS[QuestionKind(kind)] if kind in QuestionKind else _FORMS[QuestionKind.QRM]


def _propositions(stored: QuestionContent, sizes: range, statuses: Sequence[PropositionStatus]) -> Fields:
    fields: Fields = {}
    for index, letter in enumerate(LETTERS[: sizes[-1]]):
        line = (
            stored.propositions[index] if index < len(stored.propositions) else Proposition("", PropositionStatus.FALSE)
        )
        fields[f"text_{letter}"] = forms.CharField(
            label=_("Proposition %(letter)s") % {"letter": letter},
            required=index < sizes[0],
            max_length=500,
            initial=line.text,
            widget=forms.TextInput(attrs=_WIDE),
        )
        fields[f"status_{letter}"] = forms.ChoiceField(
            label=_("Clé %(letter)s") % {"letter": letter},
            choices=[(status.value, status.label) for status in statuses],
            initial=line.status,
        )
    return fields


def _lines(sizes: range) -> Names:
    return tuple((f"text_{letter}", f"status_{letter}") for letter in LETTERS[: sizes[-1]])


def _written(data: Mapping[str, Any]) -> tuple[Proposition, ...]:
    return tuple(
        Proposition(data[f"text_{letter}"], PropositionStatus(data[f"status_{letter}"]))
        for letter in LETTERS
        if data.get(f"text_{letter}")
    )


def _count(stored: QuestionContent, noun: StrPromise, *, required: bool) -> Fields:
    field = forms.IntegerField(label=noun, min_value=1, max_value=5, required=required, initial=stored.expected_count)
    return {"expected_count": field}


def _choice_fields(stored: QuestionContent) -> Fields:
    count = _count(stored, _("Réponses attendues (QRP seulement)"), required=False)
    return _propositions(stored, CHOICE_SIZE, list(PropositionStatus)) | count


def _long_fields(stored: QuestionContent) -> Fields:
    plain = (PropositionStatus.TRUE, PropositionStatus.FALSE)
    return _count(stored, _("Réponses attendues"), required=True) | _propositions(stored, LONG_LIST_SIZE, plain)


def _counted_content(data: Mapping[str, Any]) -> dict[str, Any]:
    return {"propositions": _written(data), "expected_count": data.get("expected_count")}


def _text_fields(stored: QuestionContent) -> Fields:
    accepted = stored.accepted or AcceptedAnswers(())
    return {
        "exact": LinesField(
            label=_("Réponses exactes"), initial=accepted.exact, help_text=_("Une par ligne, 5\u00a0mots au plus.")
        ),
        "acceptable": LinesField(
            label=_("Réponses acceptables"),
            required=False,
            initial=accepted.acceptable,
            help_text=_("Une par ligne\u00a0; la moitié des points."),
        ),
    }


def _text_content(data: Mapping[str, Any]) -> dict[str, Any]:
    return {"accepted": AcceptedAnswers(data["exact"], data["acceptable"])}


def _script_fields(stored: QuestionContent) -> Fields:
    script = stored.script or Script("", "", _LABELS, (0,) * len(SCALE))
    line = forms.TextInput(attrs=_WIDE)
    fields: Fields = {
        "hypothesis": forms.CharField(
            label=_("Hypothèse"),
            max_length=500,
            initial=script.hypothesis,
            widget=line,
            help_text=_("Si vous pensiez à…"),
        ),
        "learnt": forms.CharField(
            label=_("Information apprise"),
            max_length=500,
            initial=script.new_information,
            widget=line,
            help_text=_("et qu’alors vous apprenez…"),
        ),
    }
    for step, label, votes in zip(SCALE, script.scale, script.panel, strict=True):
        fields[f"label_{step}"] = forms.CharField(
            label=_("Libellé de %(step)s") % {"step": step}, max_length=100, initial=label
        )
        fields[f"votes_{step}"] = forms.IntegerField(
            label=_("Votes pour %(step)s") % {"step": step}, min_value=0, max_value=1_000, initial=votes
        )
    return fields


def _script_content(data: Mapping[str, Any]) -> dict[str, Any]:
    scale = tuple(data[f"label_{step}"] for step in SCALE)
    panel = tuple(data[f"votes_{step}"] for step in SCALE)
    return {"script": Script(data["hypothesis"], data["learnt"], scale, panel)}


def _zone_fields(stored: QuestionContent) -> Fields:
    zones = ZonesField(
        label=_("Zones"),
        initial=stored.zones,
        help_text=_(
            "Une par ligne, en pour cent de l’image depuis son coin en haut à gauche\u00a0: « cercle x y rayon » "
            "(rayon en pour cent de la largeur) ou « polygone x y x y x y »."
        ),
    )
    return _count(stored, _("Points à placer"), required=True) | {"zones": zones}


def _zone_content(data: Mapping[str, Any]) -> dict[str, Any]:
    return {"zones": data["zones"], "expected_count": data["expected_count"]}


_LABELS = (
    "Beaucoup moins probable",
    "Moins probable",
    "Ni moins ni plus probable",
    "Plus probable",
    "Beaucoup plus probable",
)
_COUNT = {"expected_count": "expected_count"}
_ALL = (
    KeyForm(
        kinds=(QuestionKind.QRU, QuestionKind.QRM, QuestionKind.QRP),
        title=_("Propositions"),
        fields=_choice_fields,
        names=(*_lines(CHOICE_SIZE), "expected_count"),
        content=_counted_content,
        places=_COUNT,
    ),
    KeyForm(
        kinds=(QuestionKind.QRPL,),
        title=_("Propositions"),
        fields=_long_fields,
        names=("expected_count", *_lines(LONG_LIST_SIZE)),
        content=_counted_content,
        places=_COUNT,
    ),
    KeyForm(
        kinds=(QuestionKind.QROC,),
        title=_("Réponses acceptées"),
        fields=_text_fields,
        names=("exact", "acceptable"),
        content=_text_content,
        places={"accepted.acceptable": "acceptable", "accepted": "exact"},
    ),
    KeyForm(
        kinds=(QuestionKind.TCS,),
        title=_("Concordance et votes du panel"),
        fields=_script_fields,
        names=("hypothesis", "learnt", *((f"label_{step}", f"votes_{step}") for step in SCALE)),
        content=_script_content,
        places={"panel": f"votes_{SCALE[0]}", "scale": f"label_{SCALE[0]}"},
    ),
    KeyForm(
        kinds=(QuestionKind.ZAP,),
        title=_("Points et zones"),
        fields=_zone_fields,
        names=("expected_count", "zones"),
        content=_zone_content,
        places=_COUNT | {"zones": "zones", "media": "images"},
    ),
)
_FORMS = {kind: form for form in _ALL for kind in form.kinds}
