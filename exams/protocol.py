"""The candidate's wire, version 1: frames as frozen dataclasses, parse and encode. `docs/protocol.md` is its prose.

No I/O, no clock, no database. The same golden messages (`tests/wire/*.json`) are read by Python and JavaScript tests.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NewType

from exams.enums import OpKind
from exams.rules.admission import Wait
from exams.rules.ops import DIGEST_BYTES, Op

VERSION = 1
MAX_FRAME_BYTES = 4096
MAX_VALUE_CHARACTERS = 200
MAX_SEQ = 2**31 - 1
MAX_QUESTION = 1000
MAX_MILLISECONDS = 2**53 - 1

SheetId = NewType("SheetId", int)

REFUSALS: Mapping[str, str] = {
    "malformed": "Message illisible.",
    "too-big": "Message trop long.",
    "too-fast": "Trop de messages : la tablette renverra celui-ci dans un instant.",
    "version": "Cette page n’est plus à jour : rechargez-la.",
    "gap": "Il manque un acte avant celui-ci : la tablette renvoie les précédents.",
    "digest": "L’empreinte de cet acte ne suit pas celle du précédent.",
    "contradiction": "Un autre acte porte déjà ce numéro.",
    "unknown-question": "Cette question n’est pas dans le sujet.",
    "bad-value": "Cette réponse n’a pas la forme attendue.",
    "locked": "Cette question n’est pas encore ouverte.",
    "sealed": "Cette réponse est validée : elle ne peut plus être modifiée.",
    "not-progressive": "Cette question ne se valide pas.",
    "submitted": "La copie est déjà remise.",
    "not-open": "L’épreuve n’est pas ouverte pour cette copie.",
    "paused": "L’épreuve est en pause : cet acte partira à la reprise.",
    "late": "Le temps est écoulé.",
    "replaced": "Cette copie est ouverte sur une autre tablette.",
    "quarantined": "Arrivé après la fin : cet acte est gardé à part pour le jury.",
    "busy": "Le serveur est occupé : la tablette renverra cet acte.",
    "network": "Cette tablette n’est pas sur le réseau de son centre : appelez un surveillant.",
}
"""Every refusal code of the wire with its French sentence."""

RETRY_CODES = frozenset({"too-fast", "paused", "busy", "gap"})
"""Refusals after which the tablet keeps the op and sends it again."""

KEPT_CODES = frozenset(REFUSALS) - RETRY_CODES - {"malformed", "too-big", "version", "digest", "quarantined", "network"}
"""Refusals of an act itself: the act leaves no trace in the sheet, and is kept apart."""


_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
"""Made once: `json.dumps` with options makes one for each message."""


class Malformed(Exception):
    """A frame that is not of this protocol; `code` is a key of `REFUSALS`."""

    def __init__(self, code: str = "malformed") -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Hello:
    """First frame of a tablet.

    Attributes:
        version: of the wire, which it speaks.
        at: its own clock, milliseconds since 1970; None when it does not say.
        skew: the server's clock less its own, at least, milliseconds, by the times that it was told; None before any.
        waiting: milliseconds for which it has been waiting for the next step of a case, 0 when it is not.
    """

    version: int
    at: int | None = None
    skew: int | None = None
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class Act:
    """A tablet asks for one op to be recorded."""

    op: Op


@dataclass(frozen=True, slots=True)
class Ready:
    """The tablet holds the sealed paper whose SHA-256 is `paper` (64 hexadecimal digits) and has checked it."""

    paper: str


@dataclass(frozen=True, slots=True)
class Ping:
    """Heartbeat: `at` and `skew` as in `Hello`, the number of the question on its screen (0: none)."""

    at: int
    question: int
    skew: int | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """The candidate raises, or lowers, a hand."""

    raised: bool


Frame = Hello | Act | Ready | Ping | Call


def parse(text: str) -> Frame:
    """Read one frame of a tablet.

    Raises:
        Malformed: the text is too long (`too-big`) or is not a frame of this protocol (`malformed`).
    """
    if len(text) > MAX_FRAME_BYTES or len(text.encode()) > MAX_FRAME_BYTES:
        raise Malformed("too-big")
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Malformed from error
    if not isinstance(data, dict):
        raise Malformed
    reader = _READERS.get(str(data.get("t")))
    if reader is None:
        raise Malformed
    return reader(data)


def encode(message: Mapping[str, Any]) -> str:
    """Write one frame: compact JSON, keys in the order given."""
    return _ENCODER.encode(message)


def refused(code: str, seq: int | None = None) -> dict[str, Any]:
    """Return a refusal frame; `seq` names the op refused, when there is one."""
    frame: dict[str, Any] = {"t": "refused", "code": code, "text": REFUSALS[code]}
    return frame if seq is None else frame | {"seq": seq}


def farewell(code: str) -> dict[str, Any]:
    """Return the last frame before the server closes; `code` is a key of `REFUSALS`."""
    return {"t": "bye", "code": code, "text": REFUSALS[code]}


def waiting(wait: Wait) -> dict[str, Any]:
    """Return what a tablet is told before a process that is full: its place, and when to knock again."""
    return {"t": "wait", "place": wait.place, "retry": wait.retry_ms}


def acknowledged(seq: int, keys: Mapping[int, str]) -> dict[str, Any]:
    """Return the acknowledgement of a durable op, with the keys (by question, base64) that it releases."""
    frame: dict[str, Any] = {"t": "ack", "seq": seq}
    return frame | {"keys": {str(number): key for number, key in keys.items()}} if keys else frame


def _integer(data: Mapping[str, Any], name: str, low: int, high: int) -> int:
    value = data.get(name)
    if type(value) is not int or not low <= value <= high:
        raise Malformed
    return value


def _text(data: Mapping[str, Any], name: str, longest: int) -> str:
    value = data.get(name)
    if not isinstance(value, str) or len(value) > longest or "\x00" in value:
        raise Malformed
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise Malformed from error
    return value


def _hexadecimal(data: Mapping[str, Any], name: str) -> str:
    value = _text(data, name, 2 * DIGEST_BYTES)
    if len(value) != 2 * DIGEST_BYTES or not set(value) <= set("0123456789abcdef"):
        raise Malformed
    return value


def _hello(data: Mapping[str, Any]) -> Hello:
    return Hello(
        version=_integer(data, "v", 0, 1000),
        at=_integer(data, "at", 0, MAX_MILLISECONDS) if "at" in data else None,
        skew=_skew(data),
        waiting=_integer(data, "waiting", 0, MAX_MILLISECONDS) if "waiting" in data else 0,
    )


def _act(data: Mapping[str, Any]) -> Act:
    try:
        kind = OpKind[_text(data, "kind", 10).upper()]
    except KeyError as error:
        raise Malformed from error
    return Act(
        Op(
            seq=_integer(data, "seq", 1, MAX_SEQ),
            kind=kind,
            question=_integer(data, "q", 0, MAX_QUESTION),
            value=_text(data, "value", MAX_VALUE_CHARACTERS),
            made_at=_integer(data, "at", 0, MAX_MILLISECONDS),
            digest=bytes.fromhex(_hexadecimal(data, "digest")),
        )
    )


def _ready(data: Mapping[str, Any]) -> Ready:
    return Ready(paper=_hexadecimal(data, "paper"))


def _ping(data: Mapping[str, Any]) -> Ping:
    return Ping(
        at=_integer(data, "at", 0, MAX_MILLISECONDS),
        question=_integer(data, "q", 0, MAX_QUESTION),
        skew=_skew(data),
    )


def _skew(data: Mapping[str, Any]) -> int | None:
    return _integer(data, "skew", -MAX_MILLISECONDS, MAX_MILLISECONDS) if "skew" in data else None


def _call(data: Mapping[str, Any]) -> Call:
    raised = data.get("raised")
    if not isinstance(raised, bool):
        raise Malformed
    return Call(raised=raised)


_READERS: dict[str, Callable[[Mapping[str, Any]], Frame]] = {
    "hello": _hello,
    "op": _act,
    "ready": _ready,
    "ping": _ping,
    "call": _call,
}
