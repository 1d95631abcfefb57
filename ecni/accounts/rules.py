"""What each role may do in the administration: pure tables, deny by default."""

from enum import Enum, auto

from ecni.accounts.enums import Role


class Domain(Enum):
    """A part of the administration that is opened or closed as a whole."""

    EXAM = auto()
    """Exams, sittings, and what is looked at on the day."""

    BANK = auto()
    """Questions, cases, images."""

    PAPERS = auto()
    """Papers: choosing, previewing, sealing."""

    PEOPLE = auto()
    """Centres, candidates and accommodations."""

    ACCOUNTS = auto()
    """Staff accounts and the log of their deeds."""


_OPEN: dict[Role, frozenset[Domain]] = {
    Role.AGENCY: frozenset(Domain),
    Role.COUNCIL: frozenset({Domain.BANK, Domain.PAPERS}),
}


def may_administer(role: str, domain: Domain) -> bool:
    """Whether accounts of this role see and use this part of the administration."""
    return domain in _OPEN.get(Role(role), frozenset())


def may_enter_administration(role: str) -> bool:
    """Whether any part of the administration is open to this role."""
    return Role(role) in _OPEN
