"""What a witness kept: a file of signed checkpoints, or the text of one printed QR."""

import json
from base64 import b64decode
from binascii import Error as BadBase64
from collections.abc import Iterator
from typing import Any

from exams.rules.checkpoint import FORMAT
from exams.rules.verification import WitnessLine


class BadWitness(ValueError):
    """The file holds no checkpoints; the text, in French, says where and why."""


def parse_witness(source: str, data: bytes) -> list[WitnessLine]:
    """Read what a witness kept: `checkpoints.json` of an export or of a centre, or the text of a printed QR.

    Raises:
        BadWitness: it is neither.
    """
    try:
        text = data.decode()
        found = _qr(text) if text.startswith(FORMAT) else list(_entries(source, json.loads(text)))
    except (UnicodeDecodeError, ValueError) as error:
        if isinstance(error, BadWitness):
            raise
        raise BadWitness(f"{source} : ni JSON, ni texte d’un QR de point de contrôle") from error
    return [WitnessLine(source, signed, signature) for signed, signature in found]


def _qr(text: str) -> list[tuple[bytes, bytes]]:
    signed, _, signature = text.rstrip("\n").rpartition("\n")
    try:
        return [(f"{signed}\n".encode(), b64decode(signature, validate=True))]
    except BadBase64 as error:
        raise ValueError from error


def _entries(source: str, document: Any) -> Iterator[tuple[bytes, bytes]]:
    entries = document.get("checkpoints") if isinstance(document, dict) else document
    if not isinstance(entries, list):
        raise BadWitness(f"{source} : la liste « checkpoints » est attendue")
    for place, entry in enumerate(entries, start=1):
        try:
            yield entry["text"].encode(), bytes.fromhex(entry["signature"])
        except (TypeError, KeyError, AttributeError, ValueError):
            raise BadWitness(f"{source}, entrée {place} : « text » et « signature » sont attendus") from None
