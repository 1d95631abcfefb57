"""An op is one act of a candidate, numbered and chained to the one before it."""

from dataclasses import dataclass
from hashlib import sha256

from exams.enums import OpKind

DIGEST_BYTES = 32


@dataclass(frozen=True, slots=True)
class Op:
    """One act of a candidate on one sheet.

    Attributes:
        seq: place in the sheet's chain, from 1, without a gap.
        kind: what is done.
        question: number of the question in the paper, from 1; 0 for `SUBMIT`.
        value: canonical text (see `exams.rules.answers`); empty for `SEAL` and `SUBMIT`.
        made_at: the tablet's own clock, milliseconds since 1970; evidence only, it decides nothing.
        digest: 32 bytes, `chain_digest` of the previous digest and of this op.
    """

    seq: int
    kind: OpKind
    question: int
    value: str
    made_at: int
    digest: bytes


def genesis_digest(sitting_id: int, number: str) -> bytes:
    """Return the digest that the first op of a sheet chains to."""
    return sha256(f"ecni-sheet/1|{sitting_id}|{number}".encode()).digest()


def chain_digest(previous: bytes, seq: int, kind: OpKind, question: int, value: str, made_at: int) -> bytes:
    """Return the digest of an op: SHA-256 of the previous digest followed by the op's canonical line in UTF-8."""
    line = f"{seq}|{kind.name.lower()}|{question}|{made_at}|{value}"
    return sha256(previous + line.encode()).digest()


def receipt_code(head: bytes) -> str:
    """Return what the candidate keeps of the head of the chain: 16 bytes as 8 groups of 4 hexadecimal digits."""
    text = head[:16].hex().upper()
    groups = [text[i : i + 4] for i in range(0, 32, 4)]
    return " · ".join(" ".join(pair) for pair in zip(groups[::2], groups[1::2], strict=True))
