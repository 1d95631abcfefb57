"""What the pages added to the administration share: who may open one, and what its frame shows."""

from typing import Any

from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest

from ecni.accounts.models import User


def staff_member(page: ModelAdmin[Any], request: HttpRequest, obj: Model | None = None) -> User:
    """Return who is asking, once allowed to read the rows of this page.

    Raises:
        PermissionDenied: another role.
    """
    user = request.user
    if not isinstance(user, User) or not page.has_view_permission(request, obj):
        raise PermissionDenied
    return user


def page_context(page: ModelAdmin[Any], request: HttpRequest, title: str, obj: Model | None = None) -> dict[str, Any]:
    """Return what the frame of the administration needs."""
    return page.admin_site.each_context(request) | {"title": title, "opts": page.opts, "original": obj}
