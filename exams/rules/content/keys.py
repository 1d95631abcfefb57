"""The coherence of a key, judged when a question is written: a key that passes can always be marked.

Source: R2C general marking rules, 31 January 2023 (numbers of propositions, zones and words; statuses by kind).
"""

from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import pairwise
from typing import NamedTuple

from exams.enums import PropositionStatus, QuestionKind
from exams.rules.content.shapes import Circle, QuestionContent, Zone

PLAIN_STATUSES = frozenset({PropositionStatus.TRUE, PropositionStatus.FALSE})
CHOICE_SIZE = range(4, 5 + 1)
LONG_LIST_SIZE = range(10, 25 + 1)
EXPECTED_COUNT = range(1, 5 + 1)
QROC_WORDS = 5
SCALE_STEPS = 5
IMAGE_SIDE = 100


class KeyFault(NamedTuple):
    """What is wrong with a key: the field to correct, and why, in French."""

    field: str
    reason: str


Faults = Iterator[KeyFault]


def key_faults(kind: QuestionKind, content: QuestionContent) -> list[KeyFault]:
    """Every fault of the key of a question asked as `kind`, each with its field; empty when it can be marked."""
    used, check = _CHECKS[kind]
    return [*_foreign_fields(kind, content, used), *check(content)]


def key_errors(kind: QuestionKind, content: QuestionContent) -> list[str]:
    """The same faults as sentences in French, for an authoring form."""
    return [fault.reason for fault in key_faults(kind, content)]


def _foreign_fields(kind: QuestionKind, content: QuestionContent, used: frozenset[str]) -> Faults:
    for field in sorted(_KEY_FIELDS - used):
        if getattr(content, field):
            yield KeyFault(field, f"sans objet pour une question {kind}")


def _propositions(content: QuestionContent, sizes: range) -> Faults:
    count = len(content.propositions)
    if count not in sizes:
        yield KeyFault("propositions", f"de {sizes[0]} à {sizes[-1]} propositions attendues, et non {count}")
    texts = [" ".join(line.text.split()).casefold() for line in content.propositions]
    for index, text in enumerate(texts):
        if text in texts[:index]:
            yield KeyFault(f"propositions[{index}].text", "proposition écrite deux fois")


def _plain_statuses(kind: QuestionKind, content: QuestionContent) -> Faults:
    for index, line in enumerate(content.propositions):
        if line.status not in PLAIN_STATUSES:
            yield KeyFault(
                f"propositions[{index}].status",
                f"ni indispensable ni inacceptable dans une question {kind}",
            )


def _announced(content: QuestionContent, found: int, noun: str) -> Faults:
    count = content.expected_count
    if count is None:
        yield KeyFault("expected_count", "nombre de réponses attendues manquant")
    elif count not in EXPECTED_COUNT:
        yield KeyFault(
            "expected_count",
            f"de {EXPECTED_COUNT[0]} à {EXPECTED_COUNT[-1]} réponses attendues, et non {count}",
        )
    elif count != found:
        yield KeyFault("expected_count", f"nombre annoncé ({count}) différent du nombre de {noun} ({found})")


def _right(content: QuestionContent) -> int:
    return sum(line.is_right for line in content.propositions)


def _qru(content: QuestionContent) -> Faults:
    yield from _propositions(content, CHOICE_SIZE)
    yield from _plain_statuses(QuestionKind.QRU, content)
    if _right(content) != 1:
        yield KeyFault("propositions", f"une proposition vraie attendue, et non {_right(content)}")


def _qrm(content: QuestionContent) -> Faults:
    yield from _propositions(content, CHOICE_SIZE)
    if not _right(content):
        yield KeyFault("propositions", "au moins une proposition vraie attendue")


def _qrp(content: QuestionContent) -> Faults:
    yield from _propositions(content, CHOICE_SIZE)
    yield from _announced(content, _right(content), "propositions vraies")


def _qrpl(content: QuestionContent) -> Faults:
    yield from _propositions(content, LONG_LIST_SIZE)
    yield from _plain_statuses(QuestionKind.QRPL, content)
    yield from _announced(content, _right(content), "propositions vraies")


def _qroc(content: QuestionContent) -> Faults:
    if content.accepted is None or not content.accepted.exact:
        yield KeyFault("accepted", "au moins une réponse exacte attendue")
        return
    seen: set[str] = set()
    for category, answers in (("exact", content.accepted.exact), ("acceptable", content.accepted.acceptable)):
        for index, answer in enumerate(answers):
            place = f"accepted.{category}[{index}]"
            words = answer.split()
            if not 1 <= len(words) <= QROC_WORDS:
                yield KeyFault(place, f"de 1 à {QROC_WORDS} mots attendus, et non {len(words)}")
            text = " ".join(words).casefold()
            if text in seen:
                yield KeyFault(place, "réponse écrite deux fois")
            seen.add(text)


def _tcs(content: QuestionContent) -> Faults:
    script = content.script
    if script is None:
        yield KeyFault("script", "hypothèse, information nouvelle, échelle et votes du panel manquants")
        return
    if len(script.scale) != SCALE_STEPS:
        yield KeyFault("scale", f"{SCALE_STEPS} libellés attendus, de -2 à 2")
    if len(script.panel) != SCALE_STEPS or min(script.panel) < 0:
        yield KeyFault("panel", f"{SCALE_STEPS} nombres de votes attendus, de -2 à 2")
    elif not any(script.panel):
        yield KeyFault("panel", "aucun vote dans le panel")


def _zap(content: QuestionContent) -> Faults:
    if len(content.media) != 1:
        yield KeyFault("media", f"une image à pointer attendue, et non {len(content.media)}")
    yield from _announced(content, len(content.zones), "zones")
    for index, zone in enumerate(content.zones):
        if not all(0 <= length <= IMAGE_SIDE for length in _lengths(zone)):
            yield KeyFault(f"zones[{index}]", f"de 0 à {IMAGE_SIDE} pour cent de l’image attendus")
        elif _is_flat(zone):
            yield KeyFault(f"zones[{index}]", "zone sans surface")


def _lengths(zone: Zone) -> list[Decimal]:
    if isinstance(zone, Circle):
        return [zone.centre.x, zone.centre.y, zone.radius]
    return [length for corner in zone.corners for length in (corner.x, corner.y)]


def _is_flat(zone: Zone) -> bool:
    if isinstance(zone, Circle):
        return zone.radius == 0
    sides = pairwise((*zone.corners, *zone.corners[:1]))
    return sum(one.x * two.y - two.x * one.y for one, two in sides) == 0


_KEY_FIELDS = frozenset({"propositions", "expected_count", "accepted", "zones", "script"})
_CHECKS: dict[QuestionKind, tuple[frozenset[str], Callable[[QuestionContent], Faults]]] = {
    QuestionKind.QRU: (frozenset({"propositions"}), _qru),
    QuestionKind.QRM: (frozenset({"propositions"}), _qrm),
    QuestionKind.QRP: (frozenset({"propositions", "expected_count"}), _qrp),
    QuestionKind.QRPL: (frozenset({"propositions", "expected_count"}), _qrpl),
    QuestionKind.QROC: (frozenset({"accepted"}), _qroc),
    QuestionKind.TCS: (frozenset({"script"}), _tcs),
    QuestionKind.ZAP: (frozenset({"expected_count", "zones"}), _zap),
}
