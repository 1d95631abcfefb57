"""Sealed papers as the tablets of one process hold them: each once, whoever fetched it. Format: `docs/papers.md`."""

import json
from base64 import b64decode
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE = 12


class Unreadable(Exception):
    """A key does not open what it should."""


@dataclass(slots=True)
class SealedPaper:
    """One sealed file, read."""

    digest: str
    size: int
    header: dict[str, Any]
    blobs: bytes

    @property
    def questions(self) -> list[dict[str, Any]]:
        """What the header says of each question, in order."""
        found: list[dict[str, Any]] = self.header["questions"]
        return found

    def open(self, key: bytes) -> dict[int, bytes]:
        """Return the keys of what is readable from the start, under the opening key.

        Raises:
            Unreadable: it is not the key.
        """
        opening = json.loads(self._decrypt(0, self.header["opening"], key))
        return {int(number): b64decode(text) for number, text in opening["keys"].items()}

    def read(self, question: dict[str, Any], key: bytes) -> None:
        """Decrypt a question, as a page does to draw it.

        Raises:
            Unreadable: it is not the key, or this is no question.
        """
        step = self._decrypt(question["number"], question, key)
        if not step.startswith(b'{"html":'):
            raise Unreadable

    def _decrypt(self, number: int, place: dict[str, Any], key: bytes) -> bytes:
        blob = self.blobs[place["offset"] : place["offset"] + place["length"]]
        context = f"ecni-paper/1|{self.header['paper']}|{number}".encode()
        try:
            return AESGCM(key).decrypt(blob[:NONCE], blob[NONCE:], context)
        except InvalidTag as error:
            raise Unreadable from error


def read_paper(data: bytes, digest: str) -> SealedPaper:
    """Read a sealed file."""
    length = int.from_bytes(data[8:12], "big")
    return SealedPaper(digest, len(data), json.loads(data[12 : 12 + length]), data[12 + length :])
