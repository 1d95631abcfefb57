"""The chain and the fold of a sheet, by the checker's own code."""

from collections.abc import Iterable
from hashlib import sha256

from loadtests.checker.history import Line, Row

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def genesis(sitting: int, sheet: str) -> str:
    """Return what the first op of a sheet chains to, in hexadecimal."""
    return sha256(f"ecni-sheet/1|{sitting}|{sheet}".encode()).hexdigest()


def link(previous: str, row: Row) -> str:
    """Return the digest that a row must have after `previous`."""
    line = f"{row.seq}|{row.kind}|{row.question}|{row.made_at}|{row.value}"
    return sha256(bytes.fromhex(previous) + line.encode()).hexdigest()


def answers(chain: Iterable[Row]) -> dict[int, str]:
    """Return the last answer to each question."""
    return {row.question: row.value for row in chain if row.kind == "answer"}


def frozen_answers(frozen: Line, questions: dict[int, Line]) -> dict[int, str]:
    """Return the answers that a frozen row holds, blanks left out."""
    masks = bytes.fromhex(frozen["masks"])
    found: dict[int, str] = {int(number): value for number, value in frozen["texts"].items()}
    for position, number in enumerate(sorted(questions)):
        mask = int.from_bytes(masks[4 * position : 4 * position + 4], "little")
        letters = "".join(letter for bit, letter in enumerate(LETTERS) if mask >> bit & 1)
        if letters:
            found[number] = letters
    return found


def tree(leaves: list[bytes]) -> bytes:
    """Return the root of the Merkle tree of RFC 6962 over leaves already hashed."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    left = 1
    while 2 * left < len(leaves):
        left *= 2
    return sha256(b"\x01" + tree(leaves[:left]) + tree(leaves[left:])).digest()


def leaf(sheet: str, seq: int, digest: str) -> bytes:
    """Return the leaf of one sheet's head."""
    return sha256(b"\x00" + f"{sheet}|{seq}|{digest}".encode()).digest()
