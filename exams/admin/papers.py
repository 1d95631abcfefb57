"""Papers: units are chosen here, then sealed by a deed with a reason. A sealed paper is only looked at."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, ForeignKey, Model, QuerySet
from django.forms import ModelChoiceField
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from ecni.accounts.administration import NamedRows, RoleAdmin, RoleGate
from ecni.accounts.rules import Domain
from ecni.shared.clock import now
from exams.actions.sealing import PaperAlreadySealed, SealingRefused, lock_draft, seal_paper
from exams.admin.pages import page_context, staff_member
from exams.enums import PaperState
from exams.forms import SealingForm
from exams.models import ExamPart, Paper, PaperUnit
from exams.queries.bank import media_named
from exams.queries.drafts import newer_versions, paper_faults, paper_steps, paper_units


class DraftGate(RoleGate):
    """A sealed paper, and what hangs from it, cannot be written."""

    domain = Domain.PAPERS

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Whether a row may be added."""
        return super().has_add_permission(request, obj) and not _is_sealed(obj)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Whether a row may be changed."""
        return super().has_change_permission(request, obj) and not _is_sealed(obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Whether a row may be deleted."""
        return super().has_delete_permission(request, obj) and not _is_sealed(obj)


class PaperUnitInline(DraftGate, admin.TabularInline[PaperUnit, Paper]):
    """The units in their order."""

    model = PaperUnit
    formset = NamedRows
    extra = 3
    autocomplete_fields = ("question", "case")
    ordering = ("position",)
    verbose_name_plural = _("unités (l’ordre seul compte\u00a0: 10, 20, 30 laisse de la place)")

    def formfield_for_foreignkey(
        self, db_field: "ForeignKey[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> ModelChoiceField[Any] | None:
        """Offer only the parts of the paper's own exam."""
        if db_field.name == "part" and request.resolver_match:
            paper_id = request.resolver_match.kwargs.get("object_id")
            parts = ExamPart.objects.select_related("exam")
            kwargs["queryset"] = parts.filter(exam__sittings__papers=paper_id) if paper_id else parts
        return super().formfield_for_foreignkey(db_field, request, **kwargs)


@admin.register(Paper)
class PaperAdmin(DraftGate, RoleAdmin):
    """The subject of one sitting."""

    list_display = ("title", "sitting", "is_reserve", "state", "unit_count", "short_digest", "size", "sealed_at")
    list_filter = ("state", "is_reserve", "sitting__exam")
    list_select_related = ("sitting",)
    search_fields = ("title",)
    fields = ("sitting", "title", "is_reserve", "state", "digest", "size", "sealed_at")
    readonly_fields = ("state", "digest", "size", "sealed_at")
    inlines = (PaperUnitInline,)
    actions = None

    def get_queryset(self, request: HttpRequest) -> QuerySet[Paper]:
        """Count the units in the same query."""
        papers: QuerySet[Paper] = super().get_queryset(request)
        return papers.annotate(unit_count=Count("units")).order_by("sitting", "is_reserve", "pk")

    def get_urls(self) -> list[URLPattern]:
        """Add the page of the sealing."""
        seal = self.admin_site.admin_view(self.show_sealing)
        return [path("<int:paper_id>/sceller/", seal, name="exams_paper_seal"), *super().get_urls()]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        """Write under the lock that a sealing takes: what is being sealed cannot be changed at the same time."""
        if change:
            try:
                lock_draft(paper_id=obj.pk)
            except PaperAlreadySealed as refusal:
                raise PermissionDenied from refusal
        super().save_model(request, obj, form, change)

    def show_sealing(self, request: HttpRequest, paper_id: int) -> HttpResponse:
        """Say what would be sealed and what stands in the way; ask why; seal."""
        paper = get_object_or_404(Paper, pk=paper_id)
        actor = staff_member(self, request, paper)
        form = SealingForm(request.POST or None)
        if form.is_valid():
            try:
                sealed = seal_paper(paper_id=paper_id, actor=actor, now=now(), reason=form.cleaned_data["reason"])
            except SealingRefused as refusal:
                for reason in refusal.reasons:
                    messages.error(request, reason)
            else:
                messages.success(request, gettext("Sujet scellé\u00a0: %(digest)s.") % {"digest": sealed.digest})
            return HttpResponseRedirect(reverse("admin:exams_paper_change", args=[paper_id]))
        title = gettext("Sceller\u00a0: %(paper)s") % {"paper": paper}
        context = page_context(self, request, title, paper) | _summary(paper) | {"form": form}
        return render(request, "admin/exams/paper/seal.html", context)

    @admin.display(description=_("unités"), ordering="unit_count")
    def unit_count(self, paper: Any) -> int:
        """Number of units."""
        count: int = paper.unit_count
        return count

    @admin.display(description=_("empreinte"))
    def short_digest(self, paper: Paper) -> str:
        """The beginning of the digest: enough to recognise it."""
        return paper.digest[:12] or "-"


def _is_sealed(obj: Model | None) -> bool:
    return isinstance(obj, Paper) and obj.state == PaperState.SEALED


def _summary(paper: Paper) -> dict[str, Any]:
    units = paper_units(paper.pk)
    steps = paper_steps(units)
    media = media_named({name for step in steps for name in step.images})
    faults = paper_faults(paper, units, steps, media)
    return {"paper": paper, "units": units, "steps": steps, "faults": faults, "newer": newer_versions(units)}
