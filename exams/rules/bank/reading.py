"""A bank file to a `Bank`: taken whole or refused whole, with every error, its place and its reason."""

import json
import re
from collections.abc import Container, Iterator, Mapping
from decimal import Decimal
from typing import Any

from exams.rules.bank.building import bank_case, bank_question
from exams.rules.bank.format import ARTICLE, FILE, FILE_BYTES
from exams.rules.bank.grammar import Fault, JsonObject, shortened
from exams.rules.bank.html import images
from exams.rules.bank.model import Bank, BankError, BankErrors
from exams.rules.content import key_faults


def parse_bank(data: bytes, *, name: str, media_names: Container[str], articles: Mapping[str, bytes]) -> Bank:
    """Read one file in the format `ecni-bank/1`.

    Args:
        data: the bytes of the file.
        name: how its errors call it.
        media_names: the images that come with it, such as `media/ecg.svg`.
        articles: the articles that come with it, by name, such as `articles/lca-01.html`.

    Raises:
        BankErrors: something is wrong; nothing of the file is taken.
    """
    root = _load(data, name)
    named = _named_places(root)
    faults = list(FILE.faults(root, ""))
    spoilt = {around for fault in faults for around in _places_around(fault.place)}
    for place, part in _parts(root):
        if place not in spoilt:
            faults.extend(_part_faults(part, place, media_names, articles))
    faults.extend(_repeated_identifiers(named))
    errors = [BankError(name, fault.place, _identifier(named, fault.place), fault.reason) for fault in faults]
    if errors:
        raise BankErrors(sorted(errors, key=_reading_order))
    return Bank(
        questions=tuple(bank_question(item) for item in root.get("questions", ())),
        cases=tuple(bank_case(item, articles) for item in root.get("cases", ())),
    )


def join_banks(banks: Mapping[str, Bank]) -> Bank:
    """Several files as one bank, in their order.

    Raises:
        BankErrors: an identifier is in two files.
    """
    owners: dict[str, str] = {}
    errors = []
    for name, bank in banks.items():
        for identifier in _identifiers(bank):
            if identifier in owners:
                errors.append(BankError(name, "", identifier, f"identifiant déjà pris dans {owners[identifier]}"))
            owners[identifier] = name
    if errors:
        raise BankErrors(errors)
    return Bank(
        questions=tuple(question for bank in banks.values() for question in bank.questions),
        cases=tuple(case for bank in banks.values() for case in bank.cases),
    )


def _identifiers(bank: Bank) -> Iterator[str]:
    yield from (question.identifier for question in bank.questions)
    for case in bank.cases:
        yield case.identifier
        yield from (question.identifier for question in case.questions)


def _load(data: bytes, name: str) -> Any:
    def refused(place: str, reason: str) -> BankErrors:
        return BankErrors([BankError(name, place, "", reason)])

    if len(data) > FILE_BYTES:
        raise refused("", f"fichier trop lourd, {FILE_BYTES // 1024 // 1024} Mio au plus")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise refused("", f"texte qui n’est pas en UTF-8, à l’octet {error.start}") from error
    try:
        return json.loads(
            text, object_pairs_hook=JsonObject, parse_float=_exact_number, parse_constant=_refuse_constant
        )
    except json.JSONDecodeError as error:
        raise refused(f"ligne {error.lineno}, colonne {error.colno}", "JSON mal formé") from error
    except (ValueError, ArithmeticError) as error:
        raise refused("", "nombre hors de toute mesure") from error
    except RecursionError as error:
        raise refused("", "JSON imbriqué trop profondément") from error


def _exact_number(text: str) -> Decimal:
    return Decimal(text)


def _refuse_constant(text: str) -> None:
    raise ValueError(text)


def _items(value: Any, key: str) -> list[Any]:
    found = value.get(key) if isinstance(value, JsonObject) else None
    return found if isinstance(found, list) else []


def _parts(root: Any) -> Iterator[tuple[str, Any]]:
    """Every question and every case with its place, whatever the state of the file."""
    for index, question in enumerate(_items(root, "questions")):
        yield f"questions[{index}]", question
    for index, case in enumerate(_items(root, "cases")):
        place = f"cases[{index}]"
        yield place, case
        for step, item in enumerate(_items(case, "steps")):
            if isinstance(item, JsonObject):
                yield f"{place}.steps[{step}].question", item.get("question")


def _named_places(root: Any) -> dict[str, str]:
    return {
        place: part["id"]
        for place, part in _parts(root)
        if isinstance(part, JsonObject) and isinstance(part.get("id"), str)
    }


def _places_around(place: str) -> list[str]:
    """The place itself, then each place that contains it, from the nearest."""
    ends = [match.start() for match in re.finditer(r"[.\[]", place)]
    return [place, *(place[:end] for end in reversed(ends))]


def _identifier(named: Mapping[str, str], place: str) -> str:
    return next((shortened(named[around]) for around in _places_around(place) if around in named), "")


def _reading_order(error: BankError) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", error.place)]


def _repeated_identifiers(named: Mapping[str, str]) -> Iterator[Fault]:
    owners: dict[str, str] = {}
    for place, identifier in named.items():
        owner = owners.setdefault(identifier, place)
        if owner != place:
            yield Fault(f"{place}.id", f"identifiant déjà pris par {owner}")


def _part_faults(part: Any, place: str, media_names: Container[str], articles: Mapping[str, bytes]) -> Iterator[Fault]:
    if "steps" in part:
        if "article" in part:
            yield from _article_faults(part["article"], f"{place}.article", media_names, articles)
        return
    question = bank_question(part)
    for fault in key_faults(question.kind, question.content):
        yield Fault(f"{place}.{fault.field}", fault.reason)
    for index, media in enumerate(question.content.media):
        if media.file not in media_names:
            yield Fault(f"{place}.media[{index}].file", "image absente de la banque")


def _article_faults(
    article: str, place: str, media_names: Container[str], articles: Mapping[str, bytes]
) -> Iterator[Fault]:
    if article not in articles:
        yield Fault(place, "article absent de la banque")
        return
    try:
        html = articles[article].decode("utf-8-sig")
    except UnicodeDecodeError as error:
        yield Fault(place, f"article qui n’est pas en UTF-8, à l’octet {error.start}")
        return
    yield from ARTICLE.faults(html, place)
    for image in images(html):
        if image.source not in media_names:
            yield Fault(place, f"image {shortened(image.source)} absente de la banque")
