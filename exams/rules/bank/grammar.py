"""The shapes of JSON values, as data: one description both checks a file and says where it is wrong, in French."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from exams.rules.bank.html import html_faults

# Controls, lone surrogates, and marks that make a text read otherwise than it is written.
_UNREADABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069\ufeff]")
_MARKUP = re.compile(r"</?[a-z][^<]*>", re.IGNORECASE)
_DECIMALS = 3


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong at one place of a file, in French; `place` reads like `questions[3].stem`."""

    place: str
    reason: str


Faults = Iterator[Fault]


class JsonObject(dict[str, Any]):
    """A JSON object that remembers the keys it was given twice."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        names = [name for name, _ in pairs]
        self.repeated = sorted({name for name in names if names.count(name) > 1}) if len(names) > len(self) else []


@dataclass(frozen=True, slots=True)
class Text:
    """A text of at most `limit` characters.

    Attributes:
        tags: the HTML tags it may hold; None for a plain text.
        pattern: what the whole text must match, with `wanted` saying it in French.
    """

    limit: int
    pattern: re.Pattern[str] | None = None
    wanted: str = ""
    tags: frozenset[str] | None = None

    def faults(self, value: Any, place: str) -> Faults:
        """Refuse what is no such text."""
        if not isinstance(value, str):
            yield Fault(place, f"texte attendu, et non {said(value)}")
        elif not value.strip():
            yield Fault(place, "texte vide")
        elif len(value) > self.limit:
            yield Fault(place, f"texte trop long, {len(value)} caractères pour {self.limit} au plus")
        elif unreadable := _UNREADABLE.search(value):
            yield Fault(place, f"caractère invisible U+{ord(unreadable.group()):04X} non autorisé")
        elif self.pattern and not self.pattern.fullmatch(value):
            yield Fault(place, f"{quoted(value)} refusé, attendu {self.wanted}")
        elif self.tags is not None:
            yield from (Fault(place, reason) for reason in html_faults(value, self.tags))
        elif _MARKUP.search(value):
            yield Fault(place, "texte simple attendu, sans balise HTML")


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number from `least` to `most`, both included."""

    least: int
    most: int

    def faults(self, value: Any, place: str) -> Faults:
        """Refuse what is no such number."""
        if isinstance(value, bool) or not isinstance(value, int):
            yield Fault(place, f"nombre entier attendu, et non {said(value)}")
        elif not self.least <= value <= self.most:
            yield Fault(place, f"nombre de {self.least} à {self.most} attendu, et non {value}")


@dataclass(frozen=True, slots=True)
class PerCent:
    """A number from 0 to 100 with three decimals at most."""

    def faults(self, value: Any, place: str) -> Faults:
        """Refuse what is no such number."""
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            yield Fault(place, f"nombre attendu, et non {said(value)}")
        elif not 0 <= value <= 100:  # noqa: PLR2004 -- per cent
            yield Fault(place, "nombre de 0 à 100 attendu")
        elif value != round(value, _DECIMALS):
            yield Fault(place, f"{_DECIMALS} décimales au plus")


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of a closed list of texts."""

    values: tuple[str, ...]

    def faults(self, value: Any, place: str) -> Faults:
        """Refuse what is not on the list."""
        if not isinstance(value, str):
            yield Fault(place, f"texte attendu, et non {said(value)}")
        elif value not in self.values:
            yield Fault(place, f"valeur {quoted(value)} inconnue, attendu {' ou '.join(self.values)}")


@dataclass(frozen=True, slots=True)
class Items:
    """A list of `least` to `most` values of the same shape."""

    shape: "Shape"
    most: int
    least: int = 0

    def faults(self, value: Any, place: str) -> Faults:
        """Refuse what is no such list, and each item that has not the shape."""
        if not isinstance(value, list):
            yield Fault(place, f"liste attendue, et non {said(value)}")
        elif not self.least <= len(value) <= self.most:
            yield Fault(place, f"de {self.least} à {self.most} éléments attendus, et non {len(value)}")
        else:
            for index, item in enumerate(value):
                yield from self.shape.faults(item, f"{place}[{index}]")


@dataclass(frozen=True, slots=True)
class Maybe:
    """A value of a shape, or null."""

    shape: "Shape"

    def faults(self, value: Any, place: str) -> Faults:
        """Refuse what is neither null nor of the shape."""
        if value is not None:
            yield from self.shape.faults(value, place)


@dataclass(frozen=True, slots=True)
class Fields:
    """An object with these keys and no other."""

    required: Mapping[str, "Shape"]
    optional: Mapping[str, "Shape"] = field(default_factory=dict)

    def faults(self, value: Any, place: str) -> Faults:
        """Refuse what is no such object: each key unknown, missing, repeated, or with a wrong value."""
        if not isinstance(value, JsonObject):
            yield Fault(place, f"objet attendu, et non {said(value)}")
            return
        shapes = {**self.required, **self.optional}
        yield from (Fault(inside(place, shortened(name)), "clé écrite deux fois") for name in value.repeated)
        for name, item in value.items():
            if name in shapes:
                yield from shapes[name].faults(item, inside(place, name))
            else:
                yield Fault(inside(place, shortened(name)), "clé inconnue")
        yield from (Fault(inside(place, name), "clé manquante") for name in self.required if name not in value)


@dataclass(frozen=True, slots=True)
class Choice:
    """An object whose shape depends on the text found under `key`."""

    key: str
    shapes: Mapping[str, "Shape"]

    def faults(self, value: Any, place: str) -> Faults:
        """Refuse what has not the shape that its own key announces."""
        if not isinstance(value, JsonObject):
            yield Fault(place, f"objet attendu, et non {said(value)}")
        elif self.key not in value:
            yield Fault(inside(place, self.key), "clé manquante")
        elif found := list(OneOf(tuple(self.shapes)).faults(value[self.key], inside(place, self.key))):
            yield from found
        else:
            yield from self.shapes[value[self.key]].faults(value, place)


Shape = Text | Whole | PerCent | OneOf | Items | Maybe | Fields | Choice


def inside(place: str, name: str) -> str:
    """The place of a key inside the object found at `place`."""
    return f"{place}.{name}" if place else name


def quoted(text: str) -> str:
    """A text of the file as it is cited in a reason: between French quotes, shortened, always printable."""
    return f"«\u00a0{shortened(text)}\u00a0»"


def said(value: Any) -> str:
    """What kind of JSON value it is, in French."""
    return next(name for kinds, name in _NAMES if isinstance(value, kinds))


def shortened(text: str) -> str:
    """The beginning of a text of the file, safe to print on one line."""
    printable = "".join(character if character.isprintable() else "?" for character in text[:40])
    return printable if len(text) <= len(printable) else f"{printable}…"


_NAMES: tuple[tuple[Any, str], ...] = (
    (type(None), "null"),
    (bool, "un booléen"),
    (str, "un texte"),
    (int | Decimal, "un nombre"),
    (list, "une liste"),
    (dict, "un objet"),
)
