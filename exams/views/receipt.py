"""The QR of a candidate's receipt: their own sheet, the head they hold. No session, no database."""

import re

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from exams.reports import qr_svg
from exams.rules.checkpoint import receipt_text
from exams.tickets import COOKIE, read_ticket

_HEAD = re.compile(r"[0-9a-f]{64}")
_PLAIN = "text/plain; charset=utf-8"


@never_cache
@require_safe
def show_receipt(request: HttpRequest) -> HttpResponse:
    """Draw the QR of the head given by `?tete=`, 64 hexadecimal digits, for the sheet of the ticket."""
    ticket = read_ticket(request.COOKIES.get(COOKIE, ""))
    if ticket is None:
        return HttpResponse(_("Cette tablette n’a pas de copie."), status=401, content_type=_PLAIN)
    head = request.GET.get("tete", "")
    if not _HEAD.fullmatch(head):
        return HttpResponse(
            _("tete : 64 chiffres hexadécimaux en minuscules sont attendus."), status=400, content_type=_PLAIN
        )
    text = receipt_text(ticket.sitting_id, ticket.number, bytes.fromhex(head))
    return HttpResponse(qr_svg(text), content_type="image/svg+xml")
