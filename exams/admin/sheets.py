"""What is looked at on the day: centre sittings, sheets, time granted, pauses, frozen answers. Never written here."""

from typing import Any

from django.contrib import admin
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from ecni.accounts.administration import ReadOnlyAdmin
from ecni.accounts.rules import Domain
from exams.models import CentreSitting, FrozenSheet, Pause, RefusedOp, Sheet, TimeGrant
from exams.rules.timing import moment_made


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
    list_display = ("granted_at", "sitting", "centre_sitting", "sheet", "cause", "seconds", "reason", "granted_by")
    list_filter = ("cause", "sitting")
    list_select_related = ("sitting", "centre_sitting", "sheet", "granted_by")
    ordering = ("-pk",)


@admin.register(Pause)
class PauseAdmin(ReadOnlyAdmin):
    """Pauses of centre sittings."""

    domain = Domain.EXAM
    list_display = ("centre_sitting", "started_at", "ended_at", "reason")
    list_select_related = ("centre_sitting",)
    ordering = ("-pk",)


@admin.register(RefusedOp)
class RefusedOpAdmin(ReadOnlyAdmin):
    """Ops that are in no sheet: those kept for the jury, and those that a rule refused."""

    domain = Domain.EXAM
    list_display = (
        "received_at",
        "sitting",
        "sheet_number",
        "seq",
        "kind",
        "question",
        "value",
        "code",
        "made",
        "ends_at",
    )
    list_filter = ("code", "sitting")
    list_select_related = ("sitting", "sheet")
    search_fields = ("sheet__number",)
    fields = (*list_display, "epoch", "skew", "head")
    readonly_fields = ("sheet_number", "made", "head")
    ordering = ("-pk",)
    show_full_result_count = False

    @admin.display(description=_("copie"), ordering="sheet__number")
    def sheet_number(self, refused: RefusedOp) -> str:
        """The anonymous number."""
        return refused.sheet.number

    @admin.display(description=_("fait à (horloge du serveur)"))
    def made(self, refused: RefusedOp) -> str:
        """When the tablet says it was made, brought to the server's clock."""
        moment = moment_made(refused.made_at, refused.skew)
        return date_format(localtime(moment), "d/m/Y H:i:s") if moment else str(_("horloge illisible"))

    @admin.display(description=_("empreinte"))
    def head(self, refused: Any) -> str:
        """Digest of the op, in hexadecimal."""
        return bytes(refused.digest).hex()


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
