"""Marking runs in the administration: to look at, never to change."""

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from ecni.accounts.models import User
from grading.models import MarkingChunk, MarkingRun
from grading.rules.access import may


class ReadOnly(admin.ModelAdmin[Model]):
    """Rows that are looked at by those who follow the marking."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Whether the account follows the marking."""
        return isinstance(request.user, User) and may(request.user.role, "follow-marking")

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002
        """As for the whole module."""
        return self.has_module_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002
        """Never: actions write."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002
        """Never."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002
        """Never."""
        return False


@admin.register(MarkingRun)
class MarkingRunAdmin(ReadOnly):
    """Every run of every paper."""

    list_display = ("pk", "paper", "state", "sheets", "absent", "created_by", "created_at", "finished_at")
    list_filter = ("state",)
    list_select_related = ("paper", "created_by")


@admin.register(MarkingChunk)
class MarkingChunkAdmin(ReadOnly):
    """The chunks of the runs, with the error of those that failed."""

    list_display = ("run", "number", "sheets", "state", "attempts", "started_at", "finished_at", "error")
    list_filter = ("state",)
    list_select_related = ("run",)
