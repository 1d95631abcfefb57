"""A ranking as bytes: what is digested, signed, and compared between two runs."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from hashlib import sha256
from types import MappingProxyType

from ranking.rules.order import Decision, Ranked

FORMAT = "ecni-ranking/2"


def canonical_bytes(
    ranked: Sequence[Ranked],
    denominator: int,
    apart: Sequence[Ranked] = (),
    unranked: Mapping[str, str] = MappingProxyType({}),
) -> bytes:
    """Return the ranking as bytes, the same for the same ranks, totals and deciding keys.

    A heading, then a line per candidate: rank, number, total as a reduced fraction, and what decided a tie; then the
    same for those who are ranked apart, behind the word `apart`; then each candidate who is not ranked, by number,
    with the reason. Neither the denominator of the run nor any date of birth is in it, so the bytes may be published.
    """
    lines = [FORMAT, *(_line(place, denominator) for place in ranked)]
    lines += [f"apart\t{_line(place, denominator)}" for place in apart]
    lines += [f"-\t{number}\t\t{reason}" for number, reason in sorted(unranked.items())]
    return ("\n".join(lines) + "\n").encode()


def digest(
    ranked: Sequence[Ranked],
    denominator: int,
    apart: Sequence[Ranked] = (),
    unranked: Mapping[str, str] = MappingProxyType({}),
) -> bytes:
    """Return the SHA-256 of the canonical bytes."""
    return sha256(canonical_bytes(ranked, denominator, apart, unranked)).digest()


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
