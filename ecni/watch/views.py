"""The operations board, for the agency and for ops. It opens without PostgreSQL in a browser that saw it before."""

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.core.signing import BadSignature, TimestampSigner
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from centres.rules.access import may
from ecni.accounts.models import User
from ecni.shared.clock import now
from ecni.watch.board import SPARK_HEIGHT, SPARK_WIDTH, board

LIMITS_PAGE = "centres:limit-list"
"""Where limits are raised and guards are set to observe."""

COOKIE = "ecni_watch"
SALT = "ecni.watch"


@never_cache
@require_GET
def show_board(request: HttpRequest) -> HttpResponse:
    """Show the whole page."""
    return _shown(request, "watch/board.html")


@never_cache
@require_GET
def show_state(request: HttpRequest) -> HttpResponse:
    """Show what changes on it, which it asks for again every two seconds."""
    return _shown(request, "watch/_state.html")


def _shown(request: HttpRequest, template: str) -> HttpResponse:
    try:
        person: object = request.user
        is_known = isinstance(person, User)
    except DatabaseError:
        return _draw(template) if _was_let_in(request) else HttpResponse(status=503)
    if not is_known:
        return redirect_to_login(request.get_full_path())
    if not isinstance(person, User) or not may(person.role, "watch-operations"):
        raise PermissionDenied
    response = _draw(template)
    response.set_cookie(
        COOKIE,
        TimestampSigner(salt=SALT).sign(str(person.pk)),
        max_age=settings.SESSION_COOKIE_AGE,
        path=reverse("watch:board-show"),
        httponly=True,
        samesite="Strict",
        secure=settings.SESSION_COOKIE_SECURE,
    )
    return response


def _draw(template: str) -> HttpResponse:
    context = {
        "board": board(now().timestamp()),
        "limits_page": reverse(LIMITS_PAGE),
        "spark": {"width": SPARK_WIDTH, "height": SPARK_HEIGHT},
    }
    # Without the request: what templates ask of a session or of a person, they would ask PostgreSQL.
    return HttpResponse(render_to_string(template, context))


def _was_let_in(request: HttpRequest) -> bool:
    """Whether this browser showed the board to somebody who may see it, lately enough to believe it."""
    try:
        TimestampSigner(salt=SALT).unsign(request.COOKIES.get(COOKIE, ""), max_age=settings.SESSION_COOKIE_AGE)
    except BadSignature:
        return False
    return True
