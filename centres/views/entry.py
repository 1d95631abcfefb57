"""The candidate's door: the code of a slip, an identity to confirm, a ticket. No session, no JavaScript needed."""

from secrets import token_urlsafe

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_GET, require_POST

from centres.actions.attempts import must_wait, note_wrong_code
from centres.actions.slips import use_slip
from centres.queries.slips import EntryRefused, UnknownCode, open_entry
from ecni.shared.clock import now
from ecni.vitals import TALLY
from exams.tickets import COOKIE, LIFETIME, mint_ticket

DEVICE_COOKIE = "ecni_device"
SHEET_COOKIE = "ecni_sheet"
"""Names the ticket's sheet to scripts, which cannot read the ticket: what a tablet keeps of another is not shown."""
TABLET_URL = "/copie/"
LONGEST_CODE = 40


@never_cache
@ensure_csrf_cookie
@require_GET
def enter(request: HttpRequest) -> HttpResponse:
    """Ask for the code of the slip."""
    response = render(request, "centres/slip.html")
    if DEVICE_COOKIE not in request.COOKIES:
        _set_cookie(response, DEVICE_COOKIE, token_urlsafe(24))
    return response


@never_cache
@require_POST
def check_identity(request: HttpRequest) -> HttpResponse:
    """Show whose slip it is and ask "Est-ce bien vous ?"; nothing is consumed."""
    device, address = request.COOKIES.get(DEVICE_COOKIE, ""), request.META.get("REMOTE_ADDR", "")
    typed = request.POST.get("code", "")[:LONGEST_CODE]
    if must_wait(device=device, address=address):
        return _ask_again(request, typed, _("Plusieurs codes erronés : attendez quelques secondes, puis réessayez."))
    try:
        entry = open_entry(typed)
    except UnknownCode as refusal:
        note_wrong_code(device=device, address=address)
        return _ask_again(request, typed, str(refusal))
    except EntryRefused as refusal:
        return _ask_again(request, typed, str(refusal))
    return render(request, "centres/identity.html", {"entry": entry, "code": typed})


@never_cache
@require_POST
def confirm_identity(request: HttpRequest) -> HttpResponse:
    """Bind the slip to this tablet and hand the ticket over."""
    typed = request.POST.get("code", "")[:LONGEST_CODE]
    device = request.COOKIES.get(DEVICE_COOKIE)
    if device is None:
        return _ask_again(request, typed, _("Cette tablette refuse les cookies : appelez un surveillant."))
    try:
        ticket = use_slip(entry=open_entry(typed), device=device, now=now())
    except EntryRefused as refusal:
        return _ask_again(request, typed, str(refusal))
    TALLY.logins += 1
    response = HttpResponseRedirect(TABLET_URL)
    _set_cookie(response, COOKIE, mint_ticket(ticket))
    _set_cookie(response, SHEET_COOKIE, f"{ticket.sitting_id}|{ticket.number}", httponly=False)
    return response


@never_cache
@require_POST
def deny_identity(request: HttpRequest) -> HttpResponse:
    """Say what to do when the slip is somebody else's; nothing was consumed."""
    return render(request, "centres/not_me.html")


def _ask_again(request: HttpRequest, typed: str, error: str) -> HttpResponse:
    return render(request, "centres/slip.html", {"typed": typed, "error": error}, status=422)


def _set_cookie(response: HttpResponse, name: str, value: str, *, httponly: bool = True) -> None:
    response.set_cookie(
        name,
        value,
        max_age=int(LIFETIME.total_seconds()),
        httponly=httponly,
        samesite="Strict",
        secure=settings.SESSION_COOKIE_SECURE,
    )
