"""The order of the candidates: exact totals, then tie-break keys held as data. Knows numbers, never names.

Source: ranking on merit by the jury (arrêté of 20 July 2015, article 11). The text of its tie-break (11-III) was not
read: the default keys are the platform's assumption, published and configurable (`docs/ranking.md`).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import groupby

from exams.rules.states import Refused


class InvalidRanking(Refused):
    """Rows that cannot be ranked together."""

    code = "invalid-ranking"
    text = "Ces candidats ne peuvent pas être classés ensemble."


class TieSource(StrEnum):
    """What a tie-break key compares."""

    PART = "PART"
    EACH_CASE = "EACH_CASE"
    BIRTH = "BIRTH"
    LOT = "LOT"


class Direction(StrEnum):
    """Which value comes first: the highest mark, or the earliest birth."""

    HIGHEST = "HIGHEST"
    LOWEST = "LOWEST"


@dataclass(frozen=True, slots=True)
class TieKey:
    """One key of the tie-break.

    Attributes:
        source: the points of a part; of each case in turn, first case first; the date of birth; or the lot drawn.
        part: code of the part, for `PART` only.
        direction: which value is placed first.
    """

    source: TieSource
    part: str = ""
    direction: Direction = Direction.HIGHEST


DEFAULT_TIE_KEYS = (
    TieKey(TieSource.PART, "DP"),
    TieKey(TieSource.PART, "QI"),
    TieKey(TieSource.PART, "LCA"),
    TieKey(TieSource.EACH_CASE),
    TieKey(TieSource.BIRTH, direction=Direction.LOWEST),
)
"""DP, QI, LCA, then each case in its order, then the older candidate first."""
LOT_KEY = TieKey(TieSource.LOT, direction=Direction.LOWEST)
"""The last resort, when a seed was published: see `ranking.rules.lots`."""


@dataclass(frozen=True, slots=True)
class Row:
    """One candidate to rank. Points are whole numerators over the one denominator of the run.

    Attributes:
        number: anonymous number, unique.
        total: points of the whole exam.
        parts: points by code of part.
        cases: points of each case, in the order of the exam.
        born_on: date of birth.
        lot: the lot drawn from the public seed (`ranking.rules.lots`); 0 when there is no seed.
    """

    number: str
    total: int
    parts: Mapping[str, int]
    cases: tuple[int, ...]
    born_on: date
    lot: int = 0


@dataclass(frozen=True, slots=True)
class Comparison:
    """One key between two candidates of equal totals.

    Attributes:
        key: the key, as it was given.
        case: position of the case compared, from 1, for `EACH_CASE`; else 0.
        above, below: their values: points as numerators, dates of birth as ordinal days, or lots.
    """

    key: TieKey
    case: int
    above: int
    below: int


@dataclass(frozen=True, slots=True)
class Decision:
    """Why a candidate comes just after another one of the same total.

    Attributes:
        above: number of the candidate placed just before.
        decided_by: the first key on which they differ; None when every key is equal, and the rank is shared.
    """

    above: str
    decided_by: Comparison | None


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate's place.

    Attributes:
        rank: from 1; candidates equal on every key share the best rank, and the ranks they fill are skipped.
        number: anonymous number.
        total: points, as the row gave them.
        decision: against the candidate just before, when their totals are equal; else None.
    """

    rank: int
    number: str
    total: int
    decision: Decision | None


_Value = tuple[TieKey, int, int]


def rank(rows: Sequence[Row], tie_keys: Sequence[TieKey] = DEFAULT_TIE_KEYS) -> tuple[Ranked, ...]:
    """Return the candidates in order: highest total first, then by each key in turn.

    The result depends on the rows only, not on the order they come in. Candidates equal on every key are listed by
    number, which gives neither of them the better rank.

    Raises:
        InvalidRanking: a number twice, a part missing, or candidates who did not have the same number of cases.
    """
    _refuse_uneven(rows)
    placed = sorted(((_order(row, tie_keys), row) for row in rows), key=lambda pair: (pair[0], pair[1].number))
    ranked: list[Ranked] = []
    for position, (order, row) in enumerate(placed, start=1):
        if position == 1 or placed[position - 2][1].total != row.total:
            ranked.append(Ranked(position, row.number, row.total, None))
            continue
        above_order, above = placed[position - 2]
        place = ranked[-1].rank if order == above_order else position
        ranked.append(Ranked(place, row.number, row.total, _decision(above, row, tie_keys)))
    return tuple(ranked)


def _refuse_uneven(rows: Sequence[Row]) -> None:
    if len({row.number for row in rows}) != len(rows):
        raise InvalidRanking("Un numéro anonyme apparaît deux fois.")
    if len({frozenset(row.parts) for row in rows}) > 1 or len({len(row.cases) for row in rows}) > 1:
        raise InvalidRanking("Les candidats n’ont pas tous les mêmes parties et les mêmes dossiers.")


def _order(row: Row, tie_keys: Sequence[TieKey]) -> tuple[int, ...]:
    """What sorts the row: smaller comes first."""
    signs = {Direction.HIGHEST: -1, Direction.LOWEST: 1}
    return (-row.total, *(signs[key.direction] * value for key, _, value in _values(row, tie_keys)))


def _values(row: Row, tie_keys: Sequence[TieKey]) -> Iterator[_Value]:
    for key in tie_keys:
        for case, value in enumerate(_SOURCES[key.source](row, key), start=1):
            yield key, case if key.source is TieSource.EACH_CASE else 0, value


def _part(row: Row, key: TieKey) -> Sequence[int]:
    if key.part not in row.parts:
        raise InvalidRanking(f"La partie {key.part}, clé de départage, n’a pas de points.")
    return (row.parts[key.part],)


_SOURCES: Mapping[TieSource, Callable[[Row, TieKey], Sequence[int]]] = {
    TieSource.PART: _part,
    TieSource.EACH_CASE: lambda row, _key: row.cases,
    TieSource.BIRTH: lambda row, _key: (row.born_on.toordinal(),),
    TieSource.LOT: lambda row, _key: (row.lot,),
}


def _decision(above: Row, below: Row, tie_keys: Sequence[TieKey]) -> Decision:
    for one, two in zip(_values(above, tie_keys), _values(below, tie_keys), strict=True):
        if one != two:
            return Decision(above.number, Comparison(one[0], one[1], one[2], two[2]))
    return Decision(above.number, None)


def ties(ranked: Sequence[Ranked]) -> list[tuple[Ranked, ...]]:
    """Return the groups of two or more candidates who have the same total, best group first."""
    groups = (tuple(group) for _, group in groupby(ranked, key=lambda place: place.total))
    return [group for group in groups if len(group) > 1]
