"""What a tablet keeps until the server has it: acts, numbered and chained, on disk before anything is said of them.

Written from `docs/protocol.md` alone, and plain enough to be read beside it.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, TextIO

WINDOW = 16
RETRY = frozenset({"too-fast", "paused", "busy", "gap"})
"""Refusals after which the op stays and is sent again."""


@dataclass(slots=True)
class SentOp:
    """One op as the tablet knows it: `acked` and `refused` are None while nothing is known of it.

    `act` numbers what the candidate did on this tablet: the same act keeps it when it is chained anew. `first_sent`,
    `last_sent` and `acked` are monotonic seconds.
    """

    act: int
    seq: int
    kind: str
    question: int
    value: str
    at: int
    digest: str
    first_sent: float | None = None
    last_sent: float | None = None
    acked: float | None = None
    refused: str | None = None

    @property
    def frame(self) -> dict[str, Any]:
        """The op as it travels."""
        return {
            "t": "op",
            "seq": self.seq,
            "kind": self.kind,
            "q": self.question,
            "value": self.value,
            "at": self.at,
            "digest": self.digest,
        }


class Unreadable(Exception):
    """The storage does not hold what this sheet stored."""


class Storage:
    """The tablet's own disk: a file of lines, or nothing at all when there is no `path`.

    `full` makes every write fail, as a browser out of quota does.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.full = False
        self._file: TextIO | None = None

    def put(self, line: dict[str, Any]) -> None:
        """Append one line.

        Raises:
            OSError: the storage is full.
        """
        if self.full:
            raise OSError("quota exceeded")
        if self.path is None:
            return
        if self._file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("a", buffering=1, encoding="utf-8")
        self._file.write(json.dumps(line, separators=(",", ":")) + "\n")

    def lines(self, sheet: str) -> list[dict[str, Any]]:
        """Return what was stored of a sheet.

        Raises:
            Unreadable: some of it is damaged, or it is of another sheet.
        """
        if self.path is None or not self.path.exists():
            return []
        try:
            found = [json.loads(line) for line in self.path.read_text(encoding="utf-8").splitlines()]
        except ValueError as error:
            raise Unreadable from error
        if found and found[0].get("sheet") != sheet:
            raise Unreadable
        return found

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def wipe(self) -> None:
        """Forget everything."""
        self.close()
        if self.path is not None:
            self.path.unlink(missing_ok=True)


class Outbox:
    """The acts of one sheet that are not known to be durable, in order, on the head of what is."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        self.sheet = ""
        self.seq = 0
        self.head = b""
        self.acts = 0
        self.pending: list[SentOp] = []

    def belong(self, sitting: int, number: str) -> bool:
        """Take the sheet that the server names; return False when what is stored is another's, or damaged."""
        if self.sheet == number:
            return True
        self.sheet = number
        genesis = hashlib.sha256(f"ecni-sheet/1|{sitting}|{number}".encode()).digest()
        self.seq, self.head, self.pending = 0, genesis, []
        try:
            lines = self.storage.lines(number)
            for line in lines[1:]:
                self._redo(line)
        except (Unreadable, KeyError, TypeError, ValueError, AttributeError):
            self.seq, self.head, self.pending = 0, genesis, []
            self.storage.wipe()
            self._put({"sheet": number, "head": [0, genesis.hex()]})
            return False
        if not lines:
            self._put({"sheet": number, "head": [0, genesis.hex()]})
        return True

    def make(self, kind: str, question: int, value: str, at: int) -> SentOp:
        """Do one act: it is stored before this returns."""
        self.acts += 1
        last = self.pending[-1] if self.pending else None
        seq, previous = (last.seq, bytes.fromhex(last.digest)) if last else (self.seq, self.head)
        op = chained(previous, SentOp(self.acts, seq + 1, kind, question, value, at, ""))
        self.pending.append(op)
        self._put({"op": asdict(op)})
        return op

    def settle(self, seq: int) -> SentOp | None:
        """Forget an acknowledged op, which is the first pending one; return it, None when it is not pending."""
        if not self.pending or self.pending[0].seq != seq:
            return None
        op = self.pending.pop(0)
        self.seq, self.head = op.seq, bytes.fromhex(op.digest)
        self._put({"head": [op.seq, op.digest]})
        return op

    def drop(self, op: SentOp) -> None:
        """Forget an op refused for good; those after it must be chained anew at the next head."""
        self.pending.remove(op)
        self._put({"pending": [asdict(left) for left in self.pending]})

    def rebase(self, seq: int, digest: str, sealed: Iterable[int]) -> tuple[list[SentOp], list[SentOp]]:
        """Take the head that the server holds; return the ops that it covers, and those chained anew.

        A head that is one of ours covers what is before it. On a foreign head everything is chained anew, but the
        answers to questions sealed meanwhile.
        """
        ours = {(op.seq, op.digest) for op in self.pending}
        covered = [op for op in self.pending if op.seq <= seq] if (seq, digest) in ours else []
        left = [op for op in self.pending if op not in covered]
        self.seq, self.head = seq, bytes.fromhex(digest)
        follows = not left or chained(self.head, replace(left[0], seq=seq + 1)).digest == left[0].digest
        unbroken = follows and all(after.seq == before.seq + 1 for before, after in pairwise(left))
        if not follows:
            final = set(sealed)
            left = [op for op in left if op.kind == "flag" or op.question not in final]
        remade = [] if unbroken else self._chain_anew(left)
        self.pending = left if unbroken else remade
        self._put({"head": [seq, digest]})
        self._put({"pending": [asdict(op) for op in self.pending]})
        return covered, remade

    def _chain_anew(self, ops: list[SentOp]) -> list[SentOp]:
        made: list[SentOp] = []
        previous = self.head
        for position, op in enumerate(ops, start=1):
            fresh = SentOp(op.act, self.seq + position, op.kind, op.question, op.value, op.at, "")
            made.append(chained(previous, fresh))
            previous = bytes.fromhex(made[-1].digest)
        return made

    def _redo(self, line: dict[str, Any]) -> None:
        if "op" in line:
            self.pending.append(SentOp(**line["op"]))
        if "pending" in line:
            self.pending = [SentOp(**op) for op in line["pending"]]
        if "head" in line:
            self.seq, self.head = int(line["head"][0]), bytes.fromhex(line["head"][1])
            self.pending = [op for op in self.pending if op.seq > self.seq]
        self.acts = max([self.acts, *(op.act for op in self.pending)])

    def _put(self, line: dict[str, Any]) -> None:
        try:
            self.storage.put(line)
        except OSError:
            return  # a full storage is said in a banner; acts still leave from memory


def chained(previous: bytes, op: SentOp) -> SentOp:
    """Return the op with the digest that chains it to `previous`."""
    line = f"{op.seq}|{op.kind}|{op.question}|{op.at}|{op.value}"
    return replace(op, digest=hashlib.sha256(previous + line.encode()).hexdigest())
