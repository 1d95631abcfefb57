"""What a centre prints: slips before the day, the articles of a critical reading once it is open."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from centres.models import Hosting, Seat
from centres.queries.slips import PrintedSlip, printed_slip, printed_slips
from centres.reports import articles_document, slips_document
from centres.rules.access import may
from centres.views.room import own_hosting
from ecni.accounts.actions import log_deed
from ecni.accounts.models import User
from ecni.shared.clock import now
from exams.actions.centre_sitting import CLOSED_STATES
from exams.queries.articles import opened_articles
from exams.rules.states import WrongState


@never_cache
@login_required
@require_GET
def slips_pdf(request: HttpRequest, hosting_id: int) -> HttpResponse:
    """Give every slip of the centre, by room and seat; printing is logged."""
    actor, hosting = own_hosting(request, hosting_id)
    if not may(actor.role, "print-slips"):
        raise PermissionDenied
    target = f"hosting:{hosting.pk}"
    return _pdf(request, actor, hosting, target, printed_slips(hosting.pk), f"coupons-{hosting.centre.code}.pdf")


@never_cache
@login_required
@require_GET
def slip_pdf(request: HttpRequest, hosting_id: int, seat_id: int) -> HttpResponse:
    """Give the living slip of one seat, after a reissue."""
    actor, hosting = own_hosting(request, hosting_id)
    if not may(actor.role, "release"):
        raise PermissionDenied
    if not Seat.objects.filter(hosting=hosting, pk=seat_id).exists():
        raise Http404
    return _pdf(request, actor, hosting, f"seat:{seat_id}", [printed_slip(seat_id)], f"coupon-{seat_id}.pdf")


@never_cache
@login_required
@require_GET
def articles_pdf(request: HttpRequest, hosting_id: int) -> HttpResponse:
    """Give the articles of an open sitting, when tablets cannot show them; before, they are sealed to everybody."""
    actor, hosting = own_hosting(request, hosting_id)
    if not may(actor.role, "print-articles"):
        raise PermissionDenied
    try:
        articles = opened_articles(hosting.centre_sitting_id)
    except WrongState as refusal:
        messages.error(request, str(refusal))
        return redirect("centres:room-show", hosting_id)
    if not articles:
        raise Http404
    log_deed(
        actor=actor, verb="print_articles", target=f"hosting:{hosting.pk}", now=now(), data={"articles": len(articles)}
    )
    return _document(articles_document(hosting, articles), f"articles-{hosting.centre.code}.pdf")


def _pdf(
    request: HttpRequest, actor: User, hosting: Hosting, target: str, slips: list[PrintedSlip], name: str
) -> HttpResponse:
    if hosting.centre_sitting.state in CLOSED_STATES:  # a slip also gives the code of the results
        messages.error(request, "L’épreuve est close : plus aucun coupon n’est imprimé.")
        return redirect("centres:room-show", hosting.pk)
    log_deed(actor=actor, verb="print_slips", target=target, now=now(), data={"slips": len(slips)})
    return _document(slips_document(hosting, slips, request.build_absolute_uri("/")), name)


def _document(document: bytes, name: str) -> HttpResponse:
    return HttpResponse(
        document,
        content_type="application/pdf",
        headers={"Content-Disposition": f'inline; filename="{name}"'},
    )
