"""Codes on paper: derived from a secret, so that no list of them exists anywhere; twelve characters hold 60 bits.

Alphabet: Crockford's base 32, without I, L, O and U. Source: https://www.crockford.com/base32.html
"""

from hashlib import sha256
from hmac import digest as hmac_digest

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 12
GROUP = 4
_READ_AS = str.maketrans({"O": "0", "I": "1", "L": "1"})
_IGNORED = str.maketrans("", "", "-–—_. \t\u00a0\u202f")


def slip_code(secret: str, seat_id: int, serial: int) -> str:
    """Return the code of a seat's `serial`-th slip."""
    return _code(secret, f"slip|{seat_id}|{serial}")


def results_code(secret: str, candidate_id: int) -> str:
    """Return the code by which a candidate will read marks and copy."""
    return _code(secret, f"results|{candidate_id}")


def code_digest(secret: str, code: str) -> bytes:
    """Return the 32 bytes by which a code is looked up; the key is not the one that derives codes."""
    return _keyed(secret, "lookup", code)


def normalise_code(typed: str) -> str | None:
    """Return the code as printed, without dashes, or None when it cannot be one.

    Case, spaces and dashes do not matter; O is read as 0, I and L as 1.
    """
    code = typed.translate(_IGNORED).upper().translate(_READ_AS)
    return code if len(code) == LENGTH and set(code) <= set(ALPHABET) else None


def grouped(code: str) -> str:
    """Return the code as it is printed: `XXXX-XXXX-XXXX`."""
    return "-".join(code[start : start + GROUP] for start in range(0, len(code), GROUP))


def _keyed(secret: str, purpose: str, text: str) -> bytes:
    key = hmac_digest(secret.encode(), f"ecni-code/1|{purpose}".encode(), sha256)
    return hmac_digest(key, text.encode(), sha256)


def _code(secret: str, text: str) -> str:
    number = int.from_bytes(_keyed(secret, "derivation", text)[:8])
    return "".join(ALPHABET[number >> (5 * place) & 31] for place in range(LENGTH))
