"""A ranking as bytes: what is digested, signed, and compared between two runs."""

from collections.abc import Sequence
from fractions import Fraction
from hashlib import sha256

from ranking.rules.order import Decision, Ranked

FORMAT = "ecni-ranking/1"


def canonical_bytes(ranked: Sequence[Ranked], denominator: int) -> bytes:
    """Return the ranking as bytes, the same for the same ranks, totals and deciding keys.

    A heading, then a line per candidate: rank, number, total as a reduced fraction, and what decided a tie. Neither
    the denominator of the run nor any date of birth is in it, so the bytes may be published.
    """
    lines = [FORMAT, *(_line(place, denominator) for place in ranked)]
    return ("\n".join(lines) + "\n").encode()


def digest(ranked: Sequence[Ranked], denominator: int) -> bytes:
    """Return the SHA-256 of the canonical bytes."""
    return sha256(canonical_bytes(ranked, denominator)).digest()


def _line(place: Ranked, denominator: int) -> str:
    total = Fraction(place.total, denominator)
    return f"{place.rank}\t{place.number}\t{total.numerator}/{total.denominator}\t{_decided(place.decision)}"


def _decided(decision: Decision | None) -> str:
    if decision is None:
        return ""
    if decision.decided_by is None:
        return "EQUAL"
    key, case = decision.decided_by.key, decision.decided_by.case
    return ":".join(str(word) for word in (key.source.value, key.part, case or "") if word)
