"""The signed ticket that admission gives to one tablet: enough for the page and the socket to know whose sheet it is.

Verified without session and without database. A ticket of an older epoch is refused by the statement that writes.
"""

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.core import signing

COOKIE = "ecni_ticket"
LIFETIME = timedelta(hours=10)
_SALT = "exams.ticket/1"


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a tablet may act on: one sheet, in one epoch."""

    sheet_id: int
    epoch: int
    centre_sitting_id: int
    sitting_id: int
    number: str


def mint_ticket(ticket: Ticket) -> str:
    """Sign a ticket; it expires after `LIFETIME`."""
    fields = [ticket.sheet_id, ticket.epoch, ticket.centre_sitting_id, ticket.sitting_id, ticket.number]
    return signing.dumps(fields, key=settings.TICKET_SECRET, salt=_SALT)


def read_ticket(text: str) -> Ticket | None:
    """Return the ticket, or None when it is forged, damaged or expired."""
    try:
        fields = signing.loads(text, key=settings.TICKET_SECRET, salt=_SALT, max_age=LIFETIME)
    except signing.BadSignature:
        return None
    return Ticket(*fields)
