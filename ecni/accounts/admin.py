# ruff: noqa: ARG002 -- Django passes these arguments by name, needed or not
"""Staff accounts, and the log of what they did."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.contrib.auth.models import Group
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from ecni.accounts.administration import ReadOnlyAdmin, RoleAdmin
from ecni.accounts.models import Deed, User
from ecni.accounts.rules import Domain, may_enter_administration

admin.site.site_title = "ECNi"
admin.site.site_header = "ECNi"
admin.site.index_title = _("Administration nationale")
admin.site.unregister(Group)


class AccountCreationForm(AdminUserCreationForm[User]):
    """A new account, with its role."""

    class Meta(AdminUserCreationForm.Meta):
        model = User
        fields = ("username", "role")


@admin.register(User)
class AccountAdmin(RoleAdmin, UserAdmin[User]):
    """One role per account; the right to enter here follows from it."""

    domain = Domain.ACCOUNTS
    add_form = AccountCreationForm
    list_display = ("username", "first_name", "last_name", "role", "is_active", "last_login")
    list_filter = ("role", "is_active")
    filter_horizontal = ()
    readonly_fields = ("last_login", "date_joined")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (_("Personne"), {"fields": ("first_name", "last_name", "email")}),
        (_("Droits"), {"fields": ("role", "is_active")}),
        (_("Dates"), {"fields": ("last_login", "date_joined")}),
    )
    add_fieldsets = (
        (None, {"classes": ("wide",), "fields": ("username", "role", "usable_password", "password1", "password2")}),
    )

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: Any) -> None:
        """Open or close this administration to the account, as its role says."""
        obj.is_staff = may_enter_administration(obj.role)
        super().save_model(request, obj, form, change)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: deeds name their author for ever; an account is made inactive."""
        return False


@admin.register(Deed)
class DeedAdmin(ReadOnlyAdmin):
    """Who did what, on what, why, when."""

    domain = Domain.ACCOUNTS
    list_display = ("at", "actor", "verb", "target", "reason")
    list_filter = ("verb",)
    list_select_related = ("actor",)
    search_fields = ("target", "reason", "actor__username")
    date_hierarchy = "at"
    ordering = ("-pk",)
