"""Who of the staff may mark, rank and publish. What is not written here is refused."""

from collections.abc import Mapping

from ecni.accounts.enums import Role

_MEMBERS = frozenset({Role.JURY, Role.PRESIDENT})
_JURY = _MEMBERS | {Role.AGENCY}
_ALLOWED: Mapping[str, frozenset[Role]] = {
    "follow-marking": _JURY,
    "analyse": _JURY,
    "mark": frozenset({Role.AGENCY}),
    "rank": _JURY,
    "publish": _JURY,
    "adjudicate": _MEMBERS,
    "propose": _MEMBERS,
    "vote": _MEMBERS,
    "preside": frozenset({Role.PRESIDENT}),
    "publish-rules": frozenset({Role.AGENCY}),
    "sign-ranking": frozenset({Role.PRESIDENT}),
    "lift-anonymity": frozenset({Role.AGENCY, Role.JURY}),
    "read-names": frozenset({Role.AGENCY}),
    "answer-complaints": frozenset({Role.AGENCY}),
}


def may(role: str, verb: str) -> bool:
    """Whether somebody of this role may do this; the verbs are those of the marking, jury and ranking pages."""
    return role in _ALLOWED.get(verb, frozenset())
