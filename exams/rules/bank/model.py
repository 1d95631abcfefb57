"""What a bank file holds once read, and what is said of a file that is refused."""

from collections.abc import Iterable
from dataclasses import dataclass

from exams.enums import CaseKind, QuestionKind
from exams.rules.content import CaseContent, QuestionContent


@dataclass(frozen=True, slots=True)
class BankQuestion:
    """One question of the bank.

    Attributes:
        identifier: unique in the bank, 1 to 40 characters.
        rank: `"A"` (basic knowledge) or `"B"` (specialist).
        item: number in the national programme, when given.
        specialty: its specialty in words; empty when unknown.
    """

    identifier: str
    kind: QuestionKind
    rank: str
    item: int | None
    specialty: str
    content: QuestionContent


@dataclass(frozen=True, slots=True)
class BankCase:
    """A case and its questions, in the order in which they are asked."""

    identifier: str
    kind: CaseKind
    content: CaseContent
    questions: tuple[BankQuestion, ...]


@dataclass(frozen=True, slots=True)
class Bank:
    """The isolated questions and the cases of one file, in the order of the file."""

    questions: tuple[BankQuestion, ...] = ()
    cases: tuple[BankCase, ...] = ()

    @property
    def size(self) -> int:
        """Number of questions, those of the cases included."""
        return len(self.questions) + sum(len(case.questions) for case in self.cases)


@dataclass(frozen=True, slots=True)
class BankError:
    """One thing to correct in a bank file.

    Attributes:
        file: the name given to the file.
        place: where, such as `questions[3].propositions[1].status`; empty for the file as a whole.
        identifier: of the nearest question or case; empty when it has none.
        reason: what is wrong, in French.
    """

    file: str
    place: str
    identifier: str
    reason: str

    def __str__(self) -> str:
        where = ", ".join(part for part in (self.file, self.place, self.identifier) if part)
        return f"{where}\u00a0: {self.reason}"


class BankErrors(Exception):
    """The file is refused whole; `errors` says everything there is to correct, in the order of the file."""

    code = "bank-refused"

    def __init__(self, errors: Iterable[BankError]) -> None:
        """Keep the errors, one line each in the message."""
        self.errors = tuple(errors)
        super().__init__("\n".join(map(str, self.errors)))
