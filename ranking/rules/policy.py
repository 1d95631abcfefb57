"""The published parameters of a ranking: keys of ties, seed of the lots, who is ranked how, cells and delays.

Sources and assumptions, by parameter, are in `docs/ranking.md`; who is ranked is domain reference 4.3.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from exams.enums import PartCode
from exams.rules.states import Refused
from ranking.enums import Status, Treatment
from ranking.rules.lots import METHOD
from ranking.rules.order import DEFAULT_TIE_KEYS, LOT_KEY, Direction, TieKey, TieSource

DEFAULT_TREATMENTS: Mapping[Status, Treatment] = MappingProxyType(
    dict.fromkeys(Status, Treatment.RANKED)
    | dict.fromkeys((Status.EXCLUDED, Status.WITHDRAWN, Status.ABSENT), Treatment.UNRANKED)
)
"""Everybody who sat is ranked in the one list; see `docs/ranking.md` for what is sourced and what is assumed."""
ALWAYS_UNRANKED = frozenset({Status.EXCLUDED, Status.ABSENT})
SHORTEST_SEED, LONGEST_SEED = 16, 200
FEWEST_IN_A_CELL = 5
COMPLAINT_DAYS = 15
LONGEST_COMPLAINT_DAYS = 120
_SEVERITY = {treatment: severity for severity, treatment in enumerate(Treatment)}


class InvalidPolicy(Refused):
    """Parameters that cannot be published; the text says which one and why, in French."""

    code = "invalid-policy"


@dataclass(frozen=True, slots=True)
class Policy:
    """All that is published of a ranking before marks are known.

    Attributes:
        tie_keys: in order, without the lots, which come last when there is a seed.
        treatments: by status.
        seed: of the lots; empty for none, and then equal candidates share their rank.
        smallest_cell: people below which a cell of a statistic is hidden, from 1.
        complaint_days: how long complaints may be filed after publication, from 1.
    """

    tie_keys: tuple[TieKey, ...] = DEFAULT_TIE_KEYS
    treatments: Mapping[Status, Treatment] = field(default_factory=lambda: DEFAULT_TREATMENTS)
    seed: str = ""
    smallest_cell: int = FEWEST_IN_A_CELL
    complaint_days: int = COMPLAINT_DAYS

    @property
    def keys(self) -> tuple[TieKey, ...]:
        """Every key, lots included."""
        return (*self.tie_keys, LOT_KEY) if self.seed else self.tie_keys


def treated(statuses: Iterable[Status], policy: Policy) -> tuple[Treatment, Status]:
    """Return the most severe treatment among those of a candidate's statuses, and the first status that asks for it."""
    ordered = sorted(statuses, key=list(Status).index)
    chosen = max(ordered, key=lambda status: _SEVERITY[policy.treatments[status]])
    return policy.treatments[chosen], chosen


def check_policy(policy: Policy) -> None:
    """Refuse parameters that make no ranking.

    Raises:
        InvalidPolicy: why, in French.
    """
    if policy.seed and not SHORTEST_SEED <= len(policy.seed) <= LONGEST_SEED:
        raise InvalidPolicy(f"La graine du tirage au sort a de {SHORTEST_SEED} à {LONGEST_SEED} caractères.")
    if len(set(policy.tie_keys)) != len(policy.tie_keys):
        raise InvalidPolicy("Une clé de départage est en double.")
    if policy.smallest_cell < 1:
        raise InvalidPolicy("L’effectif minimal d’une case est d’au moins 1.")
    if not 1 <= policy.complaint_days <= LONGEST_COMPLAINT_DAYS:
        raise InvalidPolicy(f"Le délai de réclamation est de 1 à {LONGEST_COMPLAINT_DAYS} jours.")
    wrong = [status.label for status in ALWAYS_UNRANKED if policy.treatments[status] is not Treatment.UNRANKED]
    if wrong:
        raise InvalidPolicy(f"Ne peut être classé : {', '.join(sorted(wrong))}.")


def key_of_word(word: str) -> TieKey:
    """Return the key that a word of the form names: a part, `CASES`, `OLDER` or `YOUNGER`.

    Raises:
        InvalidPolicy: no key has this name.
    """
    name = word.strip().upper()
    if name in PartCode:
        return TieKey(TieSource.PART, name)
    try:
        return _KEYS[name]
    except KeyError:
        known = ", ".join([*PartCode, *_KEYS])
        raise InvalidPolicy(f"« {word} » n’est pas une clé de départage. Clés connues : {known}.") from None


def word_of_key(key: TieKey) -> str:
    """Return the word that names a key."""
    return key.part or next(word for word, other in _KEYS.items() if other == key)


def policy_to_json(policy: Policy) -> dict[str, Any]:
    """Return what is published of a policy."""
    return {
        "tie_keys": [word_of_key(key) for key in policy.tie_keys],
        "treatments": {status.value: policy.treatments[status].value for status in Status},
        "seed": policy.seed,
        "lots": METHOD if policy.seed else "",
        "smallest_cell": policy.smallest_cell,
        "complaint_days": policy.complaint_days,
    }


def policy_from_json(data: Mapping[str, Any]) -> Policy:
    """Return the policy that was published."""
    return Policy(
        tie_keys=tuple(key_of_word(word) for word in data["tie_keys"]),
        treatments={Status(status): Treatment(name) for status, name in data["treatments"].items()},
        seed=data["seed"],
        smallest_cell=data["smallest_cell"],
        complaint_days=data["complaint_days"],
    )


_KEYS: Mapping[str, TieKey] = {
    "CASES": TieKey(TieSource.EACH_CASE),
    "OLDER": TieKey(TieSource.BIRTH, direction=Direction.LOWEST),
    "YOUNGER": TieKey(TieSource.BIRTH, direction=Direction.HIGHEST),
}
