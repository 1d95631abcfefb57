"""Each centre is a witness: it prints and keeps the checkpoints of what its nation's candidates did."""

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from centres.models import Hosting
from centres.rules.access import may
from centres.views.room import own_hosting
from exams.exports import checkpoints_json
from exams.queries.checkpoints import last_checkpoint
from exams.reports import qr_svg


@never_cache
@login_required
@require_GET
def show_checkpoint(request: HttpRequest, hosting_id: int) -> HttpResponse:
    """Show the latest checkpoint of the centre's sitting, made to be printed."""
    hosting = _witnessed(request, hosting_id)
    checkpoint = last_checkpoint(hosting.sitting_id)
    context = {"hosting": hosting, "checkpoint": checkpoint, "qr": qr_svg(checkpoint.witness) if checkpoint else ""}
    return render(request, "centres/checkpoint.html", context)


@never_cache
@login_required
@require_GET
def export_checkpoints(request: HttpRequest, hosting_id: int) -> HttpResponse:
    """Give every checkpoint of the sitting so far, as `verify_journal --witness` reads them."""
    hosting = _witnessed(request, hosting_id)
    name = f"preuve-{hosting.sitting_id}-{hosting.centre.code}.json"
    return HttpResponse(
        checkpoints_json(hosting.sitting_id),
        content_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _witnessed(request: HttpRequest, hosting_id: int) -> Hosting:
    actor, hosting = own_hosting(request, hosting_id)
    if not may(actor.role, "witness"):
        raise PermissionDenied
    return hosting
