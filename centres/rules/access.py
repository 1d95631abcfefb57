"""Who of the staff may do what in a centre. What is not written here is refused."""

from collections.abc import Mapping

from ecni.accounts.enums import Role

EVERYWHERE = frozenset({Role.AGENCY, Role.OPS})
"""Roles that see every centre; the others see those they are attached to."""

IN_CENTRES = frozenset({Role.CENTRE_HEAD, Role.INVIGILATOR})
"""Roles that see the centres they are attached to."""

_HEADS = frozenset({Role.AGENCY, Role.CENTRE_HEAD})
_ROOM_STAFF = _HEADS | {Role.INVIGILATOR}

_ALLOWED: Mapping[str, frozenset[Role]] = {
    "welcome": _HEADS,
    "open": _HEADS,
    "pause": _HEADS,
    "resume": _HEADS,
    "grant-time": _HEADS,
    "close": _HEADS,
    "admit": _ROOM_STAFF,
    "absent": _ROOM_STAFF,
    "release": _ROOM_STAFF,
    "handle-call": _ROOM_STAFF,
    "report": _ROOM_STAFF,
    "reveal": _ROOM_STAFF,
    "print-slips": _HEADS,
    "witness": _ROOM_STAFF,
    "print-articles": _HEADS,
    "seat": frozenset({Role.AGENCY}),
    "open-everywhere": frozenset({Role.AGENCY}),
    "grant-everywhere": frozenset({Role.AGENCY}),
    "watch-nation": EVERYWHERE,
    "watch-operations": EVERYWHERE,
    "set-limit": EVERYWHERE,
    "switch-guard": EVERYWHERE,
    "go-to-marking": frozenset({Role.AGENCY, Role.JURY, Role.PRESIDENT}),
    "import-candidates": frozenset({Role.AGENCY}),
}


def may(role: str, verb: str) -> bool:
    """Whether somebody of this role may do this, in a centre that they may see."""
    return role in _ALLOWED.get(verb, frozenset())


def sees_every_centre(role: str) -> bool:
    """Whether this role is not confined to the centres it is attached to."""
    return role in EVERYWHERE
