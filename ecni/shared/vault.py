"""Secrets at rest: AES-256-GCM under keys derived from the shares of two officers.

Nobody who holds only the database, or only one share, reads anything.
"""

import json
from functools import cache
from os import urandom
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import models

KEY_BYTES = 32
NONCE_BYTES = 12


def new_key() -> bytes:
    """Return a fresh random key of 32 bytes."""
    return urandom(KEY_BYTES)


def encrypt(key: bytes, plaintext: bytes, context: str) -> bytes:
    """Return nonce (12 bytes) followed by the ciphertext and its tag; `context` must be the same to decrypt."""
    nonce = urandom(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plaintext, context.encode())


def decrypt(key: bytes, sealed: bytes, context: str) -> bytes:
    """Return the plaintext.

    Raises:
        cryptography.exceptions.InvalidTag: the key, the context or the bytes are not those of the encryption.
    """
    return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], context.encode())


@cache
def _derived_key(shares: tuple[str, str], purpose: str) -> bytes:
    material = b"".join(SHA256.name.encode() + b"|" + share.encode() + b"|" for share in shares)
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=b"ecni/1", info=purpose.encode()).derive(material)


def officers_key(purpose: str) -> bytes:
    """Return the key-encryption key for one purpose, derived from both officers' shares."""
    return _derived_key((settings.KEY_SHARE_1, settings.KEY_SHARE_2), purpose)


class SealedBytesField(models.BinaryField[Any, Any]):
    """Bytes that are encrypted on their way to the database."""

    context = "bytes"

    def from_db_value(self, value: memoryview | bytes | None, _expression: object, _connection: object) -> Any:
        """Decrypt what the database holds."""
        return None if value is None else decrypt(officers_key("bank"), bytes(value), self.context)

    def get_prep_value(self, value: Any) -> Any:
        """Encrypt what the database will hold."""
        return None if value is None else super().get_prep_value(encrypt(officers_key("bank"), value, self.context))

    def value_to_string(self, _obj: models.Model) -> str:
        """Refuse to be dumped in clear."""
        msg = f"{self.name} is sealed and is never serialised"
        raise TypeError(msg)


class SealedJSONField(SealedBytesField):
    """JSON that is encrypted on its way to the database."""

    context = "json"

    def from_db_value(self, value: memoryview | bytes | None, expression: object, connection: object) -> Any:
        """Decrypt and parse what the database holds."""
        plaintext = super().from_db_value(value, expression, connection)
        return None if plaintext is None else json.loads(plaintext)

    def get_prep_value(self, value: Any) -> Any:
        """Write as JSON with sorted keys, then encrypt."""
        if value is None:
            return None
        return super().get_prep_value(json.dumps(value, ensure_ascii=False, sort_keys=True).encode())
