"""Who of the staff may mark, rank and publish. What is not written here is refused."""

from collections.abc import Mapping

from ecni.accounts.enums import Role

_JURY = frozenset({Role.AGENCY, Role.JURY})
_ALLOWED: Mapping[str, frozenset[Role]] = {
    "follow-marking": _JURY,
    "mark": frozenset({Role.AGENCY}),
    "rank": _JURY,
    "publish": _JURY,
    "lift-anonymity": frozenset({Role.AGENCY}),
}


def may(role: str, verb: str) -> bool:
    """Whether somebody of this role may do this; the verbs are those of the marking and ranking pages."""
    return role in _ALLOWED.get(verb, frozenset())
