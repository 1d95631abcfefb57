# ruff: noqa: ARG002 -- Django passes these arguments by name, needed or not
"""The administration's door: each page belongs to a domain, opened by role alone, and each edit leaves a deed."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.db.models import Model, QuerySet
from django.forms.formsets import DELETION_FIELD_NAME
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest
from django.utils.translation import gettext as _

from ecni.accounts.actions import log_deed
from ecni.accounts.models import User
from ecni.accounts.rules import Domain, may_administer

if TYPE_CHECKING:
    _Gated = admin.ModelAdmin[Any]
else:
    _Gated = object


def is_open(request: HttpRequest, domain: Domain) -> bool:
    """Whether the person of this request may use this part of the administration."""
    user = request.user
    return isinstance(user, User) and user.is_active and user.is_staff and may_administer(user.role, domain)


class NamedRows(BaseInlineFormSet[Any, Any, Any]):
    """Rows of forms whose box to delete has a name."""

    def add_fields(self, form: Any, index: int | None) -> None:
        """Name the box."""
        super().add_fields(form, index)
        if DELETION_FIELD_NAME in form.fields:
            form.fields[DELETION_FIELD_NAME].widget.attrs["aria-label"] = _("Supprimer cette ligne")


class RoleGate(_Gated):
    """Permissions by role: neither groups nor Django's own permissions are read."""

    domain: ClassVar[Domain]

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Name each control, since the cells of a table of forms have no label of their own."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and field.label:
            field.widget.attrs.setdefault("aria-label", str(field.label))
        return field

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Whether the page appears on the index."""
        return is_open(request, self.domain)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Whether the rows may be read."""
        return is_open(request, self.domain)

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Whether a row may be added."""
        return is_open(request, self.domain)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Whether a row may be changed."""
        return is_open(request, self.domain)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Whether a row may be deleted."""
        return is_open(request, self.domain)


class ReadOnlyGate(RoleGate):
    """Rows that are looked at: they are written by actions only."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Refuse."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Refuse."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Refuse."""
        return False


class RoleAdmin(RoleGate, admin.ModelAdmin[Any]):
    """A page whose every edit leaves a deed: which fields, never their values."""

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> LogEntry:
        """Write the deed beside Django's own entry."""
        return self._with_deed("add", super().log_addition(request, obj, message), obj, message)

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> LogEntry:
        """Write the deed beside Django's own entry."""
        return self._with_deed("change", super().log_change(request, obj, message), obj, message)

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        """Write one deed for each deleted row."""
        objects = list(queryset)
        logged = super().log_deletions(request, queryset)
        entries: Iterable[LogEntry] = [logged] if isinstance(logged, LogEntry) else logged
        for entry, obj in zip(entries, objects, strict=True):
            self._with_deed("delete", entry, obj, [])
        return logged

    def _with_deed(self, verb: str, entry: LogEntry, obj: Model, message: Any) -> LogEntry:
        name = self.opts.model_name
        log_deed(
            actor=entry.user,
            verb=f"{verb}_{name}",
            target=f"{name}:{obj.pk}",
            now=entry.action_time,
            data={"fields": _changed_fields(message)},
        )
        return entry


class ReadOnlyAdmin(ReadOnlyGate, admin.ModelAdmin[Any]):
    """A page to look at."""


def _changed_fields(message: Any) -> list[str]:
    parts = message if isinstance(message, list) else []
    return sorted({field for part in parts for detail in part.values() for field in detail.get("fields", [])})
