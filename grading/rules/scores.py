"""What a scorer returns: the score of one answer to one question, exact, with the reason it was given."""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from exams.rules.states import Refused


class Reason(StrEnum):
    """Why a score is what it is; the code is stored, `REASONS` says it to the candidate and to the jury."""

    EXACT = "exact"
    PARTIAL = "partial"
    WRONG = "wrong"
    BLANK = "blank"
    REQUIRED_MISSING = "required-missing"
    FORBIDDEN_TICKED = "forbidden-ticked"
    TOO_MANY = "too-many"
    ACCEPTABLE = "acceptable"
    UNLISTED = "unlisted"
    GIVEN = "given"
    DROPPED = "dropped"


REASONS: dict[Reason, str] = {
    Reason.EXACT: "Réponse exacte.",
    Reason.PARTIAL: "Réponse en partie exacte.",
    Reason.WRONG: "Réponse inexacte.",
    Reason.BLANK: "Pas de réponse.",
    Reason.REQUIRED_MISSING: "Proposition indispensable non cochée.",
    Reason.FORBIDDEN_TICKED: "Proposition inacceptable cochée.",
    Reason.TOO_MANY: "Plus de réponses que le nombre annoncé.",
    Reason.ACCEPTABLE: "Réponse acceptable.",
    Reason.UNLISTED: "Réponse absente des listes, soumise à relecture.",
    Reason.GIVEN: "Question neutralisée, points accordés à tous.",
    Reason.DROPPED: "Question neutralisée, retirée pour tous : ses points vont aux autres.",
}


@dataclass(frozen=True, slots=True)
class Score:
    """The score of one answer.

    Attributes:
        value: share of the question's points, from 0 to 1.
        reason: the rule that gave it.
        discordances: propositions whose state differs from the key (QRM); else None.
        right: right answers given (QRP, QRPL, ZAP); else None.
    """

    value: Fraction
    reason: Reason
    discordances: int | None = None
    right: int | None = None


class UnmarkableValue(Refused):
    """An answer that is not the canonical form of any answer to that question: the run stops, nothing is guessed."""

    code = "unmarkable-value"
    text = "Une réponse n’a pas la forme attendue."
