"""The parameters of marking, published to the candidates before the exam and frozen with every run."""

from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from itertools import pairwise

from grading.enums import NeutralisationMode

RULES_VERSION = "r2c-2023-01/1"
"""The text applied (general marking rules, scientific council, 31 January 2023) and our edition of it."""


class TcsTies(StrEnum):
    """What the answers that share the most votes of a panel are worth."""

    EVERY_MODE_FULL = "EVERY_MODE_FULL"


class QrocText(StrEnum):
    """How two short open answers are compared; an edition never changes once used."""

    QROC_1 = "qroc/1"


@dataclass(frozen=True, slots=True)
class MarkingParameters:
    """What the text leaves open or states as numbers.

    Attributes:
        blank_is_zero: a QRM left blank scores 0; else the discordance table applies to it literally, and a key
            with few true propositions would pay for silence. Assumption: no official text was found.
        discordances: score of a QRM by number of discordances, from 0 to 1, never rising; beyond the table, 0.
        tcs_ties: worth of answers that share the most votes.
        qroc_text: normalisation under which two short open answers are the same.
        neutralisation: what becomes of the points of a neutralised question, unless the jury says it otherwise.
            Assumption: how the official maximum is rescaled was not found.
        rules_version: edition of the scorers.
    """

    blank_is_zero: bool = True
    discordances: tuple[Fraction, ...] = (Fraction(1), Fraction(1, 2), Fraction(1, 5))
    tcs_ties: TcsTies = TcsTies.EVERY_MODE_FULL
    qroc_text: QrocText = QrocText.QROC_1
    neutralisation: NeutralisationMode = NeutralisationMode.RESCALE
    rules_version: str = RULES_VERSION

    def __post_init__(self) -> None:
        table = (Fraction(1), *self.discordances, Fraction(0))
        if not self.discordances or any(fewer < more for fewer, more in pairwise(table)):
            raise ValueError("discordances: one score at least, each from 0 to 1, none above the one before")

    def published(self) -> dict[str, str]:
        """Return the parameters as texts, ready to be stored, shown and digested; equal parameters, equal texts."""
        return {
            "blank_is_zero": "1" if self.blank_is_zero else "0",
            "discordances": " ".join(str(score) for score in self.discordances),
            "tcs_ties": self.tcs_ties.value,
            "qroc_text": self.qroc_text.value,
            "neutralisation": self.neutralisation.value,
            "rules_version": self.rules_version,
        }


def parameters_from(published: dict[str, str]) -> MarkingParameters:
    """Return the parameters that `MarkingParameters.published` wrote; the oldest runs say no mode of neutralisation.

    Raises:
        KeyError, ValueError: a parameter is missing or unknown.
    """
    return MarkingParameters(
        blank_is_zero={"1": True, "0": False}[published["blank_is_zero"]],
        discordances=tuple(Fraction(text) for text in published["discordances"].split(" ")),
        tcs_ties=TcsTies(published["tcs_ties"]),
        qroc_text=QrocText(published["qroc_text"]),
        neutralisation=NeutralisationMode(published.get("neutralisation", NeutralisationMode.RESCALE)),
        rules_version=published["rules_version"],
    )


PUBLISHED = MarkingParameters()
"""The parameters of an ECNi when its jury decides nothing else."""
