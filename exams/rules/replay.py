"""The fold of a sheet's ops: THE definition of a candidate's answers.

Used at reconnection and at closing, which freezes it for marking; there is no other reading of the journal.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from exams.enums import OpKind
from exams.rules.ops import Op

ANSWER, SEAL, FLAG, STRIKE, SUBMIT = OpKind
"""By these names: reading a member of an enumeration costs more than folding an act."""

Act = tuple[OpKind, int, str]
"""What an op does: kind, question, value."""


@dataclass(slots=True)
class Replay:
    """What a sheet says after its first `seq` ops.

    Attributes:
        seq: last op folded, 0 when none.
        digest: its digest, or the genesis digest.
        answers: last value given to each question, by number; a blank stays as the empty text.
        sealed: questions whose answer is final.
        flags: questions the candidate marked to come back to.
        strikes: letters struck out, by question.
        submitted: whether the candidate handed the sheet in.
        position: question of the last op that is about one, 0 before: where another tablet resumes.
    """

    seq: int
    digest: bytes
    answers: dict[int, str] = field(default_factory=dict)
    sealed: set[int] = field(default_factory=set)
    flags: set[int] = field(default_factory=set)
    strikes: dict[int, str] = field(default_factory=dict)
    submitted: bool = False
    position: int = 0

    def apply(self, op: Op) -> None:
        """Fold one op, which must be the next one of the chain."""
        self.fold(((op.kind, op.question, op.value),))
        self.seq, self.digest = op.seq, op.digest

    def fold(self, acts: Iterable[Act]) -> None:
        """Fold what ops do, in their order; `seq` and `digest` are the caller's to move."""
        for kind, question, value in acts:
            if kind is ANSWER:
                self.answers[question] = value
            elif kind is SEAL:
                self.sealed.add(question)
            elif kind is FLAG:
                (self.flags.add if value == "1" else self.flags.discard)(question)
            elif kind is STRIKE:
                self.strikes[question] = value
            elif kind is SUBMIT:
                self.submitted = True
            self.position = question or self.position

    @property
    def answered(self) -> int:
        """Number of questions with an answer that is not blank."""
        return sum(1 for value in self.answers.values() if value)


def replay(genesis: bytes, ops: Iterable[Op]) -> Replay:
    """Fold ops given in the order of their `seq`."""
    state = Replay(seq=0, digest=genesis)
    for op in ops:
        state.apply(op)
    return state
