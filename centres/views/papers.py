"""What a centre prints before the day: slips."""

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from centres.models import Hosting, Seat
from centres.queries.slips import PrintedSlip, printed_slip, printed_slips
from centres.reports import slips_document
from centres.rules.access import may
from centres.views.room import own_hosting
from ecni.accounts.actions import log_deed
from ecni.accounts.models import User
from ecni.shared.clock import now


@never_cache
@login_required
@require_GET
def slips_pdf(request: HttpRequest, hosting_id: int) -> HttpResponse:
    """Give every slip of the centre, by room and seat; printing is logged."""
    actor, hosting = own_hosting(request, hosting_id)
    if not may(actor.role, "print-slips"):
        raise PermissionDenied
    return _pdf(request, actor, hosting, printed_slips(hosting.pk), f"coupons-{hosting.centre.code}.pdf")


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
    return _pdf(request, actor, hosting, [printed_slip(seat_id)], f"coupon-{seat_id}.pdf")


def _pdf(request: HttpRequest, actor: User, hosting: Hosting, slips: list[PrintedSlip], name: str) -> HttpResponse:
    log_deed(actor=actor, verb="print_slips", target=f"hosting:{hosting.pk}", now=now(), data={"slips": len(slips)})
    document = slips_document(hosting, slips, request.build_absolute_uri("/"))
    return HttpResponse(
        document,
        content_type="application/pdf",
        headers={"Content-Disposition": f'inline; filename="{name}"'},
    )
