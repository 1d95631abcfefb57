"""The candidate's door: the code of a slip, an identity to confirm, a ticket. No session, no JavaScript needed."""

import time
from random import random
from secrets import token_urlsafe
from typing import Any

from django.conf import settings
from django.core import signing
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_GET, require_POST

from centres.actions.attempts import must_wait, note_wrong_code
from centres.actions.slips import use_slip
from centres.queries.slips import Entry, EntryRefused, UnknownCode, open_entry
from centres.views.gate import Gate
from ecni.pages import WAITED
from ecni.shared.clock import now
from ecni.vitals import TALLY
from exams.actions.guards import Guards
from exams.enums import GuardName
from exams.rules.admission import Wait, retry_ms
from exams.rules.browser import HEADER as SEB_HEADER
from exams.rules.browser import proves_config
from exams.rules.networks import comes_from
from exams.tickets import COOKIE, LIFETIME, mint_ticket

DEVICE_COOKIE = "ecni_device"
SHEET_COOKIE = "ecni_sheet"
"""Names the ticket's sheet to scripts, which cannot read the ticket: what a tablet keeps of another is not shown."""
CENTRE_COOKIE = "ecni_centre"
"""By which nginx sends the tablets of one centre sitting to one process (docs/adr/0020-sockets-by-centre.md)."""
TABLET_URL = "/copie/"
WAIT_COOKIE = "ecni_wait"
"""What a tablet that waits has typed, and since when: signed, so that nobody invents a place."""
WAIT_SALT = "centres.wait/1"
WAIT_SECONDS = 3600
LONGEST_CODE = 40
SOON_MS = 20_000
"""Up to here the page says « quelques secondes »."""
KNOCKS_OF_NO_PLACE = 100
"""Who has no place knocks like the hundredth: every 5 seconds or so."""

gate = Gate()
guards = Guards()


class WrongNetwork(EntryRefused):
    """The tablet is not on the network of its centre."""

    code = "network"
    text = "Cette tablette n’est pas sur le réseau de son centre : appelez un surveillant."


class WrongBrowser(EntryRefused):
    """The page was not asked for by the kiosk browser of the exam."""

    code = "browser"
    text = "Cette page s’ouvre dans Safe Exam Browser, avec la configuration de l’examen : appelez un surveillant."


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
    wait = _carried_wait(request)
    return _identify(request, typed, since=wait["since"] if wait and wait["code"] == typed else None)


@never_cache
@require_GET
def wait_turn(request: HttpRequest) -> HttpResponse:
    """Knock again for a tablet that waits: it goes straight on when its turn has come."""
    wait = _carried_wait(request)
    if wait is None:
        return redirect("centres:slip-enter")
    return _identify(request, wait["code"], since=wait["since"])


@never_cache
@require_POST
def confirm_identity(request: HttpRequest) -> HttpResponse:
    """Bind the slip to this tablet and hand the ticket over."""
    typed = request.POST.get("code", "")[:LONGEST_CODE]
    device = request.COOKIES.get(DEVICE_COOKIE)
    if device is None:
        return _ask_again(request, typed, _("Cette tablette refuse les cookies : appelez un surveillant."))
    try:
        entry = open_entry(typed)
        _refuse_elsewhere(request, entry)
        ticket = use_slip(entry=entry, device=device, now=now())
    except EntryRefused as refusal:
        return _ask_again(request, typed, str(refusal))
    except OperationalError:
        return _wait_for_database(request, typed, now().timestamp())
    TALLY.logins += 1
    response = HttpResponseRedirect(TABLET_URL)
    _set_cookie(response, COOKIE, mint_ticket(ticket))
    _set_cookie(response, CENTRE_COOKIE, f"{ticket.centre_sitting_id:02}")
    _set_cookie(response, SHEET_COOKIE, f"{ticket.sitting_id}|{ticket.number}", httponly=False)
    return response


@never_cache
@require_POST
def deny_identity(request: HttpRequest) -> HttpResponse:
    """Say what to do when the slip is somebody else's; nothing was consumed."""
    return render(request, "centres/not_me.html")


def _carried_wait(request: HttpRequest) -> dict[str, Any] | None:
    """Return the code of a tablet that waits, and since when, or None: who types again, or twice, keeps their place."""
    try:
        carried: dict[str, Any] = signing.loads(
            request.COOKIES.get(WAIT_COOKIE, ""), salt=WAIT_SALT, max_age=WAIT_SECONDS
        )
    except signing.BadSignature:
        return None
    return carried


def _identify(request: HttpRequest, typed: str, *, since: float | None) -> HttpResponse:
    device, address = request.COOKIES.get(DEVICE_COOKIE, ""), request.META.get("REMOTE_ADDR", "")
    instant = now().timestamp()
    try:
        wait = gate.knock(
            device=device or address, code=typed, now=instant, since=since, waited=request.META.get(WAITED, 0.0)
        )
        if wait is not None:
            return _make_wait(request, wait, {"code": typed, "since": since or instant})
        entry = open_entry(typed)
        _refuse_elsewhere(request, entry)
    except UnknownCode as refusal:
        note_wrong_code(device=device, address=address)
        return _ask_again(request, typed, str(refusal))
    except EntryRefused as refusal:
        return _ask_again(request, typed, str(refusal))
    except OperationalError:
        return _wait_for_database(request, typed, since or instant)
    response = render(request, "centres/identity.html", {"entry": entry, "code": typed})
    response.delete_cookie(WAIT_COOKIE, samesite="Strict")
    return response


def _wait_for_database(request: HttpRequest, typed: str, since: float) -> HttpResponse:
    """Have a candidate wait, without a place, while PostgreSQL is away or every connection to it is in use."""
    wait = Wait(0, retry_ms(KNOCKS_OF_NO_PLACE, random()))  # noqa: S311 -- spreads tablets in time, protects nothing
    return _make_wait(request, wait, {"code": typed, "since": since})


def _make_wait(request: HttpRequest, wait: Wait, cookie: dict[str, str | float]) -> HttpResponse:
    """Answer a page that comes back by itself. It is no error: a proxy must neither hide it nor try elsewhere."""
    response = render(request, "centres/wait.html", {"place": wait.place, "is_soon": wait.retry_ms <= SOON_MS})
    response.headers["Refresh"] = f"{round(wait.retry_ms / 1000)};url={reverse('centres:turn-wait')}"
    _set_cookie(response, WAIT_COOKIE, signing.dumps(cookie, salt=WAIT_SALT))
    return response


def _refuse_elsewhere(request: HttpRequest, entry: Entry) -> None:
    """Refuse a tablet of another network, or another browser, than the exam asks for.

    Raises:
        WrongNetwork, WrongBrowser: which one; never while their guard only observes.
    """
    instant = time.monotonic()
    address = request.META.get("REMOTE_ADDR", "")
    if entry.networks and not comes_from(address, entry.networks) and guards.look_and_stop(GuardName.ADDRESS, instant):
        raise WrongNetwork
    shown = request.headers.get(SEB_HEADER, "")
    is_proved = not entry.seb_config_key or proves_config(request.build_absolute_uri(), entry.seb_config_key, shown)
    if not is_proved and guards.look_and_stop(GuardName.SEB, instant):
        raise WrongBrowser


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
