"""What is looked at on the day: centre sittings, sheets, time granted, pauses, frozen answers. Never written here."""

from typing import Any

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from ecni.accounts.administration import ReadOnlyAdmin
from ecni.accounts.rules import Domain
from exams.models import CentreSitting, FrozenSheet, Pause, Sheet, TimeGrant


@admin.register(CentreSitting)
class CentreSittingAdmin(ReadOnlyAdmin):
    """The sheets that open and close together."""

    domain = Domain.EXAM
    list_display = ("pk", "sitting", "state", "opened_at", "closed_at", "revision")
    list_filter = ("state", "sitting")
    list_select_related = ("sitting",)
    ordering = ("sitting", "pk")


@admin.register(Sheet)
class SheetAdmin(ReadOnlyAdmin):
    """One answer sheet, known by its anonymous number."""

    domain = Domain.EXAM
    list_display = ("number", "sitting", "centre_sitting", "state", "epoch", "extra_seconds", "ends_at", "submitted_at")
    list_filter = ("state", "sitting")
    list_select_related = ("sitting", "centre_sitting")
    search_fields = ("number",)
    ordering = ("sitting", "number")
    show_full_result_count = False


@admin.register(TimeGrant)
class TimeGrantAdmin(ReadOnlyAdmin):
    """Seconds granted during a sitting, by whom and why."""

    domain = Domain.EXAM
    list_display = ("granted_at", "sitting", "centre_sitting", "sheet", "seconds", "reason", "granted_by")
    list_filter = ("sitting",)
    list_select_related = ("sitting", "centre_sitting", "sheet", "granted_by")
    ordering = ("-pk",)


@admin.register(Pause)
class PauseAdmin(ReadOnlyAdmin):
    """Pauses of centre sittings."""

    domain = Domain.EXAM
    list_display = ("centre_sitting", "started_at", "ended_at", "reason")
    list_select_related = ("centre_sitting",)
    ordering = ("-pk",)


@admin.register(FrozenSheet)
class FrozenSheetAdmin(ReadOnlyAdmin):
    """Final answers as marking reads them."""

    domain = Domain.EXAM
    list_display = ("sheet_number", "last_seq", "digest", "frozen_at")
    list_select_related = ("sheet",)
    search_fields = ("sheet__number",)
    fields = ("sheet_number", "last_seq", "digest", "frozen_at")
    readonly_fields = ("sheet_number", "digest")
    ordering = ("pk",)
    show_full_result_count = False

    @admin.display(description=_("copie"), ordering="sheet__number")
    def sheet_number(self, frozen: FrozenSheet) -> str:
        """The anonymous number."""
        return frozen.sheet.number

    @admin.display(description=_("empreinte"))
    def digest(self, frozen: Any) -> str:
        """Head of the chain, in hexadecimal."""
        return bytes(frozen.head_digest).hex()
