"""Lots drawn from a public seed, so that anybody may draw them again: HMAC-SHA-256 of the seed and of the number.

The seed is recorded before any mark is known (`ranking.actions.policy`); the lowest lot comes first.
"""

import hmac

METHOD = "hmac-sha256/1"
FEWEST_DIGITS = 8
LOT_DIGITS = 64


def lot(seed: str, number: str) -> int:
    """Return the lot of an anonymous number: the 32 bytes of the HMAC as one whole number."""
    return int.from_bytes(hmac.digest(seed.encode(), number.encode(), "sha256"))


def distinct_lots(one: int, two: int) -> tuple[str, str]:
    """Return two unequal lots in hexadecimal, cut after the first eight digits, or after as many as they differ by."""
    texts = f"{one:064x}", f"{two:064x}"
    for digits in range(FEWEST_DIGITS, LOT_DIGITS):
        if texts[0][:digits] != texts[1][:digits]:
            return texts[0][:digits], texts[1][:digits]
    return texts
