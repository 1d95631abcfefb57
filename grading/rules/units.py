"""What each question is worth: the points of a part shared equally between its units, then between their questions.

Source: 7,560 + 2,160 + 1,080 points for DP, QI and LCA [RIV]; "each DP has the same value" [Q18A]; the same equality
for isolated questions and for articles is the platform's reading (`docs/scoring.md`, "Points").
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from fractions import Fraction

from exams.enums import PartCode
from exams.rules.states import Refused


class InvalidStructure(Refused):
    """An exam whose points cannot be shared out."""

    code = "invalid-structure"
    text = "Les points de cet examen ne peuvent pas être répartis."


@dataclass(frozen=True, slots=True)
class Unit:
    """What is worth one share of a part: a case, an article, or one isolated question.

    Attributes:
        code: its name in marks and tie-breaks, unique in the exam.
        questions: the caller's numbers of its questions, each unique in the whole exam; at least one.
    """

    code: str
    questions: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the exam and its fixed points; 0 for the share of a paper whose units of it are all neutralised."""

    code: str
    points: Fraction
    units: tuple[Unit, ...]


@dataclass(frozen=True, slots=True)
class Structure:
    """The parts of an exam, across all its sittings, in their order.

    Raises:
        InvalidStructure: no part, an empty part or unit, a part of negative points, a code or question used twice.
    """

    parts: tuple[Part, ...]

    def __post_init__(self) -> None:
        if not self.parts:
            raise InvalidStructure("Aucune partie.")
        for part in self.parts:
            if part.points < 0 or not part.units:
                raise InvalidStructure(f"Partie {part.code} de points négatifs ou sans question.")
            for unit in part.units:
                if not unit.questions:
                    raise InvalidStructure(f"{unit.code} n’a pas de question.")
        _refuse_repeats("partie", [part.code for part in self.parts])
        _refuse_repeats("unité", [unit.code for unit in self.units])
        _refuse_repeats("question", self.questions)

    @property
    def units(self) -> tuple[Unit, ...]:
        """Every unit, in the order of the parts."""
        return tuple(unit for part in self.parts for unit in part.units)

    @property
    def questions(self) -> tuple[int, ...]:
        """Every question, in the order of the units."""
        return tuple(question for unit in self.units for question in unit.questions)

    @property
    def points(self) -> Fraction:
        """Points of a perfect copy."""
        return sum((part.points for part in self.parts), Fraction(0))


def _refuse_repeats(noun: str, values: Sequence[object]) -> None:
    repeated = [str(value) for value, count in Counter(values).items() if count > 1]
    if repeated:
        raise InvalidStructure(f"{noun} en double : {', '.join(repeated)}.")


PRESETS: Mapping[str, Mapping[str, Fraction]] = {
    "ECNI": {PartCode.DP: Fraction(7560), PartCode.QI: Fraction(2160), PartCode.LCA: Fraction(1080)},
}
"""Points of each part, by preset, in the order of the parts."""


def structure_of(preset: str, units: Mapping[str, Sequence[Unit]]) -> Structure:
    """Return the structure of an exam from its preset and the units of each part; a part without unit is left out.

    Raises:
        InvalidStructure: a part that the preset does not have; see also `Structure`.
    """
    points = PRESETS[preset]
    unknown = sorted(set(units) - set(points))
    if unknown:
        raise InvalidStructure(f"Partie inconnue : {', '.join(unknown)}.")
    return Structure(tuple(Part(code, points[code], tuple(units[code])) for code in points if units.get(code)))


def question_points(structure: Structure, dropped: AbstractSet[int] = frozenset()) -> dict[int, Fraction]:
    """Return the points of each question; those of a part always add up to the part's points.

    Args:
        structure: the exam.
        dropped: questions neutralised by removal. They are worth 0; their unit's points go to its other questions,
            and a unit with none left gives its share to the other units of its part.

    Raises:
        InvalidStructure: a part that has points has no question left, or a dropped question is not in the exam.
    """
    strangers = dropped - set(structure.questions)
    if strangers:
        raise InvalidStructure(f"Question inconnue : {', '.join(map(str, sorted(strangers)))}.")
    points = dict.fromkeys(structure.questions, Fraction(0))
    for part in structure.parts:
        kept = [[q for q in unit.questions if q not in dropped] for unit in part.units]
        living = [questions for questions in kept if questions]
        if part.points and not living:
            raise InvalidStructure(f"La partie {part.code} n’a plus de question.")
        for questions in living:
            points.update(dict.fromkeys(questions, part.points / len(living) / len(questions)))
    return points
