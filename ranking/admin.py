"""Rankings and publications in the administration: to look at, never to change; groups of specialties to fill in."""

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from ecni.accounts.administration import RoleAdmin
from ecni.accounts.models import User
from ecni.accounts.rules import Domain
from grading.rules.access import may
from ranking.forms import GroupForm
from ranking.models import (
    AnonymityLift,
    Publication,
    RankingPolicy,
    RankingRun,
    RankingSignature,
    RankingWithdrawal,
    SpecialtyGroup,
)


class ReadOnly(admin.ModelAdmin[Model]):
    """Rows that are looked at by those who publish."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Whether the account takes part in the publication."""
        return isinstance(request.user, User) and may(request.user.role, "publish")

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


@admin.register(RankingRun)
class RankingRunAdmin(ReadOnly):
    """Every ranking of every exam."""

    list_display = ("pk", "exam", "digest", "created_by", "created_at")
    list_select_related = ("exam", "created_by")


@admin.register(Publication)
class PublicationAdmin(ReadOnly):
    """Who proposed and who confirmed."""

    list_display = ("pk", "exam", "run", "proposed_by", "proposed_at", "not_before", "confirmed_by", "confirmed_at")
    list_select_related = ("exam", "run", "proposed_by", "confirmed_by")


@admin.register(RankingPolicy)
class RankingPolicyAdmin(ReadOnly):
    """The published parameters, former ones included."""

    list_display = ("pk", "exam", "created_by", "created_at", "reason")
    list_select_related = ("exam", "created_by")


@admin.register(RankingSignature)
class RankingSignatureAdmin(ReadOnly):
    """What the president signed."""

    list_display = ("pk", "run", "digest", "signed_by", "signed_at", "reason")
    list_select_related = ("run", "signed_by")


@admin.register(AnonymityLift)
class AnonymityLiftAdmin(ReadOnly):
    """Who lifted the anonymity."""

    list_display = ("pk", "exam", "run", "step", "lifted_by", "lifted_at", "reason")
    list_select_related = ("exam", "run", "lifted_by")


@admin.register(RankingWithdrawal)
class RankingWithdrawalAdmin(ReadOnly):
    """What the president took back."""

    list_display = ("pk", "run", "withdrawn_by", "withdrawn_at", "reason")
    list_select_related = ("run", "withdrawn_by")


@admin.register(SpecialtyGroup)
class SpecialtyGroupAdmin(RoleAdmin):
    """The groups of specialties of an EDN: official lists of items are typed here."""

    domain = Domain.EXAM
    form = GroupForm
    list_display = ("number", "name", "exam")
    list_filter = ("exam",)
    list_select_related = ("exam",)
    ordering = ("exam", "number")
